# SPDX-License-Identifier: MIT
"""Prompts from clips: whole or not at all, digits and dates put together, another language else."""

from datetime import date

import numpy as np
import pytest
import soundfile

from channels.voice.clips import (
    ClipFolder,
    needed,
    spoken_administration,
    spoken_date,
    spoken_status,
)
from channels.voice.prompts import Prompts, Utterance
from config.voice import spoken_prompts
from config.wording import Wording

WORDING = Wording()
VOICED = frozenset({"ar", "fr", "en"})
INSTEAD = {"zgh": "ar", "ary": "ar"}


def words(language, key, **values):
    text = spoken_prompts(language).get(key) or WORDING.text(language, f"voice.{key}")
    return text.format_map(values) if values else text


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "zgh").mkdir()
    return tmp_path


@pytest.fixture
def lay(folder):
    """Lays clips down for Amazigh."""

    def lay(*names):
        for name in names:
            soundfile.write(folder / "zgh" / f"{name}.wav", np.zeros(800), 8000)

    return lay


@pytest.fixture
def prompts(folder):
    def url(language, name):
        return f"clip:{name}" if ClipFolder(folder).find(language, name) else None

    return Prompts(words, VOICED, url, INSTEAD)


def heard(utterances):
    return [one.clip or f"{one.language}:{one.text}" for one in utterances]


def test_a_prompt_is_its_clip(prompts, lay):
    lay("menu")

    assert prompts.prompt("zgh", "menu") == [Utterance(clip="clip:menu")]


def test_without_its_clip_a_voice_of_another_language_says_it(prompts):
    assert heard(prompts.prompt("zgh", "menu")) == [f"ar:{WORDING.text('ar', 'voice.menu')}"]
    assert heard(prompts.prompt("fr", "menu")) == [f"fr:{WORDING.text('fr', 'voice.menu')}"]


def test_a_language_that_another_one_offers_is_named(prompts):
    (said,) = heard(prompts.prompt("zgh", "welcome", digit="5"))

    assert "بالأمازيغية" in said
    assert "5" in said


def test_digits_are_clips_one_by_one_or_none(prompts, lay):
    lay("digit-1", "digit-2")

    assert heard(prompts.digits("zgh", "212")) == ["clip:digit-2", "clip:digit-1", "clip:digit-2"]
    assert heard(prompts.digits("zgh", "123")) == ["ar:1, 2, 3"]


STATUS_CLIPS = ("status-1", "status-2", "status-3", "number-2", "month-5", "digit-2", "digit-0")


def status_values():
    return {
        "date": spoken_date("2 mai 2026", date(2026, 5, 2)),
        "status": spoken_status("clos", "in_progress"),
        "administration": spoken_administration("Régie", "regie"),
    }


def test_a_date_and_a_status_are_put_together_in_the_order_of_the_wording(prompts, lay):
    lay(*STATUS_CLIPS, "digit-6", "status-of-in-progress", "administration-regie")
    year = ["clip:digit-2", "clip:digit-0", "clip:digit-2", "clip:digit-6"]

    assert heard(prompts.prompt("zgh", "status", **status_values())) == [
        *("clip:status-1", "clip:number-2", "clip:month-5", *year, "clip:status-2"),
        *("clip:status-of-in-progress", "clip:status-3", "clip:administration-regie"),
    ]


@pytest.mark.parametrize("value", ["Régie", spoken_administration("Régie", "unrecorded")])
def test_one_missing_piece_gives_the_whole_prompt_to_the_other_language(prompts, lay, value):
    lay(*STATUS_CLIPS, "digit-6", "status-of-in-progress")
    values = status_values() | {"administration": value}

    (said,) = heard(prompts.prompt("zgh", "status", **values))
    assert said.startswith("ar:")


@pytest.mark.parametrize("language", ["zgh", "ary"])
def test_the_texts_to_be_recorded_are_those_of_the_other_languages(language):
    own = {key.removeprefix("voice.") for key in WORDING.keys("fr") if key.startswith("voice.")}
    own -= {"welcome_ary", "welcome_zgh"}

    assert spoken_prompts(language).keys() == own
    for key, text in spoken_prompts(language).items():
        french = WORDING.text("fr", f"voice.{key}")
        assert sorted(text.count(c) for c in "{}") == sorted(french.count(c) for c in "{}")


def test_what_is_needed_is_told_with_its_words(folder, lay):
    wanted = needed(spoken_prompts("zgh"), ["in-progress"], {"onee-eau": "ONEE", "": "…"})
    lay("menu", "digit-1")
    (folder / "zgh" / "goodbye.mp3").write_bytes(b"<Error/>")
    missing, broken = ClipFolder(folder).faults("zgh", wanted)

    assert {"status-1", "number-31", "month-12", "digit-0", "status-of-in-progress"} <= set(missing)
    assert {"administration-onee-eau", "administration-none"} <= set(missing)
    assert not {"menu", "digit-1"} & set(missing)
    assert broken == ["goodbye.mp3"]


@pytest.mark.parametrize(
    ("language", "name"), [("zgh", "../menu"), ("..", "menu"), ("zgh/..", "menu"), ("zgh", "")]
)
def test_no_name_leads_out_of_the_folder(folder, lay, language, name):
    lay("menu")
    soundfile.write(folder / "menu.wav", np.zeros(8), 8000)

    assert ClipFolder(folder).find(language, name) is None

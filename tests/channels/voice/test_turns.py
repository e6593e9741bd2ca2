# SPDX-License-Identifier: MIT
"""Every step × {right key, wrong key, nothing, hang-up} × language: exactly the expected TwiML."""

import pytest

from channels.voice import ivr
from guichet_testing.voice_turns import (
    FOLDER,
    KINDS,
    LANGUAGES,
    TURNS,
    UNCHOSEN,
    documents,
    expected,
    in_lines,
)

FILES = (UNCHOSEN, *LANGUAGES)


@pytest.mark.parametrize("step", list(ivr._STEPS))
@pytest.mark.parametrize("kind", KINDS)
def test_the_table_holds_every_step_with_every_kind_of_key(step, kind):
    assert [turn for turn in TURNS if turn.step is step and turn.kind == kind]


@pytest.mark.parametrize("language", FILES)
def test_each_document_is_the_one_that_was_read_and_written_down(language):
    said = {name: in_lines(document) for name, document in documents(language).items()}

    assert said == expected(language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_every_step(language):
    steps = {turn.step for turn in TURNS if turn.spoken_in(language)}

    assert steps | {"welcome", "language"} == set(ivr._STEPS)


def test_no_file_is_left_over():
    assert {file.stem for file in FOLDER.iterdir()} == set(FILES)


def test_names_tell_turns_apart():
    assert len({turn.name for turn in TURNS}) == len(TURNS)

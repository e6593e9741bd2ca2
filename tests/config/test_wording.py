# SPDX-License-Identifier: MIT
"""The texts of all languages: whole, alike, short where each segment costs, and safe to answer."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from string import Formatter
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from babel import Locale

from channels.sms.segments import Encoding, length
from config import country
from config.settings import Settings
from config.wording import HERE, PLURAL_FORMS, Wording
from dispatcher.administration import Administration
from dispatcher.administration_csv import read_csv
from gateway.wiring import confirm_url, notices_of
from normalizer.intent import CONTENT, Intent, understand
from normalizer.text import fold
from normalizer.tracking_code import display
from tracker.models import CaseStatus

WORDING = Wording()
LANGUAGES = ("ar", "fr", "en")
CODE = "482109375512"
#: An address of a usual length, as it stands in every link.
SETTINGS = Settings(
    profile="demo",
    web={"public_base_url": "https://plaintes.ville.example", "secret_keys": ["k" * 40]},
    twilio={"number": "+212520000000"},
)
MOROCCO = country.load("ma")
REGISTER = read_csv(HERE.parent / "administrations.csv")
#: What carriers and Twilio act on themselves: it never reaches us, or silences us for good.
CARRIER_WORDS = (
    *("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT", "ARRET"),
    *("START", "UNSTOP", "YES", "HELP", "INFO"),
)


def forms(language: str, key: str) -> dict[str, str]:
    """The texts of a key: its plural forms, or the one text as ``other``."""
    entry = WORDING._texts[language][key]
    return entry if isinstance(entry, dict) else {"other": entry}


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


# --- Whole and alike ------------------------------------------------------------------------------


def test_every_language_has_a_folder():
    assert set(WORDING.languages) == set(LANGUAGES) == set(MOROCCO.languages)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_keys(language):
    assert WORDING.keys(language) ^ WORDING.keys("fr") == frozenset()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_a_text_and_none_is_empty(language):
    texts = [(k, t) for k in WORDING.keys(language) for t in forms(language, k).values()]

    assert [key for key, text in texts if not str(text).strip()] == []
    assert {type(text) for _, text in texts} == {str}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_key_has_the_same_places_in_every_language(language):
    def all_places(tag: str, key: str) -> set[str]:
        return {place for text in forms(tag, key).values() for place in places(text)}

    keys = WORDING.keys("fr")
    assert [key for key in keys if all_places(language, key) != all_places("fr", key)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_plural_has_every_form_of_its_language_and_no_place_of_its_own(language):
    wanted = {"other", *Locale.parse(language).plural_form.tags}
    plurals = {k: forms(language, k) for k in WORDING.keys(language)}
    plurals = {k: found for k, found in plurals.items() if set(found) != {"other"}}

    assert plurals
    assert [k for k, found in plurals.items() if not wanted <= set(found) <= PLURAL_FORMS] == []
    # "zero", "one" and "two" may say the number in a word, but know no place that "other" lacks.
    for found in plurals.values():
        assert all(places(text) <= places(found["other"]) for text in found.values()), found


# --- Short where each segment costs ---------------------------------------------------------------


def case_of(language: str, status: str) -> Any:
    """What a notice reads of a case's row."""
    at = datetime(2026, 11, 24, 9, tzinfo=UTC)
    return SimpleNamespace(
        id=UUID(int=7),
        language=language,
        tracking_code=CODE,
        status=status,
        expected_datetime=at,
        answer_due=None,
        requested_datetime=at,
        contact_value="+212612345678",
        channel="sms",
    )


def texts_of(
    language: str, notice: str, *statuses: str
) -> Iterator[tuple[str, Administration | None]]:
    """A notice with every status and every administration of the register, as it is sent."""
    notices = notices_of(SETTINGS, MOROCCO)
    for status in statuses or tuple(map(str, CaseStatus)):
        case = case_of(language, status)
        url = confirm_url(SETTINGS, case, language) if notice == "confirm" else ""
        for administration in (None, *REGISTER):
            composed = notices.compose(
                notice, "sms", case, administration, codes=[CODE] * 5, url=url, text=""
            )
            yield composed.text, administration


def sms_notices() -> list[str]:
    prefix = "notices.sms."
    return sorted(k.removeprefix(prefix) for k in WORDING.keys("fr") if k.startswith(prefix))


@pytest.mark.parametrize("notice", sms_notices())
@pytest.mark.parametrize(
    ("language", "encoding", "most"),
    [("fr", Encoding.GSM7, 1), ("en", Encoding.GSM7, 1), ("ar", Encoding.UCS2, 2)],
)
def test_a_notice_by_text_stays_in_its_segments(language, encoding, most, notice):
    for text, _ in texts_of(language, notice):
        cost = length(text)
        assert (cost.encoding, cost.segments <= most) == (encoding, True), (cost, text)


@pytest.mark.parametrize(("language", "most"), [("fr", 1), ("en", 1), ("ar", 2)])
@pytest.mark.parametrize("several", [2, 3, 6])
def test_a_status_of_several_administrations_stays_in_its_segments(language, most, several):
    notices = notices_of(SETTINGS, MOROCCO)
    for at in range(0, len(REGISTER) - several, several):
        parts = [(one, str(status)) for one, status in zip(REGISTER[at:], CaseStatus, strict=False)]
        text = notices.compose("status", "sms", case_of(language, "referred"), parts[:several]).text
        assert length(text).segments <= most, text
        if several == 2:
            names = [one.name(language) for one, _ in parts[:2]]
            assert all(fold(name)[:8] in fold(text) for name in names), text


@pytest.mark.parametrize("language", ["fr", "en", "ar"])
@pytest.mark.parametrize("channel", ["sms", "email"])
@pytest.mark.parametrize("several", [False, True])
def test_a_status_tells_until_when_an_answer_is_due_only_while_one_is(language, channel, several):
    notices = notices_of(SETTINGS, MOROCCO)
    whose = [(REGISTER[0], "answered"), (REGISTER[1], "answered")] if several else REGISTER[0]

    def told(status: str) -> str:
        return notices.compose("status", channel, case_of(language, status), whose).text

    assert "2026" in told("in_progress")
    for status in ("answered", "closed", "withdrawn", "out_of_competence"):
        assert "2026" not in told(status)


def test_an_arabic_acknowledgement_is_one_segment():
    assert {length(text).segments for text, _ in texts_of("ar", "acknowledge")} == {1}


@pytest.mark.parametrize(("language", "dots"), [("fr", "..."), ("ar", "…")])
def test_a_long_name_is_cut_between_words_and_all_else_stays(language, dots):
    notices, case = notices_of(SETTINGS, MOROCCO), case_of(language, "waiting_for_citizen")
    blank = Administration("blank", {language: "§"})
    before, after = notices.compose("status", "sms", case, blank).text.split("§")
    cut = 0
    for text, administration in texts_of(language, "status", "waiting_for_citizen"):
        assert text.startswith(before)
        assert text.endswith(after)
        if administration is None:
            continue
        shown = text.removeprefix(before).removesuffix(after)
        name = fold(administration.name(language).replace("’", "'").replace("œ", "oe"))
        if not shown.endswith(dots):
            assert fold(shown) == name
            continue
        cut += 1
        kept = fold(shown.removesuffix(dots))
        assert len(kept) > 20
        assert name.startswith(kept)
        assert name[len(kept)] in " ,-("

    assert cut > 0


def test_a_name_loses_only_the_marks_that_gsm_does_not_have():
    police = next(one for one in REGISTER if one.slug == "dgsn")
    notices = notices_of(SETTINGS, MOROCCO)
    case = case_of("fr", "referred")

    assert "Direction générale de la sureté nationale" in (
        notices.compose("status", "sms", case, police).text
    )
    assert "sûreté" in notices.compose("status", "whatsapp", case, police).text
    assert "sûreté" in notices.compose("status", "email", case, police).text


@pytest.mark.parametrize("answer", ["Reçue à l’hôtel de ville dès lundi.", "تم الإصلاح " * 30])
def test_the_words_of_an_answer_are_never_changed(answer):
    notices, case = notices_of(SETTINGS, MOROCCO), case_of("fr", "answered")
    for administration in REGISTER:
        text = notices.compose("reply", "sms", case, administration, text=answer).text
        assert text.endswith(answer.strip())


# --- Safe to answer -------------------------------------------------------------------------------


@pytest.mark.parametrize("word", CARRIER_WORDS)
def test_no_word_of_a_menu_of_ours_is_a_carriers(word):
    """Alone it means what it means to the carrier or is kept; beside a code it asks for nothing."""
    alone = {Intent.OPT_OUT, Intent.OPT_IN, Intent.HELP, Intent.COMPLAINT, Intent.NOISE}

    for written in (word, word.lower(), word.title()):
        assert understand(written).intent in alone
        # A digit of this code is wrong: it asks, or it is filed, whatever word stands beside it.
        beside = understand(f"{written} {display(CODE)}")
        assert beside.intent in CONTENT or beside.typo
        assert understand(f"bonjour {written}").intent in alone


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_of_ours_tells_a_citizen_to_send_a_carriers_word(language):
    """In a text in any letter case; elsewhere in capitals, as words to be sent are written."""
    pattern = rf"\b(?:{'|'.join(CARRIER_WORDS)})\b"
    told = [
        key
        for key in WORDING.keys(language)
        if not key.startswith(("desk.", "simulator."))
        for text in forms(language, key).values()
        if re.search(pattern, text, re.IGNORECASE if ".sms." in key else re.NOFLAG)
    ]

    assert told == []


@pytest.mark.parametrize("word", ["ARRET", "Arrêt", "arrêter", "توقف", "إلغاء", "STOP"])
def test_words_for_silence_are_understood(word):
    assert understand(word).intent is Intent.OPT_OUT

# SPDX-License-Identifier: MIT
"""The dialogue: every step × {right key, wrong key, nothing, hang-up}, and no way into a loop."""

import xml.etree.ElementTree as ET
from typing import Any

import pytest

from channels.voice import ivr
from channels.voice.ivr import (
    AnswerFacts,
    CodeReading,
    Filed,
    Heard,
    Line,
    Need,
    Place,
    StatusFacts,
    Step,
    respond,
)
from channels.voice.speech import LONGEST_SAY, Sound, parts
from config.wording import Wording

CODE = "482109375512"
WORDING = Wording()
FOUND = StatusFacts(CodeReading.FOUND, "close", "1 mars 2026", "Régie", "2 mai 2026")
UNKNOWN = StatusFacts(CodeReading.UNKNOWN)
ANSWER = AnswerFacts(CodeReading.FOUND, "L'eau est revenue.", "fr", "Régie", language="fr")


@pytest.fixture
def places():
    """Places that were signed, by URL."""
    return {}


@pytest.fixture
def line(places):
    def url(place):
        address = f"https://guichet.example/turn/{len(places)}"
        places[address] = place
        return address

    return Line(
        say=lambda language, key, **v: WORDING.text(language, f"voice.{key}", **v),
        url=url,
        sound=Sound(voices={"fr": "Polly.Lea"}, languages={"fr": "fr-FR", "ar": "arb"}),
    )


def tree_of(turn) -> Any:
    """Our own document, read back."""
    return ET.fromstring(turn.twiml)  # noqa: S314


def verbs(turn):
    return [verb.tag for verb in tree_of(turn)]


def spoken(turn):
    return " ".join(tree_of(turn).itertext())


def following(turn, places):
    """The place that the next webhook is posted to."""
    tree = tree_of(turn)
    target = tree.find("Gather")
    target = tree.find("Record") if target is None else target
    return None if target is None else places[target.get("action")]


RIGHT, WRONG, NOTHING, HANG_UP = "right", "9", "", "hangup"
TABLE = [
    # step, heard, facts, what comes next (None: the call ends)
    (Place(Step.WELCOME), "", None, Step.LANGUAGE),
    (Place(Step.LANGUAGE), "1", None, Step.MENU),
    (Place(Step.LANGUAGE), "2", None, Step.MENU),
    (Place(Step.LANGUAGE), "3", None, Step.MENU),
    (Place(Step.LANGUAGE), WRONG, None, Step.LANGUAGE),
    (Place(Step.LANGUAGE), NOTHING, None, Step.LANGUAGE),
    (Place(Step.LANGUAGE, silences=2), WRONG, None, Step.RECORDED),
    (Place(Step.LANGUAGE, silences=2), NOTHING, None, Step.RECORDED),
    (Place(Step.MENU, "fr"), "1", None, Step.RECORDED),
    (Place(Step.MENU, "fr"), "2", None, Step.CODE),
    (Place(Step.MENU, "fr"), WRONG, None, Step.MENU),
    (Place(Step.MENU, "fr"), NOTHING, None, Step.MENU),
    (Place(Step.MENU, "fr", silences=2), NOTHING, None, Step.RECORDED),
    (Place(Step.RECORD, "fr", silences=1), NOTHING, None, Step.RECORDED),
    (Place(Step.RECORD, "fr", silences=3), NOTHING, None, None),
    (Place(Step.RECORDED, "fr"), NOTHING, None, Step.RECORDED),  # no recording: again
    (Place(Step.CODE, "fr"), CODE, FOUND, None),
    (Place(Step.CODE, "fr"), CODE, UNKNOWN, Step.CODE),
    (Place(Step.CODE, "fr", tries=2), CODE, UNKNOWN, None),
    (Place(Step.CODE, "fr"), CODE, StatusFacts(CodeReading.THROTTLED), None),
    (Place(Step.CODE, "fr"), NOTHING, None, Step.CODE),
    (Place(Step.CODE, "fr", silences=2), NOTHING, None, Step.RECORDED),
    (Place(Step.ANNOUNCE, entry="e"), "", AnswerFacts(language="fr"), Step.ANSWER),
    (Place(Step.ANSWER, "fr", entry="e"), CODE, ANSWER, Step.AGAIN),
    (Place(Step.ANSWER, "fr", entry="e"), "1", AnswerFacts(), Step.ANSWER),
    (Place(Step.ANSWER, "fr", tries=2, entry="e"), "1", AnswerFacts(), None),
    (Place(Step.ANSWER, "fr", entry="e"), NOTHING, None, Step.ANSWER),
    (Place(Step.ANSWER, "fr", silences=2, entry="e"), NOTHING, None, None),
    (Place(Step.AGAIN, "fr", entry="e"), "1", ANSWER, Step.AGAIN),
    (Place(Step.AGAIN, "fr", entry="e"), NOTHING, None, None),
    (Place(Step.AGAIN, "fr", tries=3, entry="e"), "1", None, None),
]


@pytest.mark.parametrize(("place", "digits", "facts", "expected"), TABLE)
def test_every_key_leads_somewhere(line, places, place, digits, facts, expected):
    turn = respond(line, place, Heard(digits), facts)
    after = following(turn, places)

    assert turn.needs is None
    assert (after.step if after else None) == expected
    if expected is None:
        assert verbs(turn)[-1] == "Hangup"
    else:  # a Gather or Record is always followed by words and a way on
        assert verbs(turn)[-2:] == ["Say", "Redirect"]
        if place.language:
            assert after.language == place.language


@pytest.mark.parametrize("step", [s for s in ivr._STEPS if s is not Step.RECORDED])
def test_a_hang_up_says_nothing_more(line, step):
    turn = respond(line, Place(step, "fr"), Heard("hangup"))

    assert verbs(turn) == []


@pytest.mark.parametrize(
    ("place", "heard", "need"),
    [
        (Place(Step.RECORDED, "fr"), Heard("#", "RE1"), Need.FILED),
        (Place(Step.RECORDED, "fr"), Heard("hangup", "RE1"), Need.FILED),
        (Place(Step.CODE, "fr"), Heard(CODE), Need.STATUS),
        (Place(Step.ANNOUNCE, entry="e"), Heard(), Need.ANNOUNCEMENT),
        (Place(Step.ANSWER, "fr", entry="e"), Heard(CODE), Need.ANSWER),
        (Place(Step.AGAIN, "fr", entry="e"), Heard("1"), Need.REPEAT),
    ],
)
def test_a_turn_says_what_it_needs(line, place, heard, need):
    turn = respond(line, place, heard)

    assert (turn.needs, turn.twiml) == (need, "")


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_code_and_pin_are_spelled_in_groups_twice(line, language):
    turn = respond(line, Place(Step.RECORDED, language), Heard("#", "RE1"), Filed(CODE, "123456"))
    words = spoken(turn)

    for group in ("4, 8, 2, 1", "0, 9, 3, 7", "5, 5, 1, 2", "1, 2, 3", "4, 5, 6"):
        assert words.count(group) == 2
    assert verbs(turn)[-1] == "Hangup"


def test_a_recording_after_a_hang_up_is_filed_without_words(line):
    turn = respond(line, Place(Step.RECORDED, "fr"), Heard("hangup", "RE1"), Filed(CODE))

    assert verbs(turn) == []


def test_a_recording_that_only_a_person_can_read_is_told_as_kept(line):
    turn = respond(line, Place(Step.RECORDED, "en"), Heard("#", "RE1"), Filed(""))

    assert "kept safe" in spoken(turn)


def test_without_a_language_all_are_spoken(line):
    turn = respond(line, Place(Step.LANGUAGE, silences=2), Heard())
    words = spoken(turn)

    assert "09 08" in words
    for tag in ("ar", "fr", "en"):
        assert WORDING.text(tag, "voice.record") in words


def test_a_record_names_its_action_and_its_limits(line, places):
    record = tree_of(respond(line, Place(Step.MENU, "fr"), Heard("1")))
    verb = record.find("Record")

    assert places[verb.get("action")].step is Step.RECORDED
    assert places[verb.get("recordingStatusCallback")].step is Step.RECORDING
    assert verb.get("finishOnKey") == "#"
    assert verb.get("playBeep") == "true"
    assert verb.get("maxLength") == "300"


def test_voice_and_language_are_those_of_the_settings(line):
    tree = tree_of(respond(line, Place(Step.LANGUAGE), Heard("2")))
    say = tree.find("Gather/Say")

    assert (say.get("voice"), say.get("language")) == ("Polly.Lea", "fr-FR")


def test_an_answer_is_read_only_after_its_code(line):
    announced = respond(line, Place(Step.ANNOUNCE, entry="e"), Heard(), ANSWER)
    read = respond(line, Place(Step.ANSWER, "fr", entry="e"), Heard(CODE), ANSWER)
    again = respond(line, Place(Step.AGAIN, "fr", entry="e"), Heard("1"), ANSWER)

    assert ANSWER.text not in spoken(announced)
    assert CODE not in spoken(announced)
    assert ANSWER.text in spoken(read)
    assert read.read_out
    assert ANSWER.text in spoken(again)
    assert not again.read_out


def test_wrong_codes_are_told_to_be_counted(line):
    assert respond(line, Place(Step.CODE, "fr"), Heard("1"), UNKNOWN).wrong_code
    assert respond(line, Place(Step.CODE, "fr", tries=2), Heard("1"), UNKNOWN).wrong_code
    assert not respond(line, Place(Step.CODE, "fr"), Heard(CODE), FOUND).wrong_code


def test_silence_alone_always_ends(line, places):
    """Whoever lays the telephone aside is in no endless call."""
    place: Place | None = Place(Step.WELCOME)
    turns = 0
    while place is not None:
        turn = respond(line, place, Heard())
        redirect = tree_of(turn).find("Redirect")
        place = None if redirect is None else places[redirect.text]
        turns += 1

    assert turns < 12


def test_an_apology_is_spoken_in_the_language(line):
    assert "Nous sommes désolés" in ivr.apology(line, Place(Step.RECORDED, "fr"))


def test_a_long_answer_is_read_in_parts_and_control_characters_do_not_break_it(line):
    text = "Phrase très longue. " * 200 + "\x00\x0b" + "x" * 3000

    assert all(len(part) <= LONGEST_SAY for part in parts(text))
    facts = AnswerFacts(CodeReading.FOUND, text, "fr", language="fr")
    turn = respond(line, Place(Step.ANSWER, "fr", entry="e"), Heard(CODE), facts)
    assert "x" * 500 in spoken(turn)


def test_all_languages_have_all_texts():
    keys = {
        tag: {k for k in WORDING.keys(tag) if k.startswith("voice.")} for tag in ("ar", "fr", "en")
    }

    assert keys["ar"] == keys["fr"] == keys["en"] != set()

# SPDX-License-Identifier: MIT
"""The dialogue: every step × {right key, wrong key, nothing, hang-up}, and no way into a loop."""

import xml.etree.ElementTree as ET
from dataclasses import replace
from typing import Any

import pytest

from channels.voice import ivr
from channels.voice.asking import REPEATS, TRIES
from channels.voice.dialogue import (
    AnswerFacts,
    CodeReading,
    Filed,
    Heard,
    Keyed,
    Line,
    Need,
    Place,
    StatusFacts,
    Step,
)
from channels.voice.ivr import respond
from channels.voice.prompts import Prompts
from channels.voice.sentences import LONGEST_SAY, parts
from channels.voice.speech import Sound, Speech
from config.voice import Voice
from config.wording import Wording
from guichet_testing.voice_turns import TURNS, UNCHOSEN, facts_of

CODE = "482109375512"
WORDING = Wording()
FOUND = StatusFacts(CodeReading.FOUND, "close", "1 mars 2026", "Régie", "2 mai 2026")
UNKNOWN = StatusFacts(CodeReading.UNKNOWN)
ANSWER = AnswerFacts(CodeReading.FOUND, "L'eau est revenue.", "fr", "Régie", language="fr")
LONG = AnswerFacts(CodeReading.FOUND, "Une phrase. " * 100, "fr", "Régie", language="fr")
OUTSIDE = AnswerFacts(language="fr", number="+212520000000")
KEYS = {"1": "ar", "2": "fr", "3": "en"}


def words(language: str, key: str, **values: object) -> str:
    return WORDING.text(language, f"voice.{key}", **values)


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

    sound = Sound(voices={"fr": "Polly.Lea"}, languages={"fr": "fr-FR", "ar": "arb"})
    return Line(
        renderer=lambda: Speech(sound, Prompts(words)),
        url=url,
        keys=KEYS,
        emergency_numbers=("19", "15"),
    )


def tree_of(turn) -> Any:
    """Our own document, read back."""
    return ET.fromstring(turn.document)  # noqa: S314


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


def at(step, **more):
    """A place in a French call."""
    return Place(step, **{"language": "fr", "entry": "e"} | more)


UP = Heard(hung_up=True)


@pytest.mark.parametrize(
    ("row", "language"),
    [
        pytest.param(row, language, id=f"{row.name} ({language})")
        for language in (UNCHOSEN, "ar", "fr", "en")
        for row in TURNS
        if row.spoken_in(language)
    ],
)
def test_every_key_leads_somewhere(line, places, row, language):
    line = replace(line, keys=Voice().language_keys)
    tongue = "" if language == UNCHOSEN else language
    turn = respond(line, row.place(tongue), row.heard, facts_of(row.facts, tongue))

    assert turn.needs is None
    after = following(turn, places)
    assert (after.step if after else None) == row.after
    if not row.key:
        assert verbs(turn) == []
        return
    tongues = line.tongues(Place(row.step, (after.language if after else "") or tongue))
    for tag in tongues:
        values = {"digit": next(k for k, v in line.keys.items() if v == tag)}
        assert words(tag, row.key, **values) in spoken(turn)
    if row.after is None:
        assert verbs(turn)[-1] == "Hangup"
        assert "Gather" not in verbs(turn)
    else:  # a Gather or Record is always followed by words and a way on
        assert verbs(turn)[-3:] in (["Gather", "Say", "Redirect"], ["Record", "Say", "Redirect"])


@pytest.mark.parametrize(
    ("place", "heard", "need"),
    [
        (at(Step.RECORDED), Heard("#", "RE1"), Need.FILED),
        (at(Step.RECORDED), Heard("", "RE1", hung_up=True), Need.FILED),
        (at(Step.CODE), Heard(CODE), Need.STATUS),
        (at(Step.OWN_CODE), Heard(CODE), Need.KEYED),
        (at(Step.OWN_PIN), Heard("123456"), Need.OWN_ANSWER),
        (at(Step.OWN_ANSWER), Heard("1"), Need.OWN_REPEAT),
        (Place(Step.ANNOUNCE, entry="e"), Heard(), Need.ANNOUNCEMENT),
        (at(Step.ANSWER), Heard(CODE), Need.ANSWER),
        (at(Step.AGAIN), Heard("0"), Need.REPEAT),
    ],
)
def test_a_turn_says_what_it_needs(line, place, heard, need):
    turn = respond(line, place, heard)

    assert (turn.needs, turn.document) == (need, "")


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_code_and_pin_are_spelled_in_groups_twice(line, language):
    turn = respond(line, Place(Step.RECORDED, language), Heard("#", "RE1"), Filed(CODE, "123456"))
    said = spoken(turn)

    for group in ("4, 8, 2, 1", "0, 9, 3, 7", "5, 5, 1, 2", "1, 2, 3", "4, 5, 6"):
        assert said.count(group) == 2


def test_a_recording_after_a_hang_up_is_filed_without_words(line):
    heard = Heard("", "RE1", hung_up=True)

    assert verbs(respond(line, Place(Step.RECORDED, "fr"), heard, Filed(CODE))) == []


def test_without_a_language_all_are_spoken(line):
    said = spoken(respond(line, Place(Step.LANGUAGE, silences=2), Heard()))

    for tag in ("ar", "fr", "en"):
        assert words(tag, "record") in said
        assert words(tag, "emergency") in said
    assert "1, 9" in said


def test_nothing_is_heard_twice_where_one_language_stands_in_for_another(line):
    voiced = frozenset({"ar", "fr", "en"})

    def lines(clips):
        prompts = Prompts(words, voiced, clips, {"ary": "ar", "zgh": "ar"})
        return replace(line, keys=Voice().language_keys, renderer=lambda: Speech(Sound(), prompts))

    def clip(language, name):
        return "clip" if (language, name) == ("zgh", "record") else None

    unchosen, filed = Place(Step.RECORDED, silences=1), Filed(CODE, "123456")
    for place, heard, facts, twice in (
        (Place(Step.LANGUAGE, silences=2), Heard(), None, "record"),
        (unchosen, Heard(recording="RE1"), filed, "filed"),
        (unchosen, Heard(recording="RE1"), Filed(""), "kept"),
        (Place(Step.LANGUAGE), Heard("#"), None, "goodbye"),
    ):
        said = spoken(respond(lines(lambda *_: None), place, heard, facts))
        assert [said.count(words(tag, twice)) for tag in ("ar", "fr", "en")] == [1, 1, 1]

    # A language with a clip of its own is heard in it, whatever stands in elsewhere.
    turn = respond(lines(clip), Place(Step.LANGUAGE, silences=2), Heard())
    assert [verb.text for verb in tree_of(turn).iter("Play")] == ["clip"]
    assert spoken(turn).count(words("ar", "emergency")) == 2


def test_a_record_names_its_action_and_its_limits(line, places):
    verb = tree_of(respond(line, Place(Step.MENU, "fr"), Heard("1"))).find("Record")

    assert places[verb.get("action")].step is Step.RECORDED
    assert places[verb.get("recordingStatusCallback")].step is Step.RECORDING
    assert verb.get("finishOnKey") == "#"
    assert verb.get("playBeep") == "true"
    assert verb.get("maxLength") == "300"


def test_a_choice_takes_any_key_and_a_code_ends_with_the_hash_key(line):
    menu = tree_of(respond(line, Place(Step.LANGUAGE), Heard("2"))).find("Gather")
    code = tree_of(respond(line, Place(Step.MENU, "fr"), Heard("2"))).find("Gather")

    assert (menu.get("numDigits"), menu.get("finishOnKey")) == ("1", "")
    assert (code.get("numDigits"), code.get("finishOnKey")) == ("12", "#")
    assert menu.find("Say") is not None  # inside: a key interrupts it


def test_voice_and_language_are_those_of_the_settings(line):
    say = tree_of(respond(line, Place(Step.LANGUAGE), Heard("2"))).find("Gather/Say")

    assert (say.get("voice"), say.get("language")) == ("Polly.Lea", "fr-FR")


def test_an_answer_is_read_only_after_its_code(line):
    announced = respond(line, Place(Step.ANNOUNCE, entry="e"), Heard(), ANSWER)
    read = respond(line, Place(Step.ANSWER, "fr", entry="e"), Heard(CODE), ANSWER)
    again = respond(line, Place(Step.AGAIN, "fr", entry="e"), Heard("0"), ANSWER)

    assert ANSWER.text not in spoken(announced)
    assert CODE not in spoken(announced)
    assert ANSWER.text in spoken(read)
    assert (read.reading, read.read_out) == ((1, 1), True)
    assert ANSWER.text in spoken(again)
    assert announced.reading is None


def test_a_machine_is_told_a_number_and_no_word_of_the_answer(line):
    facts = AnswerFacts(
        CodeReading.FOUND, "Secret.", "fr", "Régie", language="fr", number="0537000000"
    )
    turn = respond(line, Place(Step.ANNOUNCE, entry="e"), Heard(machine=True), facts)

    assert "0, 5 3, 7 0, 0 0, 0 0, 0" in spoken(turn)
    assert not {"Secret.", "Régie"} & set(spoken(turn).split())
    assert not turn.read_out


@pytest.mark.parametrize(
    ("text_number", "told", "untold"),
    [
        ("0537000000", "SMS au même numéro", "SMS au numéro suivant"),
        ("3737", "SMS au numéro suivant : 3, 7 3, 7", "même numéro"),
        ("", "rappelez le numéro suivant", "SMS"),
    ],
)
def test_a_machine_is_told_where_texts_go_if_they_go_anywhere(line, text_number, told, untold):
    facts = AnswerFacts(language="fr", number="0537000000", text_number=text_number)
    turn = respond(line, Place(Step.ANNOUNCE, entry="e"), Heard(machine=True), facts)

    assert told in spoken(turn)
    assert untold not in spoken(turn)


def test_a_long_answer_is_read_to_its_end_part_by_part(line, places):
    text = " ".join(f"Phrase numéro {number}." for number in range(150))
    facts = AnswerFacts(CodeReading.FOUND, text, "fr", language="fr")
    turn, said = respond(line, at(Step.OWN_PIN), Heard("123456"), facts), []
    while turn.document and "Gather" in verbs(turn):
        said.append(tree_of(turn).find("Say").text)
        turn = respond(line, following(turn, places), Heard("1"), facts)

    assert " ".join(said) == text
    assert len(said) > 3


@pytest.mark.parametrize("key", ["", "5", "*"])
def test_a_long_answer_does_not_end_at_a_slip(line, places, key):
    """The question how to go on is asked again; a key that goes on forgives the slips before."""
    text = " ".join(f"Phrase numéro {number}." for number in range(150))
    facts = AnswerFacts(CodeReading.FOUND, text, "fr", language="fr")
    turn = respond(line, at(Step.ANSWER), Heard(CODE), facts)
    assert turn.reading is not None
    of = turn.reading[1]
    for part in range(1, of):
        assert (turn.reading, turn.read_out) == ((part, of), False)
        for _ in range(REPEATS):
            turn = respond(line, following(turn, places), Heard(key), facts)
            assert "appuyez sur 1" in spoken(turn)
            assert "Phrase" not in spoken(turn)
        turn = respond(line, following(turn, places), Heard("1"), facts)

    assert turn.read_out
    assert "Hangup" in verbs(respond(line, following(turn, places), Heard(key), facts))


def test_a_long_answer_ends_when_nobody_listens_any_more(line, places):
    facts = AnswerFacts(CodeReading.FOUND, "Une phrase assez longue. " * 60, "fr", language="fr")
    turn, asked = respond(line, at(Step.ANSWER), Heard(CODE), facts), 0
    while "Gather" in verbs(turn):
        assert not turn.read_out
        turn, asked = respond(line, following(turn, places), Heard(), facts), asked + 1

    assert asked == REPEATS + 1


def test_wrong_codes_are_told_to_be_counted(line):
    assert respond(line, at(Step.CODE), Heard("1"), UNKNOWN).wrong_code
    assert respond(line, at(Step.CODE, tries=2), Heard("1"), UNKNOWN).wrong_code
    assert respond(line, at(Step.OWN_PIN), Heard("1"), AnswerFacts()).wrong_code
    assert not respond(line, at(Step.CODE), Heard(CODE), FOUND).wrong_code


def test_three_wrong_pairs_of_code_and_pin_end_the_call(line, places):
    place, pairs = at(Step.OWN_CODE), 0
    while place is not None:
        place = following(respond(line, place, Heard(CODE), Keyed("c")), places)
        place = following(respond(line, place, Heard("000000"), AnswerFacts()), places)
        pairs += 1

    assert pairs == TRIES


@pytest.mark.parametrize("key", ["", "0", "1", "9", "#"])
@pytest.mark.parametrize("facts", [UNKNOWN, AnswerFacts(), Keyed("c"), ANSWER])
@pytest.mark.parametrize("start", [Place(Step.WELCOME), at(Step.ANSWER), at(Step.OWN_CODE)])
def test_the_same_key_over_and_over_always_ends(line, places, start, key, facts):
    """Whoever lays the telephone aside, or presses one key for ever, is in no endless call."""
    place: Place | None = start
    turns = 0
    while place is not None and turns < 40:
        turn = respond(line, place, Heard(key))
        if turn.needs is not None:
            turn = respond(line, place, Heard(key), facts)
            if turn.needs is not None:
                break  # these facts are none of this step's
        redirect = tree_of(turn).find("Redirect")
        place = None if redirect is None else places[redirect.text]
        turns += 1

    assert turns < 40


def test_an_apology_is_spoken_in_the_language(line):
    assert "Nous sommes désolés" in ivr.apology(line, Place(Step.RECORDED, "fr"))


def test_a_long_text_is_cut_and_control_characters_do_not_break_it(line):
    text = "Phrase très longue. " * 200 + "\x00\x0b" + "x" * 3000

    assert all(len(part) <= LONGEST_SAY for part in parts(text))
    facts = AnswerFacts(CodeReading.FOUND, text, "fr", language="fr")
    turn = respond(line, at(Step.AGAIN, part=99), Heard("0"), facts)
    assert "Phrase très longue." in spoken(turn)


def test_all_languages_have_all_texts():
    keys = {
        tag: {k for k in WORDING.keys(tag) if k.startswith("voice.")} for tag in ("ar", "fr", "en")
    }

    assert keys["ar"] == keys["fr"] == keys["en"] != set()

# SPDX-License-Identifier: MIT
"""Every step of a call × {right key, wrong key, nothing, hang-up}, and the TwiML that follows.

The documents lie in ``tests/channels/voice/turns``, one file a language, byte for byte but for a
line break between two tags. After a change of wording or dialogue write them anew, and read the
difference as carefully as code: it is what citizens hear::

    PYTHONPATH=tests/support .venv/bin/python -m guichet_testing.voice_turns
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from urllib.parse import urlencode

from channels.voice.clips import spoken_administration, spoken_status
from channels.voice.dialogue import (
    AnswerFacts,
    CodeReading,
    Facts,
    Filed,
    Heard,
    Keyed,
    Line,
    Place,
    StatusFacts,
    Step,
)
from channels.voice.ivr import REPEATS_BY_KEY, respond
from channels.voice.prompts import Prompts
from channels.voice.speech import Sound, Speech
from config import country
from config.voice import Voice, spoken_prompts
from config.wording import ANSWERED_IN, Wording
from gateway.inbound.calls import day_said

FOLDER = Path(__file__).parents[2] / "channels" / "voice" / "turns"
#: The files: no language chosen yet, three that voices speak, one that another stands in for, and
#: one that is played from recorded clips.
UNCHOSEN, CLIPPED = "none", "zgh"
LANGUAGES = ("ar", "fr", "en", "ary", CLIPPED)
BASE = "https://guichet.example"
CODE, OTHER_CODE, PIN, WRONG_PIN = "482109375514", "711109375515", "123456", "000000"
ENTRY, CASE = "0193a1e0-0000-7000-8000-000000000001", "0193a1e0-0000-7000-8000-000000000002"
#: The line, +212537000000, as it is dialled in Morocco.
DIALLED = "0537000000"
FILED_ON, EXPECTED_ON = date(2026, 3, 1), date(2026, 5, 2)
STATUS, ADMINISTRATION = "referred", "onee-eau"
ANSWER_TEXT = "La conduite de la rue est réparée, l'eau est revenue hier soir."
LONG_TEXT = " ".join(f"Point {number} de la réponse de l'administration." for number in range(20))

WORDING = Wording()

RIGHT, WRONG, NOTHING, HANG_UP = KINDS = ("right key", "wrong key", "nothing", "hang-up")
#: Steps that speak all languages while none is chosen.
_BEFORE_A_CHOICE = {Step.WELCOME, Step.LANGUAGE, Step.RECORD, Step.RECORDED}
_NEEDS_A_CHOICE = set(Step) - {Step.WELCOME, Step.LANGUAGE, Step.ANNOUNCE}


@dataclass(frozen=True, slots=True)
class TurnOfACall:
    """One line of the table.

    Attributes:
        step: where the call is.
        kind: one of :data:`KINDS`.
        what: more of it in words.
        heard: what the caller did.
        facts: which of :func:`facts_of` are looked up, or ``""``.
        after: the step that follows, ``None`` where the call ends.
        key: the wording that is said, or ``""`` where nobody listens.
        more: what is known of the place beside step and language.
    """

    step: Step
    kind: str
    what: str
    heard: Heard
    facts: str = ""
    after: Step | None = None
    key: str = ""
    more: tuple[tuple[str, int], ...] = ()

    @property
    def name(self) -> str:
        """How the turn is called in the file."""
        return f"{self.step}, {self.kind}: {self.what}"

    def place(self, language: str) -> Place:
        """The place in a call in ``language``."""
        entry = {Step.ANNOUNCE: ENTRY, Step.ANSWER: ENTRY, Step.AGAIN: ENTRY}.get(self.step, "")
        if self.step in (Step.OWN_PIN, Step.OWN_ANSWER):
            entry = CASE
        chosen = language if self.step in _NEEDS_A_CHOICE else ""
        return Place(self.step, chosen, entry=entry, **dict(self.more))

    def spoken_in(self, language: str) -> bool:
        """Whether a file holds this turn."""
        if language == UNCHOSEN:
            return self.step in _BEFORE_A_CHOICE
        return self.step not in (Step.WELCOME, Step.LANGUAGE)


def keyed(digits: str) -> Heard:
    """Keys pressed."""
    return Heard(digits)


SILENT, UP, RECORDED = Heard(), Heard(hung_up=True), Heard("#", "RE1")
RECORDED_UP = Heard("", "RE1", hung_up=True)
ENDS = None
LAST, LAST_TRY = (("silences", 2),), (("tries", 2),)
S, T = Step, TurnOfACall
TURNS: tuple[TurnOfACall, ...] = (
    T(S.WELCOME, RIGHT, "a key before the first word", keyed("2"), "", S.LANGUAGE, "welcome"),
    T(S.WELCOME, WRONG, "a key before the first word", keyed("9"), "", S.LANGUAGE, "welcome"),
    T(S.WELCOME, NOTHING, "the call begins", SILENT, "", S.LANGUAGE, "welcome"),
    T(S.WELCOME, HANG_UP, "at once", UP),
    T(S.LANGUAGE, RIGHT, "Arabic", keyed("1"), "", S.MENU, "menu"),
    T(S.LANGUAGE, RIGHT, "French", keyed("2"), "", S.MENU, "menu"),
    T(S.LANGUAGE, RIGHT, "English", keyed("3"), "", S.MENU, "menu"),
    T(S.LANGUAGE, RIGHT, "Darija", keyed("4"), "", S.MENU, "menu"),
    T(S.LANGUAGE, RIGHT, "Amazigh", keyed("5"), "", S.MENU, "menu"),
    T(S.LANGUAGE, RIGHT, "once more", keyed("0"), "", S.LANGUAGE, "welcome"),
    T(S.LANGUAGE, RIGHT, "the end", keyed("#"), "", ENDS, "goodbye"),
    T(S.LANGUAGE, WRONG, "first time", keyed("9"), "", S.LANGUAGE, "welcome"),
    T(S.LANGUAGE, WRONG, "third time", keyed("9"), "", S.RECORDED, "record", LAST),
    T(S.LANGUAGE, NOTHING, "first time", SILENT, "", S.LANGUAGE, "welcome"),
    T(S.LANGUAGE, NOTHING, "third time", SILENT, "", S.RECORDED, "record", LAST),
    T(S.LANGUAGE, HANG_UP, "before a choice", UP),
    T(S.MENU, RIGHT, "file", keyed("1"), "", S.RECORDED, "record"),
    T(S.MENU, RIGHT, "status", keyed("2"), "", S.CODE, "code"),
    T(S.MENU, RIGHT, "hear the answer", keyed("3"), "", S.OWN_CODE, "code"),
    T(S.MENU, RIGHT, "once more", keyed("0"), "", S.MENU, "menu"),
    T(
        S.MENU, RIGHT, "once more, too often", keyed("0"), "", ENDS, "goodbye",
        (("repeats", REPEATS_BY_KEY),),
    ),
    T(S.MENU, RIGHT, "the end", keyed("#"), "", ENDS, "goodbye"),
    T(S.MENU, WRONG, "first time", keyed("9"), "", S.MENU, "menu"),
    T(S.MENU, WRONG, "a star", keyed("*"), "", S.MENU, "menu"),
    T(S.MENU, WRONG, "third time", keyed("9"), "", S.RECORDED, "record", LAST),
    T(S.MENU, NOTHING, "first time", SILENT, "", S.MENU, "menu"),
    T(S.MENU, NOTHING, "third time", SILENT, "", S.RECORDED, "record", LAST),
    T(S.MENU, HANG_UP, "before a choice", UP),
    T(S.RECORD, RIGHT, "comes too late", keyed("1"), "", S.RECORDED, "record", (("silences", 1),)),
    T(S.RECORD, WRONG, "comes too late", keyed("9"), "", S.RECORDED, "record", (("silences", 1),)),
    T(S.RECORD, NOTHING, "first time", SILENT, "", S.RECORDED, "record", (("silences", 1),)),
    T(S.RECORD, NOTHING, "third time", SILENT, "", ENDS, "nothing_recorded", (("silences", 3),)),
    T(S.RECORD, HANG_UP, "before the beep", UP),
    T(S.RECORDED, RIGHT, "a new case", RECORDED, "filed", ENDS, "filed"),
    T(S.RECORDED, RIGHT, "kept for a person", RECORDED, "kept", ENDS, "kept"),
    T(S.RECORDED, WRONG, "nothing recorded", keyed("#"), "", S.RECORDED, "record"),
    T(S.RECORDED, WRONG, "nothing recorded, third", keyed("#"), "", ENDS, "nothing_recorded", LAST),
    T(S.RECORDED, NOTHING, "silence ends it", Heard("", "RE1"), "filed", ENDS, "filed"),
    T(S.RECORDED, NOTHING, "nothing recorded", SILENT, "", S.RECORDED, "record"),
    T(S.RECORDED, HANG_UP, "while speaking", RECORDED_UP, "filed"),
    T(S.RECORDED, HANG_UP, "before a word", UP),
    T(S.CODE, RIGHT, "a code", keyed(CODE), "found", ENDS, "goodbye"),
    T(S.CODE, RIGHT, "once more", keyed("0"), "", S.CODE, "code"),
    T(S.CODE, WRONG, "an unknown code", keyed(OTHER_CODE), "unknown", S.CODE, "unknown_code"),
    T(
        S.CODE, WRONG, "an unknown code, third", keyed(OTHER_CODE), "unknown", ENDS,
        "unknown_three_times", LAST_TRY,
    ),
    T(S.CODE, WRONG, "too many tries", keyed(CODE), "throttled", ENDS, "too_many_tries"),
    T(S.CODE, WRONG, "# alone", keyed("#"), "", S.CODE, "code"),
    T(S.CODE, NOTHING, "first time", SILENT, "", S.CODE, "code"),
    T(S.CODE, NOTHING, "third time", SILENT, "", S.RECORDED, "record", LAST),
    T(S.CODE, HANG_UP, "before a code", UP),
    T(S.OWN_CODE, RIGHT, "a code", keyed(CODE), "keyed", S.OWN_PIN, "pin"),
    T(S.OWN_CODE, RIGHT, "once more", keyed("0"), "", S.OWN_CODE, "code"),
    T(S.OWN_CODE, WRONG, "an unknown code", keyed(OTHER_CODE), "keyed", S.OWN_PIN, "pin"),
    T(S.OWN_CODE, WRONG, "too many tries", keyed(CODE), "keyed too often", ENDS, "too_many_tries"),
    T(S.OWN_CODE, WRONG, "# alone", keyed("#"), "", S.OWN_CODE, "code"),
    T(S.OWN_CODE, NOTHING, "first time", SILENT, "", S.OWN_CODE, "code"),
    T(S.OWN_CODE, NOTHING, "third time", SILENT, "", ENDS, "call_later", LAST),
    T(S.OWN_CODE, HANG_UP, "before a code", UP),
    T(S.OWN_PIN, RIGHT, "the answer", keyed(PIN), "answer", S.OWN_ANSWER, "again"),
    T(S.OWN_PIN, RIGHT, "a long answer", keyed(PIN), "long", S.OWN_ANSWER, "go_on"),
    T(S.OWN_PIN, RIGHT, "no answer yet", keyed(PIN), "no answer", ENDS, "no_answer_yet"),
    T(S.OWN_PIN, RIGHT, "once more", keyed("0"), "", S.OWN_PIN, "pin"),
    T(S.OWN_PIN, WRONG, "another PIN", keyed(WRONG_PIN), "closed", S.OWN_CODE, "wrong_code_or_pin"),
    T(
        S.OWN_PIN, WRONG, "another PIN, third", keyed(WRONG_PIN), "closed", ENDS,
        "wrong_three_times", LAST_TRY,
    ),
    T(S.OWN_PIN, WRONG, "too many tries", keyed(PIN), "answer throttled", ENDS, "too_many_tries"),
    T(S.OWN_PIN, WRONG, "# alone", keyed("#"), "", S.OWN_PIN, "pin"),
    T(S.OWN_PIN, NOTHING, "first time", SILENT, "", S.OWN_PIN, "pin"),
    T(S.OWN_PIN, NOTHING, "third time", SILENT, "", ENDS, "call_later", LAST),
    T(S.OWN_PIN, HANG_UP, "before a PIN", UP),
    T(S.OWN_ANSWER, RIGHT, "go on", keyed("1"), "long", S.OWN_ANSWER, "again"),
    T(S.OWN_ANSWER, RIGHT, "go on after it", keyed("1"), "long", ENDS, "goodbye", (("part", 1),)),
    T(S.OWN_ANSWER, RIGHT, "once more", keyed("0"), "long", S.OWN_ANSWER, "go_on"),
    T(
        S.OWN_ANSWER, RIGHT, "once more, too often", keyed("0"), "long", ENDS, "goodbye",
        (("repeats", 5),),
    ),
    T(S.OWN_ANSWER, RIGHT, "the end", keyed("#"), "", ENDS, "goodbye"),
    T(S.OWN_ANSWER, WRONG, "no choice", keyed("9"), "answer", ENDS, "goodbye"),
    T(S.OWN_ANSWER, WRONG, "no choice, more to read", keyed("9"), "long", S.OWN_ANSWER, "go_on"),
    T(
        S.OWN_ANSWER, WRONG, "no choice, third, more to read", keyed("9"), "long", ENDS, "goodbye",
        LAST,
    ),
    T(S.OWN_ANSWER, NOTHING, "heard", SILENT, "answer", ENDS, "goodbye"),
    T(S.OWN_ANSWER, NOTHING, "more to read", SILENT, "long", S.OWN_ANSWER, "go_on"),
    T(S.OWN_ANSWER, NOTHING, "third, more to read", SILENT, "long", ENDS, "goodbye", LAST),
    T(S.OWN_ANSWER, HANG_UP, "heard", UP),
    T(S.ANNOUNCE, RIGHT, "a key before a word", keyed("1"), "answer", S.ANSWER, "announce"),
    T(S.ANNOUNCE, WRONG, "a key before a word", keyed("9"), "answer", S.ANSWER, "announce"),
    T(S.ANNOUNCE, NOTHING, "a person, an answer", SILENT, "answer", S.ANSWER, "announce"),
    T(S.ANNOUNCE, NOTHING, "a person, news", SILENT, "news", S.ANSWER, "announce_notice"),
    T(S.ANNOUNCE, NOTHING, "a machine", Heard(machine=True), "answer", ENDS, "voicemail_call"),
    T(S.ANNOUNCE, HANG_UP, "at once", UP),
    T(S.ANSWER, RIGHT, "the code", keyed(CODE), "answer", S.AGAIN, "again"),
    T(S.ANSWER, RIGHT, "a long answer", keyed(CODE), "long", S.AGAIN, "go_on"),
    T(S.ANSWER, RIGHT, "once more", keyed("0"), "", S.ANSWER, "announce_code"),
    T(S.ANSWER, WRONG, "another code", keyed(OTHER_CODE), "closed", S.ANSWER, "unknown_code"),
    T(
        S.ANSWER, WRONG, "another code, third", keyed(OTHER_CODE), "closed", ENDS,
        "unknown_three_times", LAST_TRY,
    ),
    T(S.ANSWER, WRONG, "too many tries", keyed(CODE), "answer throttled", ENDS, "too_many_tries"),
    T(S.ANSWER, WRONG, "# alone", keyed("#"), "", S.ANSWER, "announce_code"),
    T(S.ANSWER, NOTHING, "first time", SILENT, "", S.ANSWER, "announce_code"),
    T(S.ANSWER, NOTHING, "third time", SILENT, "", ENDS, "call_later", LAST),
    T(S.ANSWER, HANG_UP, "before a code", UP),
    T(S.AGAIN, RIGHT, "go on", keyed("1"), "long", S.AGAIN, "again"),
    T(S.AGAIN, RIGHT, "go on after the end", keyed("1"), "answer", ENDS, "goodbye"),
    T(S.AGAIN, RIGHT, "once more", keyed("0"), "answer", S.AGAIN, "again"),
    T(S.AGAIN, RIGHT, "the end", keyed("#"), "", ENDS, "goodbye"),
    T(S.AGAIN, WRONG, "no choice", keyed("9"), "answer", ENDS, "goodbye"),
    T(S.AGAIN, WRONG, "no choice, more to read", keyed("9"), "long", S.AGAIN, "go_on"),
    T(S.AGAIN, WRONG, "no choice, third, more to read", keyed("9"), "long", ENDS, "goodbye", LAST),
    T(S.AGAIN, NOTHING, "heard", SILENT, "answer", ENDS, "goodbye"),
    T(S.AGAIN, NOTHING, "more to read", SILENT, "long", S.AGAIN, "go_on"),
    T(S.AGAIN, NOTHING, "third, more to read", SILENT, "long", ENDS, "goodbye", LAST),
    T(S.AGAIN, HANG_UP, "heard", UP),
)  # fmt: skip


def readable_url(place: Place) -> str:
    """A place as a URL that a person can read; the real ones are signed."""
    told = {
        name: value
        for name in ("language", "silences", "tries", "entry", "repeats", "part")
        if (value := getattr(place, name))
    }
    return f"{BASE}/{place.step}" + (f"?{urlencode(told)}" if told else "")


def words(language: str, key: str, **values: object) -> str:
    """The wording of the line: what is recorded in a language, else what is said in it."""
    recorded = spoken_prompts(language).get(key)
    if recorded is not None:
        return recorded.format_map(values)
    return WORDING.text(language, f"voice.{key}", **values)


def line(clipped: str = "") -> Line:
    """The line as it is without settings; ``clipped`` is the language recorded in clips."""
    voice = Voice()
    prompts = Prompts(
        words,
        voiced=frozenset(voice.say_voices),
        clips=lambda tag, name: f"{BASE}/clips/{tag}/{name}" if tag == clipped else None,
        stands_in=ANSWERED_IN,
    )
    sound = Sound(
        voices=voice.say_voices,
        languages=voice.say_languages,
        max_recording_seconds=voice.max_recording_seconds,
    )
    return Line(
        renderer=lambda: Speech(sound, prompts),
        url=readable_url,
        keys=voice.language_keys,
        emergency_numbers=country.load("ma").emergency_numbers,
        part_characters=voice.part_characters,
    )


def facts_of(name: str, language: str) -> Facts | None:
    """What the gateway finds, in the caller's language."""
    tag = language or "fr"
    status = StatusFacts(
        CodeReading.FOUND,
        status=spoken_status(WORDING.text(tag, f"notices.status_{STATUS}"), STATUS),
        filed_on=day_said(FILED_ON, tag),
        administration=spoken_administration(_administration(tag), ADMINISTRATION),
        expected_on=day_said(EXPECTED_ON, tag),
    )
    answer = AnswerFacts(
        CodeReading.FOUND,
        text=ANSWER_TEXT,
        text_language="fr",
        administration=spoken_administration(_administration(tag), ADMINISTRATION),
        language=tag,
        number=DIALLED,
        text_number=DIALLED,
    )
    found: dict[str, Facts | None] = {
        "": None,
        "filed": Filed(CODE, PIN),
        "kept": Filed(""),
        "found": status,
        "unknown": StatusFacts(CodeReading.UNKNOWN),
        "throttled": StatusFacts(CodeReading.THROTTLED),
        "keyed": Keyed(CASE),
        "keyed too often": Keyed("", throttled=True),
        "answer": answer,
        "news": replace(answer, is_answer=False),
        "long": replace(answer, text=LONG_TEXT),
        "no answer": replace(answer, text=""),
        "closed": AnswerFacts(CodeReading.UNKNOWN),
        "answer throttled": AnswerFacts(CodeReading.THROTTLED),
    }
    return found[name]


def documents(language: str) -> dict[str, str]:
    """Name of a turn → its document, for one file."""
    tongue = "" if language == UNCHOSEN else language
    asked = line(CLIPPED if language == CLIPPED else "")
    return {
        turn.name: respond(
            asked, turn.place(tongue), turn.heard, facts_of(turn.facts, tongue)
        ).document
        for turn in TURNS
        if turn.spoken_in(language)
    }


def in_lines(document: str) -> str:
    """A document with a line break between two tags: text has no bare ``><``."""
    return document.replace("><", ">\n<")


def expected(language: str) -> dict[str, str]:
    """Name of a turn → the document that is written down, in lines."""
    text = (FOLDER / f"{language}.txt").read_text(encoding="utf-8")
    sections = text.split("\n=== ")[1:]
    return {name: body.strip("\n") for name, _, body in (s.partition("\n") for s in sections)}


def _administration(language: str) -> str:
    names = {
        "ar": "المكتب الوطني للكهرباء والماء الصالح للشرب - قطاع الماء",
        "fr": "ONEE - branche eau",
        "en": "ONEE - drinking water",
    }
    return names.get(ANSWERED_IN.get(language, language), names["fr"])


def main() -> None:
    """Write the files anew."""
    FOLDER.mkdir(exist_ok=True)
    for language in (UNCHOSEN, *LANGUAGES):
        sections = [
            f"\n=== {name}\n{in_lines(document)}\n"
            for name, document in documents(language).items()
        ]
        head = "Written by guichet_testing.voice_turns (see there), and read through by a person.\n"
        (FOLDER / f"{language}.txt").write_text(head + "".join(sections), encoding="utf-8")


if __name__ == "__main__":
    main()

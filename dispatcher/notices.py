# SPDX-License-Identifier: MIT
"""What is said to whom: step × channel × language → wording, from the operator's table.

A text message is kept short, as each segment costs: one segment where its language fits GSM-7, else
two. An administration's name gives way, in its letters (û → u) and in its length; the words of an
answer never do.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from channels.sms.segments import Encoding, encoding_of, length
from dispatcher.administration import Administration
from dispatcher.long_answer import shortened
from normalizer import tracking_code
from tracker.deadlines import answer_due
from tracker.models import CaseStatus
from tracker.status import SETTLED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Row


#: Letters and signs outside GSM-7 that no decomposition brings into it.
_IN_GSM7 = str.maketrans({"œ": "oe", "Œ": "OE", "’": "'", "‘": "'", "–": "-", "—": "-"})
#: Segments that a notice by text message may take.
_MOST = {Encoding.GSM7: 1, Encoding.UCS2: 2}


#: Between the languages of one mail.
_BETWEEN_LANGUAGES = "* * *"
#: Letters that the name of one of several administrations keeps at least.
_SHORTEST_NAME = 8
#: One of several administrations of a case (``None`` while people choose it), and its status.
Part = tuple[Administration | None, str]
#: Notices that tell until when an answer is due, while one is.
_STATUS = ("status", "status_parts")
_HEARD = frozenset({CaseStatus.ANSWERED, CaseStatus.CLOSED})


class Words(Protocol):
    """The operator's table of texts, handed down by ``gateway``."""

    def text(self, language: str, key: str, **values: object) -> str:
        """The text of ``key`` in ``language`` with its places filled."""
        ...

    def answering_language(self, language: str | None) -> str:
        """The language in which a person who wrote in ``language`` is answered."""
        ...


@dataclass(frozen=True, slots=True)
class Notice:
    """Words ready to be sent.

    Attributes:
        subject: for mail, else ``""``.
        text: plain text.
        language: BCP 47 tag of the words.
    """

    subject: str
    text: str
    language: str


@dataclass(frozen=True, slots=True)
class Notices:
    """Composes notices.

    Attributes:
        words: the table of texts.
        isolate: wraps a code or number so that it stays left-to-right among letters that run
            from right to left. A link is left bare: telephones and mail programs take the closing
            mark for a part of the address.
        date: shows a time as a date in a language and the country's zone.
        url: the address of the tracking pages, by language.
        recourse: who may be turned to next, by language.
        markers: the "reply above this line" of mails, by language.
        emergency: numbers to call in danger, each with the key of its service or ``""``.
        office_languages: BCP 47 tags in which administrations are written to, one after the other
            in one mail.
    """

    words: Words
    isolate: Callable[[str], str]
    date: Callable[[datetime, str], str]
    url: Callable[[str], str]
    recourse: Mapping[str, str]
    markers: Mapping[str, str]
    emergency: Mapping[str, str] = field(default_factory=dict)
    office_languages: Sequence[str] = ("fr",)

    def compose(
        self,
        notice: str,
        channel: str,
        case: Row[Any] | None,
        administration: Administration | Sequence[Part] | None,
        *,
        language: str = "",
        text: str = "",
        codes: Sequence[str] = (),
        url: str = "",
        status: str = "",
        other: str = "",
        own: Sequence[Mapping[str, str]] = (),
        pin: str = "",
    ) -> Notice:
        """Compose one notice.

        Args:
            notice: the step: ``acknowledge``, ``status``, ``reply``, ``have_answer`` …
            channel: the channel it leaves by; SMS and WhatsApp share one table, voice has its own
                dialogue and only needs the plain words.
            case: the case, when it is about one.
            administration: the administration of the case, when it has one; where several have
                it, each with its status.
            language: BCP 47 tag asked for; the case's by default.
            text: an administration's words, for ``reply``.
            codes: codes to name together, for ``acknowledge_many``.
            url: a link, for ``confirm``; the tracking page by default.
            status: the status to tell; the case's own by default.
            other: the code of another case of the same person.
            own: ``code`` and ``status`` of each case of theirs, for ``own_cases``.
            pin: the case's PIN, for ``rest``: only to the address on record.
        """
        tag = self.words.answering_language(language or (case.language if case else ""))
        mail = channel == "email"
        parts: Sequence[Part] = ()
        if administration is not None and not isinstance(administration, Administration):
            parts, administration = administration, None
        table = "email" if mail else "sms"
        isolate = self._isolate(tag)
        values: dict[str, object] = {
            "text": text,
            "url": url or self.url(tag),
            "codes": ("\n" if mail else ", ").join(
                isolate(tracking_code.display(code)) for code in codes
            ),
            "other": isolate(tracking_code.display(other)) if other else "",
            "cases": "; ".join(
                f"{isolate(tracking_code.display(one['code']))}: "
                f"{self.words.text(tag, 'notices.status_' + one['status'])}"
                for one in own
            ),
            "pin": isolate(pin) if pin else "",
            # A person answered in a language of no recourse is told the country's first.
            "recourse": self.recourse.get(tag) or next(iter(self.recourse.values()), ""),
            "emergency": self._emergency(tag, isolate),
            "parts": "",
        }
        if parts and notice == "status":
            notice = "status_parts"
        if case is not None and notice in _STATUS and (status or case.status) in SETTLED:
            notice += "_settled"
        if case is not None:
            values |= {
                "code": isolate(tracking_code.display(case.tracking_code)),
                "status": self.words.text(tag, f"notices.status_{status or case.status}"),
                "administration": administration.name(tag)
                if administration
                else self._several(parts, tag),
                "expected": isolate(self._due(case, tag)),
            }
        key = f"notices.{table}.{notice}"
        if parts:
            values["parts"] = self._parts(tag, key, values, parts, short=not mail)
        if channel == "sms" and case is not None and (administration is not None or parts):
            values["administration"] = self._short_name(tag, key, values)
        body = self.words.text(tag, key, **values).strip()
        if not mail:
            return Notice("", body, tag)
        subject = self.words.text(tag, f"notices.email.{notice}_subject", **values)
        marker = self.markers.get(tag, "")
        return Notice(subject, f"{marker}\n\n{body}\n" if marker else f"{body}\n", tag)

    def with_emergency(self, notice: Notice) -> Notice:
        """A mail that begins with whom to call in danger."""
        told = self._emergency(notice.language, self._isolate(notice.language))
        advice = self.words.text(notice.language, "notices.email.emergency", emergency=told).strip()
        marker = self.markers.get(notice.language, "")
        if marker and notice.text.startswith(marker):
            body = notice.text.removeprefix(marker).lstrip("\n")
            return replace(notice, text=f"{marker}\n\n{advice}\n\n{body}")
        return replace(notice, text=f"{advice}\n\n{notice.text}")

    def in_segments(self, answer: Notice, case: Row[Any], most: int) -> Notice:
        """An answer by text: whole, or its beginning and how its person reads the rest.

        The PIN goes along: whoever is reached at the recorded address may read it all.
        """
        if length(answer.text).segments <= most:
            return answer
        rest = self.compose("rest", "sms", case, None, pin=case.pin).text
        return replace(answer, text=shortened(answer.text, rest, most))

    def without_files(self, answer: Notice, names: Sequence[str]) -> Notice:
        """An answer by mail that names the files too large to go along; as it is without any."""
        if not names:
            return answer
        tag = answer.language
        isolate = self._isolate(tag)
        unnamed = self.words.text(tag, "notices.files.unnamed")
        listed = "\n".join(isolate(name) if name else unnamed for name in names)
        told = self.words.text(tag, "notices.files.left_out", names=listed).strip()
        return replace(answer, text=f"{answer.text.rstrip()}\n\n{told}\n")

    def referral(
        self,
        case: Row[Any],
        administration: Administration,
        reasons: Sequence[str],
        text: str,
        language: str = "fr",
    ) -> Notice:
        """Compose the mail that hands a case to an administration."""
        tag = self.words.answering_language(language)
        isolate = self._isolate(tag)
        values: dict[str, object] = {
            "code": isolate(tracking_code.display(case.tracking_code)),
            "received": isolate(self.date(case.requested_datetime, tag)),
            "expected": isolate(self._due(case, tag)),
            "channel": case.channel,
            "reasons": "; ".join(reasons),
            "text": text,
            "administration": administration.name(tag),
        }
        marker = self.markers.get(tag, "")
        body = self.words.text(tag, "notices.refer.body", **values).strip()
        return Notice(
            self.words.text(tag, "notices.refer.subject", **values), f"{marker}\n\n{body}\n", tag
        )

    def deadlines(
        self,
        notice: str,
        administration: Administration,
        named: Sequence[tuple[str, datetime, str]],
        *,
        whose: Administration | None = None,
    ) -> Notice:
        """Compose the mail that reminds an administration, or tells the body above it.

        It says the same in each of the languages of offices.

        Args:
            notice: ``reminder`` or ``escalation``.
            administration: who is told.
            named: code, due moment and mail address of the thread of each case.
            whose: for an escalation, the administration that has the cases.
        """
        tags = dict.fromkeys(map(self.words.answering_language, self.office_languages))
        told = [self._deadlines(notice, administration, named, whose, tag) for tag in tags]
        first = told[0]
        marker = self.markers.get(first.language, "")
        body = f"\n\n{_BETWEEN_LANGUAGES}\n\n".join(one.text for one in told)
        subject = " / ".join(one.subject for one in told)
        return Notice(subject, f"{marker}\n\n{body}\n", first.language)

    def _deadlines(
        self,
        notice: str,
        administration: Administration,
        named: Sequence[tuple[str, datetime, str]],
        whose: Administration | None,
        tag: str,
    ) -> Notice:
        """The same in one language, without the line above which one answers."""
        isolate = self._isolate(tag)
        lines = (
            self.words.text(
                tag,
                "notices.deadlines.case",
                code=isolate(tracking_code.display(code)),
                expected=isolate(self.date(due, tag)),
                # A mail program takes the closing mark for a part of the address.
                address=address,
            )
            for code, due, address in named
        )
        values: dict[str, object] = {
            "count": len(named),
            "cases": "\n".join(lines),
            "administration": administration.name(tag),
            "whose": whose.name(tag) if whose is not None else "",
        }
        body = self.words.text(tag, f"notices.deadlines.{notice}", **values).strip()
        subject = self.words.text(tag, f"notices.deadlines.{notice}_subject", **values)
        return Notice(subject, body, tag)

    def _emergency(self, tag: str, isolate: Callable[[str], str]) -> str:
        """The numbers to call, each with its service where the profile tells it."""
        told = []
        for number, service in self.emergency.items():
            name = self.words.text(tag, f"notices.service_{service}") if service else ""
            told.append(f"{isolate(number)} ({name})" if name else isolate(number))
        return self.words.text(tag, "notices.between").join(told)

    def _several(self, parts: Sequence[Part], tag: str) -> str:
        """The names of the administrations of one case, or that there is none yet."""
        names = [one.name(tag) for one, _ in parts if one is not None]
        between = self.words.text(tag, "notices.between")
        return between.join(names) or self.words.text(tag, "notices.nobody_yet")

    def _parts(
        self,
        tag: str,
        key: str,
        values: Mapping[str, object],
        parts: Sequence[Part],
        *,
        short: bool,
    ) -> str:
        """What each administration of one case has done; in a text their names give way."""
        nobody = self.words.text(tag, "notices.nobody_yet")
        told = [
            (
                one.name(tag) if one is not None else nobody,
                self.words.text(tag, f"notices.status_{status}"),
            )
            for one, status in parts
        ]
        if not short:
            return "\n".join(f"{name} : {status}" for name, status in told)
        words = self.words.text(tag, key, **{**values, "parts": ""})
        plain = encoding_of(words) is Encoding.GSM7
        if plain:
            told = [(_in_gsm7(name), status) for name, status in told]
        dots, line = ("..." if plain else "…"), ""
        longest = max(_SHORTEST_NAME, *(len(name) for name, _ in told))
        for most in range(longest, _SHORTEST_NAME - 1, -1):
            line = "; ".join(
                f"{name if len(name) <= most else name[:most].rstrip() + dots}: {status}"
                for name, status in told
            )
            text = self.words.text(tag, key, **{**values, "parts": line})
            if length(text).segments <= _MOST[encoding_of(words)]:
                return line
        heard = sum(status in _HEARD for _, status in parts)
        return self.words.text(tag, "notices.heard", count=heard, total=len(parts))

    def _due(self, case: Row[Any], tag: str) -> str:
        moment = answer_due(case)
        return self.date(moment, tag) if moment is not None else ""

    def _isolate(self, tag: str) -> Callable[[str], str]:
        """What keeps a code in order in ``tag``: nothing, where letters run like digits."""
        sample = self.words.text(tag, "notices.nobody_yet")
        right_to_left = any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in sample)
        return self.isolate if right_to_left else str

    def _short_name(self, tag: str, key: str, values: Mapping[str, object]) -> str:
        """The administration's name as it fits into a text message, cut at a word where it must."""
        name = str(values["administration"])
        rest = self.words.text(tag, key, **{**values, "text": "", "administration": ""})
        plain = encoding_of(rest) is Encoding.GSM7
        if plain:
            name = _in_gsm7(name)
        if values["text"]:
            return name  # an answer takes what it takes
        dots = "..." if plain else "…"
        whole, words = name, name.split()
        while len(words) > 1:
            text = self.words.text(tag, key, **{**values, "administration": whole})
            if length(text).segments <= _MOST[encoding_of(rest)]:
                return whole
            words.pop()
            whole = " ".join(words).rstrip(" ,-(") + dots
        return whole


def _in_gsm7(text: str) -> str:
    """A text with its letters brought into GSM-7 where that only costs them a mark (û → u)."""
    letters = []
    for letter in text.translate(_IN_GSM7):
        if encoding_of(letter) is Encoding.GSM7:
            letters.append(letter)
        else:
            bare = unicodedata.normalize("NFKD", letter)
            letters.append("".join(part for part in bare if not unicodedata.combining(part)))
    return "".join(letters)

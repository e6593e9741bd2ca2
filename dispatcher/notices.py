# SPDX-License-Identifier: MIT
"""What is said to whom: step × channel × language → wording, from the operator's table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from normalizer import tracking_code

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Row

    from dispatcher.administration import Administration


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
        isolate: wraps a code or number so that it stays left-to-right inside Arabic.
        date: shows a time as a date in a language and the country's zone.
        url: the address of the tracking pages, by language.
        recourse: who may be turned to next, by language.
        markers: the "reply above this line" of mails, by language.
    """

    words: Words
    isolate: Callable[[str], str]
    date: Callable[[datetime, str], str]
    url: Callable[[str], str]
    recourse: Mapping[str, str]
    markers: Mapping[str, str]

    def compose(
        self,
        notice: str,
        channel: str,
        case: Row[Any] | None,
        administration: Administration | None,
        *,
        language: str = "",
        text: str = "",
        codes: Sequence[str] = (),
        url: str = "",
        status: str = "",
    ) -> Notice:
        """Compose one notice.

        Args:
            notice: the step: ``acknowledge``, ``status``, ``reply``, ``have_answer`` …
            channel: the channel it leaves by; SMS and WhatsApp share one table, voice has its own
                dialogue and only needs the plain words.
            case: the case, when it is about one.
            administration: the administration of the case, when it has one.
            language: BCP 47 tag asked for; the case's by default.
            text: an administration's words, for ``reply``.
            codes: codes to name together, for ``acknowledge_many``.
            url: a link, for ``confirm``; the tracking page by default.
            status: the status to tell; the case's own by default.
        """
        tag = self.words.answering_language(language or (case.language if case else ""))
        mail = channel == "email"
        table = "email" if mail else "sms"
        isolate = self.isolate if tag == "ar" else str
        values: dict[str, object] = {
            "text": text,
            "url": isolate(url or self.url(tag)),
            "codes": ("\n" if mail else ", ").join(
                isolate(tracking_code.display(code)) for code in codes
            ),
            "recourse": self.recourse.get(tag, ""),
        }
        if case is not None:
            values |= {
                "code": isolate(tracking_code.display(case.tracking_code)),
                "status": self.words.text(tag, f"notices.status_{status or case.status}"),
                "administration": administration.name(tag)
                if administration
                else self.words.text(tag, "notices.nobody_yet"),
                "expected": isolate(self.date(case.expected_datetime, tag)),
            }
        body = self.words.text(tag, f"notices.{table}.{notice}", **values).strip()
        if not mail:
            return Notice("", body, tag)
        subject = self.words.text(tag, f"notices.email.{notice}_subject", **values)
        marker = self.markers.get(tag, "")
        return Notice(subject, f"{marker}\n\n{body}\n" if marker else f"{body}\n", tag)

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
        values: dict[str, object] = {
            "code": tracking_code.display(case.tracking_code),
            "received": self.date(case.requested_datetime, tag),
            "expected": self.date(case.expected_datetime, tag),
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

# SPDX-License-Identifier: MIT
"""How the desk says things: dates and days left in its language, addresses half hidden, tones."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time, format_timedelta
from babel.units import format_unit

from channels.message import ChannelName, DeliveryStatus
from config.wording import isolate
from gateway.desk.reading import SETTLED
from gateway.desk.reasons import in_words
from normalizer.tracking_code import display
from tracker.deadlines import answer_due
from tracker.models import CaseStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Row

    from config.wording import Wording

#: From this many days left on, the clock is shown as pressing.
PRESSING_DAYS = 5
MEGABYTE = 1_000_000

STATUS_TONES: Mapping[str, str] = {
    CaseStatus.RECEIVED: "amber",
    CaseStatus.TRIAGE: "amber",
    CaseStatus.REFERRED: "blue",
    CaseStatus.IN_PROGRESS: "blue",
    CaseStatus.WAITING_FOR_CITIZEN: "",
    CaseStatus.ANSWERED: "green",
    CaseStatus.CLOSED: "",
    CaseStatus.OUT_OF_COMPETENCE: "",
    CaseStatus.WITHDRAWN: "",
}
DELIVERY_TONES: Mapping[str, str] = {
    DeliveryStatus.QUEUED: "",
    DeliveryStatus.SENT: "blue",
    DeliveryStatus.DELIVERED: "green",
    DeliveryStatus.READ: "green",
    DeliveryStatus.DEFERRED: "amber",
    DeliveryStatus.BOUNCED: "red",
    DeliveryStatus.FAILED: "red",
    DeliveryStatus.UNKNOWN: "amber",
}
#: Providers' codes and the plain reason they stand for (``desk.failure.<word>``). Twilio's error
#: dictionary; RFC 3463 enhanced status codes.
FAILURE_WORDS: Mapping[str, str] = {
    "21211": "no_such_number",
    "21614": "no_such_number",
    "30005": "no_such_number",
    "30003": "handset_off",
    "30004": "blocked",
    "30006": "no_texts",
    "30007": "filtered",
    "30008": "no_reason",
    "21610": "opted_out",
    "opted-out": "opted_out",
    "63016": "whatsapp_window",
    "busy": "busy",
    "no-answer": "no_answer",
    "5.1.1": "no_such_mailbox",
    "5.2.2": "mailbox_full",
    "5.7.1": "filtered",
}


@dataclass(frozen=True, slots=True)
class Clock:
    """The legal clock of a case, said and coloured.

    Attributes:
        text: in the desk's language: days left, overdue since, settled, or none running.
        tone: of the badge: ``green``, ``amber``, ``red`` or ``""``.
        late: whether the answer is overdue.
        due: the day by which an answer is due, as a date in words, or ``""``.
    """

    text: str
    tone: str
    late: bool
    due: str


def with_slug(name: str, slug: str) -> str:
    """An administration as the list of a page offers it; ``choosing.py`` reads it back."""
    return f"{name} \u2066({slug})\u2069"


class Showing:
    """Says things in one language.

    Args:
        wording: all texts.
        language: BCP 47 tag of the desk.
        country: ISO 3166-1 code, for the locale's digits and month names (``ma`` → 0-9, يونيو).
        zone: in which dates are told.
    """

    def __init__(self, wording: Wording, language: str, country: str, zone: tzinfo) -> None:
        self._wording = wording
        self.language = language
        self._zone = zone
        try:
            self._locale = Locale.parse(f"{language}_{country.upper()}")
        except (UnknownLocaleError, ValueError):
            self._locale = Locale.parse(language)

    @property
    def locale(self) -> Locale:
        """The locale of numbers and dates."""
        return self._locale

    def t(self, key: str, **values: object) -> str:
        """The text ``desk.<key>``; values are isolated, so that digits keep their order."""
        shown = {
            name: value if isinstance(value, int) else isolate_any(str(value))
            for name, value in values.items()
        }
        return self._wording.text(self.language, f"desk.{key}", **shown)

    def known(self, group: str, word: str) -> str:
        """The text ``desk.<group>.<word>``, or ``word`` itself when there is no text for it."""
        key = f"desk.{group}.{word}"
        if self._wording.has(self.language, key):
            return self._wording.text(self.language, key)
        return word

    def reason(self, kept: str, names: Mapping[str, str]) -> str:
        """Why an administration is proposed or was chosen; ``names`` are those of slugs."""
        between = "، " if self.language.startswith("ar") else ", "
        return in_words(kept, self.t, names, between)

    def date(self, moment: datetime | None) -> str:
        """A day in words: ``14 janvier 2027``."""
        if moment is None:
            return ""
        return format_date(moment.astimezone(self._zone), "long", locale=self._locale)

    def moment(self, moment: datetime | None) -> str:
        """A day and time: ``14 janvier 2027, 09:30``."""
        if moment is None:
            return ""
        time = format_time(moment, "short", tzinfo=self._zone, locale=self._locale)
        comma = "،" if self.language.startswith("ar") else ","
        return f"{self.date(moment)}{comma} {isolate(time)}"

    def age(self, since: datetime, now: datetime) -> str:
        """How long ago, roughly: ``il y a 3 heures``."""
        return format_timedelta(since - now, add_direction=True, locale=self._locale)

    def clock(self, case: Row[Any], now: datetime) -> Clock:
        """The clock of a case (a row of ``cases``) at ``now``."""
        moment = answer_due(case)
        due = self.date(moment)
        if case.status in SETTLED:
            return Clock(self.t("clock.stopped"), "", late=False, due=due)
        if moment is None:
            return Clock(self.t("clock.none"), "", late=False, due="")
        return self.days_left(moment, now)

    def days_left(self, moment: datetime, now: datetime) -> Clock:
        """A due moment as it looks at ``now``."""
        due = self.date(moment)
        days = (moment.astimezone(self._zone).date() - now.astimezone(self._zone).date()).days
        if moment < now:
            text = self.t("clock.overdue", count=-days) if days else self.t("clock.overdue_today")
            return Clock(text, "red", late=True, due=due)
        if days == 0:
            return Clock(self.t("clock.today"), "amber", late=False, due=due)
        tone = "amber" if days <= PRESSING_DAYS else "green"
        return Clock(self.t("clock.left", count=days), tone, late=False, due=due)

    def failure(self, detail: str) -> str:
        """A provider's code in plain words, with the code itself; ``""`` for no detail."""
        if not detail:
            return ""
        for token in re.findall(r"[\w.-]+", detail):
            code = token.strip(".-")
            if code in FAILURE_WORDS:
                return f"{self.t(f'failure.{FAILURE_WORDS[code]}')} ({isolate(code)})"
        return self.t("failure.other", detail=detail)

    def size(self, octets: int) -> str:
        """A file's size in words of the locale: ``35 ko``."""
        unit, divisor = ("megabyte", MEGABYTE) if octets >= MEGABYTE else ("kilobyte", 1_000)
        number = max(1, round(octets / divisor))
        return format_unit(number, f"digital-{unit}", "short", locale=self._locale)

    def event(self, event: Row[Any], names: Mapping[str, str]) -> str:
        """One event of a timeline (a row of ``case_events``) as a sentence."""
        data = event.data
        slug = str(data.get("administration", ""))
        word = event.type.removeprefix("guichet.").replace(".", "_")
        if data.get("repeated"):
            word = "case_repeated"
        if word == "case_transferred" and data.get("to"):
            word, slug = "case_handed_on", str(data["to"])
        if not self._wording.has("en", f"desk.event.{word}"):
            return str(event.type)
        return self.t(
            f"event.{word}",
            channel=self.known("channel", str(data.get("channel", ""))),
            before=self.known("status", str(data.get("from", ""))),
            after=self.known("status", str(data.get("to", ""))),
            status=self.known("delivery", str(data.get("delivery_status", ""))),
            administration=names.get(slug, slug),
            former=names.get(str(data.get("from", "")), str(data.get("from", ""))),
            administrations=self._wording.text(self.language, "notices.between").join(
                names.get(one, one) for one in data.get("administrations", ())
            ),
            code=display(str(data.get("with", ""))),
            kind=self.known("elsewhere.kind", str(data.get("kind", ""))),
            deadline=self.known("deadlines.kind", str(data.get("deadline", ""))),
            by=self.known("actor", str(data.get("by", ""))),
            from_code=isolate(display(str(data.get("from_code", "")))),
            into_code=isolate(display(str(data.get("into_code", "")))),
        )

    def leaves_by(self, case: Row[Any]) -> str:
        """By which channel, and to whom, an answer to this case goes."""
        channel, word = case.channel, "reply.leaves_by"
        if channel == ChannelName.WEB:
            channel = "email" if case.contact_scheme == "mailto" else "sms"
            if not case.contact_confirmed:
                # Typed in a form and never proved: it gets no words (design, promise 6).
                return self.t("reply.only_tracking")
            word = "reply.tracking_and_notice"
        if not case.contact_value:
            return self.t("reply.only_tracking")
        return self.t(
            word,
            channel=self.t(f"channel.{channel}"),
            address=isolate(masked(case.contact_scheme, case.contact_value)),
        )


def isolate_any(value: str) -> str:
    """Isolate a value whose direction its own letters decide (UAX #9, FSI … PDI)."""
    return f"\u2068{value}\u2069"


def masked(scheme: str, value: str) -> str:
    """An address, recognisable to who knows it and of little use to who does not."""
    if scheme == "mailto" or "@" in value:
        local, _, domain = value.partition("@")
        return f"{local[:1]}•••@{domain}"
    shown = 4
    if len(value) <= shown + 2:
        return "•" * len(value)
    return f"{value[:shown]}•••{value[-2:]}"


def masked_on(channel: str, value: str) -> str:
    """:func:`masked`, for an address known by its channel only."""
    return masked("mailto" if channel == ChannelName.EMAIL else "tel", value)

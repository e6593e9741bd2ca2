# SPDX-License-Identifier: MIT
"""What a submission is and which case it belongs to: reads only, decides, writes nothing.

File first, ask after (design, promise 4); when unsure, keep (promise 5); a claimed sender is no
proof, so a code or a case address from somebody else is held for a person (promise 6).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from channels.mail.address import read_thread_address
from channels.mail.authenticity import NAMES as AUTHENTICITY
from channels.message import AddressScheme, ChannelName
from gateway.bounces import action_of, bounced_entry
from gateway.danger import with_danger
from gateway.legal_clock import terms_of
from gateway.plan import Plan, is_correspondent, join, no_reply
from gateway.repeating import Repeating
from gateway.texting import Texting
from normalizer import tracking_code
from normalizer.complaint import Outcome
from normalizer.intent import Intent
from normalizer.phone import is_mobile
from tracker import register
from tracker.models import AttentionReason, DeliveryState, administrations

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime

    from sqlalchemy import Connection, Row

    from channels.channel import Delivery
    from channels.message import InboundMessage
    from config.country import Country
    from config.settings import Settings
    from normalizer.complaint import Submission
    from tracker.deadlines import Clock

__all__ = ["Plan", "Planner", "is_correspondent"]

_TEXTS = (ChannelName.SMS, ChannelName.WHATSAPP)
#: Characters of a mail that are searched for a quoted code.
_QUOTED_LIMIT = 20_000


class Planner:
    """Decides what a submission is.

    Args:
        settings: keys, domain and limits.
        country: for new codes.
        subject_of: the administration that words plainly name (the rules router's choice), by its
            slug, or ``None``; without it no text is plainly another subject than the one before.
    """

    def __init__(
        self,
        settings: Settings,
        country: Country,
        subject_of: Callable[[str], str | None] = lambda _words: None,
    ) -> None:
        self._settings = settings
        self._country = country
        self._terms = terms_of(country, settings)
        self._of_today: tuple[date, Clock] | None = None
        self._repeating = Repeating(settings)
        self._texting = Texting(
            settings, self._new_case, self.open_case, subject_of, self._repeating.plan
        )

    def plan(self, connection: Connection, delivery: Delivery, submission: Submission) -> Plan:
        """Decide. Reads only."""
        return with_danger(self._plan(connection, delivery, submission), submission)

    def _plan(self, connection: Connection, delivery: Delivery, submission: Submission) -> Plan:
        message = submission.message
        if message.fields.get("missed_call"):
            return Plan(
                DeliveryState.HELD,
                Outcome.MISSED_CALL,
                attention=AttentionReason.MISSED,
                reason="somebody called and hung up before speaking",
            )
        if message.channel in _TEXTS:
            return self._texting.plan(connection, delivery, submission)
        if message.channel is ChannelName.EMAIL:
            return _with_authenticity(self._mail(connection, delivery, submission), message)
        plan = self.open_case(delivery, submission)
        contact = submission.contact
        by_telephone = contact.scheme is AddressScheme.TEL and not is_mobile(contact.value)
        if by_telephone and message.fields.get("untold"):
            wait = timedelta(minutes=self._settings.voice.tell_code_minutes)
            return replace(plan, tell_code_at=delivery.received_at + wait)
        return plan

    def _mail(self, connection: Connection, delivery: Delivery, submission: Submission) -> Plan:
        message = submission.message
        case, proven = self._thread(connection, submission)
        if message.auto_submitted == "bounce":
            return self._bounce(connection, submission, case, proven=proven)
        # Bulk headers say "do not answer by machine", never "not a person" (promise 5).
        automatic = message.auto_submitted not in ("no", "bulk")
        silent = message.auto_submitted != "no" or no_reply(submission)
        if case is None:
            if submission.understanding.intent is Intent.STATUS_QUERY and not automatic:
                return self._texting.status(connection, delivery, submission)
            again = None if automatic else self._repeating.of_mail(connection, delivery, submission)
            return again or self.open_case(delivery, submission, silent=silent)
        administration = self.administration_of(connection, case, submission)
        dmarc = message.fields.get("dmarc", "")
        if dmarc == "fail" and not automatic and _would_speak(case, submission, administration):
            return _held(case, "its sender's domain says that this mail is not from it (DMARC)")
        if administration is not None and not automatic and (proven or dmarc == "pass"):
            return Plan(
                DeliveryState.APPENDED,
                Outcome.ADMINISTRATION_REPLY,
                case_id=case.id,
                case=case,
                tracking_code=case.tracking_code,
                administration=administration,
            )
        if automatic:
            return Plan(
                DeliveryState.IGNORED,
                Outcome.AUTO_REPLY,
                case_id=case.id,
                reason="an automatic answer to a mail of ours",
            )
        if is_correspondent(case, submission):
            if submission.understanding.intent is Intent.STATUS_QUERY:
                return self._texting.status(connection, delivery, submission)
            return join(case)
        if submission.understanding.intent is Intent.STATUS_QUERY and not proven:
            return self._texting.status(connection, delivery, submission)
        reason = "names a case of somebody else: its sender is not that case's correspondent"
        if administration is not None:
            reason = "from the administration's address, but nothing proves that"
        return _held(case, reason)

    def _bounce(
        self,
        connection: Connection,
        submission: Submission,
        case: Row[Any] | None,
        *,
        proven: bool,
    ) -> Plan:
        """What a mail system says of a mail of ours. Never answered, whatever it is."""
        message = submission.message
        entry = bounced_entry(
            connection, message, self._settings.mail.domain, case if proven else None
        )
        action = action_of(message)
        outcome = Outcome.DELAY if action == "delayed" else Outcome.BOUNCE
        if entry is not None:
            return Plan(
                DeliveryState.IGNORED,
                outcome,
                case_id=entry.case_id,
                reason=f"a mail system says of a mail of ours: {action}",
                facts={
                    "outbox_id": str(entry.id),
                    "action": action,
                    "status": message.fields.get("bounce_status", ""),
                },
            )
        if case is None and "bounce_status" in message.fields:
            return Plan(DeliveryState.IGNORED, outcome, reason="a bounce, but of no mail of ours")
        # Perhaps ours and perhaps forged, perhaps no bounce at all: nothing is done by itself.
        return Plan(
            DeliveryState.HELD,
            outcome,
            attention=AttentionReason.HELD,
            reason="looks like a bounce, but nothing in it proves that a mail of ours came back",
            facts={"guess": case.tracking_code} if case is not None else {},
        )

    def _thread(
        self, connection: Connection, submission: Submission
    ) -> tuple[Row[Any] | None, bool]:
        """The case a mail belongs to, and whether a signed address proves that knowledge."""
        message = submission.message
        for address in message.recipient.split(","):
            claim = read_thread_address(
                address.strip(), self._settings.mail.domain, self._settings.signing_keys
            )
            if claim is not None and claim.valid:
                case = register.find_case(connection, claim.code)
                if case is not None:
                    return case, True
        named = [*message.in_reply_to, *message.references]
        case = register.case_of_message_ids(connection, named)
        if case is None and submission.understanding.code:
            case = register.find_case(connection, submission.understanding.code)
        return case or _own_case(connection, submission, named), False

    @staticmethod
    def administration_of(
        connection: Connection, case: Row[Any], submission: Submission
    ) -> str | None:
        """The case's administration, when the mail comes from its registered address."""
        if case.administration is None:
            return None
        email = connection.scalar(
            select(administrations.c.email).where(administrations.c.slug == case.administration)
        )
        same = (email or "").strip().lower() == submission.contact.value != ""
        return case.administration if same else None

    def open_case(
        self, delivery: Delivery, submission: Submission, *, silent: bool = False
    ) -> Plan:
        """A new case for this submission; ``silent`` withholds the acknowledgement."""
        values = self._new_case(delivery.received_at)
        return Plan(
            DeliveryState.FILED,
            Outcome.COMPLAINT,
            case_id=values["id"],
            new_case=values,
            tracking_code=values["tracking_code"],
            pin=values["pin"],
            acknowledge=not silent
            and submission.message.channel is not ChannelName.WEB
            and submission.contact.replyable,
        )

    def _new_case(self, received_at: datetime) -> dict[str, Any]:
        values = register.new_case_values(calling_code=self._country.calling_code, now=received_at)
        # The clock starts at receipt, and nothing later resets it (promise 9).
        clock = self._clock(received_at)
        values["forward_by"] = clock.forward_by
        values["expected_datetime"] = clock.answer_by
        return values

    def _clock(self, received_at: datetime) -> Clock:
        """What falls due for a case of this day: the same for all of them."""
        day = self._terms.calendar.day(received_at)
        if self._of_today is None or self._of_today[0] != day:
            self._of_today = day, self._terms.clock(received_at)
        return self._of_today[1]


def _own_case(connection: Connection, submission: Submission, named: list[str]) -> Row[Any] | None:
    """The sender's own case that a mail only hints at, or ``None``.

    People answer their own sent mail; some mail programs send neither References nor our subject
    back, only our words with the code in them. Anybody may know either, so both count for the
    correspondent alone.
    """
    case = register.case_of_message_ids(connection, named, "inbound")
    if case is None:
        code = tracking_code.read(submission.full_text[:_QUOTED_LIMIT]).code
        case = register.find_case(connection, code) if code else None
    return case if case is not None and is_correspondent(case, submission) else None


def _held(case: Row[Any], reason: str) -> Plan:
    return Plan(
        DeliveryState.HELD,
        Outcome.FOLLOW_UP,
        attention=AttentionReason.HELD,
        reason=reason,
        facts={"guess": case.tracking_code},
    )


def _would_speak(case: Row[Any], submission: Submission, administration: str | None) -> bool:
    """Whether a mail would join the case as the words of its correspondent or administration.

    A question about the status would not: it is answered to the address on record, whoever asks.
    """
    if administration is not None:
        return True
    asks = submission.understanding.intent is Intent.STATUS_QUERY
    return is_correspondent(case, submission) and not asks


def _with_authenticity(plan: Plan, message: InboundMessage) -> Plan:
    """The plan, with what is known of the sender remembered beside the delivery."""
    known = {name: message.fields[name] for name in AUTHENTICITY if message.fields.get(name)}
    return replace(plan, facts={**plan.facts, **known}) if known else plan

# SPDX-License-Identifier: MIT
"""Does one outbox entry, with no transaction open, and says what to record.

``perform`` reads nothing from the database: what it needs comes with the entry. What it changes is
returned as a function that the relay runs in the one transaction of its batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from channels.errors import DeliveryError, OptedOut, Throttled, Uncertain
from channels.message import Address, AddressScheme, Attachment, ChannelName, OutboundMessage
from dispatcher import reminders, routed
from dispatcher.administration import OutletName
from dispatcher.notices import Notice
from dispatcher.work import Result, Work, arrived, hand_over, may_have_gone, way_out
from tracker import opt_outs, register
from tracker.mail_thread import MailThread
from tracker.models import (
    Author,
    Direction,
    EventType,
    OutboxKind,
    OutboxState,
    messages,
    outbox,
)
from tracker.outbox import ATTEMPTED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from sqlalchemy import Connection, Row

    from channels.channel import Channel
    from channels.message import Receipt
    from dispatcher.notices import Notices
    from dispatcher.routed import Chooses

#: Why a notice was not sent; an answer is called through, or comes before a person.
LANDLINE = "not sent: a landline gets no texts, and nobody is called for a notice"


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """Does the work of outbox entries.

    Attributes:
        channels: ways out, by channel name.
        notices: composes the words.
        router: chooses administrations.
        thread_address: a case's signed mail address, by its code.
        confirm_url: a signed link that confirms a contact, by case and language.
        mail_domain: right side of our Message-IDs.
        clock: the present time.
        blackhole: send every referral nowhere.
        reply_segments: segments of an administration's answer by text.
        blind_share: of the machine's decisions that a person makes again without seeing them.
        call_at: the moment itself, or the next one at which citizens may be called.
    """

    channels: Mapping[str, Channel]
    notices: Notices
    router: Chooses
    thread_address: Callable[[str], str]
    confirm_url: Callable[[Row[Any], str], str]
    mail_domain: str
    clock: Callable[[], datetime]
    blackhole: bool = False
    reply_segments: int = 6
    blind_share: float = 0.0
    call_at: Callable[[datetime], datetime] = lambda moment: moment

    def perform(self, work: Work) -> Result:
        """Do one entry. Never raises a :class:`DeliveryError`: it becomes the result."""
        try:
            match OutboxKind(work.entry.kind):
                case OutboxKind.ROUTE:
                    return self._route(work)
                case OutboxKind.REFER:
                    return self._refer(work)
                case OutboxKind.REPLY:
                    return self._reply(work)
                case OutboxKind.ACKNOWLEDGE:
                    notice = "acknowledge_many" if work.codes else "acknowledge"
                    return self._notify(work, notice)
                case OutboxKind.NOTIFY:
                    return self._tell(work)
                case OutboxKind.CONFIRM_CONTACT:
                    return self._notify(work, "confirm")
                case OutboxKind.TRANSCRIBE:
                    return Result(OutboxState.FAILED, error="transcription has its own worker")
        except Uncertain as error:
            return may_have_gone(work, error)
        except Throttled as error:
            return Result(OutboxState.DUE, error=str(error), retry_after=error.retry_after)
        except DeliveryError as error:
            return self._not_sent(work, error)

    def _route(self, work: Work) -> Result:
        case = work.case
        if case is None or case.administration is not None or case.merged_into is not None:
            return Result(OutboxState.DONE)
        said = [case.subject, case.description, work.entry.payload.get("transcript", "")]
        words, now = "\n".join(said), self.clock()
        decision = self.router.decide(words, location=case.location)

        def record(connection: Connection) -> None:
            routed.record(
                connection, case.id, words, decision, now=now, blind_share=self.blind_share
            )

        return Result(OutboxState.DONE, record=record)

    def _refer(self, work: Work) -> Result:
        case, administration = work.case, work.administration
        if case is None or administration is None:
            return Result(OutboxState.FAILED, error="no such administration")
        outlet = OutletName.BLACKHOLE if self.blackhole else administration.outlet
        now = self.clock()
        receipt: Receipt | None = None
        if outlet is OutletName.MAIL:
            notice = self.notices.referral(
                case, administration, work.reasons, case.description or case.subject
            )
            receipt = self.channels["email"].send(
                self._mail(
                    work,
                    notice,
                    Address(AddressScheme.MAILTO, administration.email),
                    automatic=False,
                )
            )
        elif outlet not in (OutletName.DESK, OutletName.BLACKHOLE):
            return Result(OutboxState.FAILED, error=f"the outlet {outlet} is not set up here")

        def record(connection: Connection) -> None:
            register.add_event(
                connection,
                case.id,
                EventType.REFERRED,
                {"administration": administration.slug, "outlet": str(outlet)},
                source="/dispatcher",
                at=now,
            )

        return Result(
            OutboxState.DONE,
            provider_id=receipt.provider_id if receipt else "",
            delivery_status=receipt.delivery_status if receipt else None,
            record=record,
        )

    def _reply(self, work: Work) -> Result:
        case, answer, entry = work.case, work.message, work.entry
        if case is None or answer is None:
            return Result(OutboxState.FAILED, error="the answer is not on record")
        text = answer.text
        if entry.channel == str(ChannelName.WEB):
            return self._web_reply(work)
        if wait := self._wait_to_call(entry, entry.channel):
            return wait
        if entry.channel != str(ChannelName.VOICE):
            notice = self.notices.compose(
                "reply", entry.channel, case, work.administration, text=text
            )
            if entry.channel == str(ChannelName.SMS):
                notice = self.notices.in_segments(notice, case, self.reply_segments)
            elif entry.channel == str(ChannelName.EMAIL):
                notice = self.notices.without_files(notice, work.enclosures.left_out)
        else:
            notice = self.notices.compose("have_answer", entry.channel, case, work.administration)
        message = self._outbound(work, notice, auto_submitted="no")
        receipt = hand_over(self.channels[entry.channel], message, entry)
        return self._sent(work, receipt, link_message=True)

    def _wait_to_call(self, entry: Row[Any], channel: str) -> Result | None:
        """Nobody is called at night: until when a call waits.

        One that may have gone does not wait: it would be placed again without having been asked
        after.
        """
        if entry.state == str(OutboxState.UNKNOWN) or arrived(entry):
            return None
        now = self.clock()
        seconds = (self.call_at(now) - now).total_seconds() if channel == "voice" else 0.0
        if seconds <= 0:
            return None
        return Result(OutboxState.DUE, error="waits for the hours of calls", retry_after=seconds)

    def _web_reply(self, work: Work) -> Result:
        """The page shows the answer; a confirmed contact is told that there is one."""
        case, entry = work.case, work.entry
        if case is None:
            return Result(OutboxState.FAILED, error="no case")
        receipt = self.channels["web"].send(
            self._outbound(work, Notice("", "", case.language), auto_submitted="no")
        )
        if case.contact_confirmed:
            channel = "email" if entry.recipient_scheme == "mailto" else "sms"
            notice = self.notices.compose("have_answer", channel, case, work.administration)
            told = self._outbound(work, notice, channel=channel, auto_submitted="auto-generated")
            hand_over(self.channels[channel], told, entry)
        return self._sent(work, receipt, link_message=True)

    def _tell(self, work: Work) -> Result:
        if work.entry.recipient_scheme != "administration":
            return reminders.overtaken(work) or self._notify(work, work.entry.payload["notice"])
        return reminders.send(
            work,
            self.channels["email"],
            self.notices,
            self.thread_address,
            self.mail_domain,
            nowhere=self.blackhole,
        )

    def _notify(self, work: Work, name: str) -> Result:
        entry, case = work.entry, work.case
        channel = entry.channel
        if channel != way_out(entry):
            if not way_out(entry):
                return Result(OutboxState.HELD, error=LANDLINE)
            if case is not None and not case.contact_confirmed and name != "confirm":
                return Result(OutboxState.DONE, error="the contact is not confirmed")
            channel = way_out(entry)
        if wait := self._wait_to_call(entry, channel):
            return wait
        url, other = "", entry.payload.get("other", "")
        if name == "acknowledge" and other and case is not None and case.merged_into is None:
            name = "acknowledge_linked"
        if name == "confirm" and case is not None:
            url = self.confirm_url(case, self.notices.words.answering_language(case.language))
        notice = self.notices.compose(
            name,
            channel,
            case,
            work.administration or work.parts or None,
            language=entry.payload.get("language", ""),
            codes=work.codes,
            url=url,
            status=entry.payload.get("status", ""),
            other=other,
            own=entry.payload.get("cases", ()),
        )
        if entry.payload.get("danger") and channel == str(ChannelName.EMAIL):
            notice = self.notices.with_emergency(notice)
        automatic = "auto-replied" if entry.automatic else "auto-generated"
        message = self._outbound(work, notice, channel=channel, auto_submitted=automatic)
        receipt = hand_over(self.channels[channel], message, entry)
        return self._sent(work, receipt, notice=notice, channel=channel)

    def _not_sent(self, work: Work, error: DeliveryError) -> Result:
        """It did not go. Where its recipient asked for silence, that is remembered as well."""
        entry, now = work.entry, self.clock()
        detail = f"{error} ({error.code})" if error.code else str(error)
        if not isinstance(error, OptedOut):
            state = OutboxState.DUE if error.retryable else OutboxState.FAILED
            return Result(state, error=detail, record=None)

        def remember(connection: Connection) -> None:
            opt_outs.remember(connection, way_out(entry), entry.recipient, now)

        return Result(OutboxState.FAILED, error=f"opted-out: {detail}", record=remember)

    def _outbound(
        self, work: Work, notice: Notice, *, auto_submitted: str, channel: str = ""
    ) -> OutboundMessage:
        entry = work.entry
        recipient = Address(AddressScheme(entry.recipient_scheme), entry.recipient)
        name = channel or entry.channel
        if name == str(ChannelName.EMAIL):
            return self._mail(
                work, notice, recipient, automatic=auto_submitted != "no", auto=auto_submitted
            )
        return OutboundMessage(
            idempotency_key=str(entry.id),
            channel=ChannelName(name),
            recipient=recipient,
            text=notice.text,
            language=notice.language,
            auto_submitted=auto_submitted,
            attempted=entry.payload.get(ATTEMPTED, ""),
            attempted_since=entry.not_before,
        )

    def _mail(
        self,
        work: Work,
        notice: Notice,
        recipient: Address,
        *,
        automatic: bool,
        auto: str = "auto-generated",
    ) -> OutboundMessage:
        """A mail in the case's thread: signed reply address, stable Message-ID, references."""
        case, entry = work.case, work.entry
        # Whoever else is written to (an administration, another way) has mails of their own.
        ours = case is not None and case.contact_value == entry.recipient
        thread = work.thread if ours else MailThread()
        answered, references = thread.references(entry.payload.get("in_reply_to", ""))
        return OutboundMessage(
            idempotency_key=str(entry.id),
            channel=ChannelName.EMAIL,
            recipient=recipient,
            subject=notice.subject,
            text=notice.text,
            language=notice.language,
            message_id=f"{entry.id}@{self.mail_domain}",
            in_reply_to=answered,
            references=references,
            reply_to=self.thread_address(case.tracking_code) if case is not None else "",
            auto_submitted=auto if automatic else "no",
            attachments=tuple(
                Attachment(file.filename, file.media_type, file.content)
                for file in work.enclosures.files
                if entry.kind == str(OutboxKind.REPLY)
            ),
        )

    def _sent(
        self,
        work: Work,
        receipt: Receipt,
        *,
        notice: Notice | None = None,
        channel: str = "",
        link_message: bool = False,
    ) -> Result:
        entry, case, now = work.entry, work.case, self.clock()

        def record(connection: Connection) -> None:
            if case is None:
                return
            # A receipt may have come before this: then it is the later word.
            status = connection.scalar(
                select(outbox.c.delivery_status).where(outbox.c.id == entry.id)
            ) or str(receipt.delivery_status)
            if link_message and work.message is not None:
                connection.execute(
                    messages.update()
                    .where(messages.c.id == work.message.id)
                    .values(
                        outbox_id=entry.id,
                        delivery_status=status,
                        message_id=f"{entry.id}@{self.mail_domain}"
                        if entry.channel == "email"
                        else receipt.provider_id,
                    ),
                )
            elif notice is not None:
                name = channel or entry.channel
                register.add_message(
                    connection,
                    case.id,
                    {
                        "direction": str(Direction.OUTBOUND),
                        "author": str(Author.SYSTEM),
                        "channel": name,
                        "recipient": entry.recipient,
                        "subject": notice.subject,
                        "text": notice.text,
                        "language": notice.language,
                        "date": now,
                        "message_id": f"{entry.id}@{self.mail_domain}"
                        if name == "email"
                        else receipt.provider_id,
                        "outbox_id": entry.id,
                        "delivery_status": status,
                    },
                )
            register.add_event(
                connection,
                case.id,
                EventType.MESSAGE_SENT,
                {
                    "kind": entry.kind,
                    "channel": channel or entry.channel,
                    "delivery_status": str(receipt.delivery_status),
                },
                source="/dispatcher",
                subject=str(entry.id),
                at=now,
            )

        return Result(
            OutboxState.DONE,
            provider_id=receipt.provider_id,
            delivery_status=receipt.delivery_status,
            record=record,
        )

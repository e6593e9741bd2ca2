# SPDX-License-Identifier: MIT
"""The way of a delivery into the register: one short transaction, raw bytes first.

1. The message is read and normalised before, in memory, with no lock held.
2. ``plan`` looks up what it belongs to and says what it is.
3. The raw delivery is claimed by its key; a key that was there gets the same answer again.
4. In a savepoint: the case, the message, the event, and what follows (the outbox).
5. Commit, shared with whatever else is waiting. Only then is the peer answered.

What fails in 2 or 4 leaves the raw delivery in quarantine, visible and replayable.
"""

from __future__ import annotations

import logging
from concurrent.futures import Future
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import DBAPIError

from channels.channel import Accepted, Acknowledgement, TryLater
from channels.message import ChannelName
from gateway import filing, telemetry
from gateway.planning import Plan, Planner
from normalizer.normalize import normalize
from normalizer.text import storable
from tracker import attention, deferred, register
from tracker.group_commit import StorageUnavailable
from tracker.identity import new_id
from tracker.models import AttentionReason, DeliveryState, cases, deliveries

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from uuid import UUID

    from sqlalchemy import Connection

    from channels.channel import Delivery
    from channels.message import InboundMessage
    from config.country import Country
    from normalizer.complaint import Submission
    from tracker.group_commit import GroupCommit

logger = logging.getLogger(__name__)

#: What comes from an address whose other cases are looked at.
_WRITTEN = (ChannelName.SMS, ChannelName.WHATSAPP, ChannelName.EMAIL)


class Intake:
    """Files deliveries.

    Args:
        writer: the group-commit writer of this process.
        planner: tells what a submission is and belongs to.
        country: region, languages and legal days.
        recorded: called after the commit of a message whose recording is still to be fetched.
    """

    def __init__(
        self,
        writer: GroupCommit,
        planner: Planner,
        country: Country,
        recorded: Callable[[], None] | None = None,
    ) -> None:
        self._writer = writer
        self._planner = planner
        self._country = country
        self._recorded = recorded

    def accept(self, delivery: Delivery, message: InboundMessage | None) -> Acknowledgement:
        """Store a delivery and file its message; answer only after the commit. Never raises."""
        stored = self._hand_over(delivery, message)
        try:
            error = stored.exception(timeout=60)
        except TimeoutError:
            telemetry.try_later(str(delivery.channel))
            return TryLater()
        return self._answer(delivery, message, stored, error)

    def submit(
        self,
        delivery: Delivery,
        message: InboundMessage | None,
        understood: Submission | None = None,
    ) -> Future[Acknowledgement]:
        """As :meth:`accept`, for a caller that waits for many at once. The future never fails.

        ``understood``: the message as :func:`normalize` makes it, where that was done already.
        """
        answer: Future[Acknowledgement] = Future()
        self._hand_over(delivery, message, understood).add_done_callback(
            lambda stored: answer.set_result(
                self._answer(delivery, message, stored, stored.exception())
            )
        )
        return answer

    def _hand_over(
        self,
        delivery: Delivery,
        message: InboundMessage | None,
        understood: Submission | None = None,
    ) -> Future[Accepted]:
        """Normalise a message here, and hand it to the writer."""
        if understood is None or message is None:
            submission, unread = self._read(message)
        else:  # facts of its sender may have been added since
            submission, unread = replace(understood, message=message), ""
        return self._writer.submit(
            lambda connection: self.file(connection, delivery, submission, unread),
            key=delivery.idempotency_key,
            savepoint=False,  # it makes its own, after the raw bytes are claimed
            sender=_writer(submission),
        )

    def _answer(
        self,
        delivery: Delivery,
        message: InboundMessage | None,
        stored: Future[Accepted],
        error: BaseException | None,
    ) -> Acknowledgement:
        """What the door is told, and what is counted and rung for."""
        if error is not None:
            if not isinstance(error, StorageUnavailable):
                logger.error("intake failed: %s", type(error).__name__, exc_info=error)
            telemetry.try_later(str(delivery.channel))
            return TryLater()
        accepted = stored.result()
        telemetry.delivered(str(delivery.channel), accepted.state, accepted.repeated)
        if self._recorded is not None and message is not None and _has_recording(message):
            self._recorded()
        return accepted

    def plan(self, connection: Connection, delivery: Delivery, submission: Submission) -> Plan:
        """What a submission is; see :class:`Planner`. For replays."""
        return self._planner.plan(connection, delivery, submission)

    def open_plan(self, delivery: Delivery, submission: Submission) -> Plan:
        """A plan that opens a case whatever the submission names. For a person at the desk."""
        return self._planner.open_case(delivery, submission)

    def _read(self, message: InboundMessage | None) -> tuple[Submission | None, str]:
        if message is None:
            return None, "unreadable"
        try:
            return (
                normalize(
                    message,
                    region=self._country.region,
                    default_language=self._country.default_language,
                ),
                "",
            )
        except Exception as error:  # the one wide catch of this door: it quarantines
            logger.exception("normalising failed")
            return None, f"normalising failed: {type(error).__name__}"

    def file(
        self,
        connection: Connection,
        delivery: Delivery,
        submission: Submission | None,
        unread: str,
    ) -> Accepted:
        """Claim and file inside a transaction; what the writer runs."""
        plan, failure = self._plan(connection, delivery, submission)
        unread = failure or unread
        values = _row(delivery, submission, plan, unread)
        if plan is None or submission is None:
            return self._file_unread(connection, delivery, values, unread)
        if plan.new_case is not None and not plan.danger and deferred.is_open(connection):
            kept = self._file_with_group(connection, delivery, values, plan, submission)
            if kept is not None:
                return kept
        with deferred.suspended(connection):
            if not register.claim_delivery(connection, values):
                return self._again(connection, delivery.idempotency_key)
            try:
                with connection.begin_nested():
                    filing.carry_out(connection, plan, submission, delivery, values["id"])
            except Exception as error:
                if filing.is_storage_failure(error):
                    raise
                logger.exception("filing failed")
                failure = f"filing failed: {type(error).__name__}"
                return self._give_up(connection, delivery, values["id"], failure)
        return _accepted(plan)

    @staticmethod
    def _file_with_group(
        connection: Connection,
        delivery: Delivery,
        values: Mapping[str, Any],
        plan: Plan,
        submission: Submission,
    ) -> Accepted | None:
        """A new case in a group only keeps rows: there is nothing to take back but them.

        Returns:
            ``None`` when it must be filed by itself: its key is in this group already, or
            something is wrong with it.
        """
        marked = deferred.mark(connection)
        try:
            if not deferred.claim(connection, values):
                return None
            filing.carry_out(connection, plan, submission, delivery, values["id"])
        except Exception as error:
            if filing.is_storage_failure(error):
                raise
            deferred.undo(connection, marked)
            return None
        return _accepted(plan)

    def _file_unread(
        self, connection: Connection, delivery: Delivery, values: Mapping[str, Any], reason: str
    ) -> Accepted:
        """Keep the raw bytes of what could not be read, for a person and a later replay."""
        with deferred.suspended(connection):
            if not register.claim_delivery(connection, values):
                return self._again(connection, delivery.idempotency_key)
            self._quarantine(connection, values["id"], reason, delivery)
        return Accepted(state=str(DeliveryState.QUARANTINED))

    def _give_up(
        self, connection: Connection, delivery: Delivery, delivery_id: UUID, failure: str
    ) -> Accepted:
        connection.execute(
            deliveries.update()
            .where(deliveries.c.id == delivery_id)
            .values(
                state=str(DeliveryState.QUARANTINED),
                case_id=None,
                outcome=None,
                reason=failure,
                answer={},
            ),
        )
        self._quarantine(connection, delivery_id, failure, delivery)
        return Accepted(state=str(DeliveryState.QUARANTINED))

    def _plan(
        self, connection: Connection, delivery: Delivery, submission: Submission | None
    ) -> tuple[Plan | None, str]:
        if submission is None:
            return None, ""
        try:
            if deferred.is_open(connection):  # it only reads; what fails is run again, alone
                return self._planner.plan(connection, delivery, submission), ""
            with connection.begin_nested():
                return self._planner.plan(connection, delivery, submission), ""
        except DBAPIError as error:
            if filing.is_storage_failure(error) or deferred.is_open(connection):
                raise
            logger.exception("planning failed")
            return None, f"planning failed: {type(error).__name__}"
        except Exception as error:
            logger.exception("planning failed")
            return None, f"planning failed: {type(error).__name__}"

    @staticmethod
    def _quarantine(
        connection: Connection, delivery_id: UUID, reason: str, delivery: Delivery
    ) -> None:
        attention.open_item(
            connection,
            AttentionReason.QUARANTINED,
            reason or "unreadable",
            at=delivery.received_at,
            delivery_id=delivery_id,
        )

    @staticmethod
    def _again(connection: Connection, key: str) -> Accepted:
        """The answer that the first delivery of this key was given."""
        earlier = register.delivery_by_key(connection, key)
        if earlier is None:
            message = "a claimed key has no delivery"
            raise StorageUnavailable(message)
        code = pin = None
        if earlier.case_id is not None:
            deferred.flush(connection)
            row: Any = connection.execute(
                cases.select().where(cases.c.id == earlier.case_id),
            ).first()
            code, pin = row.tracking_code, row.pin
        return Accepted(
            tracking_code=code,
            pin=pin if earlier.state == str(DeliveryState.FILED) else None,
            state=earlier.state,
            repeated=True,
            facts=earlier.answer,
        )


def _row(
    delivery: Delivery, submission: Submission | None, plan: Plan | None, failure: str
) -> dict[str, Any]:
    """The row of a raw delivery; nothing in it can be refused by a database."""
    return {
        "id": new_id(),
        "channel": str(delivery.channel),
        "idempotency_key": storable(delivery.idempotency_key),
        "message_id": storable(submission.message.message_id) if submission else "",
        "received_at": delivery.received_at,
        "peer": storable(delivery.peer)[:64],
        "state": str(DeliveryState.QUARANTINED if plan is None else plan.state),
        "outcome": str(plan.outcome) if plan else None,
        "reason": (plan.reason if plan else failure)[:500],
        "case_id": plan.case_id if plan else None,
        "answer": dict(plan.facts) if plan else {},
        "url": storable(delivery.url),
        "headers": {storable(k): storable(v) for k, v in delivery.headers.items()},
        "body": delivery.body,
    }


def _accepted(plan: Plan) -> Accepted:
    return Accepted(
        tracking_code=plan.tracking_code,
        pin=plan.pin,
        state=str(plan.state),
        facts=plan.facts,
    )


def _writer(submission: Submission | None) -> tuple[str, str] | None:
    """Who wrote a text or a mail: scheme and address; ``None`` for what nobody wrote."""
    if submission is None or submission.message.channel not in _WRITTEN:
        return None
    return str(submission.contact.scheme), submission.contact.value


def _has_recording(message: InboundMessage) -> bool:
    return any(file.fetch_url for file in message.attachments)

# SPDX-License-Identifier: MIT
"""Facts about the senders of mail: who determines them, and those of new complaints afterwards.

Mail that may join a case is checked by its door before it is filed. A new complaint is filed at
once, whoever sent it: its facts are for the desk, and are added when it is routed.
"""

from __future__ import annotations

import logging
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from channels.channel import Delivery
from channels.errors import MalformedMessage
from channels.mail.authenticity import Authenticator, Checking, Trusting
from channels.mail.dns import Records
from channels.mail.mime import read
from channels.message import ChannelName
from normalizer import tracking_code
from tracker.database import reading
from tracker.models import DeliveryState, OutboxKind, deliveries

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from uuid import UUID

    from sqlalchemy import Connection, Engine, Row

    from config.settings import Settings
    from dispatcher.work import Result, Work

logger = logging.getLogger(__name__)

_WORKERS = 8
#: At the end of a batch the checks still on their way are waited for so long, and then left.
PATIENCE_SECONDS = 6.0


def authenticator_of(settings: Settings) -> Authenticator | None:
    """Who determines the facts under these settings; ``None``: nobody. The demo asks no DNS."""
    mail = settings.mail
    mode = mail.authenticity
    if settings.profile == "demo" and "authenticity" not in mail.model_fields_set:
        mode = "off"
    if mode == "off":
        return None
    if mode == "trust":
        return Trusting(mail.trusted_authserv_id, _names_code)
    records = Records(mail.nameservers, query_seconds=mail.query_seconds)
    return Checking(records, _names_code, seconds=mail.check_seconds)


def _names_code(text: str) -> bool:
    return tracking_code.read(text).code is not None


def complete(engine: Engine, authenticator: Authenticator, delivery_id: UUID) -> Mapping[str, str]:
    """Determine the facts of one stored mail and add them to its delivery.

    Returns:
        the facts; empty for what is no mail, cannot be read or has them already.
    """
    facts = determine(engine, authenticator, deliveries.c.id == delivery_id)
    if facts:
        with engine.begin() as connection:
            for one, known in facts.items():
                store(connection, one, known)
    return next(iter(facts.values()), {})


def determine(
    engine: Engine, authenticator: Authenticator, condition: Any
) -> dict[UUID, Mapping[str, str]]:
    """The facts of the stored mails of a condition on ``deliveries`` that have none, by their id.

    No transaction is open while the domain name system is asked.
    """
    with reading(engine).connect() as connection:
        rows = connection.execute(
            select(deliveries).where(
                condition,
                deliveries.c.channel == str(ChannelName.EMAIL),
                deliveries.c.state != str(DeliveryState.QUARANTINED),
            )
        ).all()
    found: dict[UUID, Mapping[str, str]] = {}
    for row in rows:
        facts = {} if "dmarc" in row.answer else _facts(authenticator, row)
        if facts:
            found[row.id] = facts
    return found


def store(connection: Connection, delivery_id: UUID, facts: Mapping[str, str]) -> None:
    """Add facts to what is remembered of a delivery."""
    answer = connection.scalar(select(deliveries.c.answer).where(deliveries.c.id == delivery_id))
    if answer is not None:
        connection.execute(
            deliveries.update()
            .where(deliveries.c.id == delivery_id)
            .values(answer={**answer, **facts})
        )


def facts_of(authenticator: Authenticator, delivery: Delivery) -> Mapping[str, str]:
    """The facts of a mail as its door stored it; empty when it cannot be read."""
    headers = delivery.headers
    sender = headers.get("envelope-from", "")
    try:
        message = read(delivery.body, envelope_from=sender, envelope_to=())
    except MalformedMessage:
        return {}
    # A mailbox tells no peer; what it stores as one is not the sending server's.
    peer = delivery.peer if "helo" in headers else ""
    return authenticator.facts(
        delivery.body, message, peer=peer, helo=headers.get("helo", ""), envelope_from=sender
    )


def _facts(authenticator: Authenticator, row: Row[Any]) -> Mapping[str, str]:
    return facts_of(
        authenticator,
        Delivery(
            channel=ChannelName.EMAIL,
            idempotency_key=row.idempotency_key,
            received_at=row.received_at,
            peer=row.peer,
            headers=row.headers,
            body=row.body,
        ),
    )


class Completing:
    """Adds the facts of new complaints while the relay routes them, and never holds it up long.

    The checks run beside the work of a batch and are stored together at its end. What is not
    done by then is left: the facts of a new complaint are a help to the desk and decide nothing.

    Args:
        engine: the writing engine.
        authenticator: determines the facts; ``None``: there are none.
        perform: the dispatcher's work.
        rest: called at the end of a batch.
    """

    def __init__(
        self,
        engine: Engine,
        authenticator: Authenticator | None,
        perform: Callable[[Work], Result],
        rest: Callable[[], None] = lambda: None,
    ) -> None:
        self._engine = engine
        self._authenticator = authenticator
        self._perform = perform
        self._inner_rest = rest
        self._pool: ThreadPoolExecutor | None = None
        self._going: list[Future[dict[UUID, Mapping[str, str]]]] = []

    def perform(self, work: Work) -> Result:
        """Do an entry; where it routes a new mail, begin its check beside it."""
        authenticator, case = self._authenticator, work.case
        if (
            authenticator is not None
            and case is not None
            and work.entry.kind == str(OutboxKind.ROUTE)
            and case.channel == str(ChannelName.EMAIL)
        ):
            if self._pool is None:  # made by the process that works: threads do not outlive a fork
                self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="authenticity")
            condition = (deliveries.c.case_id == case.id) & (
                deliveries.c.state == str(DeliveryState.FILED)
            )
            self._going.append(self._pool.submit(determine, self._engine, authenticator, condition))
        return self._perform(work)

    def rest(self) -> None:
        """Store what has been found out in this batch. Never raises."""
        going, self._going = self._going, []
        try:
            if going:
                self._store(going)
        except Exception as error:  # noqa: BLE001 - no fault of the facts may stop the relay
            logger.warning("facts of senders: %s", type(error).__name__)
        finally:
            self._inner_rest()

    def _store(self, going: list[Future[dict[UUID, Mapping[str, str]]]]) -> None:
        done, late = wait(going, timeout=PATIENCE_SECONDS)
        for future in late:
            future.cancel()
        found = {key: facts for future in done for key, facts in future.result().items()}
        if found:
            with self._engine.begin() as connection:
                for delivery_id, facts in found.items():
                    store(connection, delivery_id, facts)

# SPDX-License-Identifier: MIT
"""What an SMSC delivers: kept together in one commit, then answered one by one.

Nothing is answered ESME_ROK that is not on disk. What could not be stored is answered
ESME_RX_T_APPN, so that the SMSC sends it again; what cannot be read, by the error of its kind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from channels.sms.part import Part, PartStore, SegmentReceipt, read_part
from channels.sms.smpp_account import Count, SmppAccount
from channels.sms.smpp_pdu import (
    RESPONSE,
    Command,
    MalformedPdu,
    Pdu,
    Status,
    encode,
    read_short_message,
)
from channels.sms.smpp_receipt import has_words, is_receipt, read_receipt
from channels.sms.smpp_telling import Telling


class Inbound:
    """Reads, keeps and answers deliver_sm and data_sm.

    Args:
        account: whose they are.
        store: keeps them.
        telling: through which the store is asked.
        clock: the time, aware UTC.
        count: told the name of each event.
    """

    def __init__(
        self,
        account: SmppAccount,
        store: PartStore,
        telling: Telling,
        clock: Callable[[], datetime],
        count: Count,
    ) -> None:
        self._account = account
        self._store = store
        self._telling = telling
        self._clock = clock
        self._count = count

    def take(self, pdus: Sequence[Pdu]) -> bytes:
        """Keep what one read held; returns the answers to all of it."""
        now = self._clock()
        read = [self._read(pdu, now) for pdu in pdus]
        items = [item for item in read if isinstance(item, Part | SegmentReceipt)]
        kept: Sequence[bool] = ()
        if items:
            kept = self._telling.ask(lambda: self._store.keep(items)) or ()
        # A store that answers too little has not said of the rest that it is on disk.
        answers = iter([*kept[: len(items)], *[False] * (len(items) - len(kept))])
        statuses = [item if isinstance(item, Status) else _status(next(answers)) for item in read]
        for item, status in zip(read, statuses, strict=True):
            if status is Status.TEMPORARY_APPLICATION_ERROR:
                self._count("put_off")
            elif isinstance(item, Part | SegmentReceipt):
                self._count("part" if isinstance(item, Part) else "receipt")
        return b"".join(_answer(pdu, status) for pdu, status in zip(pdus, statuses, strict=True))

    def _read(self, pdu: Pdu, now: datetime) -> Part | SegmentReceipt | Status:
        try:
            message = read_short_message(pdu)
        except MalformedPdu as broken:
            self._count("malformed")
            return broken.status
        if message.damaged:
            self._count("damaged_parameters")
        account = self._account
        if is_receipt(message):
            receipt = read_receipt(
                message, smsc=account.name, ids=account.ids, zone=account.receipt_zone
            )
            if receipt is not None:
                return receipt
            self._count("receipt_without_id")
            if not has_words(message):
                return Status.OK  # it can be matched with nothing, now or later
        return read_part(pdu, message, smsc=account.name, region=account.region, received_at=now)


def _status(on_disk: object) -> Status:
    return Status.OK if on_disk is True else Status.TEMPORARY_APPLICATION_ERROR


def _answer(pdu: Pdu, status: Status) -> bytes:
    """deliver_sm_resp or data_sm_resp; its message_id is empty (4.6.2), absent in an error."""
    body = b"" if status and pdu.command_id == Command.DATA_SM else b"\0"
    return encode(pdu.command_id | RESPONSE, pdu.sequence_number, body, status)

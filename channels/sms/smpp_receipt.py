# SPDX-License-Identifier: MIT
"""Delivery receipts of an SMSC: by optional parameters, or by the text that operators agree on.

The text (SMPP 3.4, appendix B; it is not standardised, names and order differ)::

    id:0123456789 sub:001 dlvrd:001 submit date:2611250429 done date:2611250430 stat:DELIVRD
    err:000 text:...
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum

from channels.message import DeliveryStatus
from channels.sms.part import SegmentReceipt
from channels.sms.smpp_alphabet import UCS2
from channels.sms.smpp_pdu import ShortMessage, Tag

#: Message types of esm_class, bits 2 to 5 (5.2.12): an SMSC's receipt, an intermediate notice.
_MESSAGE_TYPE, _RECEIPT, _INTERMEDIATE = 0x3C, 0x04, 0x20
_LONGEST_ID = 64

#: message_state (5.2.28) and the word of the text beside it.
_STATES: Mapping[int, str] = {
    0: "SCHEDULED",
    1: "ENROUTE",
    2: "DELIVRD",
    3: "EXPIRED",
    4: "DELETED",
    5: "UNDELIV",
    6: "ACCEPTD",
    7: "UNKNOWN",
    8: "REJECTD",
    9: "SKIPPED",
}
_STATUSES: Mapping[str, DeliveryStatus] = {
    "SCHEDULED": DeliveryStatus.QUEUED,
    "ENROUTE": DeliveryStatus.SENT,
    "ACCEPTD": DeliveryStatus.SENT,
    "DELIVRD": DeliveryStatus.DELIVERED,
    "EXPIRED": DeliveryStatus.FAILED,
    "DELETED": DeliveryStatus.FAILED,
    "UNDELIV": DeliveryStatus.FAILED,
    "REJECTD": DeliveryStatus.FAILED,
    "SKIPPED": DeliveryStatus.FAILED,
    "UNKNOWN": DeliveryStatus.UNKNOWN,
}
#: Words are cut to seven letters by most, but not by all; some abridge in their own way.
_ALIASES = {
    "DELIVER": "DELIVRD",
    "UNDELIV": "UNDELIV",
    "ACCEPTE": "ACCEPTD",
    "REJECTE": "REJECTD",
    "SCHEDUL": "SCHEDULED",
    "FAILED": "UNDELIV",
    "BUFFERE": "ENROUTE",
    "BUFFRED": "ENROUTE",
}
_ID = re.compile(r"(?:^|[\s;,])id\s*:\s*([0-9A-Za-z_.+/=-]{1,64})", re.IGNORECASE | re.ASCII)
_STAT = re.compile(r"\bstat\w{0,2}\s*:\s*([A-Za-z]{2,16})", re.IGNORECASE | re.ASCII)
_ERR = re.compile(r"\berr\w{0,2}\s*:\s*([0-9A-Za-z]{1,8})", re.IGNORECASE | re.ASCII)
_DONE = re.compile(r"\bdone\s*date\s*:\s*(\d{10}(?:\d\d)?)(?!\d)", re.IGNORECASE | re.ASCII)
_TEXT = re.compile(r"\btext\s*:", re.IGNORECASE)


class IdForm(StrEnum):
    """How an operator writes a message id in one place."""

    AS_IS = "as_is"
    HEX = "hex"
    DECIMAL = "decimal"


@dataclass(frozen=True, slots=True)
class MessageIds:
    """How an operator writes one message id in different places.

    Attributes:
        response: in submit_sm_resp, and in receipted_message_id.
        receipt: in the text of a receipt.
        strip_zeros: whether leading zeros are padding where the form is ``as_is``.
    """

    response: IdForm = IdForm.AS_IS
    receipt: IdForm = IdForm.AS_IS
    strip_zeros: bool = False

    def of_response(self, written: str) -> str:
        """The id of a submit_sm_resp, as it is compared."""
        return self._compared(written, self.response)

    def of_receipt(self, written: str) -> str:
        """The id of a receipt's text, as it is compared."""
        return self._compared(written, self.receipt)

    def _compared(self, written: str, form: IdForm) -> str:
        """A number in decimal where the form says one; else lower case without padding."""
        bare = written.strip()[:_LONGEST_ID]
        if form is not IdForm.AS_IS:
            digits = r"(?:0[xX])?[0-9a-fA-F]+" if form is IdForm.HEX else r"[0-9]+"
            if re.fullmatch(digits, bare):
                return str(int(bare, 16 if form is IdForm.HEX else 10))
        folded = bare.lower()
        return folded.lstrip("0") or folded if self.strip_zeros else folded


def is_receipt(message: ShortMessage) -> bool:
    """Whether this is said to be a receipt: by its type, or because it names a message of ours."""
    if Tag.RECEIPTED_MESSAGE_ID in message.parameters:
        return True
    return message.esm_class & _MESSAGE_TYPE in (_RECEIPT, _INTERMEDIATE)


def has_words(message: ShortMessage) -> bool:
    """Whether something said to be a receipt holds a text that no receipt has."""
    text = _words(message)
    return bool(text.strip("\0 \r\n")) and not (_STAT.search(text) or _ID.search(text))


def read_receipt(
    message: ShortMessage, *, smsc: str, ids: MessageIds, zone: tzinfo | None = None
) -> SegmentReceipt | None:
    """Read a receipt.

    Args:
        message: the body of a deliver_sm or data_sm for which :func:`is_receipt` holds.
        smsc: name of the account.
        ids: how this operator writes ids.
        zone: in which this SMSC writes ``done date``; ``None`` where that is not known.

    Returns:
        The receipt, or ``None`` where it names no message.
    """
    # The words of the citizen's own text may follow "text:"; they are none of ours.
    text = _TEXT.split(_words(message), maxsplit=1)[0]
    named = _text_of(message.parameters.get(Tag.RECEIPTED_MESSAGE_ID, b""))
    message_id = ids.of_response(named) if named else ""
    if not message_id and (found := _ID.search(text)):
        message_id = ids.of_receipt(found[1])
    if not message_id:
        return None
    word, status = _state(message, text)
    error = _ERR.search(text)
    network = message.parameters.get(Tag.NETWORK_ERROR_CODE, b"")
    code = error[1] if error else ""
    if not code and len(network) == 3:  # noqa: PLR2004 - 5.3.2.31: a network and two octets
        code = str(int.from_bytes(network[1:], "big"))
    detail = f"{word} {code}".strip()
    return SegmentReceipt(smsc, message_id, status, detail, _done(text, zone))


def _words(message: ShortMessage) -> str:
    return message.content.decode(
        "utf-16-be" if message.data_coding == UCS2 else "latin-1", "replace"
    )


def _state(message: ShortMessage, text: str) -> tuple[str, DeliveryStatus]:
    state = message.parameters.get(Tag.MESSAGE_STATE, b"")
    word = _STATES.get(state[0], "") if len(state) == 1 else ""
    if not word and (found := _STAT.search(text)):
        said = found[1].upper()
        word = said if said in _STATUSES else _ALIASES.get(said[:7], said)
    if not word and message.esm_class & _MESSAGE_TYPE == _INTERMEDIATE:
        word = "ENROUTE"
    return word, _STATUSES.get(word, DeliveryStatus.UNKNOWN)


def _text_of(value: bytes) -> str:
    return value.split(b"\0", 1)[0].decode("latin-1").strip()


def _done(text: str, zone: tzinfo | None) -> datetime | None:
    found = _DONE.search(text)
    if found is None or zone is None:
        return None
    digits = found[1]
    pattern = "%y%m%d%H%M%S" if len(digits) == len("YYMMDDhhmmss") else "%y%m%d%H%M"
    try:
        return datetime.strptime(digits, pattern).replace(tzinfo=zone)
    except ValueError:
        return None

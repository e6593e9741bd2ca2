# SPDX-License-Identifier: MIT
"""What ``command_status`` (SMPP 3.4, 5.1.3) means for a text of ours and for a bind."""

from __future__ import annotations

from collections.abc import Mapping

from channels.errors import DeliveryError, Rejected, Throttled, Unreachable

#: The segment waits and goes again: ESME_RTHROTTLED, ESME_RMSGQFUL.
THROTTLING = frozenset({0x58, 0x14})

#: Why a text was refused. Codes that are not here and lie below 0x400 are final; an operator's own
#: (0x400 to 0x4FF) are not known, and worth another attempt.
_REFUSALS: Mapping[int, tuple[type[DeliveryError], str]] = {
    0x01: (Rejected, "the SMSC says the message length is invalid"),
    0x02: (Rejected, "the SMSC says the command length is invalid"),
    0x03: (Rejected, "the SMSC does not know this command"),
    0x04: (Unreachable, "the SMSC says we are not bound for sending"),
    0x06: (Rejected, "the SMSC says the priority flag is invalid"),
    0x07: (Rejected, "the SMSC says the registered delivery flag is invalid"),
    0x08: (Unreachable, "the SMSC has a system error"),
    0x0A: (Rejected, "the SMSC says our own address is invalid: see smpp.number and its ton, npi"),
    0x0B: (Rejected, "the SMSC says the recipient's address is invalid"),
    0x0C: (Unreachable, "the SMSC could not give a message id"),
    0x14: (Throttled, "the SMSC's message queue is full"),
    0x15: (Rejected, "the SMSC says the service type is invalid"),
    0x40: (Rejected, "the SMSC says the destination flag is invalid"),
    0x42: (Rejected, "the SMSC says submit with replace is invalid"),
    0x43: (Rejected, "the SMSC says the esm_class is invalid: are long texts allowed?"),
    0x45: (Unreachable, "the SMSC could not submit the text"),
    0x48: (Rejected, "the SMSC says the type of our number is invalid: see the source ton"),
    0x49: (Rejected, "the SMSC says the numbering plan of our number is invalid"),
    0x50: (Rejected, "the SMSC says the type of the recipient's number is invalid"),
    0x51: (Rejected, "the SMSC says the numbering plan of the recipient's number is invalid"),
    0x58: (Throttled, "the SMSC asks for a slower pace"),
    0x64: (Unreachable, "the SMSC has a temporary error"),
    0x65: (Rejected, "the SMSC has a permanent error"),
    0x66: (Rejected, "the SMSC rejects the text"),
    0xFE: (Unreachable, "the SMSC could not deliver the text"),
    0xFF: (Unreachable, "the SMSC has an unknown error"),
}
_OPERATORS_OWN = range(0x400, 0x500)

#: Why a bind was refused, and what to do.
_BINDS: Mapping[int, str] = {
    0x04: "the SMSC allows no bind in this state",
    0x05: "already bound: an earlier connection is still open there, wait until it is dropped",
    0x08: "the SMSC has a system error, it is tried again",
    0x0D: "bind failed: ask the operator whether this account may bind as a transceiver from here",
    0x0E: "the password is wrong: see smpp.password",
    0x0F: "the system_id is unknown: see smpp.system_id",
    0x53: "the system_type is wrong: see smpp.system_type",
    0x58: "the SMSC asks for fewer binds, it is tried again",
}


def leaf_of(status: int, retry_after: float | None = None) -> DeliveryError:
    """The error of a refused submit_sm; its ``code`` is the status as ``"0x0B"``.

    Args:
        status: the ``command_status``, not zero.
        retry_after: seconds to wait where it is throttling.
    """
    code = f"0x{status:02X}"
    unknown: type[DeliveryError] = Unreachable if status in _OPERATORS_OWN else Rejected
    kind, reason = _REFUSALS.get(status, (unknown, "the SMSC refuses the text"))
    if kind is Throttled:
        return Throttled(f"{reason} ({code})", code=code, retry_after=retry_after)
    return kind(f"{reason} ({code})", code=code)


def bind_refusal(status: int) -> str:
    """One plain sentence on why a bind was refused."""
    return f"{_BINDS.get(status, 'the SMSC refuses the bind')} (0x{status:02X})"

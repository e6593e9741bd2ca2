# SPDX-License-Identifier: MIT
"""One account at an operator's SMSC, and how that operator differs from the standard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import tzinfo

from channels.sms.smpp_alphabet import Alphabet
from channels.sms.smpp_receipt import MessageIds

#: Told the name of an event, for counting.
Count = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class SmppAccount:
    """How to bind, and the operator's habits.

    Attributes:
        name: of the account, part of what is stored.
        host: the SMSC; with TLS its certificate must be for this name, or for ``server_name``.
        port: TCP port.
        system_id: account name at the SMSC, at most 15 characters.
        password: at most 8 characters by the standard; longer ones are met and sent.
        number: our short code or name.
        region: ISO 3166-1 country in which national numbers are read.
        system_type: as the operator says, often nothing.
        addr_range: addresses that we serve, often nothing.
        tls: whether the connection begins with TLS.
        ca_file: certificates that are trusted, or ``""`` for the system's.
        server_name: name in the SMSC's certificate where it is not ``host``.
        default_alphabet: what ``data_coding`` 0 means.
        utf16_little_endian: whether ``data_coding`` 8 is the wrong way round.
        ids: how message ids are written.
        receipt_zone: zone of ``done date`` in receipts, ``None`` where it is not known.
        window: submit_sm that may be unanswered at one time.
        throughput_per_second: segments that may be sent in a second, 0 for no limit.
        throttle_seconds: pause after ESME_RTHROTTLED or ESME_RMSGQFUL.
        hold_seconds: how long a claimed text may wait here before it is given back. The lease of
            ``due`` must last longer, by ``response_timeout_seconds`` at least.
        enquire_link_seconds: silence after which the SMSC is asked whether it is there.
        response_timeout_seconds: longest wait for any response.
        connect_timeout_seconds: longest wait for a connection and its TLS.
        reconnect_base_seconds: first pause before connecting again; it doubles, with jitter.
        reconnect_cap_seconds: longest pause; a connection that lasted so long resets it.
        poll_seconds: how often ``due`` is asked when nobody rings.
        registered_delivery: whether receipts are asked for.
        reference_bits: 8 or 16, size of the reference of our long texts.
        source_ton, source_npi: of our number; ``None``: by its look.
        dest_ton, dest_npi: of recipients.
    """

    name: str
    host: str
    port: int
    system_id: str
    password: str = field(repr=False)
    number: str
    region: str
    system_type: str = ""
    addr_range: str = ""
    tls: bool = False
    ca_file: str = ""
    server_name: str = ""
    default_alphabet: Alphabet = Alphabet.GSM7
    utf16_little_endian: bool = False
    ids: MessageIds = field(default_factory=MessageIds)
    receipt_zone: tzinfo | None = None
    window: int = 10
    throughput_per_second: float = 0.0
    throttle_seconds: float = 2.0
    hold_seconds: float = 120.0
    enquire_link_seconds: float = 30.0
    response_timeout_seconds: float = 30.0
    connect_timeout_seconds: float = 10.0
    reconnect_base_seconds: float = 1.0
    reconnect_cap_seconds: float = 60.0
    poll_seconds: float = 1.0
    registered_delivery: bool = True
    reference_bits: int = 8
    source_ton: int | None = None
    source_npi: int | None = None
    dest_ton: int = 1
    dest_npi: int = 1

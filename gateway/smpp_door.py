# SPDX-License-Identifier: MIT
"""Opens the SMPP door of this process with the settings."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from channels.sms.smpp import SmppDoor
from channels.sms.smpp_account import SmppAccount
from channels.sms.smpp_alphabet import Alphabet
from channels.sms.smpp_receipt import IdForm, MessageIds
from channels.sms.smpp_session import bind_unit
from gateway import telemetry
from gateway.smpp_filing import TextFiling
from gateway.smpp_intake import PartIntake
from gateway.smpp_line import Line
from gateway.smpp_outbox import SmppOutbox
from normalizer import emergency, intent, language

if TYPE_CHECKING:
    from collections.abc import Callable

    from channels.sms.part import Outbox
    from config.settings import Settings
    from gateway.house import House

#: How long a stop waits for the texts that are just being filed.
_FILING_SECONDS = 3.0


def run(house: House, stop: threading.Event, announce: Callable[[str], None] = print) -> None:
    """Keep the line to the operator until ``stop`` is set. Blocks.

    Args:
        house: what the door hands texts to, and its settings; ``smpp.host`` is set.
        stop: set by a signal handler or another thread.
        announce: is told one line before the first connection.
    """
    language.preload()
    emergency.preload()
    intent.preload()
    smpp = house.settings.smpp
    announce(f"SMPP door binds to {smpp.host}:{smpp.port} as {smpp.system_id}")
    outbox = SmppOutbox(house)
    line = Line(smpp.max_unfiled_parts, smpp.give_way_seconds)
    filing = threading.Thread(
        target=TextFiling(house).run, args=(line, stop), name="filing", daemon=True
    )
    filing.start()
    try:
        open_door(house, outbox, line).run(stop)
    finally:
        stop.set()  # what is stored is filed by the next process, or by the sweeper
        line.ring()
        filing.join(_FILING_SECONDS)
        outbox.close()


def open_door(house: House, outbox: Outbox, line: Line) -> SmppDoor:
    """Build the door of these settings; it does not connect yet.

    Raises:
        ValueError: a name or password is not ASCII.
    """
    return SmppDoor(
        account_of(house.settings, house.country.region),
        PartIntake(house, line),
        outbox,
        clock=house.clock,
        count=telemetry.smpp_event,
    )


def account_fault(settings: Settings, region: str) -> str:
    """What keeps these settings from a bind, in one sentence that quotes nothing; else ``""``."""
    smpp = settings.smpp
    if not smpp.host:
        return "smpp.host is empty: set GUICHET_SMPP__HOST"
    if not smpp.system_id:
        return "smpp.system_id is empty: set the account name that the operator gave you"
    if not smpp.number:
        return "smpp.number is empty: set the short code that citizens write to"
    if smpp.hold_seconds < smpp.throttle_seconds:
        return "smpp.hold_seconds is shorter than smpp.throttle_seconds: nothing would be sent"
    try:
        bind_unit(account_of(settings, region), 1)
    except ValueError:
        return "SMPP carries only ASCII: see smpp.system_id, password, system_type, addr_range"
    return ""


def account_of(settings: Settings, region: str) -> SmppAccount:
    """The account of these settings."""
    smpp = settings.smpp
    return SmppAccount(
        name=smpp.name,
        host=smpp.host,
        port=smpp.port,
        system_id=smpp.system_id,
        password=smpp.password.get_secret_value(),
        number=smpp.number,
        region=region,
        system_type=smpp.system_type,
        addr_range=smpp.addr_range,
        tls=smpp.tls == "tls",
        ca_file=smpp.ca_file,
        server_name=smpp.server_name,
        default_alphabet=Alphabet(smpp.default_alphabet),
        utf16_little_endian=smpp.utf16_little_endian,
        ids=MessageIds(
            response=IdForm(smpp.message_id_form),
            receipt=IdForm(smpp.receipt_id_form),
            strip_zeros=smpp.message_id_strip_zeros,
        ),
        window=smpp.window,
        throughput_per_second=smpp.throughput_per_second,
        throttle_seconds=smpp.throttle_seconds,
        hold_seconds=smpp.hold_seconds,
        enquire_link_seconds=smpp.enquire_link_seconds,
        response_timeout_seconds=smpp.response_timeout_seconds,
        connect_timeout_seconds=smpp.connect_timeout_seconds,
        reconnect_base_seconds=smpp.reconnect_base_seconds,
        reconnect_cap_seconds=smpp.reconnect_cap_seconds,
        poll_seconds=smpp.poll_seconds,
        registered_delivery=smpp.registered_delivery,
        source_ton=smpp.source_ton,
        source_npi=smpp.source_npi,
        dest_ton=smpp.dest_ton,
        dest_npi=smpp.dest_npi,
    )

# SPDX-License-Identifier: MIT
"""WhatsApp's window is asked of the record when a message is sent, not when it was put out."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from channels.errors import Unreachable
from channels.message import Address, AddressScheme, ChannelName, OutboundMessage
from channels.sms.whatsapp import OutsideWindow
from config.settings import Settings
from gateway import wiring
from tracker import outbox, throttle
from tracker.database import open_engine
from tracker.migrations import upgrade
from tracker.models import OutboxKind
from tracker.models import outbox as outbox_table

KEYS = ["n" * 40, "o" * 40]
NUMBER = "+212612345678"


@pytest.fixture
def engine(database_url: str):
    """An empty database, migrated."""
    engine = open_engine(database_url)
    upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def send(engine: Engine, tmp_path: Path) -> Callable[[], object]:
    """Sends a WhatsApp message by a provider that nobody listens for."""
    settings = Settings(
        profile="demo",
        data_dir=tmp_path,
        web={"secret_keys": KEYS},
        twilio={"account_sid": "AC1", "auth_tokens": ["t"], "api_base_url": "http://127.0.0.1:1"},
    )
    channel = wiring.build_workshop(settings, engine).channels["whatsapp"]
    to = Address(AddressScheme.TEL, NUMBER)
    message = OutboundMessage("0-1", ChannelName.WHATSAPP, to, "Bonjour", "fr")
    return lambda: channel.send(message)


@pytest.mark.parametrize("key", KEYS)
def test_whoever_wrote_within_a_day_may_be_answered(
    engine: Engine, send: Callable[[], object], key: str
) -> None:
    """Also when the key of the digest has been changed since."""
    with engine.begin() as connection:
        when = wiring.now() - timedelta(hours=23)
        throttle.heard(connection, "whatsapp", throttle.digest(key, NUMBER), when)

    with pytest.raises(Unreachable):  # it was tried
        send()


@pytest.mark.parametrize("hours", [None, 24, 30])
def test_outside_the_window_nothing_is_tried(
    engine: Engine, send: Callable[[], object], hours: int | None
) -> None:
    """The reason is told as the provider would tell it, and somebody else's message is no help."""
    with engine.begin() as connection:
        other = throttle.digest(KEYS[0], "+212600000009")
        throttle.heard(connection, "whatsapp", other, wiring.now())
        if hours is not None:
            when = wiring.now() - timedelta(hours=hours)
            throttle.heard(connection, "whatsapp", throttle.digest(KEYS[0], NUMBER), when)

    with pytest.raises(OutsideWindow) as told:
        send()
    assert told.value.code == "63016"


def test_the_ids_of_our_other_texts_are_known(engine: Engine) -> None:
    """One text of ours never stands for another that says the same."""
    with engine.begin() as connection:
        entry = outbox.put(
            connection,
            OutboxKind.NOTIFY,
            "one",
            now=wiring.now(),
            channel="sms",
            recipient_scheme="tel",
            recipient=NUMBER,
        )
        connection.execute(
            outbox_table.update().where(outbox_table.c.id == entry).values(provider_id="SM1")
        )
        assert outbox.sent_with(connection, NUMBER, ["SM1", "SM2"]) == {"SM1"}
        assert outbox.sent_with(connection, "+212600000009", ["SM1"]) == frozenset()

# SPDX-License-Identifier: MIT
"""The real application on a real database, and requests signed as Twilio signs them."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from twilio.request_validator import RequestValidator
from werkzeug.test import TestResponse

from channels.twilio_account import Form
from channels.voice.twilio import TwilioVoice
from config.settings import Settings
from dispatcher.dispatch import Dispatcher
from gateway.app import create_app
from gateway.call_ends import LostEnds
from gateway.house import House
from gateway.relay import Relay
from gateway.sweeper import asking_ways
from gateway.wiring import build_house, build_workshop
from guichet_testing.call_provider import CallProvider
from tracker import answers
from tracker.database import open_engine
from tracker.migrations import upgrade
from tracker.models import cases, outbox
from tracker.register import find_case

BASE = "https://guichet.example"
TOKEN = "the-auth-token"
SHARED_KEY = "the-shared-key"
CALLER = "+212612345678"
LINE = "+212537000000"
VOICE = "/inbound/voice/twilio"
NOON = datetime(2026, 3, 2, 11, tzinfo=UTC)


@dataclass
class Door:
    """The application as Twilio sees it."""

    house: House
    app: Flask
    client: FlaskClient

    def post(self, path: str, pairs: dict[str, str], **options: Any) -> TestResponse:
        """Send one signed form; ``path`` may be a whole URL of ours."""
        target = path.removeprefix(BASE)
        signature = options.pop("signature", None) or RequestValidator(TOKEN).compute_signature(
            BASE + target, Form(list(pairs.items()))
        )
        return self.client.post(
            target,
            data=options.pop("data", urlencode(pairs)),
            content_type=options.pop("content_type", "application/x-www-form-urlencoded"),
            headers={"X-Twilio-Signature": signature, **options.pop("headers", {})},
            **options,
        )

    def rows(self, table: Any) -> list[Any]:
        """All rows of a table."""
        with self.house.engine.connect() as connection:
            return list(connection.execute(select(table)).all())


def settings_of(url: str, folder: Path, provider: str, **more: Any) -> Settings:
    """The settings of a gateway on ``url`` whose provider is at ``provider``."""
    return Settings(
        profile="demo",
        data_dir=folder,
        database={"url": url, "lock_timeout_seconds": 0.3},
        queue={"redis_url": "redis://127.0.0.1:1/0"},
        web={"public_base_url": BASE, "secret_keys": ["k" * 40], "max_webhook_bytes": 4096},
        twilio={
            "account_sid": "AC1",
            "auth_tokens": ["the-next-token", TOKEN],
            "shared_keys": [SHARED_KEY],
            "number": LINE,
            "api_base_url": provider,
        },
        **more,
    )


@pytest.fixture
def door(tmp_path: Path):
    """A gateway of its own."""
    url = f"sqlite:///{tmp_path / 'guichet.sqlite3'}"
    settings = settings_of(url, tmp_path, "http://127.0.0.1:1")
    engine = open_engine(url, lock_timeout_seconds=0.3)
    upgrade(engine)
    house = build_house(settings, engine)
    app = create_app(house)
    yield Door(house, app, app.test_client())
    house.writer.close()
    engine.dispose()


@dataclass
class Office(Door):
    """The same with what calls citizens, a provider that takes the calls, and a clock by hand."""

    provider: CallProvider
    dispatcher: Dispatcher
    now: datetime

    def case(self, caller: str = CALLER) -> Any:
        """A recorded complaint in French from ``caller``; what it led to is left out."""
        told = {"From": caller, "To": LINE, "CallSid": "CA" + "f" * 32, "CallStatus": "in-progress"}
        tree = self.document(VOICE, told)
        for key in ("2", "1"):
            tree = self.document(tree.find("Gather").get("action"), told | {"Digits": key})
        recorded = told | {"RecordingSid": f"RE{len(self.rows(cases))}", "RecordingDuration": "9"}
        self.document(tree.find("Record").get("action"), recorded)
        with self.house.engine.begin() as connection:
            connection.execute(outbox.update().values(state="done"))
        return self.rows(cases)[-1]

    def answer(self, case: Any, text: str = "L'eau est revenue.") -> Any:
        """Answer a case; give the entry by which its citizen is called."""
        earlier = {row.id for row in self.rows(outbox)}
        with self.house.engine.begin() as connection:
            row: Any = find_case(connection, case.tracking_code)
            answers.answer_case(
                connection, row, text, author_name="A", administration=None, now=self.now
            )
        return next(
            row for row in self.rows(outbox) if row.kind == "reply" and row.id not in earlier
        )

    def entry(self, entry: Any) -> Any:
        """An entry as it is now."""
        return next(row for row in self.rows(outbox) if row.id == entry.id)

    def pick_up(self, entry: Any, sid: str, **more: str) -> Any:
        """The citizen takes a call of ours; what they hear."""
        return self.document(f"{VOICE}/answer/{entry.id}", self.ours(entry, sid) | more)

    def press(self, entry: Any, sid: str, tree: Any, digits: str) -> Any:
        """Keys of the citizen on a call of ours (none: silence); what they hear then."""
        keys = self.ours(entry, sid) | ({"Digits": digits} if digits else {})
        return self.document(tree.find("Gather").get("action"), keys)

    def call_back(self, entry: Any, sid: str, word: str) -> None:
        """How a call of ours ended, as the provider tells it."""
        form = self.ours(entry, sid) | {"CallStatus": word}
        assert self.post(f"/receipts/voice/twilio/{entry.id}", form).status_code == 204

    def document(self, path: str, form: dict[str, str]) -> Any:
        """What a webhook is answered, as a tree."""
        told = self.post(path, form)
        assert told.status_code == 200, told.text
        return ET.fromstring(told.text)  # noqa: S314 - our own document

    @staticmethod
    def ours(entry: Any, sid: str) -> dict[str, str]:
        """What each webhook of a call of ours has."""
        return {
            "CallSid": sid,
            "Direction": "outbound-api",
            "From": LINE,
            "To": entry.recipient,
            "CallStatus": "in-progress",
        }

    def drain(self) -> None:
        """Do what is due."""
        self._relay().drain()

    def settle(self) -> None:
        """Ask the provider, a minute later, about what may have gone."""
        self.now += timedelta(minutes=1)
        channels = self.dispatcher.channels
        asking = replace(
            self.dispatcher, channels=asking_ways(self.house.engine, channels, self.house.clock)
        )
        self._relay().settle_unknown(asking.perform, older_than=self.now)

    def ask_after_calls(self) -> int:
        """What the sweeper does about calls without an end, in a round of its own."""
        house = self.house
        voice = self.dispatcher.channels["voice"]
        assert isinstance(voice, TwilioVoice)
        return LostEnds(house.settings, house.engine, voice, house.clock).sweep()

    def _relay(self) -> Relay:
        house = self.house
        perform = self.dispatcher.perform
        return Relay(house.engine, house.settings, perform, house.clock, country=house.country)


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Iterator[Office]:
    """A whole voice line on both kinds of database; it is noon at first."""

    def clock() -> datetime:
        return built.now

    with CallProvider(clock) as provider:
        settings = settings_of(database_url, tmp_path, provider.url)
        engine = open_engine(database_url)
        upgrade(engine)
        house = replace(build_house(settings, engine), clock=clock)
        dispatcher = replace(build_workshop(settings, engine).dispatcher, clock=clock)
        app = create_app(house)
        built = Office(house, app, app.test_client(), provider, dispatcher, NOON)
        yield built
        house.writer.close()
        engine.dispose()

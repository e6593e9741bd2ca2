# SPDX-License-Identifier: MIT
"""The real application on a real database, and requests signed as Twilio signs them."""

from dataclasses import dataclass
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
from config.settings import Settings
from gateway.app import create_app
from gateway.house import House
from gateway.wiring import build_house
from tracker.database import open_engine
from tracker.migrations import upgrade

BASE = "https://guichet.example"
TOKEN = "the-auth-token"
SHARED_KEY = "the-shared-key"
CALLER = "+212612345678"
LINE = "+212537000000"


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


@pytest.fixture
def door(tmp_path: Path):
    """A gateway of its own."""
    url = f"sqlite:///{tmp_path / 'guichet.sqlite3'}"
    settings = Settings(
        profile="demo",
        data_dir=tmp_path,
        database={"url": url, "lock_timeout_seconds": 0.3},
        queue={"redis_url": "redis://127.0.0.1:1/0"},
        web={"public_base_url": BASE, "secret_keys": ["k" * 40], "max_webhook_bytes": 4096},
        twilio={
            "account_sid": "AC1",
            "auth_tokens": ["the-next-token", TOKEN],
            "shared_keys": [SHARED_KEY],
            "number": LINE,
            "api_base_url": "http://127.0.0.1:1",
        },
    )
    engine = open_engine(url, lock_timeout_seconds=0.3)
    upgrade(engine)
    house = build_house(settings, engine)
    app = create_app(house)
    yield Door(house, app, app.test_client())
    house.writer.close()
    engine.dispose()

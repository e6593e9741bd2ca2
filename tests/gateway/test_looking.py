# SPDX-License-Identifier: MIT
"""Recordings that no webhook told of are found at the provider: ours all, and nobody else's."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, jsonify, request
from sqlalchemy import select
from werkzeug.serving import make_server

from config.settings import Settings
from gateway.house import House
from gateway.looking import look
from gateway.wiring import build_house
from tracker.database import open_engine
from tracker.migrations import upgrade
from tracker.models import cases

CALLER, LINE = "+212612345678", "+212537000000"
API = "/2010-04-01/Accounts/AC1"


@dataclass
class Account:
    """What an account of the provider holds, newest first, in the form of its lists."""

    calls: list[dict[str, Any]] = field(default_factory=list)
    recordings: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def recorded(self, sid: str, *, of: str) -> None:
        """Add a recording of the call ``of``."""
        made = {"sid": sid, "call_sid": of, "account_sid": "AC1", "status": "completed"}
        self.recordings.append(made | {"date_created": format_datetime(datetime.now(UTC))})

    def called(self, sid: str, to: str, direction: str = "inbound") -> None:
        """Add a call from the citizen."""
        self.calls.append({"sid": sid, "from": CALLER, "to": to, "direction": direction})


@pytest.fixture
def account() -> Iterator[Account]:
    app, account = Flask("provider"), Account()

    def page(name: str, rows: list[dict[str, Any]]) -> Any:
        account.asked.append(name)
        return jsonify({name: rows, "next_page_uri": None, "page_size": 1000})

    @app.get(f"{API}/Messages.json")
    def messages() -> Any:
        return page("messages", [])

    @app.get(f"{API}/Calls.json")
    def calls() -> Any:
        to = request.args.get("To")
        return page("calls", [call for call in account.calls if to in (None, call["to"])])

    @app.get(f"{API}/Recordings.json")
    def recordings() -> Any:
        return page("recordings", account.recordings)

    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    account.url = f"http://127.0.0.1:{server.server_port}"
    yield account
    server.shutdown()
    server.server_close()


@pytest.fixture
def house(tmp_path: Path, account: Account) -> Iterator[House]:
    url = f"sqlite:///{tmp_path / 'guichet.sqlite3'}"
    settings = Settings(
        profile="demo",
        data_dir=tmp_path,
        database={"url": url},
        queue={"redis_url": "redis://127.0.0.1:1/0"},
        web={"secret_keys": ["k" * 40]},
        twilio={
            "account_sid": "AC1",
            "auth_tokens": ["the-auth-token"],
            "number": LINE,
            "api_base_url": account.url,
        },
    )
    engine = open_engine(url)
    upgrade(engine)
    built = build_house(settings, engine)
    yield built
    built.writer.close()
    engine.dispose()


def filed(house: House) -> list[Any]:
    with house.engine.connect() as connection:
        return list(connection.execute(select(cases)).all())


def test_a_recording_of_our_line_is_filed_once_with_its_caller(house, account):
    account.called("CA1", LINE)
    account.recorded("RE1", of="CA1")

    assert [look(house), look(house)] == [1, 0]

    (case,) = filed(house)
    assert (case.contact_value, case.our_address) == (CALLER, LINE)


@pytest.mark.parametrize(
    ("to", "direction"),
    [("+212522999999", "inbound"), (LINE, "outbound-dial"), ("+212661000000", "outbound-api")],
)
def test_a_recording_of_somebody_elses_call_is_left_alone(house, account, to, direction):
    account.called("CA1", to, direction)
    account.recorded("RE1", of="CA1")

    assert (look(house), filed(house)) == (0, [])


def test_a_recording_whose_call_is_gone_keeps_no_other_from_being_filed(house, account):
    account.called("CA2", LINE)
    account.recorded("RE1", of="CA1")
    account.recorded("RE3", of="")
    account.recorded("RE2", of="CA2")

    assert look(house) == 1
    assert len(filed(house)) == 1


def test_calls_are_only_listed_where_a_recording_is_missing(house, account):
    look(house)

    assert account.asked == ["messages", "messages", "recordings"]

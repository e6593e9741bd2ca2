# SPDX-License-Identifier: MIT
"""A desk on a real SQLite database, with a clock that can be turned and people of every role."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from pydantic import SecretStr
from sqlalchemy import select

from config.country import load as load_country
from config.settings import Settings
from config.wording import Wording
from gateway.app import create_app
from gateway.desk.passwords import Passwords
from gateway.house import House
from gateway.intake import Intake
from gateway.planning import Planner
from normalizer.tracking_code import new_code
from tracker import register, users
from tracker.database import open_engine
from tracker.group_commit import GroupCommit
from tracker.identity import new_id
from tracker.models import EventType, Role, administrations, case_events, cases, metadata

START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
PASSWORD = "a long enough pass phrase"
#: Cheap hashing: what is tested is the way to it.
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@dataclass
class Clock:
    """A clock that stands until it is turned."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def turn(self, **delta: float) -> None:
        self.now += timedelta(**delta)


@dataclass
class Desk:
    """The application, its house, and ways to look into both."""

    app: Flask
    house: House
    clock: Clock
    passwords: Passwords
    people: dict[str, str] = field(default_factory=dict)

    def client(self, who: str | None = None, language: str = "en") -> "Browser":
        browser = Browser(self.app.test_client(), language)
        if who is not None:
            assert browser.sign_in(f"{who}@example.org").status_code == 302
        return browser

    def rows(self, statement):
        with self.house.engine.connect() as connection:
            return connection.execute(statement).all()

    def one(self, statement):
        (row,) = self.rows(statement)
        return row

    def case(self, **values):
        """Open a case and return its row."""
        case_id = new_id()
        now = self.clock()
        row = {
            "id": case_id,
            "tracking_code": new_code("212"),
            "pin": "123456",
            "kind": "complaint",
            "channel": "sms",
            "status": "received",
            "language": "fr",
            "subject": "",
            "description": "Pas d'eau depuis lundi",
            "contact_scheme": "tel",
            "contact_value": "+212612345678",
            "contact_confirmed": True,
            "administration": None,
            "requested_datetime": now,
            "expected_datetime": now + timedelta(days=60),
            "updated_at": now,
            **values,
        }
        with self.house.engine.begin() as connection:
            connection.execute(cases.insert().values(row))
            message_id = register.add_message(
                connection,
                case_id,
                {
                    "direction": "inbound",
                    "author": "citizen",
                    "channel": row["channel"],
                    "sender": row["contact_value"],
                    "text": row["description"],
                    "language": row["language"],
                    "date": now,
                },
            )
            connection.execute(
                case_events.insert().values(
                    register.event_row(
                        case_id,
                        EventType.RECEIVED,
                        {"channel": row["channel"]},
                        source="/test",
                        subject=str(message_id),
                        at=now,
                    )
                )
            )
        return self.one(select(cases).where(cases.c.id == case_id))


class Browser:
    """A test client that reads forms' tokens from the pages, as a browser would."""

    def __init__(self, client: FlaskClient, language: str) -> None:
        self.client = client
        self.headers = {"Accept-Language": language}

    def get(self, path: str, **kwargs):
        return self.client.get(path, headers=self.headers, **kwargs)

    def text(self, path: str) -> str:
        response = self.get(path)
        assert response.status_code == 200, response.status_code
        page: str = response.text
        return page

    def token(self, path: str = "/desk/sign-in") -> str:
        page = self.client.get(path, headers=self.headers, follow_redirects=True).text
        found = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert found is not None
        return str(found[1])

    def post(self, path: str, data=None, **kwargs):
        form = {"csrf_token": self.token(), **(data or {})}
        return self.client.post(path, data=form, headers=self.headers, **kwargs)

    def sign_in(self, email: str, password: str = PASSWORD, **kwargs):
        return self.post("/desk/sign-in", {"email": email, "password": password}, **kwargs)


@pytest.fixture
def desk(tmp_path):
    settings = Settings(profile="demo", data_dir=tmp_path)
    settings.web.secret_keys = [SecretStr("k" * 40)]
    engine = open_engine(settings.database_url)
    metadata.create_all(engine)
    clock, hasher = Clock(), Passwords(CHEAP)
    country = load_country("ma")
    writer = GroupCommit(engine)
    intake = Intake(writer, Planner(settings, country), country)
    house = House(
        settings=settings,
        engine=engine,
        writer=writer,
        accept=intake.accept,
        submit=intake.submit,
        intake=intake,
        wording=Wording(),
        country=country,
        clock=clock,
    )
    app = create_app(house)
    app.config["TESTING"] = True
    app.extensions["guichet-passwords"] = hasher
    made = Desk(app, house, clock, hasher)
    with engine.begin() as connection:
        for slug, name in (("sante", "Ministère de la santé"), ("eau", "Office de l'eau")):
            connection.execute(
                administrations.insert().values(
                    slug=slug, names={"fr": name, "ar": f"إدارة {slug}"}, outlet="desk"
                )
            )
        people: list[tuple[str, Role, str | None]] = [
            ("agent", Role.AGENT, "sante"),
            ("supervisor", Role.SUPERVISOR, "sante"),
            ("triage", Role.TRIAGE, None),
            ("operator", Role.OPERATOR, None),
            ("auditor", Role.AUDITOR, None),
        ]
        for who, role, administration in people:
            users.add(
                connection,
                email=f"{who}@example.org",
                password_hash=hasher.hash(PASSWORD),
                role=role,
                administration=administration,
                now=START,
            )
    yield made
    writer.close()
    engine.dispose()

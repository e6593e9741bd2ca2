# SPDX-License-Identifier: MIT
"""Another country is another profile: an invented one goes the whole way through the same code."""

import ast
import re
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient
from pydantic import ValidationError
from sqlalchemy import Engine, select
from twilio.request_validator import RequestValidator

from channels.message import ChannelName, DeliveryStatus, OutboundMessage, Receipt
from channels.twilio_account import Form
from config import country
from config.country import Country
from config.settings import Settings
from config.wording import HERE, Wording
from dispatcher.administration import Administration, store
from gateway.app import create_app
from gateway.intake import Intake
from gateway.planning import Planner
from gateway.relay import Relay
from gateway.wiring import build_house, build_workshop, notices_of
from normalizer import tracking_code
from tracker import answers
from tracker.migrations import upgrade
from tracker.models import cases

ROOT = Path(__file__).parents[2]
BASE, TOKEN = "https://guichet.example", "the-auth-token"
CITIZEN, LINE = "+990700000001", "+990100000001"
#: Noon in UTC is the next day already in this country's zone, 14 hours ahead.
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

PROFILE = """
region = "XA"
calling_code = "990"
timezone = "Pacific/Kiritimati"
default_language = "ka"
languages = ["ka", "fr"]
forward_days = 4
answer_days = 21
emergency_numbers = ["555", "556"]
example_mobile = "+990700000001"

[next_recourse]
ka = "ომბუდსმენი"
"""
WORDS = """
status_received = "მიღებულია"
status_triage = "მიღებულია"
status_referred = "გადაგზავნილია"
nobody_yet = "დასადგენია"

[sms]
acknowledge = "საჩივარი მიღებულია. კოდი: {code}."
status = "{code}: {status}. {administration}. {expected}."
"""


@pytest.fixture
def profile(tmp_path: Path) -> Country:
    """The invented country, loaded as any other."""
    (tmp_path / "xa.toml").write_text(PROFILE, encoding="utf-8")
    return country.load("xa", tmp_path)


@dataclass
class Texts:
    """A provider of texts that keeps what it is given."""

    name = ChannelName.SMS
    sent: list[OutboundMessage]

    def send(self, message: OutboundMessage) -> Receipt:
        self.sent.append(message)
        return Receipt(f"SM{len(self.sent)}", DeliveryStatus.SENT)


@dataclass
class Land:
    """A gateway of the invented country: its doors, its register, its relay."""

    client: FlaskClient
    engine: Engine
    relay: Relay
    texts: Texts

    def text(self, body: str, sid: str) -> None:
        """Send one signed webhook, as the provider does."""
        path = "/inbound/sms/twilio"
        form = {"MessageSid": sid, "From": CITIZEN, "To": LINE, "Body": body, "NumMedia": "0"}
        signed = RequestValidator(TOKEN).compute_signature(BASE + path, Form(list(form.items())))
        answer = self.client.post(
            path,
            data=urlencode(form),
            content_type="application/x-www-form-urlencoded",
            headers={"X-Twilio-Signature": signed},
        )
        assert answer.status_code == 200
        self.relay.drain()


@pytest.fixture
def land(profile: Country, database_url: str, tmp_path: Path) -> Iterator[Land]:
    settings = Settings(
        profile="demo",
        data_dir=tmp_path,
        database={"url": database_url},
        queue={"redis_url": "redis://127.0.0.1:1/0"},
        web={"public_base_url": BASE, "secret_keys": ["k" * 40]},
        twilio={"account_sid": "AC1", "auth_tokens": [TOKEN], "number": LINE},
    )
    for shipped in ("fr", "en"):
        shutil.copytree(HERE / shipped, tmp_path / "wording" / shipped)
    (tmp_path / "wording/ka").mkdir()
    (tmp_path / "wording/ka/notices.toml").write_text(WORDS, encoding="utf-8")
    wording = Wording(tmp_path / "wording")

    built = build_house(settings)
    upgrade(built.engine)
    with built.engine.begin() as connection:
        water = Administration("water", {"fr": "Eaux", "ka": "წყალი"}, competence={"ka": ["წყალი"]})
        store(connection, [water])
    intake = Intake(built.writer, Planner(settings, profile), profile)
    house = replace(
        built,
        country=profile,
        wording=wording,
        intake=intake,
        accept=intake.accept,
        submit=intake.submit,
        clock=lambda: NOW,
    )
    texts = Texts([])
    dispatcher = replace(
        build_workshop(settings, house.engine).dispatcher,
        channels={"sms": texts},
        notices=replace(notices_of(settings, profile), words=wording),
        clock=lambda: NOW,
    )
    relay = Relay(house.engine, settings, dispatcher.perform, lambda: NOW, country=profile)
    yield Land(create_app(house).test_client(), house.engine, relay, texts)
    house.writer.close()
    house.engine.dispose()


def test_a_complaint_by_text_is_filed_and_acknowledged_with_the_countrys_own_values(
    land: Land, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first code that is drawn begins with the calling code: it is never given out."""
    draw, first = secrets.randbelow, [8, 9_012_345_678]
    monkeypatch.setattr(secrets, "randbelow", lambda limit: first.pop(0) if first else draw(limit))

    land.text("წყალი არ მოდის სამი დღეა", "SM" + "1" * 32)

    with land.engine.connect() as connection:
        case = connection.execute(select(cases)).one()
    assert first == []
    assert tracking_code.is_valid(case.tracking_code)
    assert not case.tracking_code.startswith("990")
    assert (case.contact_scheme, case.contact_value, case.language) == ("tel", CITIZEN, "ka")
    assert (case.forward_by - NOW).days == 4
    assert (case.expected_datetime - NOW).days == 21
    # Words of a register only propose: nobody has measured how often they are right.
    assert (case.administration, case.status) == (None, "triage")
    sent = land.texts.sent[0]
    code = tracking_code.display(case.tracking_code)
    assert (sent.recipient.value, sent.language) == (CITIZEN, "ka")
    assert sent.text == f"საჩივარი მიღებულია. კოდი: {code}."


def test_its_status_is_told_with_the_day_of_the_countrys_zone(land: Land) -> None:
    land.text("წყალი არ მოდის სამი დღეა", "SM" + "1" * 32)
    with land.engine.connect() as connection:
        case = connection.execute(select(cases)).one()
    with land.engine.begin() as connection:
        answers.assign(connection, case, "water", by="t@x.org", reasons=["chosen"], now=NOW)
    code = case.tracking_code

    land.text(code, "SM" + "2" * 32)

    shown = tracking_code.display(code)
    assert land.texts.sent[-1].text == f"{shown}: გადაგზავნილია. წყალი. 23/03/2026."


def test_the_pages_tell_the_countrys_days_and_emergency_numbers(land: Land) -> None:
    page = land.client.get("/fr/").text

    assert re.findall(r'href="tel:(\d+)"', page) == ["555", "556"]
    assert "21 jours" in page
    assert "60 jours" not in page


def test_a_language_without_a_recourse_of_its_own_is_told_the_countrys(
    profile: Country,
) -> None:
    """A sentence that names whom to turn to never ends in nothing."""
    notices = notices_of(Settings(profile="demo"), profile)
    case: Any = SimpleNamespace(
        language="fr",
        tracking_code="482109375512",
        status="answered",
        expected_datetime=NOW,
        answer_due=None,
    )

    assert "ომბუდსმენი" in notices.compose("reply", "email", case, None, text="Oui.").text


# --- The profile itself ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ('calling_code = "990"', 'calling_code = "+990"'),
        ('calling_code = "990"', 'calling_code = "0"'),
        ('region = "XA"', 'region = "Xanadu"'),
        ('timezone = "Pacific/Kiritimati"', 'timezone = "Pacific/Nowhere"'),
        ('default_language = "ka"', 'default_language = "ar"'),
        ("answer_days = 21", "answer_days = 0"),
        ("answer_days = 21", "anwser_days = 21"),
        ('example_mobile = "+990700000001"', 'example_mobile = "0700000001"'),
    ],
)
def test_a_wrong_profile_is_refused_by_the_name_of_its_key(tmp_path, line, wrong):
    (tmp_path / "xa.toml").write_text(PROFILE.replace(line, wrong), encoding="utf-8")

    with pytest.raises(ValidationError, match=re.escape(line.partition(" ")[0])):
        country.load("xa", tmp_path)


def test_offices_are_written_to_in_languages_of_the_profile_only(tmp_path):
    asked = PROFILE.replace(
        'default_language = "ka"', 'default_language = "ka"\noffice_languages = ["tlh"]'
    )
    (tmp_path / "xa.toml").write_text(asked, encoding="utf-8")

    with pytest.raises(ValidationError, match="office_languages: tlh"):
        country.load("xa", tmp_path)


# --- Nothing of the reference country stands in code ----------------------------------------------

#: Its calling code (of E.164 numbers, not of a provider's error codes), its name, its portal.
OF_MOROCCO = re.compile(r"(?<!\d)(?:00)?212(?=\d{9}(?!\d)|\D|$)|maroc|chikaya", re.IGNORECASE)
#: A language is code too: "chikaya" is the word for a complaint in Darija.
WORDS_OF_A_LANGUAGE = {
    "gateway/texting.py": {"chikaya"},
}
SOURCES = [
    path.relative_to(ROOT).as_posix()
    for room in ("gateway", "dispatcher", "tracker", "normalizer", "channels")
    for path in sorted((ROOT / room).rglob("*.py"))
]


def code_of(path: Path) -> str:
    """A file without its docstrings, which may show an example."""
    source = path.read_text(encoding="utf-8")
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and ast.get_docstring(node) is not None:
                for number in range(first.lineno - 1, first.end_lineno or first.lineno):
                    lines[number] = ""
    return "\n".join(lines)


@pytest.mark.parametrize(
    "path",
    SOURCES,
)
def test_no_value_of_the_reference_country_stands_in_code(path):
    found = {match.lower() for match in OF_MOROCCO.findall(code_of(ROOT / path))}

    assert found - WORDS_OF_A_LANGUAGE.get(path, set()) == set()


@pytest.mark.parametrize(
    "line", ['"212"', '"+212612345678"', "'00212612345678'", "0  # Maroc", '"https://chikaya.ma"']
)
def test_such_a_value_would_be_found(tmp_path, line):
    planted = tmp_path / "planted.py"
    planted.write_text(f'"""Maroc, +212."""\nVALUE = {line}\nERROR = 21211\n', encoding="utf-8")

    assert len(OF_MOROCCO.findall(code_of(planted))) == 1

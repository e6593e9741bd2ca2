# SPDX-License-Identifier: MIT
"""The citizens' pages on a real register, with an intake that can be made to fail."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydantic import SecretStr
from sqlalchemy import Connection, Row, Table, func, select
from werkzeug.test import TestResponse

import gateway
from channels.channel import Acknowledgement, Delivery
from channels.message import InboundMessage
from config import country as countries
from config.mail import Mail
from config.settings import Settings, Twilio
from config.settings import Web as WebSettings
from config.wording import Wording
from gateway.citizen import errors, pages
from gateway.house import House
from gateway.intake import Intake
from gateway.planning import Planner
from tracker import answers, register
from tracker.database import open_engine
from tracker.group_commit import GroupCommit
from tracker.models import administrations, metadata

KEY = "k" * 32


Attributes = dict[str, str | None]


class Page(HTMLParser):
    """A page as flat lists of tags: enough to check what must never be wrong."""

    VOID = frozenset({"meta", "link", "img", "input", "br", "hr"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.text = ""
        self.tags: list[tuple[str, Attributes]] = []
        self.open: list[str] = []
        self.feed(html)
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[Attributes]:
        return [attributes for name, attributes in self.tags if name == tag]


@dataclass
class Town:
    """The application, its register, what a citizen does, and the knobs of a test."""

    house: House
    app: Flask
    client: FlaskClient
    time: list[datetime]
    answers: list[Acknowledgement] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)

    def nonce(self, language: str = "fr") -> str:
        page = self.page(self.client.get(f"/{language}/complain").get_data(as_text=True))
        return next(f["value"] or "" for f in page.all("input") if f.get("name") == "nonce")

    def post(self, language: str = "fr", **fields: Any) -> TestResponse:
        words = "L’éclairage de la rue est en panne <b>depuis</b> mai."
        data = {"kind": "complaint", "description": words, **fields}
        data.setdefault("nonce", self.nonce(language))
        return self.client.post(
            f"/{language}/complain", data=data, content_type="multipart/form-data"
        )

    def track(self, language: str = "fr", **data: str) -> TestResponse:
        return self.client.post(f"/{language}/track", data=data)

    def filed(self, **fields: Any) -> tuple[str, str]:
        """File one complaint; its code and PIN."""
        code, pin = self.codes(self.post(**fields))
        return code.replace("-", ""), pin

    def answered(self, code: str) -> None:
        """Let an administration answer the case."""
        commune = {"slug": "commune", "names": {"fr": "Commune de Salé", "ar": "جماعة سلا"}}
        now = self.time[0]
        with self.house.engine.begin() as connection:
            connection.execute(administrations.insert().values(outlet="desk", **commune))
            answers.assign(
                connection, self.case(code, connection), "commune", by="desk", reasons=[], now=now
            )
            answers.answer_case(
                connection,
                self.case(code, connection),
                "La lampe sera changée.",
                author_name="Agent",
                administration="commune",
                now=now,
            )

    def case(self, code: str, connection: Connection | None = None) -> Row[Any]:
        if connection is None:
            with self.house.engine.connect() as opened:
                return self.case(code, opened)
        found = register.find_case(connection, code)
        assert found is not None
        return found

    def count(self, table: Table) -> int:
        with self.house.engine.connect() as connection:
            return connection.scalar(select(func.count()).select_from(table)) or 0

    @staticmethod
    def page(html: str) -> Page:
        return Page(html)

    @staticmethod
    def codes(response: TestResponse) -> list[str]:
        """What a confirmation page shows big: the code, then the PIN."""
        return re.findall(r'code--big">([\d-]+)<', response.get_data(as_text=True))

    @staticmethod
    def checked(response: TestResponse, language: str) -> Page:
        """A page that is whole, in its language, without keys, scripts or unlabelled fields."""
        page = Page(response.get_data(as_text=True))
        (html,) = page.all("html")
        assert (html["lang"], html["dir"]) == (language, "rtl" if language == "ar" else "ltr")
        assert not re.search(r"\b(pages|layout|complain|error|received)\.[a-z_]{2,}", page.text)
        assert not re.search(r"[{}\ue000]|Traceback", page.text)
        assert page.all("script") == page.all("style") == []
        assert not any({"style", "onclick"} & attributes.keys() for _, attributes in page.tags)
        assert all("alt" in image for image in page.all("img"))
        labels = {label["for"] for label in page.all("label")}
        fields = [f for kind in ("input", "textarea", "select") for f in page.all(kind)]
        assert all(f["id"] in labels for f in fields if f.get("type") != "hidden")
        ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
        assert len(ids) == len(set(ids))
        for _, attributes in page.tags:
            assert set((attributes.get("aria-describedby") or "").split()) <= set(ids)
            link = attributes.get("href") or ""
            assert not link.startswith("#") or link[1:] in ids
        assert len(page.all("h1")) == 1
        return page


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    settings = Settings(
        profile="demo",
        data_dir=tmp_path,
        web=WebSettings(
            secret_keys=[SecretStr(KEY)],
            public_base_url="https://guichet.example",
            max_upload_bytes=1_000_000,
        ),
        mail=Mail(domain="guichet.example"),
        twilio=Twilio(number="+212520000000"),
    )
    engine = open_engine(settings.database_url)
    metadata.create_all(engine)
    writer = GroupCommit(engine)
    country = countries.load(settings.country)
    intake = Intake(writer, Planner(settings, country), country)
    time = [datetime(2026, 11, 24, 9, 0, tzinfo=UTC)]
    replies: list[Acknowledgement] = []
    deliveries: list[Delivery] = []

    def accept(delivery: Delivery, message: InboundMessage | None) -> Acknowledgement:
        deliveries.append(delivery)
        return replies.pop(0) if replies else intake.accept(delivery, message)

    house = House(
        settings=settings,
        engine=engine,
        writer=writer,
        accept=accept,
        submit=intake.submit,
        intake=intake,
        wording=Wording(),
        country=country,
        clock=lambda: time[0],
    )
    app = Flask("gateway", root_path=str(Path(gateway.__file__).parent))
    app.config.update(MAX_CONTENT_LENGTH=1_100_000, SECRET_KEY=KEY)
    app.extensions["guichet"] = house
    app.register_blueprint(pages.blueprint)
    errors.register(app)

    @app.get("/crash")
    def crash() -> str:
        raise RuntimeError("planted-secret")

    @app.get("/inbound/crash")
    def machine_crash() -> str:
        raise RuntimeError("planted-secret")

    yield Town(house, app, app.test_client(), time, replies, deliveries)
    writer.close()
    engine.dispose()

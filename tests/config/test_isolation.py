# SPDX-License-Identifier: MIT
"""Codes, numbers and dates keep their order among Arabic letters (UAX #9, isolates)."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask.testing import FlaskClient

from config import country
from config.settings import Settings
from config.wording import HERE, Wording
from dispatcher.administration import Administration
from dispatcher.notices import Notices
from gateway.app import create_app
from gateway.wiring import build_house, notices_of
from normalizer.tracking_code import display
from tracker.migrations import upgrade

CODE = "482109375512"
#: An Arabic letter before them turns their groups around where they are not isolated.
DIGITS_IN_GROUPS = re.compile(r"\d{4}-\d{4}-\d{4}|\+\d{9,}|\d{2}/\d{2}/\d{4}")
SETTINGS = Settings(
    profile="demo",
    web={"public_base_url": "https://plaintes.ville.example", "secret_keys": ["k" * 40]},
    twilio={"number": "+212520000000"},
)
NOTICES = notices_of(SETTINGS, country.load("ma"))


class Texts(HTMLParser):
    """The text of a page, apart: what stands in ``<bdi dir="ltr">`` and what does not."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[bool] = []
        self.isolated, self.bare = "", ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "bdi":
            self.open.append(("dir", "ltr") in attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag == "bdi":
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1]:
            self.isolated += f"{data}\n"
        else:
            self.bare += data


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[FlaskClient]:
    """The citizens' pages of a gateway of their own."""
    house = build_house(SETTINGS.model_copy(update={"data_dir": tmp_path}))
    upgrade(house.engine)
    yield create_app(house).test_client()
    house.writer.close()
    house.engine.dispose()


def test_an_arabic_page_isolates_every_code_and_number(pages):
    form = pages.get("/ar/complain").text
    nonce = re.search(r'name="nonce" value="([^"]+)"', form)
    assert nonce
    typed = {"nonce": nonce[1], "kind": "complaint", "contact": "+212612345678"}
    received = pages.post("/ar/complain", data=typed | {"description": "لا ماء"}).text
    changed = pages.post("/ar/complain", data=typed | {"description": "لا كهرباء"}).text
    (code,) = set(re.findall(r"\d{4}-\d{4}-\d{4}", received))
    case = pages.post("/ar/track", data={"code": code}).text

    for page in (received, changed, case):
        assert code in Texts(page).isolated
    for page in (form, received, changed, case, pages.get("/ar/").text):
        assert 'dir="rtl"' in page
        assert DIGITS_IN_GROUPS.findall(Texts(page).bare) == []


def everything(notices: Notices, language: str) -> Iterator[str]:
    """Every notice of the operator's table, by text and by mail."""
    at = datetime(2026, 11, 24, 9, tzinfo=UTC)
    case: Any = SimpleNamespace(
        language=language,
        tracking_code=CODE,
        status="answered",
        expected_datetime=at,
        answer_due=None,
        requested_datetime=at,
        channel="sms",
    )
    water, answer = Administration("water", {"fr": "Eaux", "ar": "الماء"}), "Le tuyau est réparé."
    for table, channel in (("notices.sms.", "sms"), ("notices.email.", "email")):
        for key in sorted(Wording().keys("fr")):
            if key.startswith(table) and not key.endswith("_subject"):
                notice = key.removeprefix(table)
                told = notices.compose(notice, channel, case, water, codes=[CODE] * 2, text=answer)
                yield f"{told.subject}\n{told.text}"
    mail = notices.referral(case, water, ["“eau”"], answer, language)
    yield f"{mail.subject}\n{mail.text}"


@pytest.mark.parametrize("language", ["ar", "ary"])
def test_an_arabic_notice_isolates_every_code_and_date_but_no_link(tmp_path, language):
    """Also in a language that an operator adds: what counts is how its letters run."""
    for shipped in ("ar", "fr", "en"):
        shutil.copytree(HERE / shipped, tmp_path / shipped)
    if language != "ar":
        shutil.copytree(HERE / "ar", tmp_path / language)

    texts = list(everything(replace(NOTICES, words=Wording(tmp_path)), language))

    assert sum(display(CODE) in text for text in texts) > 10
    for text in texts:
        bare = re.sub("\u2066[^\u2066\u2069]*\u2069", "", text)
        assert DIGITS_IN_GROUPS.findall(bare) == [], text
        # A telephone takes the closing mark for a part of the link, which then leads nowhere.
        assert not re.search("\u2066https?:", text), text


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_notice_in_latin_letters_carries_no_marks(language):
    marks = re.compile("[\u2066-\u2069]")

    assert not any(marks.search(text) for text in everything(NOTICES, language))

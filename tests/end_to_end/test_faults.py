# SPDX-License-Identifier: MIT
"""Doors under repetition and fault: one case, one answer; a temporary failure, never a loss."""

import html
import re
import smtplib
import sqlite3
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from sqlalchemy import create_engine, text

from guichet_testing.durable import DURABLE, watched
from guichet_testing.gateway import RunningGateway, until
from guichet_testing.servers import Databases, PostgresServer
from guichet_testing.traffic import mail, post_text, send_mail, signature, webhook


class Twenty:
    """The same thing sent twenty times at once."""

    def __init__(self, house: RunningGateway) -> None:
        self.house = house

    def posts(self, path: str, form: Mapping[str, str], **headers: str) -> list[httpx.Response]:
        """Post a form twenty times."""

        def post(_: int) -> httpx.Response:
            url = self.house.base + path
            return httpx.post(url, data=dict(form), headers=headers, timeout=30)

        with ThreadPoolExecutor(20) as pool:
            return list(pool.map(post, range(20)))

    def signed(self, path: str, form: Mapping[str, str]) -> list[httpx.Response]:
        """Post a form of the provider's twenty times."""
        return self.posts(path, form, **{"X-Twilio-Signature": signature(self.house, path, form)})

    def mails(self, sender: str, raws: list[bytes]) -> list[tuple[int, bytes]]:
        """Send twenty mails at once; the whole last answer to each."""

        def send(raw: bytes) -> tuple[int, bytes]:
            with smtplib.SMTP("127.0.0.1", self.house.smtp_port, timeout=30) as client:
                client.ehlo("client.example")
                client.mail(sender)
                client.rcpt("complaints@guichet.example")
                return client.data(raw)

        with ThreadPoolExecutor(20) as pool:
            return list(pool.map(send, raws))


@pytest.fixture
def twenty(house: RunningGateway) -> Twenty:
    """Sends the same thing twenty times at once."""
    return Twenty(house)


def the_one(answers: list[httpx.Response]) -> str:
    """The body that all twenty answers share."""
    assert [answer.status_code for answer in answers] == [200] * 20
    (body,) = {answer.text for answer in answers}
    return body


def test_twenty_identical_texts_at_once(house, senders, twenty) -> None:
    """One case, twenty same answers."""
    number = "+212661300021"
    form = webhook(house, number, "Pas d'eau")

    assert the_one(twenty.signed("/inbound/sms/twilio", form)).endswith("<Response/>")
    assert senders(house).count(number) == 1


def test_twenty_identical_recordings_at_once(house, twenty) -> None:
    """One case, and its code and PIN twenty times in the same words."""
    number = "+212661300026"
    form = {
        "CallSid": f"CA{uuid.uuid4().hex}",
        "AccountSid": house.environment["GUICHET_TWILIO__ACCOUNT_SID"],
        "From": number,
        "To": house.environment["GUICHET_TWILIO__NUMBER"],
        "CallStatus": "in-progress",
        "Direction": "inbound",
    }

    def turn(url: str, **more: str) -> str:
        """The URL to which the call goes on."""
        path = url.removeprefix(house.base)
        headers = {"X-Twilio-Signature": signature(house, path, form | more)}
        answer = httpx.post(house.base + path, data=form | more, headers=headers, timeout=30)
        (further,) = set(re.findall(r'action="([^"]+)"', answer.text))
        return html.unescape(further)

    action = turn(turn(turn("/inbound/voice/twilio"), Digits="2"), Digits="1")
    recorded = form | {"RecordingSid": f"RE{uuid.uuid4().hex}", "RecordingDuration": "9"}
    said = the_one(twenty.signed(action.removeprefix(house.base), recorded))

    (case,) = [c for c in house.export("cases") if c["contact"]["value"] == number]
    assert case["tracking_code"] in re.sub(r"<[^>]*>|\D", "", said)


def test_twenty_identical_forms_at_once(house, twenty) -> None:
    """One case, and twenty times the same page with its code and PIN."""
    page = httpx.get(f"{house.base}/fr/complain", timeout=30).text
    nonce = re.search(r'name="nonce"[^>]*value="([^"]*)"', page)
    assert nonce
    words = f"Le lampadaire de la rue {uuid.uuid4().hex} est en panne"
    form = {"nonce": nonce[1], "kind": "complaint", "description": words}
    shown = the_one(twenty.posts("/fr/complain", form))

    (case,) = [c for c in house.export("cases") if c["description"] == words]
    assert re.findall(r"\d{4}-\d{4}-\d{4}", shown)[0].replace("-", "") == case["tracking_code"]


def test_twenty_identical_mails_at_once(house, senders, twenty) -> None:
    """Only trace headers differ: one case. Another person with the same Message-ID: their own."""
    message_id = uuid.uuid4().hex + "@example.org"
    same = [mail("twin@example.org", "Pas d'eau", message_id, f"by hop {n}") for n in range(20)]
    answers = twenty.mails("twin@example.org", same)
    other = mail("other@example.org", "Autre chose", message_id)

    assert (len(answers), len(set(answers)), answers[0][0]) == (20, 1, 250)
    assert send_mail(house, "other@example.org", other) == 250
    assert senders(house).count("twin@example.org") == 1
    assert senders(house).count("other@example.org") == 1


def test_a_locked_database(house: RunningGateway, senders) -> None:
    """Past its time-out: 451 and 503; after the lock is gone the same messages are filed."""
    form = webhook(house, "+212661300022", "Pas d'eau")
    raw = mail("locked@example.org", "Pas d'eau")
    url = house.environment.get("GUICHET_DATABASE__URL")
    if url:
        engine = create_engine(url)
        with engine.connect() as blocker:
            blocker.execute(text("LOCK TABLE deliveries IN ACCESS EXCLUSIVE MODE"))
            assert post_text(house, form) == 503
            assert send_mail(house, "locked@example.org", raw) == 451
            blocker.rollback()
        engine.dispose()
    else:
        blocker_file = sqlite3.connect(house.data_dir / "guichet.sqlite3", isolation_level=None)
        blocker_file.execute("BEGIN IMMEDIATE")
        assert post_text(house, form) == 503
        assert send_mail(house, "locked@example.org", raw) == 451
        blocker_file.execute("ROLLBACK")
        blocker_file.close()

    assert until(lambda: post_text(house, form) == 200, what="200 after the lock")
    assert until(
        lambda: send_mail(house, "locked@example.org", raw) == 250, what="250 after the lock"
    )
    assert senders(house).count("+212661300022") == 1
    assert senders(house).count("locked@example.org") == 1


def test_every_running_process_is_durable(house: RunningGateway) -> None:
    """What their own connections say while they write, asked by a trigger inside the transaction.

    ``deliveries`` is written by the web and the mail process, ``outbox`` also by the relay.
    """
    url = house.environment.get("GUICHET_DATABASE__URL")
    engine = create_engine(url or f"sqlite:///{house.data_dir / 'guichet.sqlite3'}")
    with watched(engine) as told:
        assert post_text(house, webhook(house, "+212661300025", "Pas d'eau")) == 200
        assert send_mail(house, "sync@example.org", mail("sync@example.org", "Pas d'eau")) == 250
        until(lambda: any("done" in writes for writes, _ in told()), what="the relay's own write")
        assert {writes for writes, _ in told()} >= {"sms", "email", "outbox done"}
        assert {setting for _, setting in told()} == {DURABLE[engine.dialect.name]}
    engine.dispose()


def test_postgresql_stopped(impatient, senders) -> None:
    """451 and 503 while it is away; every door lives on and files after it is back."""
    server = PostgresServer()
    server.start()
    house = RunningGateway(Databases(server.base_url).create(), **impatient)
    try:
        house.start()
        form, raw = webhook(house, "+212661300024", "Pas d'eau"), mail("pg@example.org", "Eau")
        server.kill()
        assert post_text(house, form, timeout=30) == 503
        assert send_mail(house, "pg@example.org", raw, timeout=30) == 451
        server.start()
        until(lambda: post_text(house, form) == 200, what="200 after the start")
        until(lambda: send_mail(house, "pg@example.org", raw) == 250, what="250 after the start")
        assert sorted(senders(house)) == ["+212661300024", "pg@example.org"]
    finally:
        house.close()
        server.remove()

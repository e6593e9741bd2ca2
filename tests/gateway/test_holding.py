# SPDX-License-Identifier: MIT
"""Webhooks that wait for their commit hold no thread of the web server."""

import http.client
import socket
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from urllib.parse import urlencode

import httpx
import pytest

from guichet_testing.gateway import RunningGateway, until
from guichet_testing.traffic import post_text, signature, webhook

PATH = "/inbound/sms/twilio"
THREADS = 2


@pytest.fixture(scope="module")
def house() -> Iterator[RunningGateway]:
    """A web server of two threads, patient with its database and less so with its peers."""
    house = RunningGateway(
        DATABASE__LOCK_TIMEOUT_SECONDS="60",
        WEB__THREADS=str(THREADS),
        WEB__ANSWER_TIMEOUT_SECONDS="3",
        WEB__TRUSTED_PROXIES="1",
    )
    try:
        house.run("migrate")
        server = house.spawn("web")
        until(lambda: get(house, "/health/live") == 200, what=f"the server: {house.tail()}")
        yield house
        server.terminate()
        assert server.wait(15) == 0
    finally:
        house.close()


def get(house: RunningGateway, path: str) -> int:
    try:
        return httpx.get(f"{house.base}{path}", timeout=5).status_code
    except httpx.HTTPError:
        return 0


@contextmanager
def locked(house: RunningGateway) -> Iterator[None]:
    """Another writer has the database."""
    with closing(
        sqlite3.connect(house.data_dir / "guichet.sqlite3", isolation_level=None)
    ) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def senders(house: RunningGateway) -> list[str]:
    return [case["contact"]["value"] for case in house.export("cases")]


def raw_request(house: RunningGateway, form: dict[str, str]) -> bytes:
    body = urlencode(form).encode()
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n"
        f"X-Twilio-Signature: {signature(house, PATH, form)}\r\n\r\n"
    )
    return head.encode() + body


def test_a_slow_database_leaves_the_threads_free(house: RunningGateway) -> None:
    """Three times as many webhooks as threads wait; a page is answered meanwhile."""
    forms = [webhook(house, f"+21266140{n:04d}", "Pas d'eau") for n in range(3 * THREADS)]
    with ThreadPoolExecutor(len(forms)) as pool:
        with locked(house):
            answers = [pool.submit(post_text, house, form) for form in forms]
            assert get(house, "/health/live") == 200
            assert not any(answer.done() for answer in answers)
        assert [answer.result() for answer in answers] == [200] * len(forms)

    assert {form["From"] for form in forms} <= set(senders(house))


def test_no_webhook_waits_for_ever(house: RunningGateway) -> None:
    """Past the setting: come again. The same text then is the same case."""
    form = webhook(house, "+212661410001", "Pas d'eau")
    with locked(house):
        assert post_text(house, form) == 503

    assert until(lambda: post_text(house, form) == 200, what="200 after the lock")
    assert senders(house).count("+212661410001") == 1


def test_a_connection_goes_on_after_its_answer(house: RunningGateway) -> None:
    """Webhooks, a refusal and a page on one connection, each with its own answer."""
    connection = http.client.HTTPConnection("127.0.0.1", house.web_port, timeout=10)
    lines, headers = set(), {"Content-Type": "application/x-www-form-urlencoded"}
    with closing(connection):
        for number in range(3):
            form = webhook(house, f"+21266142{number:04d}", "Pas d'eau")
            signed = {"X-Twilio-Signature": signature(house, PATH, form)}
            connection.request("POST", PATH, urlencode(form), headers | signed)
            answer = connection.getresponse()
            assert (answer.status, answer.read()[-11:]) == (200, b"<Response/>")
            lines.add(connection.sock)
        connection.request("POST", PATH, "From=x", headers)
        refused = connection.getresponse()
        assert (refused.status, b"signature" in refused.read()) == (403, True)
        connection.request("GET", "/health/live")
        page = connection.getresponse()
        assert (page.status, page.read()) == (200, b"live\n")
        assert lines == {connection.sock}


def test_whoever_hangs_up_has_still_complained(house: RunningGateway) -> None:
    """A peer that goes before its answer: the case is filed, and the server goes on."""
    form = webhook(house, "+212661430001", "Pas d'eau")
    with locked(house):
        with socket.create_connection(("127.0.0.1", house.web_port)) as line:
            line.sendall(raw_request(house, form))
        assert get(house, "/health/live") == 200

    until(lambda: "+212661430001" in senders(house), what="the case")
    assert get(house, "/health/live") == 200


def test_answers_come_in_the_order_of_the_questions(house: RunningGateway) -> None:
    """Two webhooks written at once on one connection (RFC 9112, 9.3.2)."""
    forms = [webhook(house, f"+21266144{n:04d}", "Pas d'eau") for n in range(2)]
    unsigned = raw_request(house, forms[1]).replace(b"X-Twilio-Signature", b"X-Other")
    with socket.create_connection(("127.0.0.1", house.web_port), timeout=10) as line:
        line.sendall(raw_request(house, forms[0]) + unsigned)
        told = b""
        while told.count(b"HTTP/1.1 ") < 2 or b"signature" not in told:
            piece = line.recv(4096)
            assert piece, told
            told += piece

    assert told.index(b"200 OK") < told.index(b"403 ")


def test_a_trusted_proxy_tells_who_asked(house: RunningGateway) -> None:
    """The last address of X-Forwarded-For is the peer; what it was told before is not believed."""
    form = webhook(house, "+212661450001", "Pas d'eau")
    told = {
        "X-Twilio-Signature": signature(house, PATH, form),
        "X-Forwarded-For": "192.0.2.1, 203.0.113.9",
    }
    assert httpx.post(house.base + PATH, data=form, headers=told).status_code == 200

    with closing(sqlite3.connect(house.data_dir / "guichet.sqlite3")) as database:
        key = f"sms:{form['MessageSid']}"
        query = "SELECT peer FROM deliveries WHERE idempotency_key = ?"
        assert database.execute(query, (key,)).fetchall() == [("203.0.113.9",)]

# SPDX-License-Identifier: MIT
"""Bad input at every door: a clear refusal, counted where the door counts, and nobody harmed."""

import itertools
import re
import select
import socket
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from guichet_testing.gateway import RunningGateway
from guichet_testing.traffic import mail, post_text, send_mail, signature, webhook
from normalizer.tracking_code import new_code

VOICE = "/inbound/voice/twilio"
VOICE_PATHS = (VOICE, f"{VOICE}/menu", f"{VOICE}/recording", f"{VOICE}/status")
CLERK, PASSWORD = "clerk@guichet.example", "a-long-and-random-one-7431"
GARBAGE = bytes(range(256)) * 20
MULTIPART, URLENCODED = "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"
FORM = {"Content-Type": URLENCODED}
#: How much of a body is sent before the next look for an answer, in bytes.
PIECE = 100_000
#: What a stack trace or an error of the database would show.
TRACE = re.compile(r'Traceback|File "/|sqlalchemy|psycopg|sqlite3|werkzeug', re.IGNORECASE)
#: What somebody might type or a program post where a code is asked for.
GARBLED = ("", "\0", "abc", "\u202e\ud7ff" * 40, "'; DROP TABLE cases; --", "9" * 400_000)
_numbers = itertools.count(10)


class Door:
    """The gateway as strangers reach it; every answer is searched for a stack trace.

    Args:
        house: the gateway.
        senders: tells whose cases are on record.
        below: tells the processes below one.
    """

    def __init__(self, house: RunningGateway, senders, below) -> None:
        self.house, self._senders, self._below = house, senders, below
        self.client = httpx.Client(base_url=house.base, timeout=30)

    def ask(self, method: str, path: str, **options) -> httpx.Response:
        """Ask for anything; the answer shows nothing of our inside, and is not empty."""
        answer = self.client.request(method, path, **options)
        assert not TRACE.search(answer.text), answer.text[:500]
        assert answer.text or answer.status_code == 204, f"{method} {path}: no word"
        return answer

    def post_signed(self, path: str, form: dict[str, str]) -> httpx.Response:
        """Post a form as the provider signs it."""
        signed = signature(self.house, path, form)
        return self.ask("POST", path, data=form, headers={"X-Twilio-Signature": signed})

    def refusals(self, door: str, reason: str) -> float:
        """How many refusals are counted so far."""
        page = httpx.get(f"http://127.0.0.1:{self.house.metrics_port}/metrics").text
        line = rf'guichet_refused_total{{door="{door}",reason="{reason}"}} (\S+)'
        return sum(map(float, re.findall(line, page)))

    def processes(self) -> set[int]:
        """The processes that stay: the supervisor's own children, and the web door's."""
        assert self.house.serve is not None
        lines = self._below(self.house.serve.pid)
        tops = children(self.house.serve.pid)
        return tops.union(*(children(pid) for pid in tops if lines[pid].endswith(" web")))

    def files(self) -> None:
        """A good text and a good mail are acknowledged and filed."""
        number = f"+21266131{next(_numbers):03d}5"
        address = f"good{next(_numbers)}@example.org"
        assert post_text(self.house, webhook(self.house, number, "Pas d'eau")) == 200
        assert send_mail(self.house, address, mail(address, "Pas d'eau")) == 250
        filed = self._senders(self.house)
        assert (filed.count(number), filed.count(address)) == (1, 1)

    @contextmanager
    def unharmed(self) -> Iterator[None]:
        """Good messages are filed before and after the block, by the same processes."""
        self.files()
        before = self.processes()
        assert len(before) >= 6, "web and its worker, mail, two workers, sweeper, queue"
        yield
        self.files()
        assert self.processes() == before


def children(pid: int) -> set[int]:
    """The direct children of a process."""
    return {int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


@pytest.fixture
def door(house: RunningGateway, senders: Callable, below: Callable) -> Iterator[Door]:
    """The gateway and a stranger before it."""
    found = Door(house, senders, below)
    yield found
    found.client.close()


@pytest.fixture(scope="module")
def clerk(house: RunningGateway) -> tuple[str, str]:
    """Name and password of an operator."""
    words = ("users", "add", "--email", CLERK, "--role", "operator", "--password-stdin")
    house.run(*words, stdin=PASSWORD + "\n")
    return CLERK, PASSWORD


def pour(house: RunningGateway, path: str, body: bytes | None = None, kind: str = MULTIPART) -> str:
    """Announce a body (by default one larger than any limit) and send it until an answer comes.

    A door that knows its limit answers to the announced length alone. Its answer might be lost with
    bytes under way that nobody reads any more, so before each piece there is a while to listen.

    Returns:
        The first part of the answer.
    """
    body = b"x" * 30_000_000 if body is None else body
    with socket.create_connection(("127.0.0.1", house.web_port), timeout=60) as line:
        line.sendall(
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
        )
        patience = 5.0
        for start in range(0, len(body), PIECE):
            if select.select([line], [], [], patience)[0]:
                break
            line.sendall(body[start : start + PIECE])
            patience = 0.2
        return line.recv(65_536).decode("utf-8", "replace")


def assert_too_large(answer: str) -> None:
    """413, without a stack trace."""
    assert answer.startswith("HTTP/1.1 413 "), answer[:200]
    assert not TRACE.search(answer)


def call(house: RunningGateway, **more: str) -> dict[str, str]:
    """The form of a webhook of a call."""
    return {
        "CallSid": f"CA{uuid4().hex}",
        "AccountSid": house.environment["GUICHET_TWILIO__ACCOUNT_SID"],
        "From": "+212661310001",
        "To": house.environment["GUICHET_TWILIO__NUMBER"],
        "CallStatus": "in-progress",
        "Direction": "inbound",
    } | more


def test_the_doors_for_texts_forms_and_mails(door: Door) -> None:
    """Forged, garbled, huge and cut-off messages, and paths that do not exist."""
    house = door.house
    text = "/inbound/sms/twilio"
    with door.unharmed():
        before = door.refusals("sms", "signature")
        form = webhook(house, "+212661310002", "Pas d'eau")
        forged = {"X-Twilio-Signature": "AAAA"}
        assert door.ask("POST", text, data=form, headers=forged).status_code == 403
        assert door.ask("POST", text, content=GARBAGE, headers=FORM).status_code == 403
        assert door.refusals("sms", "signature") == before + 2
        before = door.refusals("sms", "size")
        assert_too_large(pour(house, text))
        assert door.refusals("sms", "size") == before + 1
        assert_too_large(pour(house, "/fr/complain"))
        assert door.ask("POST", "/fr/complain", content=GARBAGE).status_code == 422
        assert door.ask("POST", "/fr/complain", content=GARBAGE, headers=FORM).status_code == 422
        assert door.ask("GET", "/no/such/path").status_code == 404
        cut = b"From: a@example.org\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nCon"
        assert send_mail(house, "cut@example.org", cut) == 250
        assert send_mail(house, "bin@example.org", GARBAGE) in (250, 554)


def test_the_voice_door_refuses_what_the_provider_did_not_send(door: Door) -> None:
    """No signature, a wrong one, bytes that are no form, too many of them, another method."""
    house = door.house
    paths = (*VOICE_PATHS, f"{VOICE}/answer/{uuid4()}")
    with door.unharmed():
        before = door.refusals("voice", "signature")
        for path in paths:
            forged = {"X-Twilio-Signature": signature(house, f"{path}x", call(house))}
            assert door.ask("POST", path, data=call(house), headers=forged).status_code == 403
            assert door.ask("POST", path, content=GARBAGE).status_code == 403
            assert door.ask("POST", path, content=GARBAGE, headers=FORM).status_code == 403
            assert door.ask("GET", path).status_code == 405
        assert door.refusals("voice", "signature") == before + 3 * len(paths)

        before = door.refusals("voice", "size")
        for path in paths:
            assert door.post_signed(path, call(house, Digits="1" * 100_000)).status_code == 413
            assert_too_large(pour(house, path))
        assert door.refusals("voice", "size") == before + 2 * len(paths)


def test_the_voice_door_takes_signed_oddities_kindly(door: Door) -> None:
    """Unknown calls, entries and steps: the call goes on or ends well, or a person sees it."""
    house = door.house

    def outcomes() -> list[tuple[str, str | None]]:
        return [(d["state"], d["outcome"]) for d in house.export("deliveries")]

    with door.unharmed():
        for path in (f"{VOICE}/menu?at=forged", f"{VOICE}/menu?at=%00%ff", f"{VOICE}/unheard-of"):
            answer = door.post_signed(path, call(house, Digits="1"))
            assert answer.status_code == 200
            gather = ET.fromstring(answer.text).find("Gather")  # noqa: S314 - our own document
            assert gather is not None, "the call begins anew"
        odd = call(house, CallSid="nothing of a sid \0", Digits="\0" * 50)
        assert door.post_signed(VOICE, odd).status_code == 200
        ours = door.post_signed(f"{VOICE}/answer/{uuid4()}", call(house))
        assert (ours.status_code, "<Hangup" in ours.text) == (200, True)

        before = outcomes()
        unknown = {"CallSid": f"CA{uuid4().hex}", "RecordingSid": f"RE{uuid4().hex}"}
        # The provider knows of no such call: nothing half is filed, and it may be asked again.
        assert door.post_signed(f"{VOICE}/recording", unknown).status_code == 503
        assert outcomes() == before
        ended = call(house, CallStatus="completed")
        assert door.post_signed(f"{VOICE}/status", ended).status_code == 204
        assert outcomes() == [*before, ("held", "missed_call")]
        nameless = call(house, CallStatus="completed", CallSid=f"?{uuid4()}")
        assert door.post_signed(f"{VOICE}/status", nameless).status_code == 204
        assert outcomes()[-1][0] == "quarantined"


def token(page: str) -> str:
    """The CSRF token of a page's form."""
    found = re.search(r'name="csrf_token"[^>]*value="([^"]*)"', page)
    assert found, page[:500]
    return found[1]


def test_the_desk_door_before_signing_in(door: Door, clerk: tuple[str, str]) -> None:
    """Garbage for a name, no token, forged cookies and huge bodies let nobody in."""
    case = f"/desk/cases/{uuid4()}"
    sign_in = "/desk/sign-in"
    with door.unharmed():
        page = door.ask("GET", sign_in).text
        for name, password in (("\0@\ud7ff\u202e" * 90, "\0" * 40), (CLERK, "x" * 400_000)):
            form = {"csrf_token": token(page), "email": name, "password": password}
            assert door.ask("POST", sign_in, data=form).status_code == 401
        good = {"email": clerk[0], "password": clerk[1]}
        for forged in (good, good | {"csrf_token": "forged"}):
            assert door.ask("POST", sign_in, data=forged).status_code == 400
        assert door.ask("POST", f"{case}/reply", data={"text": "x"}).status_code == 400
        assert door.ask("POST", sign_in, content=GARBAGE, headers=FORM).status_code == 400
        assert door.ask("POST", sign_in, content=GARBAGE).status_code == 400
        assert_too_large(pour(door.house, sign_in))
        assert_too_large(pour(door.house, f"{case}/reply"))
        for cookie in ("forged", "eyJ9.!!.x", "x" * 3000):
            answer = door.ask("GET", case, headers={"Cookie": f"session={cookie}"})
            assert answer.status_code == 302
            assert "/desk/sign-in" in answer.headers["Location"]


def test_the_desk_door_after_signing_in(door: Door, clerk: tuple[str, str]) -> None:
    """Cases, files and actions that do not exist, and words that are no words."""
    with door.unharmed():
        page = door.ask("GET", "/desk/sign-in").text
        form = {"csrf_token": token(page), "email": clerk[0], "password": clerk[1]}
        assert door.ask("POST", "/desk/sign-in", data=form).status_code == 302
        own = {"csrf_token": token(door.ask("GET", "/desk/").text)}
        for path in (f"/desk/cases/{uuid4()}", "/desk/cases/%00", "/desk/cases/../../etc/passwd"):
            assert door.ask("GET", path).status_code == 404
        for path in ("attachments", "deliveries"):
            ending = "/raw" if path == "deliveries" else ""
            assert door.ask("GET", f"/desk/{path}/{uuid4()}{ending}").status_code == 404
        for deed in ("reply", "note", "status", "assign"):
            path = f"/desk/cases/{uuid4()}/{deed}"
            assert door.ask("POST", path, data=own | {"text": "\0"}).status_code == 404
            assert door.ask("POST", path, data={"text": "x"}).status_code == 400
        for code in ("\0", "¿?" * 5000, "9" * 400_000, new_code("212")):
            assert door.ask("POST", "/desk/search", data=own | {"code": code}).status_code == 404
        for query in ("page=999999999999999999999", "page=-1", "page=%00", "status=%00%ff"):
            assert door.ask("GET", f"/desk/?{query}").status_code == 200
            assert door.ask("GET", f"/desk/attention?{query}").status_code == 200


def test_the_tracking_page(door: Door) -> None:
    """What is no code is told as such, what is too much is refused, an unknown code is unknown."""
    path = "/fr/track"
    unknown = new_code("212")
    with door.unharmed():
        for code in (
            "",
            "\0",
            "abc",
            "\u202e\ud7ff" * 40,
            "'; DROP TABLE cases; --",
            "9" * 400_000,
        ):
            assert door.ask("POST", path, data={"code": code}).status_code == 422, code[:20]
        digits = b"1" * 1_000_000
        field = b'--x\r\nContent-Disposition: form-data; name="code"\r\n\r\n' + digits
        assert_too_large(pour(door.house, path, b"code=" + digits, URLENCODED))
        assert_too_large(pour(door.house, path, field + b"\r\n--x--\r\n"))
        assert_too_large(pour(door.house, path))
        for pin in ("", "\0", "x" * 400_000, "000000"):
            answer = door.ask("POST", path, data={"code": unknown, "pin": pin})
            assert answer.status_code == 404, pin[:20]
        assert door.ask("POST", path, content=GARBAGE).status_code == 422
        assert door.ask("POST", path, content=GARBAGE, headers=FORM).status_code == 422
        for elsewhere in ("/%00/track", "/%ff/track", "/xx/track"):
            assert door.ask("POST", elsewhere, data={"code": unknown}).status_code == 404
        assert door.ask("PUT", path, content=GARBAGE).status_code == 405

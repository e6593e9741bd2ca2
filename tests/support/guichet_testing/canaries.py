# SPDX-License-Identifier: MIT
"""A day at the counter: values that occur nowhere else go in through every door of a house."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass, field
from email.message import EmailMessage
from functools import partial
from typing import Any

import httpx
from sqlalchemy import Engine, text

from guichet_testing.gateway import RunningGateway, until
from guichet_testing.traces import Planted, Trace
from guichet_testing.traffic import send_mail, webhook
from normalizer.tracking_code import display, new_code

CODE = re.compile(r"\d{4}-\d{4}-\d{4}")
PASSWORD, CLERK = "lumerquavisse-7431-desk", "clerk-tavorlune@guichet.example"


@dataclass(slots=True)
class Plants:
    """All that was planted in one story, in order."""

    planted: list[Planted] = field(default_factory=list)

    def words(self, what: str, value: str) -> str:
        """Plant words, an address or a token."""
        return self._plant(Planted(what, value))

    def number(self, what: str, value: str) -> str:
        """Plant a telephone number (E.164)."""
        return self._plant(Planted(what, value, "number"))

    def code(self, what: str, value: str) -> str:
        """Plant a tracking code, as it is shown."""
        return self._plant(Planted(what, value, "code"))

    def pin(self, what: str, value: str) -> str:
        """Plant a PIN."""
        return self._plant(Planted(what, value, "pin"))

    def _plant(self, one: Planted) -> str:
        self.planted.append(one)
        return one.value


@dataclass
class Story:
    """A house, its database, and all that was planted in it."""

    house: RunningGateway
    engine: Engine
    plants: Plants = field(default_factory=Plants)
    traces: list[Trace] = field(default_factory=list)

    def rows(self, statement: str, **values: str) -> list[Any]:
        """What the record says."""
        with self.engine.connect() as connection:
            return list(connection.execute(text(statement), values))

    def write(self, number: str, words: str) -> None:
        """Send a text."""
        answer = httpx.post(
            f"{self.house.outside}/sms", json={"from": number, "body": words}, timeout=20
        )
        assert answer.status_code == 201, answer.text

    def texts(self, number: str) -> list[str]:
        """What a telephone received."""
        found = httpx.get(f"{self.house.outside}/sms/{number}", timeout=20).json()["texts"]
        return [one["body"] for one in found if one["direction"] != "inbound"]

    def mails(self, address: str, word: str = "") -> list[dict[str, Any]]:
        """What a mailbox received with ``word`` in it."""
        found = httpx.get(f"{self.house.outside}/mail/{address}", timeout=20).json()["mails"]
        return [one for one in found if not one["outgoing"] and word in one["text"]]

    def code(self, what: str, shown: str) -> str:
        """Plant the code that stands in what a citizen was told."""
        found = CODE.search(shown)
        assert found, shown
        return self.plants.code(what, found[0])


def hidden(page: str, name: str) -> str:
    """The value of a form's hidden field."""
    found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', page)
    assert found, page[:500]
    return found[1]


def by_text(story: Story) -> tuple[str, str]:
    """Texts in two scripts; the status by its code; wrong codes; the number and code of one."""
    plants = story.plants
    number = plants.number("a text's sender", "+212661730461")
    story.write(number, f"Pas d'eau potable, {plants.words('a text', 'zibelonquine')}")
    code = story.code(
        "a text's code", until(partial(story.texts, number), what="the acknowledgement")[0]
    )
    story.write(number, code)
    until(lambda: len(story.texts(number)) > 1, what="the status by text")
    story.write(number, plants.code("a wrong code by text", display(new_code("212"))))

    arabic = plants.number("an Arabic text's sender", "+212661730462")
    story.write(arabic, f"لا ماء منذ يوم الاثنين {plants.words('an Arabic text', 'زعبلوقيات')}")
    until(partial(story.texts, arabic), what="the acknowledgement in Arabic")
    return number, code


def to_the_unreachable(story: Story) -> None:
    """Providers that fail: 30003 in a receipt, 21610 and 550 at once, 451 again and again."""
    plants = story.plants
    for what, number in (("unreachable", "+212661730001"), ("opted out", "+212661730000")):
        plants.number(f"an {what} sender", number)
        story.write(number, f"Route coupée {plants.words(f'of the {what}', f'{what[:5]}ovarelle')}")
    for what in ("bounce", "defer"):
        address = plants.words(f"an address that {what}s", f"{what}-quistrevane@example.org")
        assert send_mail(story.house, address, mail_of(address, "Lampadaire éteint")) == 250
    undelivered = "SELECT id FROM attention WHERE reason = 'undelivered'"
    until(lambda: len(story.rows(undelivered)) >= 3, what="the failures at the desk")


def mail_of(address: str, words: str, *, name: str = "", file: str = "") -> bytes:
    """A mail with a display name, Arabic words and a file."""
    message = EmailMessage()
    message["From"] = f"{name} <{address}>" if name else address
    message["To"] = "complaints@guichet.example"
    message["Subject"] = f"Plainte: {words}"
    message["Message-ID"] = f"<{address}>"
    message.set_content(f"{words}\n")
    if file:
        message.add_attachment(b"%PDF-1.4\n", maintype="application", subtype="pdf", filename=file)
    return message.as_bytes()


def by_mail(story: Story) -> None:
    """A whole mail, an answer into its thread, one that nobody can read, one that is refused."""
    plants, house = story.plants, story.house
    address = plants.words("a mail's address", "vorlimaquet@example.org")
    name = plants.words("a display name", "Drouvelisque")
    words = (
        f"{plants.words('a mail', 'malquivrane')} {plants.words('Arabic in a mail', 'شنقوبريل')}"
    )
    file = plants.words("a file's name", "quittance-brovelune.pdf")
    assert send_mail(house, address, mail_of(address, words, name=name, file=file)) == 250
    first = until(partial(story.mails, address), what="the acknowledgement by mail")[0]
    story.code("a mail's code", first["subject"])
    thread = first["reply_to"].partition("@")[0]
    plants.words("the token of a thread", thread.partition(".")[2])
    followed = {
        "from": address,
        "to": first["reply_to"],
        "subject": "Re: " + first["subject"],
        "text": plants.words("a follow-up", "Treznivolque"),
        "in_reply_to": first["message_id"],
    }
    httpx.post(f"{house.outside}/mail", json=followed, timeout=20).raise_for_status()
    until(
        lambda: story.rows("SELECT id FROM deliveries WHERE state = 'appended'"),
        what="the follow-up",
    )

    unreadable = plants.words("an unreadable mail", "ombrequisaille").encode()
    sender = plants.words("an unreadable mail's sender", "yslavonte@example.org")
    assert send_mail(house, sender, bytes(range(256)) * 20 + unreadable) == 250
    quarantined = story.rows("SELECT id FROM deliveries WHERE state = 'quarantined'")
    assert len(quarantined) == 1
    elsewhere = plants.words("a recipient that is not ours", "fenoldrique@elsewhere.example")
    commands = (
        "EHLO here",
        plants.words("an unknown command", "XGLOUVIRE"),
        f"VRFY <{address}>",
        f"MAIL FROM:<{address}> SIZE={plants.words('a broken parameter', 'nuvelquost')}",
        f"MAIL FROM:<{address}>",
        f"RCPT TO:<{elsewhere}>",
        "QUIT",
    )
    said = exchange(house.smtp_port, ("\r\n".join(commands) + "\r\n").encode())
    assert "550 5.1.1" in said, said


def by_telephone(story: Story) -> tuple[str, str]:
    """A recording, and another call with a wrong code; the caller's number and code."""
    plants, house = story.plants, story.house
    number = plants.number("a caller's number", "+212661730463")
    call = partial(httpx.post, f"{house.outside}/call", timeout=60)
    assert call(json={"from": number, "keys": ["2", "1"]}).json()["recordings"]
    code = story.code("a caller's code", until(partial(story.texts, number), what="the code")[0])
    pin = "SELECT pin FROM cases WHERE tracking_code = :code"
    plants.pin("a caller's PIN", story.rows(pin, code=code.replace("-", ""))[0].pin)
    wrong = plants.code("a wrong code by telephone", display(new_code("212")))
    keyed = call(json={"from": number, "keys": ["2", "2", wrong.replace("-", "")]}).json()
    assert len(keyed["spoken"]) > 2, keyed
    until(
        lambda: story.rows("SELECT id FROM attention WHERE reason = 'untranscribed'"),
        what="the recording stored",
    )
    return number, code


def by_form(story: Story) -> None:
    """A form in Arabic with a contact, which is confirmed by its link; then its status."""
    plants = story.plants
    contact = plants.words("a typed contact", "ploquinarde@example.org")
    with httpx.Client(base_url=story.house.base, timeout=20) as citizen:
        fields = {
            "nonce": hidden(citizen.get("/ar/complain").text, "nonce"),
            "kind": "complaint",
            "description": plants.words("words in a form", "طرمخونيسة"),
            "location": plants.words("a place in a form", "Vuldrecombe"),
            "name": plants.words("a name in a form", "Esquarvolin"),
            "contact": contact,
        }
        file = plants.words("a file's name in a form", "فوطرقليم.txt")
        page = citizen.post("/ar/complain", data=fields, files={"files": (file, b"words")}).text
        code = story.code("a form's code", page)
        told = re.search(r"(?<![\d-])\d{6}(?![\d-])", re.sub(r"<[^>]*>", " ", page))
        assert told, page
        pin = plants.pin("a form's PIN", told[0])
        mail = until(partial(story.mails, contact, "/confirm/"), what="the link")[0]["text"]
        link = re.search(r"/\w+/confirm/([\w.-]+)", mail)
        assert link, mail
        plants.words("the token of a link", link[1])
        assert citizen.get(link[0]).status_code == 200
        assert citizen.post(link[0]).status_code == 200

        track = partial(citizen.post, "/fr/track")
        assert fields["description"] in track(data={"code": code, "pin": pin}).text
        assert track(data={"code": code, "pin": "000000"}).status_code == 404
        unknown = plants.code("a wrong code in the form", display(new_code("212")))
        assert track(data={"code": unknown}).status_code == 404
        slip = unknown[:-1] + str((int(unknown[-1]) + 1) % 10)
        assert track(data={"code": plants.code("a slip of a code", slip)}).status_code == 422


def exchange(port: int, said: bytes) -> str:
    """Say all of it to a door and hear all of its answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        line.sendall(said)
        heard = b""
        while part := line.recv(65_536):
            heard += part
    return heard.decode("utf-8", "replace")


def at_closed_doors(story: Story) -> None:
    """What is refused: a forged webhook, unknown paths, and what is no HTTP."""
    plants, house = story.plants, story.house
    form = webhook(
        house,
        plants.number("a forged sender", "+212661730464"),
        plants.words("a forged text", "kristolavane"),
    )
    forged = {"X-Twilio-Signature": plants.words("a wrong signature", "c2lnbmV0dXJlLWZhdXNzZQ==")}
    assert httpx.post(f"{house.base}/inbound/sms/twilio", data=form, headers=forged).is_error
    path = plants.words("a word in a path", "jondrivelle")
    for address in (
        f"/{path}",
        f"/fr/{path}?{path}={path}",
        f"/fr/confirm/{path}",
        f"/desk/{path}",
    ):
        assert httpx.get(house.base + address, follow_redirects=True).status_code == 404
    head = b"Host: here\r\nConnection: close\r\n"
    chunked = b"POST /fr/complain HTTP/1.1\r\n" + head + b"Transfer-Encoding: chunked\r\n\r\n"
    for what, request in (
        ("a request line", b"GET /fr/ %b HTTP/1.1\r\n" + head + b"\r\n"),
        ("a method", b"%b! /fr/ HTTP/1.1\r\n" + head + b"\r\n"),
        ("a header's name", b"GET /fr/ HTTP/1.1\r\n" + head + b"X (%b): 1\r\n\r\n"),
        ("a header's line", b"GET /fr/ HTTP/1.1\r\n" + head + b"%b\r\n\r\n"),
        ("a chunk's size", chunked + b"%b\r\n\r\n"),
    ):
        word = plants.words(f"{what} that is no HTTP", f"{what[-4:]}quorvimelle".replace(" ", "x"))
        planted = request.replace(b"%b", word.encode())
        assert exchange(house.web_port, planted).startswith("HTTP/1.1 400 "), what
        for port in (house.metrics_port, house.simulator_port):
            exchange(port, planted)


def at_the_desk(story: Story, texted: tuple[str, str], called: tuple[str, str]) -> None:
    """Wrong and right ways in; answers that go out by text and by a call."""
    plants, house = story.plants, story.house
    answers = {}
    with httpx.Client(base_url=house.base, follow_redirects=True, timeout=20) as clerk:
        page = clerk.get("/desk/").text

        def post(path: str, **fields: str) -> httpx.Response:
            return clerk.post(path, data={"csrf_token": hidden(page, "csrf_token"), **fields})

        stranger = plants.words("a stranger's name", "brulovisquet@example.org")
        secret = plants.words("a wrong password", "Guldrevoq-8841-motdepasse")
        assert post("/desk/sign-in", email=stranger, password=secret).status_code == 401
        assert post("/desk/sign-in", email=CLERK, password=secret).status_code == 401
        page = post("/desk/sign-in", email=CLERK, password=PASSWORD).text
        searched = plants.code("a wrong code at the desk", display(new_code("212")))
        assert post("/desk/search", code=searched).status_code == 404
        for number, code in (texted, called):
            case = post("/desk/search", code=code)
            path, page = case.url.path, case.text
            words = plants.words(f"an answer to {number}", f"Answer{number[-3:]}obrilune")
            answers[number] = words
            sent = post(f"{path}/reply", text=words, last=hidden(page, "last"))
            assert sent.status_code == 200, sent.text[:500]
            assert post(f"{path}/note", text=plants.words("a note", "Krevolimane")).is_success

    (number, _), (caller, code) = texted, called
    until(lambda: answers[number] in " ".join(story.texts(number)), what="the answer by text")

    def ringing() -> list[str]:
        calls = httpx.get(f"{house.outside}/call/{caller}").json()["calls"]
        return [one["sid"] for one in calls if one["direction"].startswith("outbound")]

    sid = until(ringing, what="the call back")[0]
    keys = {"keys": [code.replace("-", "")]}
    heard = httpx.post(f"{house.outside}/calls/{sid}/answer", json=keys, timeout=60).json()
    assert answers[caller] in " ".join(heard["spoken"])

# SPDX-License-Identifier: MIT
"""The main job, whole: in by each channel, referred, answered, back the same way, receipt."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from guichet_testing.gateway import RunningGateway, until

#: A trouble that the shipped rules route by themselves, also before a model is learnt.
LATE = "Le train pour Casablanca a une heure de retard à la gare de Rabat depuis lundi"
PASSWORD = "a-long-and-random-one-7431"
CLERK = "clerk@guichet.example"
CODE = re.compile(r"\d{4}-\d{4}-\d{4}")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest) -> Iterator[RunningGateway]:
    """The gateway as processes, with an operator who may sign in at the desk."""
    url = None
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_server").create()
    gateway = RunningGateway(url)
    try:
        gateway.start()
        gateway.run(
            "users", "add", "--email", CLERK, "--role", "operator", "--password-stdin",
            stdin=PASSWORD + "\n",
        )  # fmt: skip
        yield gateway
    finally:
        gateway.close()


def hidden(page: str, name: str) -> str:
    """The value of a form's hidden field."""
    found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', page)
    assert found, page[:500]
    return found[1]


class Desk:
    """A clerk in a browser, without the browser."""

    def __init__(self, base: str) -> None:
        self.client = httpx.Client(base_url=base, follow_redirects=True, timeout=20)
        page = self.client.get("/desk/").text
        action = re.search(r'<form[^>]*action="([^"]*sign-in[^"]*)"', page)
        self.client.post(
            action[1] if action else "/desk/sign-in",
            data={"csrf_token": self.token(page), "email": CLERK, "password": PASSWORD},
        )

    @staticmethod
    def token(page: str) -> str:
        """The form's CSRF token."""
        return hidden(page, "csrf_token")

    def answer(self, code: str, words: str) -> None:
        """Find the case of a code and answer it."""
        page = self.client.get("/desk/")
        token = self.token(page.text)
        case = self.client.post("/desk/search", data={"csrf_token": token, "code": code})
        assert "/desk/cases/" in str(case.url), case.text[:500]
        path = case.url.path
        answered = self.client.post(
            f"{path}/reply",
            data={
                "csrf_token": self.token(case.text),
                "last": hidden(case.text, "last"),
                "text": words,
            },
        )
        assert answered.status_code == 200, answered.text[:800]


@pytest.fixture(scope="module")
def desk(house: RunningGateway) -> Desk:
    """A clerk, signed in."""
    return Desk(house.base)


def case_of(house: RunningGateway, code: str) -> dict[str, Any]:
    """The exported case of a code as it is shown."""
    digits = code.replace("-", "")
    return next(case for case in house.export("cases") if case["tracking_code"] == digits)


def code_in(text: str) -> str:
    """The first code in a text, as it is shown."""
    found = CODE.search(text)
    assert found, text
    return found[0]


def texts_to(house: RunningGateway, number: str) -> list[str]:
    """What a telephone received, oldest first."""
    found = httpx.get(f"{house.outside}/sms/{number}", timeout=20).json()["texts"]
    return [text["body"] for text in found if text["direction"] != "inbound"]


def mails_to(house: RunningGateway, address: str) -> list[dict[str, Any]]:
    """What a mailbox received, oldest first."""
    found = httpx.get(f"{house.outside}/mail/{address}", timeout=20).json()["mails"]
    return [mail for mail in found if not mail["outgoing"]]


def delivered(house: RunningGateway, code: str, words: str) -> bool:
    """Whether the answer of a case is marked as delivered (or sent, for mail)."""
    case = case_of(house, code)
    answers = [m for m in case["messages"] if m["author"] == "administration"]
    assert [m["text"] for m in answers] == [words]
    return answers[0]["delivery_status"] in ("delivered", "sent") and bool(
        [e for e in case["events"] if e["type"] == "guichet.message.sent"]
    )


def test_a_text(house: RunningGateway, desk: Desk) -> None:
    """SMS → case → referred → answered → SMS → the provider's receipt on the timeline."""
    number = "+212661100101"
    sent = httpx.post(
        f"{house.outside}/sms",
        json={"from": number, "body": LATE},
    )
    assert sent.status_code == 201
    first = until(lambda: texts_to(house, number), what="the acknowledgement")[0]
    code = code_in(first)
    until(lambda: case_of(house, code)["administration"] == "oncf", what="the referral")
    desk.answer(code, "L'eau sera de retour demain.")
    until(
        lambda: any("L'eau sera de retour demain." in text for text in texts_to(house, number)),
        what="the answer by SMS",
    )

    def receipt() -> bool:
        case = case_of(house, code)
        answers = [m for m in case["messages"] if m["author"] == "administration"]
        return bool(answers[0]["delivery_status"] == "delivered")

    until(receipt, what="the provider's receipt")
    case = case_of(house, code)
    assert case["status"] == "answered"
    assert "guichet.message.receipt" in [event["type"] for event in case["events"]]
    before = len(texts_to(house, number))
    httpx.post(f"{house.outside}/sms", json={"from": number, "body": code})
    until(lambda: len(texts_to(house, number)) > before, what="the status by SMS")
    assert code in texts_to(house, number)[-1]


def test_a_mail(house: RunningGateway, desk: Desk) -> None:
    """Mail → case → answered → mail in the same thread."""
    address = "karima@example.org"
    sent = httpx.post(
        f"{house.outside}/mail",
        json={
            "from": address,
            "subject": "Lampadaires",
            "text": LATE,
        },
    )
    assert sent.status_code == 201, sent.text
    first = until(lambda: mails_to(house, address), what="the acknowledgement")[0]
    code = code_in(first["subject"])
    assert first["auto_submitted"] == "auto-replied"
    until(lambda: case_of(house, code)["administration"] == "oncf", what="the referral")
    desk.answer(code, "La réparation est prévue jeudi.")
    answer = until(
        lambda: [m for m in mails_to(house, address) if "prévue jeudi" in m["text"]],
        what="the answer by mail",
    )[0]
    assert answer["reply_to"].startswith(f"case+{code.replace('-', '')}.")
    until(lambda: delivered(house, code, "La réparation est prévue jeudi."), what="sent")
    httpx.post(
        f"{house.outside}/mail",
        json={
            "from": address,
            "to": answer["reply_to"],
            "subject": "Re: " + answer["subject"],
            "text": "Merci, et la rue 6 ?",
            "in_reply_to": answer["message_id"].strip("<>"),
        },
    )
    until(
        lambda: (
            "Merci, et la rue 6 ?" in [m["text"].strip() for m in case_of(house, code)["messages"]]
        ),
        what="the follow-up in the same thread",
    )


def test_a_call(house: RunningGateway, desk: Desk) -> None:
    """A call → recording → case → the code spoken → answered → called back."""
    number = "+212661100103"
    call = httpx.post(
        f"{house.outside}/call", json={"from": number, "keys": ["2", "1"]}, timeout=60
    ).json()
    assert call["recordings"], call
    spoken = " ".join(call["spoken"])
    text = until(lambda: texts_to(house, number), what="the code by SMS")[0]
    code = code_in(text)
    assert "".join(re.findall(r"\d", spoken)).find(code.replace("-", "")) >= 0

    def stored() -> bool:
        files = case_of(house, code)["messages"][0]["attachments"]
        return bool(files) and files[0]["sha256"] is not None

    until(stored, what="the recording fetched")
    desk.answer(code, "Votre dossier est réglé.")

    def ringing() -> list[dict[str, Any]]:
        calls = httpx.get(f"{house.outside}/call/{number}").json()["calls"]
        return [one for one in calls if one["direction"].startswith("outbound")]

    sid = until(ringing, what="the call back")[0]["sid"]
    heard = httpx.post(
        f"{house.outside}/calls/{sid}/answer",
        json={"keys": [code.replace("-", "")]},
        timeout=60,
    ).json()
    assert "Votre dossier est réglé." in " ".join(heard["spoken"]), heard
    until(
        lambda: (
            [
                m["delivery_status"]
                for m in case_of(house, code)["messages"]
                if m["author"] == "administration"
            ]
            == ["delivered"]
        ),
        what="the receipt of the call",
    )


def test_a_form(house: RunningGateway, desk: Desk) -> None:
    """Form → code and PIN on the page → answered → readable with code and PIN only."""
    with httpx.Client(base_url=house.base, follow_redirects=True, timeout=20) as citizen:
        page = citizen.get("/fr/complain").text
        nonce = hidden(page, "nonce")
        done = citizen.post(
            "/fr/complain",
            data={
                "nonce": nonce,
                "kind": "complaint",
                "description": LATE,
            },
        )
        assert done.status_code == 200, done.text[:500]
        code = code_in(done.text)
        pin = re.search(r'data-pin="(\d{6})"|\b(\d{3})[\s\u202f\u00a0-]?(\d{3})\b(?!-)', done.text)
        assert pin
        until(lambda: case_of(house, code)["administration"] == "oncf", what="the referral")
        desk.answer(code, "La collecte reprend lundi.")
        alone = citizen.post("/fr/track", data={"code": code})
        assert "La collecte reprend lundi." not in alone.text
        assert "une heure de retard" not in alone.text
        digits = pin[1] or pin[2] + pin[3]
        until(
            lambda: (
                "La collecte reprend lundi."
                in citizen.post("/fr/track", data={"code": code, "pin": digits}).text
            ),
            what="the answer on the page",
        )
    until(lambda: delivered(house, code, "La collecte reprend lundi."), what="delivered")


def test_it_stops_cleanly_and_comes_back(house: RunningGateway) -> None:
    """SIGTERM: exit 0 within ten seconds, nothing lost, and the next start is well."""
    before = len(house.export("cases"))
    assert house.stop() == 0
    house.start()
    assert len(house.export("cases")) == before

# SPDX-License-Identifier: MIT
"""Binding, staying, leaving and coming back, over real TCP and TLS."""

import logging
import re
import select
import shutil
import socket
import ssl
import subprocess
import threading
import time
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from channels.sms import smpp
from channels.sms.smpp import SmppDoor
from guichet_testing.smsc import DELIVER_SM, RAW_SEQUENCE, UNBIND, Behaviour, running
from guichet_testing.smsc_esme import (
    MemoryOutbox,
    MemoryStore,
    account_at,
    door_running,
    text_of_ours,
)
from guichet_testing.smsc_wire import deliver_body, pack, parts_of

AMINA = "212612345678"


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    """A certificate for localhost that signs itself, and its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("smsc")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    words = [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
    ]
    names = ["-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(
        [openssl, *words, *names, "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context, str(certificate)


@pytest.mark.parametrize("dribble", [False, True])
def test_tls_both_ways(certificates, dribble):
    context, ca_file = certificates
    store, outbox = MemoryStore(), MemoryOutbox()
    outbox.waiting.extend(text_of_ours(str(number), "ض" * 300) for number in range(5))
    bodies = [body for n in range(30) for body in parts_of(AMINA, "أ" * 200, reference=n)]
    with (
        running(Behaviour(dribble=dribble, receipts="late"), tls=context) as smsc,
        door_running(account_at(smsc.port, tls=True, ca_file=ca_file), store, outbox),
    ):
        numbers = smsc.queue(*(bodies[:6] if dribble else bodies))
        smsc.wait(lambda: set(numbers) <= smsc.ledger.acknowledged())
        smsc.wait(lambda: len(outbox.told) == 5 and len(store.receipts) == 25)
    assert len(store.parts) == len(numbers)
    assert {word for _, word in outbox.words()} == {"submitted"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"server_name": "smsc.operator.example"}, "not valid for 'smsc.operator.example'"),
        ({"ca_file": ""}, "self-signed certificate"),
        ({"ca_file": "/nowhere/ca.pem"}, "ca_file"),
    ],
)
def test_tls_with_a_wrong_name_or_an_unknown_signer_is_refused(certificates, changes, reason):
    context, ca_file = certificates
    with (
        running(tls=context) as smsc,
        door_running(account_at(smsc.port, **{"tls": True, "ca_file": ca_file, **changes})) as esme,
    ):
        smsc.wait(lambda: esme.events["not_connected"] >= 2)
        assert reason in esme.door.told
        assert smsc.ledger.binds == []


def test_it_binds_with_the_account_and_leaves_with_an_unbind():
    with running() as smsc, door_running(account_at(smsc.port)) as esme:
        smsc.wait(lambda: esme.door.told == "bound")
        esme.end()
        smsc.wait(lambda: "closed" in smsc.ledger.events)
    assert smsc.ledger.binds == [("guichet", "secret")]
    assert smsc.ledger.events == ["connected", "unbind", "closed"]


def test_it_leaves_in_time_where_nothing_is_answered_any_more():
    outbox = MemoryOutbox()
    outbox.waiting.extend(text_of_ours(str(number), "x") for number in range(4))
    silent = Behaviour(submit_status=lambda _: None, answers_unbind=False)
    with (
        running(silent) as smsc,
        door_running(account_at(smsc.port, window=2), None, outbox) as esme,
    ):
        smsc.wait(lambda: len(smsc.ledger.submits) == 2)
        esme.end()
    assert sorted(said for _, said in outbox.words()) == ["Uncertain"] * 2 + ["Unreachable"] * (
        len(outbox.told) - 2
    )
    assert len(outbox.told) + len(outbox.waiting) == 4


@pytest.mark.parametrize(
    ("status", "reason"),
    [(0x05, "already bound"), (0x0E, "password"), (0x0F, "system_id"), (0x0D, "bind failed")],
)
def test_a_refused_bind_is_told_and_tried_again(status, reason, caplog):
    caplog.set_level(logging.INFO)
    refuses, told = Behaviour(bind_status=status), []
    with (
        running(refuses, refuses, refuses, Behaviour()) as smsc,
        door_running(account_at(smsc.port)) as esme,
    ):

        def bound():
            told.append(esme.door.told)
            return esme.door.told == "bound"

        smsc.wait(bound)
        assert esme.events["bind_refused"] == 3
    assert any(reason in one and f"0x{status:02X}" in one for one in told)
    assert any(reason in record.message for record in caplog.records)
    assert "secret" not in caplog.text


def test_a_bind_without_an_answer_is_tried_again():
    behaviours = Behaviour(answers_bind=False), Behaviour()
    with (
        running(*behaviours) as smsc,
        door_running(account_at(smsc.port, response_timeout_seconds=0.2)) as esme,
    ):
        smsc.wait(lambda: esme.events["bound"] == 1)
    assert len(smsc.ledger.binds) == 2


def test_enquire_link_is_answered_and_asked():
    with (
        running(Behaviour(enquires=True)) as smsc,
        door_running(account_at(smsc.port, enquire_link_seconds=0.1)),
    ):
        smsc.wait(lambda: smsc.ledger.events.count("enquire_link") >= 3)
        smsc.wait(lambda: "enquire_link_resp" in smsc.ledger.events)
        assert smsc.ledger.events.count("connected") == 1


def test_an_smsc_that_is_there_no_more_is_left():
    account = {"enquire_link_seconds": 0.1, "response_timeout_seconds": 0.3}
    with (
        running(Behaviour(answers_enquire_link=False), Behaviour()) as smsc,
        door_running(account_at(smsc.port, **account)) as esme,
    ):
        smsc.wait(lambda: esme.events["bound"] == 2)


def test_an_unbind_of_the_smsc_is_answered_and_the_door_comes_back():
    store = MemoryStore()
    with (
        running(Behaviour(unbind_after=1), Behaviour()) as smsc,
        door_running(account_at(smsc.port), store) as esme,
    ):
        smsc.queue(deliver_body(AMINA, b"before"))
        smsc.wait(lambda: "unbind_resp" in smsc.ledger.events)
        smsc.queue(deliver_body(AMINA, b"after"))
        smsc.wait(lambda: len(store.parts) == 2)
        assert esme.events["unbound_by_smsc"] == 1


def test_what_came_before_an_unbind_is_answered_before_it():
    delivered = pack(DELIVER_SM, RAW_SEQUENCE, deliver_body(AMINA, b"last"))
    behaviour = Behaviour(raw=[delivered + pack(UNBIND, 77)])
    store = MemoryStore()
    with running(behaviour, Behaviour()) as smsc, door_running(account_at(smsc.port), store):
        smsc.wait(lambda: "unbind_resp" in smsc.ledger.events)
        assert smsc.ledger.answers == [(0x80000005, 0, RAW_SEQUENCE)]
    assert [part.user_data for part in store.parts.values()] == [b"last"]


def test_every_event_that_is_counted_is_listed():
    folder = Path(smpp.__file__).parent
    counted = {
        name
        for path in folder.glob("smpp*.py")
        for call in re.findall(r"_count\((.*)", path.read_text())
        for name in re.findall(r'"(\w+)"', call)
    }
    assert counted == set(smpp.EVENTS)


def test_an_smsc_that_sends_and_does_not_read_fills_no_memory():
    """It is not read from until it takes its answers; then every one of them comes."""
    unit, size = pack(0x777, 1), 20_000
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
        with door_running(account_at(server.getsockname()[1])):
            raw, _ = server.accept()
            with raw:
                raw.recv(1024)
                raw.sendall(pack(0x80000009, 1, b"test\0"))
                raw.setblocking(False)
                sent = 0
                poll = select.poll()
                poll.register(raw, select.POLLOUT)
                while poll.poll(500):  # until it takes nothing any more
                    sent += raw.send(unit * size)
                    assert sent < 100_000_000
                raw.setblocking(True)
                raw.settimeout(10)
                answered = 0
                while answered < sent // len(unit) * 16:
                    octets = raw.recv(65_536)
                    assert octets
                    answered += len(octets)
    assert answered == sent // len(unit) * 16


def test_an_smsc_that_does_not_listen_yet():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with door_running(account_at(port)) as esme:
        deadline = time.monotonic() + 10
        while esme.events["not_connected"] < 3:
            assert time.monotonic() < deadline
            threading.Event().wait(0.01)
        assert "not reached" in esme.door.told


def test_an_account_that_cannot_be_said_in_ascii_is_refused_at_once():
    with pytest.raises(ValueError, match="ascii"):
        SmppDoor(
            account_at(1, password="é"),
            MemoryStore(),
            MemoryOutbox(),
            clock=lambda: datetime.now(UTC),
            count=lambda _: None,
        )


def test_pauses_grow_with_jitter_up_to_the_cap():
    """The moments are those of a clock that a stop's own wait moves: nothing is slept."""

    class Stop(threading.Event):
        now, waits, connections = 0.0, 0.0, 0

        def wait(self, timeout=None):
            self.now += timeout or 0.0
            return False

    stop = Stop()
    pauses: list[float] = []

    def count(event):
        if event == "not_connected":
            pauses.append(stop.now)
            if len(pauses) == 12:
                stop.set()

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    account = account_at(port, reconnect_base_seconds=1.0, reconnect_cap_seconds=60.0)
    door = SmppDoor(
        account,
        MemoryStore(),
        MemoryOutbox(),
        clock=lambda: datetime.now(UTC),
        count=count,
        monotonic=lambda: stop.now,
    )
    door.run(stop)
    waited = [later - sooner for sooner, later in pairwise(pauses)]
    for doublings, pause in enumerate(waited):
        longest = min(60.0, 2.0**doublings)
        assert longest / 2 - 1e-6 <= pause <= longest + 1e-6
    assert len({round(pause / min(60.0, 2.0**at), 3) for at, pause in enumerate(waited)}) > 5


def test_nothing_of_a_citizen_is_logged(caplog):
    caplog.set_level(logging.DEBUG)
    outbox = MemoryOutbox()
    outbox.waiting.append(text_of_ours("one", "canary of ours"))

    def verdict(item):
        raise OSError("canary 212612345678")

    behaviour = Behaviour(raw=[b"\0\0\0\x20\0\0\0\x05" + bytes(4) + b"\0\0\0\1canary" + bytes(10)])
    with (
        running(behaviour, Behaviour(drop_at_submit=1)) as smsc,
        door_running(account_at(smsc.port), MemoryStore(verdict), outbox),
    ):
        smsc.queue(deliver_body(AMINA, b"canary of a citizen"))
        smsc.wait(lambda: bool(smsc.ledger.statuses) and bool(outbox.told))
    assert "could not answer (OSError)" in caplog.text
    for word in ("canary", "2126", "secret"):
        assert word not in caplog.text

# SPDX-License-Identifier: MIT
"""The mail door against people who mean harm: no relay, no smuggling, no slot held for ever."""

import os
import shutil
import smtplib
import socket
import ssl
import stat
import subprocess
import threading
from collections.abc import Iterator

import pytest

from channels.channel import TryLater
from channels.mail import smtp_session
from channels.mail.limits import Limits
from guichet_testing.gateway import until
from guichet_testing.mail_door import DOMAIN, MAIL, MAILBOX, Intake, Peer, peer, serving


@pytest.fixture
def intake() -> Intake:
    return Intake()


@pytest.fixture
def client(intake) -> Iterator[Peer]:
    with serving(intake, Limits(max_errors=100)) as port, peer(port) as line:
        yield line


def test_too_many_errors_end_the_session(intake):
    with serving(intake, Limits(max_errors=3)) as port, peer(port) as line:
        line.say("EHLO here")
        line.say("MAIL FROM:<a@example.org>")
        answers = [line.say(f"RCPT TO:<x{n}@{DOMAIN}>")[:3] for n in range(4)]
        assert answers == ["550", "550", "550", "421"]
        assert line.rest() == ""
        with peer(port) as another:
            assert another.say("EHLO here").startswith("250")
    assert intake.counted == ["refused_recipient"] * 4 + ["too_many_errors"]


@pytest.mark.parametrize(
    "flood",
    [b"\r\n", b"\xff\xfe\r\n", b"X" * 2000 + b"\r\n", b"X" * 70_000 + b"\r\n", b"RCPT\r\n"],
    ids=["empty", "no ASCII", "long", "huge", "out of turn"],
)
def test_a_flood_of_senseless_lines_is_ended(intake, flood):
    with serving(intake) as port, peer(port) as line:
        with pytest.raises((ConnectionError, StopIteration)):  # noqa: PT012 - it may fail anywhere
            for _ in range(30):
                if not line.say(flood[:-2]):
                    raise StopIteration
        with peer(port) as another:
            assert another.say("EHLO here").startswith("250")
    assert "too_many_errors" in intake.counted


def test_mails_sent_in_advance_are_all_taken_in_order(client, intake):
    mails = b"".join(
        b"MAIL FROM:<a%d@example.org>\r\nRCPT TO:<%s>\r\nDATA\r\n%s.\r\n"
        % (number, MAILBOX.encode(), MAIL.encode())
        for number in range(20)
    )
    client.line.sendall(b"EHLO here\r\n" + mails + b"QUIT\r\n")

    answers = client.rest()
    assert "250-PIPELINING" in answers
    assert answers.count("250 2.6.0") == 20
    assert [delivery.headers["envelope-from"] for delivery, _ in intake.seen] == [
        f"a{number}@example.org" for number in range(20)
    ]


def test_a_peer_that_never_reads_is_cut(intake, monkeypatch):
    monkeypatch.setattr(smtp_session, "_FAREWELL_SECONDS", 0.3)
    limits = Limits(command_timeout_seconds=0.3, command_limit=1_000_000)
    with serving(intake, limits) as port, peer(port) as line:
        line.line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.line.settimeout(30)
        # It ends with a reset: without it, this would wait for ever once all buffers are full.
        with pytest.raises((ConnectionError, TimeoutError)) as ended:  # noqa: PT012
            while True:
                line.line.sendall(b"NOOP\r\n" * 10_000)
    assert isinstance(ended.value, ConnectionError)


@pytest.mark.parametrize("words", [b"", b"NOOP", b"x"], ids=["silent", "NOOP", "senseless"])
def test_a_session_has_an_end(intake, words):
    with (
        serving(intake, Limits(session_timeout_seconds=0.3, max_errors=10**6)) as port,
        peer(port) as line,
    ):
        line.line.sendall(words + b"\r\n" if words else b"")
        assert "421 4.4.2" in line.rest()


def test_a_mail_under_way_is_taken_to_its_end(intake):
    with serving(intake, Limits(session_timeout_seconds=0.3)) as port, peer(port) as line:
        line.begin_data()
        line.line.sendall(MAIL.encode())
        with peer(port) as witness:
            assert "421" in witness.rest(), "a session begun later is over"
        assert line.say(".").startswith("250 ")
        assert line.reply().startswith("421 ")
    assert len(intake.seen) == 1


def test_drop_by_drop_has_an_end(intake):
    over = threading.Event()
    with serving(intake, Limits(data_timeout_seconds=0.5)) as port, peer(port) as line:
        line.begin_data()

        def drip() -> None:
            while not over.wait(0.02):
                try:
                    line.line.sendall(b"x\r\n")
                except OSError:
                    return

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            assert line.reply().startswith("421 ")
        finally:
            over.set()
            thread.join()
    assert not intake.seen


def test_memory_has_a_limit_over_all_sessions(intake):
    with (
        serving(intake, Limits(max_bytes_at_once=300_000)) as port,
        peer(port) as first,
        peer(port) as second,
    ):
        first.begin_data()
        first.line.sendall(MAIL.encode() + b"x" * 250_000)
        second.begin_data()
        big = MAIL.encode() + b"x" * 250_000 + b"\r\n."
        answers = {second.say(big)[:3], first.say(b"\r\n.")[:3]}
        assert answers == {"250", "452"}
        second.begin_data("RSET")
        assert second.say(big).startswith("250 "), "what was held is given back"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("VRFY complaints", "252"),
        ("VRFY \x01\x02", "252"),
        ("EXPN staff", "502"),
        ("ETRN example.org", "502"),
        ("AUTH PLAIN AGEAYg==", "502"),
        ("AUTH LOGIN", "502"),
        ("BDAT 10 LAST", "500"),
        ("TURN", "500"),
        ("XCLIENT ADDR=127.0.0.1", "500"),
        ("HELP AUTH", "214"),
        ("STARTTLS", "454"),
        ("DATA", "503"),
    ],
)
def test_commands_that_give_nothing_away(client, words, code):
    offered = client.say("EHLO here").upper()
    for extension in ("AUTH", "CHUNKING", "ETRN", "EXPN", "STARTTLS", "BINARYMIME", "XCLIENT"):
        assert extension not in offered
    for extension in ("SIZE", "8BITMIME", "SMTPUTF8", "PIPELINING", "ENHANCEDSTATUSCODES"):
        assert extension in offered

    answer = client.say(words)

    assert answer.startswith(code)
    assert "AUTH" not in answer or words.startswith("AUTH")
    assert client.say("NOOP").startswith("250 ")


def test_an_answer_never_repeats_a_line_break(client):
    answer = client.say(b"X\r250 2.6.0")

    assert answer.startswith("500 ")
    assert "\r" not in answer
    assert client.say("NOOP") == "250 OK"


def test_size_is_refused_early_and_late(intake):
    with serving(intake, Limits(max_size=1000)) as port, peer(port) as line:
        line.say("EHLO here")
        assert line.say("MAIL FROM:<a@example.org> SIZE=1001").startswith("552 ")
        assert line.say("MAIL FROM:<a@example.org> SIZE=1000").startswith("250 ")
        line.say(f"RCPT TO:<{MAILBOX}>")
        line.say("DATA")
        assert line.say(b"x" * 100_000 + b"\r\n.").startswith("552 ")
        line.begin_data("RSET")
        assert line.say(MAIL + ".").startswith("250 ")


@pytest.fixture(scope="module")
def server_tls(tmp_path_factory) -> ssl.SSLContext:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs openssl (Debian: apt install openssl)")
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=x"]
    subprocess.run(
        [openssl, *words, "-keyout", key, "-out", certificate], check=True, capture_output=True
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context


def test_what_is_said_before_tls_is_forgotten(intake, server_tls):
    trusting = ssl.create_default_context()
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    with serving(intake, tls=server_tls) as port, peer(port) as line:
        line.say("EHLO here")
        line.line.sendall(b"STARTTLS\r\nEHLO evil\r\nMAIL FROM:<evil@example.org>\r\n")
        heard = b""
        while not heard.endswith(b"\r\n"):
            heard += line.line.recv(1)
        assert heard.startswith(b"220 ")
        line.file.close()
        with trusting.wrap_socket(line.line) as line.line:
            line.file = line.line.makefile("rb")
            assert line.say("MAIL FROM:<a@example.org>").startswith("503 "), "greet anew"
            offered = line.say("EHLO here")
            assert offered.startswith("250-")
            assert "AUTH" not in offered
            assert "STARTTLS" not in offered
            assert line.say(f"RCPT TO:<{MAILBOX}>").startswith("503 "), "no sender of before"
            assert line.say("STARTTLS").startswith("503 ")


def test_a_peer_that_speaks_no_tls_is_no_failure_of_ours(intake, server_tls):
    with serving(intake, tls=server_tls) as port:
        with peer(port) as line:
            line.say("EHLO here")
            assert line.say("STARTTLS").startswith("220 ")
            line.line.sendall(b"this is no handshake\r\n")
            line.rest()
        until(lambda: intake.counted, what="the count")
        with smtplib.SMTP("127.0.0.1", port, timeout=5) as client:
            assert client.sendmail("a@example.org", MAILBOX, MAIL) == {}
    assert intake.counted == ["tls_failed", "accepted"]


def test_lmtp_answers_for_each_recipient(intake):
    with serving(intake, protocol="lmtp") as port, peer(port) as line:
        assert line.say("EHLO here").startswith("500 ")
        assert line.say("HELO here").startswith("500 ")
        assert line.say("MAIL FROM:<a@example.org>").startswith("503 ")
        assert "250-PIPELINING" in line.say("LHLO here")
        for answer, said in (("accepted", "250 2.6.0"), ("later", "451 "), ("bug", "451 ")):
            if answer == "later":
                intake.answers.append(TryLater())
            if answer == "bug":
                intake.answers.append(RuntimeError("secret"))
            line.say("MAIL FROM:<a@example.org>")
            line.say(f"RCPT TO:<{MAILBOX}>")
            assert line.say(f"RCPT TO:<nobody@{DOMAIN}>").startswith("550 ")
            line.say(f"RCPT TO:<postmaster@{DOMAIN}>")
            line.say("DATA")
            first, second = line.say(MAIL + "."), line.reply()
            assert first.startswith(said)
            assert second.startswith(said)
        line.say("MAIL FROM:<a@example.org>")
        assert line.say("DATA").startswith("503 ")
        assert line.say("NOOP") == "250 OK", "there is no answer too many"
    delivery = intake.seen[0][0]
    assert delivery.headers["envelope-to"] == f"{MAILBOX}, postmaster@{DOMAIN}"
    assert delivery.peer == delivery.headers["helo"] == "", "the server's, not the sender's"


def test_lmtp_on_a_socket_of_the_file_system(intake, tmp_path):
    path = tmp_path / "lmtp"
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(path))
    left.close()  # what a killed process leaves
    umask = os.umask(0)
    try:
        with serving(
            intake, Limits(max_connections_per_address=1), host=f"unix:{path}", protocol="lmtp"
        ):
            assert stat.S_IMODE(path.stat().st_mode) == 0o660
            with peer(path) as line, peer(path) as another:
                assert another.say("LHLO here").startswith("250")
                line.begin_data("LHLO here")
                assert line.say(MAIL + ".").startswith("250 ")
            with (
                pytest.raises(OSError, match="another process"),
                serving(Intake(), host=f"unix:{path}", protocol="lmtp"),
            ):
                pass
            with peer(path) as line:
                assert line.say("LHLO here").startswith("250"), "the first is not disturbed"
    finally:
        os.umask(umask)
    assert not path.exists()
    assert len(intake.seen) == 1


class Authenticator:
    """Facts about senders, as a test wants them."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.hold = threading.Event()
        self.hold.set()
        self.fails = False

    def wanted(self, message, recipients) -> bool:
        """Only for the mailbox."""
        return MAILBOX in recipients

    def facts(self, raw, message, *, peer, helo, envelope_from):
        """Remember and answer."""
        self.asked.append({"peer": peer, "helo": helo, "envelope_from": envelope_from})
        self.hold.wait(10)
        if self.fails:
            raise RuntimeError("no answer")
        return {"spf": "pass"}


@pytest.mark.parametrize("fault", ["none", "fails", "hangs", "not wanted"])
def test_facts_of_the_sender_never_hold_a_mail_back(intake, monkeypatch, fault):
    monkeypatch.setattr("channels.mail.smtp.Facts.__init__.__defaults__", (0.3,), raising=True)
    authenticator = Authenticator()
    authenticator.fails = fault == "fails"
    if fault == "hangs":
        authenticator.hold.clear()
    recipient = f"postmaster@{DOMAIN}" if fault == "not wanted" else MAILBOX
    with (
        serving(intake, authenticator=authenticator) as port,
        smtplib.SMTP("127.0.0.1", port, "here.example", timeout=10) as client,
    ):
        assert client.sendmail("a@example.org", recipient, MAIL) == {}
    authenticator.hold.set()
    message = intake.seen[0][1]
    assert message is not None
    if fault == "none":
        assert message.fields["spf"] == "pass"
        assert intake.counted == ["accepted"]
        assert authenticator.asked == [
            {"peer": "127.0.0.1", "helo": "here.example", "envelope_from": "a@example.org"}
        ]
    else:
        assert "spf" not in message.fields
        failed = [] if fault == "not wanted" else ["facts_failed"]
        assert intake.counted == [*failed, "accepted"]

# SPDX-License-Identifier: MIT
"""Mail from swaks, a client made for testing servers, through the running mail door to a case."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from guichet_testing.dovecot import certify
from guichet_testing.gateway import RunningGateway, listens, until
from guichet_testing.needs import program

MAILBOX = "complaints@guichet.example"
WORDS = "Le lampadaire de la rue est en panne depuis lundi."
LARGEST = 100_000
#: swaks ends with these when the server refuses the recipient or the mail.
REFUSED_RECIPIENT, REFUSED_MAIL, REFUSED_SENDER = 24, 26, 23


@pytest.fixture(scope="module")
def swaks() -> Path:
    """The program, or a clear word that it is missing."""
    return program("swaks", install="Debian: apt install swaks")


@pytest.fixture(scope="module")
def house() -> Iterator[RunningGateway]:
    """A gateway whose database is ready and whose mail door offers STARTTLS."""
    gateway = RunningGateway(SMTP__MAX_SIZE=str(LARGEST))
    try:
        certificate, key = gateway.data_dir / "certificate.pem", gateway.data_dir / "key.pem"
        certify(certificate, key)
        gateway.environment |= {
            "GUICHET_SMTP__TLS_CERTIFICATE": str(certificate),
            "GUICHET_SMTP__TLS_KEY": str(key),
        }
        gateway.run("migrate")
        yield gateway
    finally:
        gateway.close()


@contextmanager
def door(house: RunningGateway) -> Iterator[None]:
    """``guichet smtp`` as a process."""
    process = house.spawn("smtp")
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0


@pytest.fixture(scope="module")
def smtp(house: RunningGateway) -> Iterator[RunningGateway]:
    """The gateway with its mail door open."""
    with door(house):
        until(lambda: listens(house.smtp_port), what=f"the mail door: {house.tail()}")
        yield house


class Sent:
    """What swaks said of one mail.

    Args:
        swaks: the program.
        house: the gateway it goes to.
        words: its options.
    """

    def __init__(self, swaks: Path, house: RunningGateway, *words: str) -> None:
        server = () if "--socket" in words else ("--server", f"127.0.0.1:{house.smtp_port}")
        options = ("--helo", "here.example", "--to", MAILBOX, "--timeout", "20")
        done = subprocess.run(
            [swaks, *server, *options, "--body", WORDS, *words],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        self.status, self.said = done.returncode, done.stdout + done.stderr


def supported(swaks: Path) -> str:
    """What this swaks says that it can do."""
    return subprocess.run([swaks, "--support"], capture_output=True, text=True, check=True).stdout


def case_of(house: RunningGateway, sender: str) -> dict:
    """The one case of a citizen."""
    found = [case for case in house.export("cases") if case["contact"]["value"] == sender]
    assert len(found) == 1, house.tail()
    return found[0]


@pytest.mark.parametrize(
    ("sender", "options", "heard"),
    [
        ("plain@example.org", (), "250 2.6.0"),
        ("tls@example.org", ("--tls",), "TLS started"),
        ("advance@example.org", ("--pipeline",), "250-PIPELINING"),
        ("helo@example.org", ("--protocol", "SMTP"), "250 2.6.0"),
    ],
)
def test_a_mail_becomes_a_case(swaks, smtp, sender, options, heard):
    if "--tls" in options and "TLS supported" not in supported(swaks):
        pytest.skip("needs TLS in swaks (Debian: apt install libnet-ssleay-perl)")
    sent = Sent(swaks, smtp, "--from", sender, *options)

    assert sent.status == 0, sent.said
    assert heard in sent.said
    assert WORDS in str(case_of(smtp, sender))


def test_a_sender_beyond_ascii(swaks, smtp):
    sender = "شكوى@example.org"
    sent = Sent(swaks, smtp, "--from", sender)

    assert sent.status == 0, sent.said
    assert WORDS in str(case_of(smtp, sender))


def test_a_file_is_kept(swaks, smtp, tmp_path):
    file = tmp_path / "photo.txt"
    file.write_text("seen on Monday\n")
    sent = Sent(swaks, smtp, "--from", "file@example.org", "--attach", f"@{file}")

    assert sent.status == 0, sent.said
    assert "photo.txt" in str(case_of(smtp, "file@example.org"))


@pytest.mark.parametrize(
    ("options", "status", "answer"),
    [
        (("--to", "nobody@guichet.example"), REFUSED_RECIPIENT, "550 5.1.1"),
        (("--to", "complaints@elsewhere.example"), REFUSED_RECIPIENT, "550 5.1.1"),
        (("--body", "x" * (LARGEST + 1)), REFUSED_MAIL, "552 5.3.4"),
        (("--auth", "--auth-user", "a", "--auth-password", "b"), 28, "Host did not advertise auth"),
    ],
    ids=["unknown", "elsewhere", "large", "sign-in"],
)
def test_what_is_refused_makes_no_case(swaks, smtp, options, status, answer):
    sent = Sent(swaks, smtp, "--from", "refused@example.org", *options)

    assert sent.status == status, sent.said
    assert answer in sent.said
    assert "refused@example.org" not in str(smtp.export("cases"))


def test_a_mail_server_of_our_own_passes_mail_on(swaks, house):
    path = house.data_dir / "lmtp"
    plain = dict(house.environment)
    house.environment |= {"GUICHET_SMTP__PROTOCOL": "lmtp", "GUICHET_SMTP__HOST": f"unix:{path}"}
    try:
        with door(house):
            until(path.exists, what=f"the socket: {house.tail()}")
            options = ("--protocol", "LMTP", "--from", "lmtp@example.org")
            both = f"{MAILBOX},postmaster@guichet.example"
            sent = Sent(swaks, house, "--socket", str(path), *options, "--to", both)
    finally:
        house.environment = plain

    assert sent.status == 0, sent.said
    assert sent.said.count("250 2.6.0") == 2, "an answer for each recipient"
    assert WORDS in str(case_of(house, "lmtp@example.org"))
    assert not path.exists()

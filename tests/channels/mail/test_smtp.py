# SPDX-License-Identifier: MIT
"""The mail door over real sockets: aiosmtpd answers, smtplib asks."""

import shutil
import smtplib
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator

import pytest

from channels.channel import Refused, TryLater
from channels.mail.limits import Limits, network_of
from guichet_testing.gateway import until
from guichet_testing.mail_door import DOMAIN, MAIL, MAILBOX, Intake, serving


@pytest.fixture
def intake() -> Intake:
    return Intake()


@pytest.fixture
def port(intake) -> Iterator[int]:
    with serving(intake) as number:
        yield number


@pytest.fixture
def client(port) -> Iterator[smtplib.SMTP]:
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as line:
        line.ehlo()
        yield line


def test_accepts_and_hands_over_the_bytes_as_they_came(client, intake):
    raw = MAIL.encode() + b"bare\rand\nand\x00end\r\n..two dots\r\n" + b"x" * 200_000 + b"\r\n"

    client.mail("amina@example.org")
    client.rcpt(MAILBOX)
    client.docmd("DATA")
    client.send(raw.replace(b"\r\n..two", b"\r\n...two") + b".\r\n")
    code, _ = client.getreply()

    assert code == 250
    delivery, message = intake.seen[0]
    assert delivery.body == raw
    assert delivery.headers["envelope-from"] == "amina@example.org"
    assert delivery.headers["envelope-to"] == MAILBOX
    assert delivery.idempotency_key.startswith("email:")
    assert message is not None
    assert message.sender.value == "amina@example.org"
    assert intake.counted == ["accepted"]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (TryLater(), 451),
        (Refused("the mail is too large"), 552),
        (Refused("not taken here"), 554),
        (RuntimeError("secret detail"), 451),
    ],
)
def test_answers_from_the_acknowledgement_and_the_next_mail_passes(client, intake, answer, code):
    intake.answers.append(answer)

    with pytest.raises(smtplib.SMTPDataError) as refused:
        client.sendmail("amina@example.org", MAILBOX, MAIL)

    assert refused.value.smtp_code == code
    assert b"secret" not in refused.value.smtp_error
    assert b"Traceback" not in refused.value.smtp_error
    # sendmail sent RSET after the refusal; a relay that does not is answered 250 as well.
    intake.answers.append(answer)
    client.mail("amina@example.org")
    client.rcpt(MAILBOX)
    client.docmd("DATA")
    client.send(MAIL.encode() + b".\r\n")
    assert client.getreply()[0] == code
    assert client.mail("amina@example.org")[0] == 250
    assert client.rcpt(MAILBOX)[0] == 250
    assert client.data(MAIL)[0] == 250


@pytest.mark.parametrize(
    ("address", "code"),
    [
        (MAILBOX, 250),
        ("Complaints@GUICHET.example", 250),
        (f"case+482109375511.abcdefghijklmnop@{DOMAIN}", 250),
        (f"postmaster@{DOMAIN}", 250),
        (f"somebody@{DOMAIN}", 550),
        ("complaints@elsewhere.example", 550),
        (f"complaints%elsewhere@{DOMAIN}", 550),
        (f"case+{'1' * 70}@{DOMAIN}", 550),
    ],
)
def test_is_no_relay(client, address, code):
    client.mail("amina@example.org")

    assert client.rcpt(address)[0] == code


def test_a_null_path_is_taken(client, intake):
    assert client.sendmail("", MAILBOX, MAIL) == {}
    assert intake.seen[0][0].headers["envelope-from"] == ""


def test_garbage_is_quarantined(client, intake):
    client.mail("a@example.org")
    client.rcpt(MAILBOX)
    client.docmd("DATA")
    client.send(bytes(range(256)) * 10 + b"\r\n.\r\n")

    assert client.getreply()[0] == 250
    assert intake.seen[0][1] is None
    assert intake.counted == ["unreadable", "accepted"]


def test_an_empty_mail_and_a_mail_of_one_dot_line(client, intake):
    for _ in range(2):
        client.mail("a@example.org")
        client.rcpt(MAILBOX)
        client.docmd("DATA")
        client.send(b".\r\n")
        assert client.getreply()[0] == 250

    assert intake.seen[0][0].body == b""
    client.mail("a@example.org")
    client.rcpt(MAILBOX)
    client.docmd("DATA")
    client.send(b"..\r\n\r\n..x\r\n.\r\n")
    assert client.getreply()[0] == 250
    assert intake.seen[2][0].body == b".\r\n\r\n.x\r\n"


@pytest.mark.parametrize("ending", [b"\n.\n", b"\r.\r", b"\n.\r\n", b"\r\n.\n", b"\r.\r\n"])
def test_no_smuggling(client, intake, ending):
    client.mail("a@example.org")
    client.rcpt(MAILBOX)
    client.docmd("DATA")
    client.send(MAIL.encode() + b"x" + ending + b"MAIL FROM:<evil@example.org>\r\n" + b".\r\n")

    assert client.getreply()[0] == 250
    assert len(intake.seen) == 1
    assert b"evil" in intake.seen[0][0].body


def test_truncated_mime_is_marked(client, intake):
    client.sendmail(
        "a@example.org",
        MAILBOX,
        "From: a@example.org\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain\r\n\r\nBonjour\r\n--b\r\nContent-Type: image/png\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo\r\n",
    )

    message = intake.seen[0][1]
    assert message is not None
    assert message.text == "Bonjour"
    assert message.incomplete


def test_a_large_mail_is_refused_by_size_and_by_count(intake):
    with (
        serving(intake, Limits(max_size=100_000)) as port,
        smtplib.SMTP("127.0.0.1", port, timeout=10) as client,
    ):
        client.ehlo()
        assert client.mail("a@example.org", ["size=200000"])[0] == 552
        assert client.mail("a@example.org")[0] == 250
        client.rcpt(MAILBOX)
        assert client.data(MAIL + "x" * 500_000)[0] == 552
        assert client.sendmail("a@example.org", MAILBOX, MAIL) == {}
    assert intake.counted == ["too_large", "accepted"]


def test_connections_are_capped_and_freed(intake):
    with serving(intake, Limits(max_connections_per_address=2)) as port:
        first = smtplib.SMTP("127.0.0.1", port, timeout=5)
        second = smtplib.SMTP("127.0.0.1", port, timeout=5)
        with pytest.raises(smtplib.SMTPConnectError) as refused:
            smtplib.SMTP("127.0.0.1", port, timeout=5)
        assert refused.value.smtp_code == 421
        first.quit()

        def free() -> bool:
            try:
                smtplib.SMTP("127.0.0.1", port, timeout=5).quit()
            except smtplib.SMTPConnectError:
                return False
            return True

        until(free)
        second.quit()


def test_recipients_and_commands_are_capped(intake):
    limits = Limits(max_recipients=2, command_limit=5)
    with serving(intake, limits) as port, smtplib.SMTP("127.0.0.1", port, timeout=5) as client:
        client.ehlo()
        client.mail("a@example.org")
        assert [client.rcpt(MAILBOX)[0] for _ in range(3)] == [250, 250, 452]
        assert [client.noop()[0] for _ in range(6)] == [250] * 5 + [421]


def test_silence_is_hung_up(intake):
    limits = Limits(command_timeout_seconds=0.2)
    with (
        serving(intake, limits) as port,
        socket.create_connection(("127.0.0.1", port), timeout=5) as line,
    ):
        heard = b""
        while chunk := line.recv(1000):
            heard += chunk

    assert heard.startswith(b"220 ")
    assert b"421 4.4.2" in heard


def test_a_mail_that_takes_too_long_is_hung_up(intake):
    limits = Limits(data_timeout_seconds=0.2)
    with serving(intake, limits) as port, smtplib.SMTP("127.0.0.1", port, timeout=5) as client:
        client.ehlo()
        client.mail("a@example.org")
        client.rcpt(MAILBOX)
        client.docmd("DATA")
        client.send(MAIL.encode())
        assert client.getreply()[0] == 421
    assert not intake.seen


def test_a_commit_that_does_not_come_is_a_temporary_failure(intake):
    intake.delay = 1.0
    limits = Limits(answer_timeout_seconds=0.1)
    with serving(intake, limits) as port, smtplib.SMTP("127.0.0.1", port, timeout=5) as client:
        with pytest.raises(smtplib.SMTPDataError) as refused:
            client.sendmail("a@example.org", MAILBOX, MAIL)
        assert refused.value.smtp_code == 451


def test_a_client_that_hangs_up_cancels_no_commit(intake):
    intake.delay = 0.3
    with serving(intake) as port:
        client = smtplib.SMTP("127.0.0.1", port, timeout=5)
        client.ehlo()
        client.mail("a@example.org")
        client.rcpt(MAILBOX)
        client.docmd("DATA")
        client.send(MAIL.encode() + b".\r\n")
        until(lambda: bool(intake.seen))
        client.close()
        # The timer's set_result would have failed on a cancelled future; the door still serves.
        until(lambda: intake.futures[0].done() and not intake.futures[0].cancelled())
        smtplib.SMTP("127.0.0.1", port, timeout=5).quit()


def test_twenty_same_mails_have_one_key(port, intake):
    def send(number: int) -> None:
        with smtplib.SMTP("127.0.0.1", port, timeout=10) as line:
            line.sendmail(
                "amina@example.org", MAILBOX, f"Received: by hop {number}\r\n\tfor <x>\r\n{MAIL}"
            )

    threads = [threading.Thread(target=send, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(intake.seen) == 20
    assert len({delivery.idempotency_key for delivery, _ in intake.seen}) == 1


def test_networks():
    assert network_of("192.0.2.1") == "192.0.2.1"
    assert network_of("2001:db8::1") == network_of("2001:db8::2") == "2001:db8::/64"
    assert network_of("::ffff:192.0.2.1") == "192.0.2.1"


def test_starttls(intake, tmp_path):
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl to make a certificate with")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=x"]
    subprocess.run(
        [openssl, *words, "-keyout", key, "-out", certificate], check=True, capture_output=True
    )
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(certificate, key)
    trusting = ssl.create_default_context()
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    with serving(intake, tls=server) as port:
        with smtplib.SMTP("127.0.0.1", port, timeout=5) as client:
            client.starttls(context=trusting)
            client.ehlo()
            assert not client.has_extn("auth")
            assert client.sendmail("a@example.org", MAILBOX, MAIL) == {}
        with smtplib.SMTP("127.0.0.1", port, timeout=5) as client:
            client.ehlo()
            assert client.has_extn("starttls")
    assert intake.seen[0][0].headers["tls"] == "1"

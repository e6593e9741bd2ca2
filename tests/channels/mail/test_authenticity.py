# SPDX-License-Identifier: MIT
"""SPF, DKIM and DMARC through a real DNS server and really signed mails."""

from __future__ import annotations

import base64
import random
import time
from collections.abc import Callable, Iterator
from typing import Any

import dkim
import pytest
from nacl.signing import SigningKey

from channels.mail import authenticity
from channels.mail.authenticity import Checking, Trusting
from channels.mail.dmarc import aligned, organizational_domain
from channels.mail.dns import Records, Unanswered, read_nameserver
from channels.mail.mime import read
from guichet_testing.names import NameServer

PEER = "192.0.2.25"
ELSEWHERE = "198.51.100.9"
MAIL = (
    b"From: Office <office@gov.example>\r\nTo: complaints@g.example\r\nSubject: Eau\r\n"
    b"Date: Mon, 2 Mar 2026 10:00:00 +0000\r\nMessage-ID: <1@gov.example>\r\n\r\n"
    b"The water is back.   \r\nIt is  clean.\r\n\r\n"
)


def _prime(bits: int, source: random.Random) -> int:
    while True:
        number = source.getrandbits(bits) | 1 | (3 << (bits - 2))
        if all(pow(base, number - 1, number) == 1 for base in (2, 3, 5, 7)):
            return number


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    long = size.to_bytes((size.bit_length() + 7) // 8, "big")
    head = bytes([size]) if size < 128 else bytes([0x80 | len(long)]) + long
    return bytes([tag]) + head + content


def _integer(number: int) -> bytes:
    return _der(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def _rsa_key(bits: int) -> tuple[bytes, str]:
    """A key of PKCS #1: the PEM to sign with, and its DNS record."""
    source = random.Random(f"authenticity {bits}")
    p, q, e = _prime(bits // 2, source), _prime(bits // 2, source), 65537
    n, d = p * q, pow(e, -1, (p - 1) * (q - 1))
    numbers = [0, n, e, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p)]
    der = _der(0x30, b"".join(map(_integer, numbers)))
    pem = b"-----BEGIN RSA PRIVATE KEY-----\n%s-----END RSA PRIVATE KEY-----\n"
    key = _der(0x30, _integer(n) + _integer(e))
    algorithm = _der(0x30, bytes.fromhex("06092a864886f70d0101010500"))
    public = _der(0x30, algorithm + _der(0x03, b"\0" + key))
    record = f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}"
    return pem % base64.encodebytes(der), record


_ED25519 = SigningKey(b"\7" * 32)
ED25519 = base64.b64encode(bytes(_ED25519))
ED25519_RECORD = f"v=DKIM1; k=ed25519; p={base64.b64encode(bytes(_ED25519.verify_key)).decode()}"


class Signer(dkim.DKIM):  # type: ignore[misc]
    """Signs with a tag more than the library would write."""

    more: tuple[tuple[bytes, bytes], ...] = ()

    def gen_header(self, fields: list[tuple[bytes, bytes]], *rest: Any, **named: Any) -> bytes:
        """Put the further tags before the hashes."""
        kept = [pair for pair in fields if pair[0] not in dict(self.more)]
        header: bytes = super().gen_header([*kept[:-1], *self.more, kept[-1]], *rest, **named)
        return header


def signed(
    raw: bytes = MAIL,
    domain: bytes = b"gov.example",
    *more: tuple[bytes, bytes],
    length: bool = False,
    relaxed: bool = True,
) -> bytes:
    """The mail with a signature of ``domain`` on top."""
    signer = Signer(raw)
    signer.more = more
    algorithm = b"relaxed" if relaxed else b"simple"
    return bytes(
        signer.sign(
            b"s1",
            domain,
            ED25519,
            signature_algorithm=b"ed25519-sha256",
            canonicalize=(algorithm, algorithm),
            include_headers=[b"from", b"subject", b"date"],
            length=length,
        )
        + raw
    )


@pytest.fixture
def names() -> Iterator[NameServer]:
    """A DNS server that knows one office with a policy, and a stranger without."""
    with NameServer() as server:
        server.add("_dmarc.gov.example", "TXT", "v=DMARC1; p=reject; sp=quarantine")
        server.add("s1._domainkey.gov.example", "TXT", ED25519_RECORD)
        server.add("gov.example", "TXT", "v=spf1 ip4:192.0.2.0/24 -all", "other words")
        server.add("s1._domainkey.evil.example", "TXT", ED25519_RECORD)
        server.add("evil.example", "TXT", "v=spf1 ip4:198.51.100.0/24 -all")
        yield server


Ask = Callable[..., dict[str, str]]


@pytest.fixture
def ask(names: NameServer) -> Ask:
    """The facts of a mail; by default from a server that SPF does not allow."""
    records = Records([names.address], query_seconds=0.3)
    checking = Checking(records, lambda _text: False, seconds=2.0)

    def facts(raw: bytes, peer: str = ELSEWHERE, sender: str = "office@gov.example") -> Any:
        message = read(raw, envelope_from=sender, envelope_to=())
        return checking.facts(raw, message, peer=peer, helo="mx.example", envelope_from=sender)

    return facts


# What passes


def test_a_signature_of_the_domain_passes(ask: Ask) -> None:
    """Also where SPF fails, as after forwarding."""
    assert ask(signed()) == {
        "spf": "fail",
        "dkim": "pass",
        "dkim_domains": "gov.example",
        "dmarc": "pass",
        "dmarc_policy": "reject",
        "dmarc_domain": "gov.example",
    }


def test_an_allowed_server_passes_without_a_signature(ask: Ask) -> None:
    facts = ask(MAIL, peer=PEER)
    assert (facts["spf"], facts["dkim"], facts["dmarc"]) == ("pass", "none", "pass")


@pytest.mark.parametrize("bits", [1024, 2048])
def test_rsa_keys_and_answers_too_long_for_udp(ask: Ask, names: NameServer, bits: int) -> None:
    """The long record comes over TCP."""
    pem, record = _rsa_key(bits)
    names.add("rsa._domainkey.gov.example", "TXT", record + "; n=" + "x" * 600)
    header = dkim.sign(MAIL, b"rsa", b"gov.example", pem, include_headers=[b"from"])

    assert ask(header + MAIL)["dmarc"] == "pass"


@pytest.mark.parametrize("relaxed", [True, False])
def test_both_canonicalisations(ask: Ask, relaxed: bool) -> None:
    """Blanks at line ends matter only to the simple one."""
    raw = signed(relaxed=relaxed)
    assert ask(raw)["dkim"] == "pass"
    changed = ask(raw.replace(b"back.   \r\n", b"back.\r\n"))
    assert changed["dkim"] == ("pass" if relaxed else "fail")


# What does not


@pytest.mark.parametrize(
    ("raw", "dkim_result"),
    [
        pytest.param(MAIL, "none", id="unsigned"),
        pytest.param(signed() + b"And pay here.\r\n", "fail", id="body altered"),
        pytest.param(signed().replace(b"Subject: Eau", b"Subject: Or"), "fail", id="head altered"),
        pytest.param(signed(MAIL, b"evil.example"), "pass", id="signed by another domain"),
        pytest.param(
            signed(MAIL, b"evil.example").replace(b"d=evil.example", b"d=gov.example"),
            "fail",
            id="forged d=",
        ),
        pytest.param(signed(length=True) + b"And pay here.\r\n", "fail", id="l= leaves some open"),
        pytest.param(
            signed(MAIL, b"gov.example", (b"t", b"1700000000"), (b"x", b"1700000100")),
            "fail",
            id="expired x=",
        ),
        pytest.param(
            signed().replace(b"a=ed25519-sha256", b"a=rsa-sha1"), "fail", id="algorithm of old"
        ),
        pytest.param(
            b"DKIM-Signature: d=gov.example; b=" + b" \n " * 9000 + b"!\r\n" + MAIL, "fail"
        ),
        pytest.param(b"DKIM-Signature: nonsense\r\n" + MAIL, "fail", id="nonsense"),
        pytest.param(signed().replace(b"s=s1", b"s=s2"), "fail", id="no such key"),
    ],
)
def test_what_proves_nothing_fails(ask: Ask, raw: bytes, dkim_result: str) -> None:
    """The domain publishes a record, and nothing aligned passed."""
    facts = ask(raw)
    assert (facts["dkim"], facts["dmarc"]) == (dkim_result, "fail")


def test_a_whole_body_under_l_is_as_good_as_without(ask: Ask) -> None:
    assert ask(signed(length=True))["dmarc"] == "pass"


def test_another_envelope_is_not_aligned(ask: Ask) -> None:
    facts = ask(MAIL, sender="office@evil.example")
    assert (facts["spf"], facts["dmarc"]) == ("pass", "fail")


def test_a_bounce_is_known_by_its_helo_name(ask: Ask) -> None:
    assert ask(MAIL, peer=PEER, sender="")["spf"] == "none"


def test_a_key_in_test_mode_signs_nothing(ask: Ask, names: NameServer) -> None:
    """RFC 6376, 3.6.1."""
    names.remove("s1._domainkey.gov.example")
    names.add("s1._domainkey.gov.example", "TXT", ED25519_RECORD + "; t=y:s")
    assert ask(signed())["dkim"] == "none"


@pytest.mark.parametrize(
    "head",
    [
        b"From: victim@gov.example\r\n",
        b"From: a@evil.example\r\n",
        b"from : a@evil.example\r\n",
        b"X: a\rFrom: b@gov.example\r\n",
    ],
)
def test_two_from_fields_never_pass(ask: Ask, head: bytes) -> None:
    """Neither where both are of the domain, nor above nor below."""
    raw = signed()
    for doubled in (head + raw, raw.replace(b"\r\nTo:", b"\r\n" + head + b"To:")):
        facts = ask(doubled, peer=PEER)
        seen = read(doubled, envelope_from="", envelope_to=()).sender.value
        assert facts["dmarc"] != "pass" or seen == "office@gov.example"
        if not head.startswith(b"X"):
            assert facts["dmarc"] == "fail"


def test_two_authors_of_different_domains_never_pass(ask: Ask) -> None:
    raw = MAIL.replace(b"<office@gov.example>", b"<office@gov.example>, x@evil.example")
    assert ask(signed(raw), peer=PEER)["dmarc"] == "fail"


def test_a_sender_without_from_never_passes(ask: Ask) -> None:
    raw = MAIL.replace(b"From:", b"Sender:")
    assert ask(raw, peer=PEER)["dmarc"] == "fail"


def test_fifty_signatures_cost_five_keys(ask: Ask, names: NameServer) -> None:
    bad = b"".join(
        signed(MAIL, b"evil.example").partition(b"From:")[0].replace(b"s=s1", b"s=k%d" % number)
        for number in range(50)
    )
    assert ask(bad + MAIL)["dmarc"] == "fail"
    assert sum("_domainkey" in name for name, _ in names.asked) == 5
    assert ask(bad + signed())["dmarc"] == "pass"  # the one that decides comes first


def test_a_long_body_of_blanks_takes_no_long_time(ask: Ask) -> None:
    """What would be quadratic in the library is done before; a hang would run into the limit."""
    raw = signed(MAIL + b"a b\r\n").replace(b"a b\r\n", b"a" + b" " * 2_000_000 + b"b\r\n")
    assert ask(raw)["dmarc"] == "pass"


# What nobody knows


def test_a_domain_without_a_record_is_none(ask: Ask) -> None:
    raw = MAIL.replace(b"gov.example", b"plain.example")
    assert ask(raw, sender="office@plain.example")["dmarc"] == "none"


@pytest.mark.parametrize("peer", ["", "127.0.0.1", "::1", "10.1.2.3", "::ffff:192.168.1.1", "x"])
def test_without_the_senders_address_nothing_fails(ask: Ask, peer: str) -> None:
    """A mailbox elsewhere, or a server of our own in front."""
    facts = ask(MAIL, peer=peer)
    assert (facts["spf"], facts["dmarc"], facts["dmarc_policy"]) == ("none", "none", "reject")
    assert ask(signed(), peer=peer)["dmarc"] == "pass"


@pytest.mark.parametrize("fault", ["silent", "broken"])
@pytest.mark.parametrize(
    ("name", "dmarc"),
    [("_dmarc.gov.example", "temperror"), ("s1._domainkey.gov.example", "temperror")],
)
def test_no_answer_is_no_failure(
    ask: Ask, names: NameServer, fault: str, name: str, dmarc: str
) -> None:
    getattr(names, fault).add(name)
    assert ask(signed())["dmarc"] == dmarc


def test_a_strangers_silence_does_not_hide_a_failure(ask: Ask, names: NameServer) -> None:
    """Who forges a sender may put slow domains of his own into the mail: in vain."""
    names.silent.add("evil.example")
    slow = b"".join(
        signed(MAIL, b"evil.example").partition(b"From:")[0].replace(b"s=s1", b"s=k%d" % number)
        for number in range(9)
    )
    assert ask(slow + MAIL)["dmarc"] == "fail"
    assert ask(slow + MAIL, sender="x@evil.example")["dmarc"] == "fail"


def test_all_lookups_together_have_an_end(names: NameServer) -> None:
    """A silent server is asked no more often than the time of one mail allows."""
    names.silent.add("example")
    records = Records([names.address], query_seconds=0.2)
    facts = Checking(records, lambda _text: False, seconds=0.3).facts(
        signed(),
        read(signed(), envelope_from="", envelope_to=()),
        peer=PEER,
        helo="mx.example",
        envelope_from="office@gov.example",
    )
    assert {facts[name] for name in ("spf", "dkim", "dmarc")} == {"temperror"}
    assert len({name for name, _ in names.asked}) <= 3


def test_whatever_goes_wrong_is_a_temporary_error() -> None:
    class Broken(Records):
        def look_up(self, name: str, kind: str, deadline: float) -> tuple[Any, ...]:
            raise RuntimeError

    facts = Checking(Broken(["127.0.0.1"]), lambda _text: False).facts(
        MAIL,
        read(MAIL, envelope_from="", envelope_to=()),
        peer=PEER,
        helo="",
        envelope_from="",
    )
    assert facts["dmarc"] == "temperror"


# Policies and alignment


@pytest.mark.parametrize(
    ("record", "author", "signer", "dmarc", "policy"),
    [
        ("v=DMARC1; p=reject; sp=none", "a.org.example", "org.example", "pass", "none"),
        ("v=DMARC1; p=reject", "a.org.example", "b.org.example", "pass", "reject"),
        ("v=DMARC1; p=quarantine; adkim=s", "a.org.example", "org.example", "fail", "quarantine"),
        ("v=DMARC1; p=none; adkim=s", "org.example", "org.example", "pass", "none"),
        ("v=DMARC1;p=none", "org.example", "b.org.example", "pass", "none"),
        (
            "v=DMARC1; p=bad; rua=mailto:a@org.example",
            "org.example",
            "evil.example",
            "fail",
            "none",
        ),
        ("v=DMARC1; p=bad", "org.example", "evil.example", "none", None),
        ("v=spf1 -all", "org.example", "evil.example", "none", None),
        ("p=reject; v=DMARC1", "org.example", "evil.example", "none", None),
    ],
)
def test_records_and_alignment(
    ask: Ask, names: NameServer, record: str, author: str, signer: str, dmarc: str, policy: str
) -> None:
    names.add("_dmarc.org.example", "TXT", record)
    names.add(f"s1._domainkey.{signer}", "TXT", ED25519_RECORD)
    raw = signed(MAIL.replace(b"gov.example", author.encode()), signer.encode())

    facts = ask(raw, sender="x@evil.example")

    assert (facts["dmarc"], facts.get("dmarc_policy")) == (dmarc, policy)


def test_two_records_are_none(ask: Ask, names: NameServer) -> None:
    names.add("_dmarc.gov.example", "TXT", "v=DMARC1; p=none")
    assert ask(MAIL)["dmarc"] == "none"


def test_a_strict_envelope(ask: Ask, names: NameServer) -> None:
    names.add("_dmarc.org.example", "TXT", "v=DMARC1; p=none; aspf=s")
    names.add("mail.org.example", "TXT", "v=spf1 ip4:192.0.2.25 -all")
    raw = MAIL.replace(b"gov.example", b"org.example")
    assert ask(raw, peer=PEER, sender="x@mail.org.example")["dmarc"] == "fail"


@pytest.mark.parametrize(
    ("domain", "organisation"),
    [
        ("a.b.example.com", "example.com"),
        ("a.example.co.uk", "example.co.uk"),
        ("www.interieur.gov.ma", "interieur.gov.ma"),
        ("gov.ma", "gov.ma"),
        ("my-town.org", "my-town.org"),
        ("x.y.unknown-suffix-zz", "y.unknown-suffix-zz"),
    ],
)
def test_organisational_domains(domain: str, organisation: str) -> None:
    assert organizational_domain(domain) == organisation


def test_neighbours_under_a_public_suffix_are_strangers() -> None:
    assert not aligned("one.gov.ma", "other.gov.ma", strict=False)
    assert not aligned("gov.ma", "one.gov.ma", strict=False)
    assert not aligned("evil-gov.example", "gov.example", strict=False)


def test_an_international_domain(ask: Ask, names: NameServer) -> None:
    host = "mélanger.example".encode("idna").decode()
    names.add(f"_dmarc.{host}", "TXT", "v=DMARC1; p=reject")
    raw = MAIL.replace(b"gov.example", "mélanger.example".encode())
    assert ask(raw)["dmarc"] == "fail"


# Remembering


def test_answers_are_remembered_for_their_time_and_no_longer(names: NameServer) -> None:
    now = [0.0]
    records = Records([names.address], remembered=2, clock=lambda: now[0])
    for _ in range(3):
        assert records.look_up("gov.example", "TXT", now[0] + 5)
        assert records.look_up("nothing.example", "TXT", now[0] + 5) == ()
    assert names.asked["gov.example", "TXT"] == names.asked["nothing.example", "TXT"] == 1

    now[0] += 301
    assert records.look_up("gov.example", "TXT", now[0] + 5)
    assert names.asked["gov.example", "TXT"] == 2

    records.look_up("third.example", "A", now[0] + 5)
    assert len(records) == 2


def test_silence_is_remembered_for_some_seconds(names: NameServer) -> None:
    now = [0.0]
    names.silent.add("gov.example")
    records = Records([names.address], query_seconds=0.2, clock=lambda: now[0])
    for _ in range(2):
        with pytest.raises(Unanswered):
            records.look_up("gov.example", "TXT", now[0] + 5)
    first = names.asked["gov.example", "TXT"]
    names.silent.clear()
    with pytest.raises(Unanswered):
        records.look_up("gov.example", "TXT", now[0] + 5)
    assert names.asked["gov.example", "TXT"] == first

    now[0] += 11
    assert records.look_up("gov.example", "TXT", now[0] + 5)


@pytest.mark.parametrize("name", ["a..b", "x" * 64 + ".example", "a." * 130])
def test_names_that_cannot_be_are_not_asked_for(names: NameServer, name: str) -> None:
    records = Records([names.address])
    assert records.look_up(name, "TXT", time.monotonic() + 5) == ()
    assert not names.asked


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("192.0.2.1", ("192.0.2.1", 53)),
        ("192.0.2.1:5353", ("192.0.2.1", 5353)),
        ("2001:db8::1", ("2001:db8::1", 53)),
        ("[2001:db8::1]:5353", ("2001:db8::1", 5353)),
    ],
)
def test_nameservers_as_written(text: str, server: tuple[str, int]) -> None:
    assert read_nameserver(text) == server


# When


@pytest.mark.parametrize(
    ("to", "head", "wanted"),
    [
        ("complaints@g.example", b"", False),
        ("case+482109375512.abcdefghij234567@g.example", b"", True),
        ("Case+1@g.example", b"", True),
        ("complaints@g.example", b"In-Reply-To: <x@g.example>\r\n", True),
        ("complaints@g.example", b"References: <x@g.example>\r\n", True),
        ("complaints@g.example", b"Subject: CODE\r\n", True),
    ],
)
def test_only_what_may_join_a_case_waits(to: str, head: bytes, wanted: bool) -> None:
    checking = Checking(Records(["127.0.0.1"]), lambda text: "CODE" in text)
    message = read(head + MAIL, envelope_from="", envelope_to=(to,))
    assert checking.wanted(message, (to,)) is wanted


# Trust

OURS = b"Authentication-Results: mx.g.example; spf=pass smtp.mailfrom=office@gov.example;\r\n"
PASS = OURS + b"\tdkim=pass header.d=gov.example; dmarc=pass header.from=gov.example\r\n"
FAIL = PASS.replace(b"dmarc=pass", b"dmarc=fail")
RECEIVED = b"Received: from a (a [192.0.2.9]) by mx.g.example with ESMTP; Mon, 2 Mar 2026\r\n"
ALIEN = b"Received: from b by mx.evil.example with ESMTP; Mon, 2 Mar 2026 09:59:00 +0000\r\n"


def trusted(raw: bytes) -> dict[str, str]:
    message = read(raw, envelope_from="", envelope_to=())
    trusting = Trusting(["MX.g.example"], lambda _text: False)
    return dict(trusting.facts(raw, message, peer="", helo="", envelope_from=""))


@pytest.mark.parametrize("head", [PASS + RECEIVED, RECEIVED + PASS, RECEIVED + PASS + ALIEN])
def test_our_own_server_is_believed(head: bytes) -> None:
    assert trusted(head + MAIL) == {
        "spf": "pass",
        "dkim": "pass",
        "dkim_domains": "gov.example",
        "dmarc": "pass",
        "dmarc_domain": "gov.example",
    }


@pytest.mark.parametrize(
    "head",
    [
        FAIL + RECEIVED + PASS,  # the forged one below ours
        RECEIVED + FAIL + RECEIVED + PASS,
    ],
)
def test_only_the_topmost_of_ours_counts(head: bytes) -> None:
    assert trusted(head + MAIL)["dmarc"] == "fail"


@pytest.mark.parametrize(
    "head",
    [
        ALIEN + PASS,  # below a stranger's Received
        PASS.replace(b"mx.g.example", b"mx.evil.example"),
        PASS.replace(b"mx.g.example", b"mx.g.example.evil"),
        b"Authentication-Results: ;;;\r\n",
        b"",
    ],
)
def test_strangers_are_not_believed(head: bytes) -> None:
    assert trusted(head + MAIL) == {}


def test_results_of_another_from_are_not_ours() -> None:
    head = PASS.replace(b"header.from=gov.example", b"header.from=evil.example")
    assert trusted(head + MAIL)["dmarc"] == "none"
    assert trusted(PASS + b"From: a@evil.example\r\n" + MAIL)["dmarc"] == "none"


def test_two_filters_of_one_server() -> None:
    first = b"Authentication-Results: mx.g.example; dkim=fail header.d=gov.example\r\n"
    second = b"Authentication-Results: mx.g.example; dmarc=fail header.from=gov.example\r\n"
    facts = trusted(second + first + RECEIVED + MAIL)
    assert (facts["dkim"], facts["dmarc"]) == ("fail", "fail")


def test_every_fact_has_a_known_name(ask: Ask) -> None:
    assert set(ask(signed())) <= set(authenticity.NAMES)

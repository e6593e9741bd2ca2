# SPDX-License-Identifier: MIT
"""Our check of a signature accepts what the official SDK signs, and nothing else."""

import hashlib
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from channels.channel import Delivery
from channels.errors import UnverifiedRequest
from channels.message import ChannelName
from channels.twilio_account import Form, verify
from channels.twilio_diagnosis import Heard, SignatureFault, explain
from channels.twilio_signature import Secrets, fits, signature, signed_parameters, spellings

BASE = "https://guichet.example"
PATH = "/inbound/sms/twilio"
FORM = "application/x-www-form-urlencoded"
SHARED = "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"
PAIRS = [("MessageSid", "SM1"), ("AccountSid", "AC1"), ("Body", "Il n'y a\nplus d'eau"), ("B", "")]

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
pairs_of = st.lists(st.tuples(words, words), max_size=8)
hosts = st.from_regex(r"[a-z]{1,8}(\.[a-z]{2,5})?(:[1-9][0-9]{0,3})?", fullmatch=True)
targets = st.from_regex(
    r"(/[A-Za-z0-9%._~-]{0,8}){1,3}(\?[a-z]=[A-Za-z0-9%+]{0,6})?", fullmatch=True
)
urls = st.builds("{}://{}{}".format, st.sampled_from(["http", "https"]), hosts, targets)


def of(pairs=PAIRS, *, url=BASE + PATH, key="tok", algorithm=None, settings="", body=None, **more):
    """A request whose signature the SDK made for ``url``."""
    told = RequestValidator(key).compute_signature(url, Form(pairs), algorithm)
    headers = {"Content-Type": FORM, "X-Twilio-Signature": told} | more
    if settings:
        headers["x-twilio-webhooks-signature-settings"] = settings
    raw = urlencode(pairs).encode() if body is None else body
    at = datetime(2026, 3, 1, tzinfo=UTC)
    return Delivery(ChannelName.SMS, "", at, "", headers, raw, BASE + PATH)


@given(urls, pairs_of, words, st.sampled_from([None, "HMAC_SHA1", "HMAC_SHA256"]))
def test_signing_is_the_sdks(url, pairs, key, algorithm):
    expected = RequestValidator(key).compute_signature(url, Form(pairs), algorithm)
    name = "sha256" if algorithm == "HMAC_SHA256" else "sha1"

    assert signature(key, url, signed_parameters(pairs), name) == expected


@given(urls, urls, pairs_of, pairs_of)
def test_what_the_sdk_accepts_is_accepted_and_nothing_else(url, other, pairs, others):
    """The URL may have been signed with its port or without it, and must be the same otherwise."""
    validator = RequestValidator("tok")
    for signed, form in (
        (url, pairs),
        (other, pairs),
        (url, others),
        *((s, pairs) for s in spellings(url)),
    ):
        told = validator.compute_signature(signed, Form(form))
        theirs = validator.validate(url, Form(pairs), told)

        assert fits(told, spellings(url), signed_parameters(pairs), ["tok"]) == theirs


@pytest.mark.parametrize(
    "url",
    ["https://guichet.example/a?", "https://user:pass@guichet.example/a", "https://[::1]/a?b=:8"],
)
def test_a_url_is_signed_as_it_stands_also_where_the_sdk_would_rewrite_it(url):
    told = signature("tok", url, "")

    assert fits(told, spellings(url), "", ["tok"])
    assert not fits(told, spellings(url + "x"), "", ["tok"])


@pytest.mark.parametrize("keys", [["new", "old"], ["old"], ["", "old"]])
def test_a_shared_key_signs_with_sha256_and_may_be_rotated(keys):
    request = of(key="old", algorithm="HMAC_SHA256", settings=SHARED)

    assert verify(request, ["tok"], request.url, keys).pairs == tuple(PAIRS)


@pytest.mark.parametrize(
    ("request_of", "shared"),
    [
        # The header chooses nothing where no shared key is set.
        ({"key": "tok", "algorithm": "HMAC_SHA256", "settings": SHARED}, []),
        ({"key": "tok", "algorithm": "HMAC_SHA256", "settings": SHARED}, [""]),
        # An auth token never signs with the algorithm of a shared key, nor under its header.
        ({"key": "tok", "algorithm": "HMAC_SHA256", "settings": SHARED}, ["key"]),
        ({"key": "tok", "settings": SHARED}, ["key"]),
        # Without the header a shared key is none.
        ({"key": "key", "algorithm": "HMAC_SHA256"}, ["key"]),
        ({"key": "key"}, ["key"]),
        # Another algorithm than the one named, and one that nobody knows.
        ({"key": "key", "settings": SHARED}, ["key"]),
        ({"key": "key", "settings": "key=k,algorithm=HMAC_MD5"}, ["key"]),
        ({"key": "key", "settings": "key=k,algorithm=none"}, ["key"]),
    ],
)
def test_the_header_gives_nobody_a_key_or_an_algorithm(request_of, shared):
    request = of(**request_of)

    with pytest.raises(UnverifiedRequest):
        verify(request, ["tok"], request.url, shared)


def test_the_header_is_ignored_where_no_shared_key_is_set():
    request = of(settings=SHARED)

    assert verify(request, ["tok"], request.url)


@pytest.mark.parametrize("algorithm", [None, "HMAC_SHA256"])
def test_json_is_signed_by_its_hash_under_either_algorithm(algorithm):
    body = '{"a": "é"}'.encode()
    url = f"{BASE}{PATH}?bodySHA256={hashlib.sha256(body).hexdigest()}&x="
    told = RequestValidator("key").compute_signature(url, {}, algorithm)
    headers = {"content-type": "application/json", "x-twilio-signature": told}
    if algorithm:
        headers["X-Twilio-Webhooks-Signature-Settings"] = SHARED
    at = datetime(2026, 3, 1, tzinfo=UTC)
    request = Delivery(ChannelName.SMS, "", at, "", headers, body, url)

    assert len(verify(request, ["key"], url, ["key"] if algorithm else [])) == 0
    for changed, other in (
        (body + b" ", url),
        (body, url.replace("=", "=0", 1)),
        (body, BASE + PATH),
    ):
        forged = Delivery(ChannelName.SMS, "", at, "", headers, changed, other)
        with pytest.raises(UnverifiedRequest):
            verify(forged, ["key"], other, ["key"] if algorithm else [])


OURS = Secrets(("tok",), ())


@pytest.mark.parametrize(
    ("request_of", "secrets", "heard", "fault"),
    [
        ({"url": f"http://guichet.example{PATH}"}, OURS, Heard(), "address"),
        (
            {"url": f"https://sms.example:8443{PATH}"},
            OURS,
            Heard(hosts=("sms.example:8443",)),
            "address",
        ),
        ({"url": f"{BASE}/guichet{PATH}"}, OURS, Heard(prefixes=("/guichet",)), "address"),
        ({"url": f"{BASE}{PATH}/"}, OURS, Heard(), "path"),
        ({"url": f"{BASE}/{PATH}"}, OURS, Heard(), "path"),
        ({"url": f"{BASE}{PATH}?"}, OURS, Heard(), "query"),
        ({"pairs": [*PAIRS, ("FromCity", ""), ("FromState", ""), ("FromZip", ""),
                    ("FromCountry", ""), ("ToCity", ""), ("ToState", ""), ("ToZip", ""),
                    ("ToCountry", "")],
          "body": urlencode(PAIRS).encode()}, OURS, Heard(), "body"),
        ({"body": urlencode([*PAIRS[:2], ("Body", "Il n'y a\r\nplus d'eau"), ("B", "")]).encode()},
         OURS, Heard(), "body"),
        ({}, Secrets((' "tok" ',)), Heard(), "secret"),
        ({}, Secrets((), ("tok",)), Heard(), "secret"),
        (
            {"key": "k", "algorithm": "HMAC_SHA256", "settings": SHARED},
            Secrets(("k",)),
            Heard(),
            "secret",
        ),
        ({"key": "k", "algorithm": "HMAC_SHA256", "settings": SHARED}, OURS, Heard(), "shared_key"),
        ({"key": "k"}, OURS, Heard(), "unknown"),
        ({"key": "k", "pairs": [("AccountSid", "AC2")]}, OURS, Heard(), "account"),
        ({}, Secrets(), Heard(), "no_secret"),
        ({"X-Twilio-Signature": ""}, OURS, Heard(), "no_signature"),
        ({"Content-Type": "application/json"}, OURS, Heard(), "no_body_hash"),
        ({"body": b"\xff"}, OURS, Heard(), "unreadable"),
    ],
)  # fmt: skip
def test_why_a_signature_does_not_fit_is_said(request_of, secrets, heard, fault):
    request = of(**request_of)
    found = explain(request, secrets, BASE, heard, "AC1")

    assert str(found.fault) == fault
    assert found.proven == (fault in ("address", "path", "query", "body", "secret"))
    for private in ("tok", "plus d'eau", "SM1"):
        assert private not in found.sentence.replace("token", "")


@given(st.binary(max_size=60), words, words, words)
def test_explaining_never_fails(body, told, host, prefix):
    headers = {
        "Content-Type": FORM,
        "X-Twilio-Signature": told,
        "X-Twilio-Webhooks-Signature-Settings": host,
    }
    at = datetime(2026, 3, 1, tzinfo=UTC)
    request = Delivery(ChannelName.SMS, "", at, "", headers, body, f"{BASE}{PATH}?{prefix}")

    assert not explain(request, OURS, BASE, Heard(host, (host,), (prefix,))).proven


def test_a_fault_has_one_sentence_each():
    from channels.twilio_diagnosis import _SENTENCES

    assert set(_SENTENCES) == set(SignatureFault)

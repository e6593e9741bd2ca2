# SPDX-License-Identifier: MIT
"""Thread addresses: what we gave out is known again, what was guessed is not."""

import pytest

from channels.mail.address import (
    LOCAL_PART_LIMIT,
    ThreadClaim,
    is_ours,
    read_thread_address,
    thread_address,
)

CODE = "482109375511"
DOMAIN = "guichet.example"
KEYS = ("n" * 32, "o" * 32)


def test_round_trip_without_regard_to_case():
    address = thread_address(CODE, DOMAIN, KEYS)

    assert address == address.lower()
    assert len(address.partition("@")[0]) <= LOCAL_PART_LIMIT
    for written in (address, address.upper(), f" {address.title()} "):
        assert read_thread_address(written, DOMAIN, KEYS) == ThreadClaim(CODE, valid=True)


def test_an_older_key_is_known_and_a_lost_one_not():
    old = thread_address(CODE, DOMAIN, KEYS[1:])

    assert read_thread_address(old, DOMAIN, KEYS) == ThreadClaim(CODE, valid=True)
    assert read_thread_address(old, DOMAIN, KEYS[:1]) == ThreadClaim(CODE, valid=False)
    assert read_thread_address(old, DOMAIN, ()) == ThreadClaim(CODE, valid=False)


def test_the_token_of_another_case_is_not_valid():
    address = thread_address(CODE, DOMAIN, KEYS).replace(CODE, "482109375512")

    assert read_thread_address(address, DOMAIN, KEYS) == ThreadClaim("482109375512", valid=False)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "complaints@guichet.example",
        f"case+{CODE}@guichet.example",
        f"case+{CODE}.short@guichet.example",
        f"case+{CODE}.aaaaaaaaaaaaaaaa@elsewhere.example",
        "case+٤٨٢١.aaaaaaaaaaaaaaaa@guichet.example",
    ],
)
def test_what_is_no_thread_address(address):
    assert read_thread_address(address, DOMAIN, KEYS) is None


def test_needs_a_key_and_digits():
    with pytest.raises(ValueError, match="no signing key"):
        thread_address(CODE, DOMAIN, ())
    with pytest.raises(ValueError, match="digits"):
        thread_address("a\r\nb", DOMAIN, KEYS)


@pytest.mark.parametrize(
    ("address", "ours"),
    [
        ("complaints@guichet.example", True),
        ("COMPLAINTS@Guichet.Example.", True),
        ("postmaster", True),
        ("postmaster@guichet.example", True),
        ("case+x@guichet.example", True),
        ("case+@guichet.example", False),
        ("case@guichet.example", False),
        ("complaints@other.example", False),
        ("a@b@guichet.example", False),
        ("case+" + "1" * 60 + "@guichet.example", False),
        ("", False),
    ],
)
def test_is_ours(address, ours):
    assert is_ours(address, DOMAIN, "complaints") is ours

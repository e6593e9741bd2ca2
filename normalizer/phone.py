# SPDX-License-Identifier: MIT
"""Telephone numbers as people and providers write them → one address (E.164 where possible)."""

from __future__ import annotations

import phonenumbers

from channels.message import Address, AddressScheme
from normalizer.text import ascii_digits

_LONGEST_SHORT_CODE = 8


def address_of(raw: str, region: str) -> Address:
    """Read a sender: E.164, else a short code, else an alphanumeric sender.

    Args:
        raw: as given, in any digit script, with or without the country's prefix.
        region: ISO 3166-1 region for national numbers (``"MA"``).
    """
    text = ascii_digits(raw).strip()
    if text.startswith(("whatsapp:", "tel:")):
        text = text.split(":", 1)[1]
    number = e164(text, region)
    if number:
        return Address(AddressScheme.TEL, number)
    if text.isdigit() and len(text) <= _LONGEST_SHORT_CODE:
        return Address(AddressScheme.SHORT_CODE, text)
    if text.startswith("+") and text[1:].isdigit():
        return Address(AddressScheme.TEL, text)
    return Address(AddressScheme.ALPHANUMERIC, text)


def e164(raw: str, region: str) -> str | None:
    """``raw`` as E.164 (``+212612345678``), or ``None`` when it is no valid number of a person.

    Letters are refused although phonenumbers would read them: "O612345678" is a typing slip.
    """
    text = ascii_digits(raw).strip()
    if any(character.isalpha() for character in text):
        return None
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if number.extension or not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def calling_code(region: str) -> str:
    """The calling code of a region, digits only (``"212"`` for ``"MA"``); ``""`` when unknown."""
    return str(phonenumbers.country_code_for_region(region) or "")


def is_mobile(number: str) -> bool:
    """Whether an E.164 number may receive texts."""
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.number_type(parsed) in (
        phonenumbers.PhoneNumberType.MOBILE,
        phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE,
    )

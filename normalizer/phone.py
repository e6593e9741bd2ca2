# SPDX-License-Identifier: MIT
"""Telephone numbers as people and providers write them → one address (E.164 where possible)."""

from __future__ import annotations

from functools import cache

import phonenumbers

from channels.message import Address, AddressScheme
from normalizer.text import ascii_digits

_LONGEST_SHORT_CODE = 8
#: Digits of a national number (E.164: 15 with the calling code).
_SHORTEST, _LONGEST = 7, 12


def address_of(raw: str, region: str) -> Address:
    """Read a sender: E.164, else a short code, else an alphanumeric sender.

    Args:
        raw: as given, in any digit script, with or without the country's prefix.
        region: ISO 3166-1 region for national numbers (``"MA"``).
    """
    text = ascii_digits(raw).strip()
    if text.startswith(("whatsapp:", "tel:")):
        text = text.split(":", 1)[1]
    if _stands_as_written(text, region):
        return Address(AddressScheme.TEL, text)
    number = e164(text, region)
    if number:
        return Address(AddressScheme.TEL, number)
    if text.isdigit() and len(text) <= _LONGEST_SHORT_CODE:
        return Address(AddressScheme.SHORT_CODE, text)
    if text.startswith("+") and text[1:].isdigit():
        return Address(AddressScheme.TEL, text)
    return Address(AddressScheme.ALPHANUMERIC, text)


def _stands_as_written(text: str, region: str) -> bool:
    """Whether a number of the region is its own canonical form, as providers give nearly all.

    Then it is the same address whether it is valid or not, and needs no reading. Only a number with
    the national prefix in it (``+2120612…``) is written otherwise.
    """
    code, prefix = _written(region)
    if not code or not text.startswith(code) or not text.isascii():
        return False
    national = text[len(code) :]
    return _SHORTEST <= len(national) <= _LONGEST and (
        national.isdigit() and not national.startswith(prefix)
    )


@cache
def _written(region: str) -> tuple[str, str]:
    """How international numbers of a region begin, and its national prefix; else two blanks."""
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region, None)
    prefix = metadata.national_prefix if metadata is not None else None
    # Elsewhere parsing may do more than take a prefix away.
    if metadata is None or not prefix or metadata.national_prefix_for_parsing != prefix:
        return "", ""
    return f"+{metadata.country_code}", prefix


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


def dialled(number: str, region: str) -> str:
    """The digits to dial a number from a region: ``0537000000`` for ``+212537000000`` in ``MA``.

    A number of another region begins with the international prefix. A short code, or what cannot
    be read, stays as it is; without digits alone there is nothing to dial: ``""``.
    """
    digits = number.removeprefix("+")
    if not (digits.isascii() and digits.isdigit()):
        return ""
    if digits == number:
        return digits
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return digits
    if parsed.country_code == phonenumbers.country_code_for_region(region):
        said = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
    else:
        said = phonenumbers.format_out_of_country_calling_number(parsed, region)
    return "".join(character for character in said if character.isdigit())


def calling_code(region: str) -> str:
    """The calling code of a region, digits only (``"212"`` for ``"MA"``); ``""`` when unknown."""
    return str(phonenumbers.country_code_for_region(region) or "")


def is_mobile(number: str) -> bool:
    """Whether an E.164 number may receive texts; one of which nobody can say its kind may."""
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.number_type(parsed) in (
        phonenumbers.PhoneNumberType.MOBILE,
        phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE,
        phonenumbers.PhoneNumberType.UNKNOWN,
    )

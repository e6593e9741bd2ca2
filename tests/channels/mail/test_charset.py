# SPDX-License-Identifier: MIT
"""The charsets of the Maghreb, declared rightly, wrongly, strangely or not at all."""

import base64

import pytest

from channels.mail.charset import codec, decode, decode_header

ARABIC = "السلام عليكم، أشتكي من انقطاع الماء في حينا منذ أسبوع"
FRENCH = "L’éclairage est cassé à Aïn Sebaâ, où l’école reste fermée. ÉTÉ, À NOËL, ÇA VA"
BOTH = f"{FRENCH[:50]}\n{ARABIC}"


@pytest.mark.parametrize(
    "declared", ["iso-8859-1", "windows-1252", "us-ascii", "x-unknown", "", "utf-8"]
)
@pytest.mark.parametrize("charset", ["cp1256", "iso8859-6", "utf-8"])
def test_arabic_wrongly_declared_is_read(charset, declared):
    assert decode(ARABIC.encode(charset), declared) == ARABIC


@pytest.mark.parametrize(
    ("charset", "declared"),
    [
        ("cp1256", "windows-1256"),
        ("cp1256", "iso-8859-6"),
        ("iso8859-6", "windows-1256"),
        ("iso8859-6", "ISO-8859-6-e"),
        ("mac-arabic", "x-mac-arabic"),
        ("utf-8", "windows-1256"),
        ("utf-8", "utf-16"),
        ("utf-16-le", "utf-16"),
        ("utf-16-be", "utf-16"),
        ("utf-16", ""),
        ("utf-7", "unicode-1-1-utf-7"),
    ],
)
def test_arabic_in_its_own_charsets(charset, declared):
    assert decode(ARABIC.encode(charset), declared) == ARABIC


def test_shapes_of_letters_become_letters():
    assert decode("ﻣﺎﻟ".encode("cp864"), "cp864") == "مال"
    assert decode("ماء".encode("cp720"), "dos-720") == "ماء"


@pytest.mark.parametrize("declared", ["iso-8859-1", "windows-1252", "us-ascii", "x-none", ""])
def test_french_stays_french(declared):
    assert decode(FRENCH.encode("cp1252"), declared) == FRENCH


@pytest.mark.parametrize("declared", ["windows-1256", "iso-8859-1", ""])
def test_both_languages_in_one_text(declared):
    assert decode(BOTH.encode("cp1256"), declared) == BOTH


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("koi8-r", "Здравствуйте, у нас нет воды уже неделю"),
        ("cp1251", "Здравствуйте, у нас нет воды уже неделю"),
        ("cp1253", "Καλημέρα σας, δεν έχουμε νερό"),
        ("cp1255", "שלום, אין לנו מים"),
        ("iso8859-2", "Dzień dobry, proszę naprawić światło"),
        ("iso8859-9", "İyi günler, şikâyetim var"),
        ("iso2022_jp", "水が出ません"),
        ("shift_jis", "水が出ません"),
        ("gb2312", "我们没有水"),
        ("euc_kr", "물이 없습니다"),
        ("big5", "我們沒有水"),
    ],
)
def test_other_scripts_stay_as_declared(charset, text):
    assert decode(text.encode(charset), charset) == text


@pytest.mark.parametrize(
    "name",
    ["x-unknown", "idna", "punycode", "unicode_escape", "zip", "", "a" * 100, "\x00", "\u0661"],
)  # fmt: skip
def test_a_name_of_no_charset_is_none(name):
    assert codec(name) is None
    assert decode(b"eau \xe9", name) == "eau é"


@pytest.mark.parametrize(
    "name",
    ["utf8", "uft-8", "UTF_8", "iso-gb2312", "ansi_x3.110-1983", "iso-2022-jp", "x-mac-arabic",
     "cp720", "cp864", "windows1256", "win-1256", "x-cp1256", "ISO_8859-6:1987", "'utf-8'"],
)  # fmt: skip
def test_strange_names_are_known(name):
    assert codec(name) is not None


@pytest.mark.parametrize("charset", ["utf-8", "windows-1256", "iso-8859-6", "utf-16-be"])
def test_words_cut_inside_a_letter_are_joined(charset):
    raw = ARABIC.encode(charset)
    words = [
        f"=?{charset}?B?{base64.b64encode(raw[at : at + 7]).decode()}?=".encode()
        for at in range(0, len(raw), 7)
    ]
    assert decode_header(b"\r\n ".join(words)) == ARABIC


def test_letters_that_should_have_been_encoded_are_kept():
    assert decode_header("=?iso-8859-1?Q?d=E9j\xe0?=".encode("cp1252")) == "déjà"


@pytest.mark.parametrize("charset", ["cp1256", "iso8859-6", "cp1252", "utf-8"])
def test_raw_header_words(charset):
    text = FRENCH if charset == "cp1252" else ARABIC
    assert decode_header(text.encode(charset)) == text

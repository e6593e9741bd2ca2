# SPDX-License-Identifier: MIT
"""The page beside the plain text of a mail: its direction, its links, and nothing that runs."""

import re

import pytest

from channels.mail.html_page import html_page
from channels.mail.html_text import html_text
from channels.mail.reply import MARKER_LINES, above_marker


@pytest.mark.parametrize(
    ("language", "way"),
    [("ar", "rtl"), ("ary", "rtl"), ("ar-MA", "rtl"), ("fr", "ltr"), ("zgh", "ltr"), ("", "ltr")],
)
def test_the_direction_is_that_of_the_language(language, way):
    page = html_page("4821-0937-5516", language)

    assert f'dir="{way}"><' in page.replace("\n", "")
    assert f'<div lang="{language}" dir="{way}">' in page or not language
    assert "<p>4821-0937-5516</p>" in page


def test_a_paragraph_of_other_letters_has_its_own_direction():
    page = html_page("Réponse du service :\n\nتم إصلاح العطب.\n\nhttps://g.example/fr/track", "fr")
    assert '<p dir="rtl">تم إصلاح العطب.</p>' in page
    assert page.count("dir=") == 4  # page, division, that paragraph, the link

    page = html_page("جوابكم:\n\nLe lampadaire est réparé.\n\nhttps://g.example/ar/track", "ar")
    assert '<p dir="ltr">Le lampadaire est réparé.</p>' in page
    assert '<p><a href="https://g.example/ar/track"' in page


@pytest.mark.parametrize(
    ("words", "link"),
    [
        ("Voir https://g.example/fr/track.", "https://g.example/fr/track"),
        ("(https://g.example/a?b=1&c=2)", "https://g.example/a?b=1&amp;c=2"),
        ("\u2066https://g.example/x\u2069", "https://g.example/x"),
    ],
)
def test_a_link_ends_where_it_ends(words, link):
    assert f'<a href="{link}" dir="ltr">{link}</a>' in html_page(words, "fr")


@pytest.mark.parametrize(
    "words",
    [
        '<script>alert(1)</script> & "x"',
        "<img src=x onerror=alert(1)>",
        'https://g.example/"onmouseover="alert(1)',
        "javascript:alert(1)",
    ],
)
def test_words_are_never_markup(words):
    page = html_page(words, "fr")

    assert html_text(page) == words
    assert "<script" not in page
    assert "<img" not in page
    assert 'href="javascript' not in page
    assert re.search(r"<[^>]*onmouseover", page) is None


@pytest.mark.parametrize("language", MARKER_LINES)
def test_our_marker_is_found_in_the_page_that_comes_back(language):
    page = html_page(f"{MARKER_LINES[language]}\n\nBonjour\nFin", language)

    assert above_marker(f"Merci\n\n{html_text(page)}") == "Merci\n\n".rstrip("\n") + "\n"

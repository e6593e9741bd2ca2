# SPDX-License-Identifier: MIT
"""Every page in every language, and the one style sheet."""

import re
from pathlib import Path

import pytest

import gateway
from config.wording import Wording

LANGUAGES = ("ar", "fr", "en")
STATIC = Path(gateway.__file__).parent / "static"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", ["", "complain", "track", "privacy"])
def test_every_page_is_whole_in_every_language(town, language, path):
    response = town.client.get(f"/{language}/{path}")
    assert response.status_code == 200
    page = town.checked(response, language)
    links = {a.get("href") for a in page.all("a")}
    assert {f"/{tag}/{path}" for tag in LANGUAGES} - {f"/{language}/{path}"} <= links
    assert f"/{language}/privacy" in links


def test_the_first_page_speaks_the_browsers_language_and_shows_every_way_in(town):
    for accept, language in (("fr-MA,fr;q=0.9", "fr"), ("ar", "ar"), ("de", "ar"), ("", "ar")):
        response = town.client.get("/", headers={"Accept-Language": accept})
        page = town.checked(response, language)
        links = {a.get("href") for a in page.all("a")}
        assert {"/ar/", "/fr/", "/en/", f"/{language}/complain", f"/{language}/track"} <= links
        assert {
            "sms:+212520000000",
            "tel:+212520000000",
            "mailto:complaints@guichet.example",
        } <= links
        assert f"/{language}/privacy" in links
        assert response.headers["Vary"] == "Accept-Language"


@pytest.mark.parametrize(
    "path", ["/de/", "/de/complain", "/zz/track", "/de/confirm/x", "/de/privacy"]
)
def test_another_language_is_not_found(town, path):
    assert town.client.get(path).status_code == 404


def test_every_language_has_every_text():
    wording = Wording()
    of_pages = [{key for key in wording.keys(tag) if key.startswith("pages.")} for tag in LANGUAGES]
    assert of_pages[0] == of_pages[1] == of_pages[2]


def test_one_small_sheet_without_sides():
    css = (STATIC / "guichet.css").read_text(encoding="utf-8")
    assert len(css.encode()) <= 15_000
    sides = re.findall(
        r"(?:margin|padding|border|inset)-(?:left|right|top|bottom)|float\s*:|(?<![-\w])(?:left|right|width|height)\s*:",
        css,
    )
    assert sides == []
    assert "url(" not in css
    assert "@import" not in css


@pytest.mark.parametrize(
    ("ink", "ground", "least"),
    [
        ("ink", "paper", 7),
        ("soft", "paper", 4.5),
        ("soft", "shade", 4.5),
        ("blue", "paper", 4.5),
        ("blue", "blue-wash", 4.5),
        ("blue", "shade", 4.5),
        ("sheet", "green", 4.5),
        ("green-dark", "green-wash", 4.5),
        ("amber", "amber-wash", 4.5),
        ("blue", "amber-wash", 4.5),
        ("red", "red-wash", 4.5),
        ("red", "paper", 4.5),
        ("edge", "sheet", 3),
        ("focus", "paper", 3),
    ],
)
def test_colours_can_be_read(ink, ground, least):
    """WCAG 2.2, 1.4.3 and 1.4.11."""
    css = (STATIC / "guichet.css").read_text(encoding="utf-8")

    def luminance(name):
        found = re.search(rf"--{name}: #([0-9a-f]+);", css)
        assert found is not None
        digits = found[1] if len(found[1]) == 6 else "".join(c * 2 for c in found[1])
        parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    lighter, darker = sorted((luminance(ink), luminance(ground)), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= least

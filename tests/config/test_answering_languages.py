# SPDX-License-Identifier: MIT
"""In which language and direction a person is answered, whatever language they wrote in."""

from __future__ import annotations

import pytest

from config.wording import Wording, direction

WORDING = Wording()


@pytest.mark.parametrize(
    ("written", "answered"),
    [
        *(("ar", "ar"), ("ary", "ar"), ("ary-Latn", "ar"), ("zgh", "ar"), ("zgh-Latn", "ar")),
        *(("fr", "fr"), ("en", "en")),
    ],
)
def test_each_detected_language_has_one_it_is_answered_in(written: str, answered: str) -> None:
    assert WORDING.answering_language(written) == answered


@pytest.mark.parametrize("tag", ["ar", "ary", "ary-Latn", "fr", "en", "zgh", "zgh-Latn", "und"])
def test_the_desk_has_a_name_for_each_detected_language(tag: str) -> None:
    for language in WORDING.languages:
        assert WORDING.text(language, f"desk.language.{tag}")


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        *(("ar", "rtl"), ("ary", "rtl"), ("ar-MA", "rtl"), ("ary-Arab", "rtl")),
        *(("ary-Latn", "ltr"), ("zgh", "ltr"), ("zgh-Latn", "ltr"), ("fr", "ltr"), ("en", "ltr")),
    ],
)
def test_the_script_decides_the_direction(tag: str, expected: str) -> None:
    assert direction(tag) == expected

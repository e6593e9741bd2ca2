# SPDX-License-Identifier: MIT
"""How Whisper reads by the settings."""

import pytest

from channels.voice.whisper import WhisperTranscriber
from config.voice import Voice
from config.wording import Wording
from gateway.listening import decoding_of


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_whisper_goes_on_where_the_line_left_off(language):
    said = decoding_of(Voice()).prompts[language]
    whole = Wording().text(language, "voice.record")

    assert whole.endswith(said)
    assert 0 < len(said) < len(whole)


@pytest.mark.parametrize(("words", "told"), [("Mes mots.", "Mes mots."), ("", None)])
def test_an_operators_words_go_before(tmp_path, words, told):
    decoding = decoding_of(Voice(speaks_like={"fr": words}))
    options = WhisperTranscriber(lambda: tmp_path, decoding).options("fr", 3.0)

    assert options["initial_prompt"] == told
    assert decoding.prompts["ar"]

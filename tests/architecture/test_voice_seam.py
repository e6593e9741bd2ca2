# SPDX-License-Identifier: MIT
"""The dialogue knows no provider: an operator's SIP engine can sit beside Twilio (decision 13)."""

import ast
from pathlib import Path

import pytest

ROOM = Path(__file__).parents[2] / "channels" / "voice"
#: The renderer, the adapter, and the fetcher of the provider's recordings.
KNOW_THE_PROVIDER = {"speech.py", "twilio.py", "recording.py"}
OF_THE_PROVIDER = ("twilio", "twiml")


def names_of(source: str) -> set[str]:
    """Modules imported and names used; docstrings and comments may explain."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module or "", *(alias.name for alias in node.names)}
        elif isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
    return {name.lower() for name in found}


def knows(source: str) -> bool:
    return any(word in name for name in names_of(source) for word in OF_THE_PROVIDER)


@pytest.mark.parametrize("file", sorted(ROOM.glob("*.py")), ids=lambda path: path.name)
def test_only_renderer_and_adapter_know_the_provider(file):
    if file.name not in KNOW_THE_PROVIDER:
        assert not knows(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["ivr.py", "answering.py", "asking.py", "dialogue.py"])
def test_the_dialogue_imports_nothing_that_knows_it(name):
    imported = names_of((ROOM / name).read_text(encoding="utf-8"))

    assert (
        not {f"channels.voice.{file.removesuffix('.py')}" for file in KNOW_THE_PROVIDER} & imported
    )


@pytest.mark.parametrize(
    "source", ["from twilio.rest import Client", "import channels.voice.twilio", "x.twiml = 1"]
)
def test_a_dialogue_that_knew_it_would_be_found(source):
    assert knows(source)

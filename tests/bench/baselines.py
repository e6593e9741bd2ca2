# SPDX-License-Identifier: MIT
"""What public libraries take for the new text of a mail, beside which ours is measured.

They are no part of Guichet: ``make bench-mail-baselines`` puts them in ``.venv-baselines``, whose
Python runs this file. It needs nothing of ours: a JSON list of plain texts comes in on standard
input; out goes an object that names each library, with its list of new texts, or with the reason
why it was not run. All are given the same plain text, so that what is compared is the cutting.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

Reader = Callable[[str], str]
VENV_PYTHON = Path(__file__).parents[2] / ".venv-baselines" / "bin" / "python"
#: All languages that mail-parser-reply 1.36 knows; Arabic is none of them.
_LANGUAGES = ["en", "fr", "de", "cs", "da", "es", "it", "ja", "ko", "nl", "pl", "sv", "zh"]


def _talon() -> Reader:
    quotations = import_module("talon.quotations")
    return lambda text: str(quotations.extract_from_plain(text))


def _email_reply_parser() -> Reader:
    parser = import_module("email_reply_parser").EmailReplyParser
    return lambda text: str(parser.parse_reply(text))


def _talon_then_parser() -> Reader:
    first, second = _talon(), _email_reply_parser()
    return lambda text: second(first(text))


def _mail_parser_reply(attribute: str) -> Reader:
    parser = import_module("mailparser_reply").EmailReplyParser(languages=list(_LANGUAGES))

    def reader(text: str) -> str:
        replies = parser.read(text).replies
        return str(getattr(replies[0], attribute)) if replies else ""

    return reader


def _email_reply_extractor() -> Reader:
    extract = import_module("email_reply_extractor").extract_new_text
    return lambda text: str(extract(text).text)


#: Library: the distributions it needs, how it is opened.
LIBRARIES: dict[str, tuple[tuple[str, ...], Callable[[], Reader]]] = {
    "talon": (("talon",), _talon),
    "email-reply-parser": (("email-reply-parser",), _email_reply_parser),
    "talon, then email-reply-parser": (("talon", "email-reply-parser"), _talon_then_parser),
    "mail-parser-reply, body": (("mail-parser-reply",), lambda: _mail_parser_reply("body")),
    "mail-parser-reply, content": (("mail-parser-reply",), lambda: _mail_parser_reply("content")),
    "email-reply-extractor": (("email-reply-extractor",), _email_reply_extractor),
}


def read_here(texts: list[str]) -> dict[str, list[str] | str]:
    """Read all texts by each library of this interpreter; a text that breaks one is left as is."""
    found: dict[str, list[str] | str] = {}
    for name, (distributions, opener) in LIBRARIES.items():
        try:
            label = f"{name} ({', '.join(version(one) for one in distributions)})"
            reader = opener()
        except PackageNotFoundError as error:
            found[name] = f"not installed: {error.name}"
        except ImportError as error:
            found[name] = f"installed, but cannot be imported: {error}"
        else:
            found[label] = [_read_by(reader, text) for text in texts]
    return found


def _read_by(reader: Reader, text: str) -> str:
    try:
        return reader(text)
    except Exception:  # noqa: BLE001 - whatever a library raises, its user would keep the text
        return text


def read_by_each(texts: list[str], python: Path) -> dict[str, list[str] | str]:
    """Read all texts by each library that this Python has; what is missing says so."""
    if not python.is_file():
        missing = f"not installed: no {python.parent.parent.name}; run `make bench-mail-baselines`"
        return dict.fromkeys(LIBRARIES, missing)
    done = subprocess.run(
        [str(python), __file__], input=json.dumps(texts), capture_output=True, text=True, check=True
    )
    found: dict[str, list[str] | str] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    print(json.dumps(read_here(json.load(sys.stdin))))

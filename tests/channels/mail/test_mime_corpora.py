# SPDX-License-Identifier: MIT
"""The public MIME sets beside what stalwart's parser reads in them, with figures."""

import html
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from channels.errors import MalformedMessage
from channels.mail.mime import read

#: Files inside a text, which are files here.
_UUENCODED = re.compile(r"^begin \d{3} .*?^end\s*$", re.MULTILINE | re.DOTALL)
_WORD = re.compile(r"\w{2,}")


def _field(part: dict[str, Any], name: str) -> Any:
    found = next((one["value"] for one in part["headers"] if one["name"] == name), None)
    return found if isinstance(found, dict) else None


def _addresses(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _addresses(one)
    elif isinstance(value, dict):
        if value.get("address"):
            yield value["address"]
        for one in value.values():
            yield from _addresses(one)


def _names(parsed: dict[str, Any]) -> Iterator[str]:
    for part in parsed["parts"]:
        told = {
            (field, attribute["name"]): attribute["value"]
            for field in ("content_type", "content_disposition")
            for attribute in ((_field(part, field) or {}).get("ContentType") or {}).get(
                "attributes"
            )
            or ()
        }
        yield told.get(("content_disposition", "filename")) or told.get(
            ("content_type", "name"), ""
        )


def _words(parsed: dict[str, Any]) -> Counter[str]:
    words: Counter[str] = Counter()
    for index in parsed["text_body"]:
        body = parsed["parts"][index]["body"]
        if isinstance(body, dict):
            page = re.sub(r"<[^>]*>", " ", body.get("Html") or "")
            text = _UUENCODED.sub(" ", body.get("Text") or html.unescape(html.unescape(page)))
            words += Counter(_WORD.findall(text))
    return words


def _same(ours: str, theirs: str) -> bool:
    """Equal but for white space, path marks, and letters that they could not read."""
    pattern = ".+".join(re.escape("".join(one.split())) for one in theirs.split("\ufffd"))
    return re.fullmatch(pattern, "".join(ours.split()).replace("\\", "")) is not None


def test_what_stalwart_reads(corpora: Path, capsys: pytest.CaptureFixture[str]) -> None:
    counts: Counter[str] = Counter()
    for path in sorted((corpora / "mime" / "stalwart").glob("*.eml")):
        parsed = json.loads(path.with_suffix(".json").read_text())
        try:
            message = read(path.read_bytes(), envelope_from="", envelope_to=())
        except MalformedMessage:
            counts["malformed"] += 1
            continue
        for address in list(_addresses(_field(parsed["parts"][0], "from")))[:1]:
            counts["senders"] += 1
            counts["senders alike"] += message.sender.value.lower() == address.lower()
        subject = _field(parsed["parts"][0], "subject")
        if isinstance(subject, dict) and "Text" in subject:
            counts["subjects"] += 1
            counts["subjects alike"] += _same(message.subject, subject["Text"])
        files = [file.filename for file in message.attachments]
        for name in filter(None, _names(parsed)):
            counts["files"] += 1
            counts["files alike"] += any(_same(ours, name) for ours in files)
        ours = Counter(_WORD.findall(message.full_text))
        for word, times in _words(parsed).items():
            counts["words"] += times
            counts["words alike"] += min(times, ours[word])
    with capsys.disabled():
        print(f"\nbeside stalwart: {dict(counts)}")

    assert counts["malformed"] <= 10
    assert counts["senders alike"] >= 0.98 * counts["senders"] > 50
    assert counts["subjects alike"] >= 0.98 * counts["subjects"] > 50
    assert counts["files alike"] >= 0.95 * counts["files"] > 50
    assert counts["words alike"] >= 0.95 * counts["words"] > 5_000

# SPDX-License-Identifier: MIT
"""Outlook's winmail.dat: TNEF (MS-OXTNEF) read for its words and its files.

Read here and not by a library: the one on PyPI follows counts of four bytes from the mail without
a bound and copies what is left of the file for each of its attributes. Here each attribute is
looked at once, counts are checked against what is there, and broken ends end the reading.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from channels.mail.charset import decode

SIGNATURE = b"\x78\x9f\x3e\x22"
ATTRIBUTE_LIMIT = 5_000
PROPERTY_LIMIT = 5_000
FILE_LIMIT = 100
_DEPTH_LIMIT = 3

_BODY, _FILE_DATA, _FILE_TITLE, _FILE_BEGINS = 0x800C, 0x800F, 0x8010, 0x9002
_PROPERTIES, _FILE_PROPERTIES, _CODE_PAGE = 0x9003, 0x9005, 0x9007
_TEXT, _HTML, _RICH_TEXT = 0x1000, 0x1013, 0x1009
_DATA_OBJECT, _SHORT_NAME, _LONG_NAME, _SHOWN_NAME = 0x3701, 0x3704, 0x3707, 0x3001
_INTERNET_CODE_PAGE = 0x3FDE
_SIZES = {0x1: 0, 0x2: 4, 0x3: 4, 0x4: 4, 0x5: 8, 0x6: 8, 0x7: 8, 0xA: 4, 0xB: 4, 0x14: 8, 0x40: 8,
          0x48: 16}  # fmt: skip
_VARIABLE = (0x0D, 0x1E, 0x1F, 0x102)
_MANY, _NAMED = 0x1000, 0x8000
_ENCLOSED_MESSAGE = bytes.fromhex("0703020000000000c000000000000046")
_UTF_8_PAGE, _UTF_16_PAGE = 65001, 1200


@dataclass(slots=True)
class Enclosed:
    """What a winmail.dat holds.

    Attributes:
        text: the body as plain text, or ``""``.
        html: the body as a page, or ``""``.
        files: names and bytes, in order.
        rich_text: the body as compressed RTF (MS-OXRTFCP), as it is, or ``b""``.
        incomplete: whether it ended too early or broke a limit.
    """

    text: str = ""
    html: str = ""
    files: list[tuple[str, bytes]] = field(default_factory=list)
    rich_text: bytes = b""
    incomplete: bool = False


@dataclass(slots=True)
class _File:
    name: str = ""
    title: str = ""
    content: bytes = b""


def open_tnef(content: bytes, depth: int = 0) -> Enclosed | None:
    """Read a winmail.dat; ``None`` when it is none. Never raises."""
    if not content.startswith(SIGNATURE):
        return None
    found = Enclosed()
    files: list[_File] = []
    charset = "windows-1252"
    position = 6
    for _ in range(ATTRIBUTE_LIMIT):
        if position + 11 > len(content):
            break
        level, name, _kind, size = struct.unpack_from("<BHHI", content, position)
        begun = position + 9
        if level not in (1, 2) or begun + size > len(content):
            found.incomplete = True
            break
        position = begun + size + 2
        if name == _FILE_BEGINS and len(files) < FILE_LIMIT:
            files.append(_File())
        elif name == _CODE_PAGE and size >= 4:  # noqa: PLR2004 - a number of four bytes
            charset = _charset(struct.unpack_from("<I", content, begun)[0])
        elif name == _BODY:
            found.text = decode(content[begun : begun + size], charset)
        elif name == _PROPERTIES:
            _message(_properties(content, begun, begun + size, charset), found, charset)
        elif files and level == 2:  # noqa: PLR2004 - LVL_ATTACHMENT
            _file(files[-1], name, content, begun, begun + size, charset)
    _finish(found, files, depth)
    return found


def _finish(found: Enclosed, files: list[_File], depth: int) -> None:
    for file in files:
        if file.content or file.name or file.title:
            found.files.append((file.name or file.title, file.content))
    if depth >= _DEPTH_LIMIT:
        return
    for _name, content in tuple(found.files):
        inner = open_tnef(content, depth + 1)
        if inner is not None:
            found.files += inner.files[: max(0, FILE_LIMIT - len(found.files))]
            words = inner.text or inner.html
            found.text = found.text or (words if not found.html else "")


def _file(file: _File, name: int, content: bytes, begun: int, end: int, charset: str) -> None:
    if name == _FILE_DATA:
        file.content = content[begun:end]
    elif name == _FILE_TITLE:
        file.title = decode(content[begun:end], charset).strip()
    elif name == _FILE_PROPERTIES:
        told = _properties(content, begun, end, charset)
        for key in (_LONG_NAME, _SHORT_NAME, _SHOWN_NAME):
            named = told.get(key)
            if isinstance(named, str) and named.strip():
                file.name = file.name or named.strip()
        data = told.get(_DATA_OBJECT)
        if isinstance(data, bytes) and not file.content:
            file.content = data.removeprefix(_ENCLOSED_MESSAGE)


def _message(told: dict[int, str | bytes | int], found: Enclosed, charset: str) -> None:
    page = told.get(_INTERNET_CODE_PAGE)
    named = _charset(page) if isinstance(page, int) else charset
    text, shown, rich = told.get(_TEXT), told.get(_HTML), told.get(_RICH_TEXT)
    if isinstance(text, str):
        found.text = text
    if isinstance(shown, bytes):
        found.html = decode(shown, named)
    elif isinstance(shown, str):
        found.html = shown
    if isinstance(rich, bytes):
        found.rich_text = rich


def _charset(page: int) -> str:
    if page == _UTF_8_PAGE:
        return "utf-8"
    return "utf-16-le" if page == _UTF_16_PAGE else f"cp{page}"


def _properties(
    content: bytes, position: int, end: int, charset: str
) -> dict[int, str | bytes | int]:
    """The MAPI properties that matter (MS-OXTNEF, 2.1.3.4): the first value of each."""
    wanted = (_TEXT, _HTML, _RICH_TEXT, _DATA_OBJECT, _SHORT_NAME, _LONG_NAME, _SHOWN_NAME)
    found: dict[int, str | bytes | int] = {}
    try:
        count = struct.unpack_from("<I", content, position)[0]
        position += 4
        for _ in range(min(count, PROPERTY_LIMIT)):
            if position + 4 > end:
                break
            kind, name = struct.unpack_from("<HH", content, position)
            position += 4
            if name >= _NAMED:
                position = _behind_name(content, position)
            many = bool(kind & _MANY)
            kind &= ~_MANY
            values = 1
            if many or kind in _VARIABLE:
                values = struct.unpack_from("<I", content, position)[0]
                position += 4
            if kind in _SIZES:
                if name == _INTERNET_CODE_PAGE and kind == 0x3:  # noqa: PLR2004 - PT_LONG
                    found[name] = struct.unpack_from("<I", content, position)[0]
                position += (_SIZES[kind] * values + 3) // 4 * 4
                continue
            if kind not in _VARIABLE:
                break
            for _value in range(min(values, PROPERTY_LIMIT)):
                size = struct.unpack_from("<I", content, position)[0]
                position += 4
                if position + size > end:
                    return found
                if name in wanted:
                    value = content[position : position + size]
                    found.setdefault(name, _value_of(value, kind, charset))
                position += (size + 3) // 4 * 4
    except struct.error:
        pass
    return found


def _value_of(value: bytes, kind: int, charset: str) -> str | bytes:
    if kind == 0x1F:  # noqa: PLR2004 - PT_UNICODE
        return value.decode("utf-16-le", "replace").rstrip("\x00")
    return decode(value, charset) if kind == 0x1E else value  # noqa: PLR2004 - PT_STRING8


def _behind_name(content: bytes, position: int) -> int:
    """Where a named property goes on: a GUID, then a number or a name (MS-OXTNEF, 2.1.3.4)."""
    kind, size = struct.unpack_from("<II", content, position + 16)
    return position + 24 + (0 if kind == 0 else (size + 3) // 4 * 4)

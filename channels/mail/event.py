# SPDX-License-Identifier: MIT
"""What an invitation says (RFC 5545), in a line of text."""

from __future__ import annotations

import re

#: Characters of a calendar that are read.
CALENDAR_LIMIT = 200_000
_FOLD = re.compile(r"\r?\n[ \t]")
_LINE = re.compile(
    r"^(METHOD|BEGIN|END|SUMMARY|LOCATION|DTSTART|DTEND|DESCRIPTION)((?:;[^:;\"\r\n]*(?:\"[^\"\r\n]*\")?)*)"
    r":([^\r\n]*)",
    re.IGNORECASE | re.MULTILINE,
)
_WHEN = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)\d\d(Z?))?")
_ESCAPED = re.compile(r"\\([\\;,nN])")


def event_line(calendar: str) -> str:
    """The first event: method, summary, place, beginning and end with commas between them.

    An empty string where there is none.
    """
    told: dict[str, str] = {}
    inside = False
    for match in _LINE.finditer(_FOLD.sub("", calendar[:CALENDAR_LIMIT])):
        name, value = match[1].upper(), match[3].strip()
        if name in ("BEGIN", "END"):
            if inside and name == "END" and value.upper() == "VEVENT":
                break
            inside = inside or value.upper() in ("VEVENT", "VTODO")
        elif inside or name == "METHOD":
            told.setdefault(name, _ESCAPED.sub(lambda one: _plain(one[1]), value)[:500])
    when = " – ".join(_moment(told[name]) for name in ("DTSTART", "DTEND") if name in told)
    said = [told.get("METHOD", ""), told.get("SUMMARY", ""), told.get("LOCATION", ""), when]
    line = ", ".join(" ".join(one.split()) for one in said if one.strip())
    words = told.get("DESCRIPTION", "").strip()
    return "\n".join(one for one in (line, words) if one) if inside else ""


def _plain(escaped: str) -> str:
    return " " if escaped in "nN" else escaped


def _moment(value: str) -> str:
    match = _WHEN.match(value)
    if match is None:
        return value
    day = f"{match[1]}-{match[2]}-{match[3]}"
    return f"{day} {match[4]}:{match[5]}{' UTC' if match[6] else ''}" if match[4] else day

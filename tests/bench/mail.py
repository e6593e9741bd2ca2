# SPDX-License-Identifier: MIT
"""``make bench-mail``: how well replies and machine mail of the public sets are read, with counts.

Exact: equal after folding white space and the marks of emphasis. Lost: words of the expected text
that ours lacks. Too much: words that the expected text lacks. Each figure is given for both halves
of a set, cut by a digest of the case's name: what is tuned, is tuned on one of them.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import re
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from channels.errors import MalformedMessage
from channels.mail.mime import read
from channels.mail.reply import new_text
from channels.message import InboundMessage

BESIDE = Path(__file__).parents[3] / "shared" / "corpora"
HALVES = ("tuned on", "held out")
_MARKS = re.compile(r"[*_`#>\\]|\s+")


def half(name: str) -> str:
    """The half that a case belongs to."""
    return HALVES[sha256(name.encode()).digest()[0] % 2]


def folded(text: str) -> list[str]:
    """The words of a text, without emphasis."""
    return _MARKS.sub(" ", text).split()


def judge(ours: str, expected: list[str]) -> Counter[str]:
    """Our text beside the nearest of the expected ones: a verdict, words lost, words too many."""
    if any(folded(ours) == folded(one) for one in expected):
        return Counter({"exact": 1})
    words = Counter(folded(ours))
    missing, extra = min(
        ((wanted - words).total(), (words - wanted).total())
        for wanted in map(Counter, map(folded, expected or [""]))
    )
    verdict = "lost" if missing else "too much"
    return Counter({verdict: 1, "words lost": missing, "words too many": extra})


def as_mail(case: dict[str, object]) -> bytes:
    """A case as a whole mail."""
    raw = base64.b64decode(str(case["input_b64"]))
    if case["kind"] == "eml":
        return raw
    media_type = "text/html" if case["kind"] == "html" else "text/plain"
    head = (
        "From: a@bench.example\r\nSubject: Re: x\r\nMIME-Version: 1.0\r\n"
        f"Content-Type: {media_type}; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    )
    return head.encode() + raw


def opened(raw: bytes) -> InboundMessage:
    """Read a mail as the door does."""
    return read(raw, envelope_from="a@bench.example", envelope_to=("complaints@g.example",))


def replies(corpora: Path, *, verbose: bool) -> dict[str, dict[str, int]]:
    """Figures of the reply set, by what reads it and by half."""
    readers: dict[str, Callable[[InboundMessage], str]] = {
        "nothing": lambda message: message.full_text,
        "ours": lambda message: new_text(message.full_text),
    }
    counts: dict[str, Counter[str]] = {
        f"{name}, {part}": Counter() for name in readers for part in (*HALVES, "total")
    }
    lines = (corpora / "replies" / "cases.jsonl").read_text(encoding="utf-8").splitlines()
    for case in map(json.loads, lines):
        message = opened(as_mail(case))
        for name, reader in readers.items():
            verdict = judge(reader(message), case["expected"])
            for part in (half(case["id"]), "total"):
                counts[f"{name}, {part}"] += verdict
            if verbose and name == "ours" and not verdict["exact"]:
                print(f"  {dict(verdict)} {half(case['id'])}: {case['corpus']} {case['id']}")
    return {name: dict(found) for name, found in counts.items()}


def machines(corpora: Path, *, verbose: bool) -> dict[str, dict[str, int]]:
    """What the labelled machine mails are taken for, by label and half."""
    folder = corpora / "machines"
    counts: dict[str, Counter[str]] = {}
    for name, label in json.loads((folder / "labels.json").read_text()).items():
        path = folder / name
        path = path if path.is_file() else folder / f"{name}.eml"
        try:
            found = opened(path.read_bytes()).auto_submitted
        except MalformedMessage:
            found = "unread"
        counts.setdefault(f"{label}, {half(name)}", Counter())[found] += 1
        if verbose and label == "bounce" != found:
            print(f"  {found:14} {half(name)}: {name}")
    return {name: dict(found) for name, found in sorted(counts.items())}


def cost() -> float:
    """CPU milliseconds to read a plain mail of 4 kB and find what is new in it: the median."""
    words = "Le lampadaire de notre rue est cassé depuis un mois. " * 40
    quoted = "\r\n".join(f"> {words[at : at + 70]}" for at in range(0, 1900, 70))
    body = f"{words}\r\n\r\nLe 3 mars 2026 à 12:00, Guichet a écrit :\r\n{quoted}"
    raw = as_mail({"kind": "text", "input_b64": base64.b64encode(body.encode()).decode()})
    times = []
    for _ in range(300):
        began = time.process_time()
        new_text(opened(raw).full_text)
        times.append((time.process_time() - began) * 1000)
    return statistics.median(times)


def main() -> int:
    """Print the figures; 0 also where the sets are not on this machine."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog='Example: make bench-mail ARGS="--verbose"'
    )
    parser.add_argument("--verbose", action="store_true", help="name each case that is not exact")
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    options = parser.parse_args()
    corpora = Path(os.environ.get("GUICHET_CORPORA", BESIDE))
    told: dict[str, object] = {"schema": 1, "cpu_ms": round(cost(), 3)}
    if corpora.is_dir():
        told["replies"] = replies(corpora, verbose=options.verbose)
        told["machines"] = machines(corpora, verbose=options.verbose)
    else:
        print("the public mail sets are not here: set GUICHET_CORPORA", file=sys.stderr)
    if options.json:
        print(json.dumps(told))
        return 0
    print(f"read and new text, 4 kB: {told['cpu_ms']} ms CPU (median)")
    for title in ("replies", "machines"):
        figures = told.get(title, {})
        if isinstance(figures, dict):
            for name, found in figures.items():
                count = sum(of for verdict, of in found.items() if not verdict.startswith("words"))
                print(f"{title}: {name:24} {found} of {count}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

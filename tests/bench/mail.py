# SPDX-License-Identifier: MIT
"""``make bench-mail``: how well replies and machine mail are read, with counts.

The public sets, and our own set of citizens' mails; beside ours, what public libraries make of the
same texts where ``make bench-mail-baselines`` has installed them.

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
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from baselines import VENV_PYTHON, read_by_each

from channels.errors import MalformedMessage
from channels.mail.mime import read
from channels.mail.reply import new_text
from channels.message import InboundMessage
from guichet_testing.citizen_mails import CITIZEN_MAILS, CitizenMail, Verdict, judged

BESIDE = Path(__file__).parents[3] / "shared" / "corpora"
HALVES = ("tuned on", "held out")
#: Our own mails that quote nothing, and forwards, which are kept whole: the others are answers.
NO_ANSWERS = ("first", "from", "subject", "file", "forward")
#: Figures of this kind are no verdict on a mail.
BESIDES = ("words", "fields")
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


def replies(corpora: Path, python: Path, *, verbose: bool) -> dict[str, dict[str, int]]:
    """Figures of the reply set, by what reads it and by half; what a library lacks is told."""
    lines = (corpora / "replies" / "cases.jsonl").read_text(encoding="utf-8").splitlines()
    cases = list(map(json.loads, lines))
    texts = [opened(as_mail(case)).full_text for case in cases]
    answers = {"nothing": texts, "ours": list(map(new_text, texts))}
    answers |= _told(read_by_each(texts, python))
    counts: dict[str, Counter[str]] = {
        f"{name}, {part}": Counter() for name in answers for part in (*HALVES, "total")
    }
    for name, given in answers.items():
        for case, answer in zip(cases, given, strict=True):
            verdict = judge(answer, case["expected"])
            for part in (half(case["id"]), "total"):
                counts[f"{name}, {part}"] += verdict
            if verbose and name == "ours" and not verdict["exact"]:
                print(f"  {dict(verdict)} {half(case['id'])}: {case['corpus']} {case['id']}")
    return {name: dict(found) for name, found in counts.items()}


def _told(found: dict[str, list[str] | str]) -> dict[str, list[str]]:
    """Those libraries that were run; why the others were not goes to standard error."""
    for name, reason in found.items():
        if isinstance(reason, str):
            print(f"{name}: {reason}", file=sys.stderr)
    return {name: given for name, given in found.items() if not isinstance(given, str)}


def citizens(python: Path, *, verbose: bool) -> dict[str, dict[str, int]]:
    """Figures of our own set: ours by the citizen's language, each in total and on answers alone.

    Ours is the new text that the door files. The libraries are given the same full text and no
    header: they are fairly compared on answers, not on first complaints and forwards.
    """
    messages = [
        read(mail.raw, envelope_from=mail.envelope_from, envelope_to=("complaints@g.example",))
        for mail in CITIZEN_MAILS
    ]
    counts: dict[str, Counter[str]] = {}
    for mail, message in zip(CITIZEN_MAILS, messages, strict=True):
        verdict = judged(mail, message)
        for part in (mail.language, *_parts(mail)):
            counts.setdefault(f"ours, {part}", Counter()).update(_counted(mail, message, verdict))
        if verbose and not verdict.exact:
            print(f"  {verdict.word}: {mail.name}")
    texts = [message.full_text for message in messages]
    for name, given in _told(read_by_each(texts, python)).items():
        for mail, message, answer in zip(CITIZEN_MAILS, messages, given, strict=True):
            verdict = judged(mail, replace(message, text=answer))
            for part in _parts(mail):
                counts.setdefault(f"{name}, {part}", Counter())[verdict.word] += 1
    return {name: dict(found) for name, found in sorted(counts.items())}


def _parts(mail: CitizenMail) -> tuple[str, ...]:
    """The parts of the set that every reader is told for."""
    kind = mail.name.partition("/")[0].split()[0]
    return ("total",) if kind in NO_ANSWERS else ("answers", "total")


def _counted(mail: CitizenMail, message: InboundMessage, verdict: Verdict) -> Counter[str]:
    """What a mail adds to the figures: a verdict, and the words behind it."""
    fields = (message.sender.value, message.sender.display_name, message.subject)
    files = tuple((one.filename, one.content) for one in message.attachments)
    wrong = (*fields, files) != (mail.sender, mail.display_name, mail.subject, mail.attachments)
    return Counter(
        {
            verdict.word: 1,
            "words lost": len(verdict.lost),
            "words too many": len(verdict.too_much),
            "words lost from the full text": len(verdict.lost_from_whole),
            "fields or files wrong": int(wrong),
        }
    )


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
    parser.add_argument(
        "--baselines",
        type=Path,
        default=VENV_PYTHON,
        metavar="PYTHON",
        help="the Python that has the libraries to compare with (default: .venv-baselines)",
    )
    options = parser.parse_args()
    corpora = Path(os.environ.get("GUICHET_CORPORA", BESIDE))
    told: dict[str, object] = {"schema": 1, "cpu_ms": round(cost(), 3)}
    told["citizens"] = citizens(options.baselines, verbose=options.verbose)
    if corpora.is_dir():
        told["replies"] = replies(corpora, options.baselines, verbose=options.verbose)
        told["machines"] = machines(corpora, verbose=options.verbose)
    else:
        print("the public mail sets are not here: set GUICHET_CORPORA", file=sys.stderr)
    if options.json:
        print(json.dumps(told))
        return 0
    print(f"read and new text, 4 kB: {told['cpu_ms']} ms CPU (median)")
    for title in ("replies", "machines", "citizens"):
        figures = told.get(title, {})
        if isinstance(figures, dict):
            for name, found in figures.items():
                count = sum(
                    of for verdict, of in found.items() if verdict.split()[0] not in BESIDES
                )
                print(f"{title}: {name:24} {found} of {count}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

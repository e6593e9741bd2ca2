# SPDX-License-Identifier: MIT
"""How well machine mail is told from persons' mail, with counts.

The public set is cut in two by a digest of the file's name: rules are tuned on one half only.
"Fields" judges by the header fields alone; "text" is the verdict of ``mime.read``.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from hashlib import sha256
from pathlib import Path

from guichet_testing.labelled_mail import automatic, kinds, ordinary

BESIDE = Path(__file__).parents[3] / "shared" / "corpora"
HALVES = ("tuned on", "held out")
DROPPED = ("bounce", "auto-replied", "auto-generated")


def public_set(folder: Path) -> None:
    """Print what each label of the public set is taken for."""
    counts: dict[str, Counter[str]] = {}
    labels = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    for name, label in labels.items():
        half = HALVES[sha256(name.encode()).digest()[0] % 2]
        verdicts = kinds((folder / name).read_bytes(), "x@bench.example")
        for way, verdict in zip(("fields", "text"), verdicts, strict=True):
            counts.setdefault(f"{label}, {way}, {half}", Counter())[verdict] += 1
            if way == "text" and label == "bounce" != verdict:
                print(f"  no bounce for us, {half}: {name} ({verdict})")
    for name, found in sorted(counts.items()):
        print(f"{name:32} {dict(found)} of {found.total()}")
    for way in ("fields", "text"):
        found = sum((counts[f"bounce, {way}, {half}"] for half in HALVES), Counter())
        share = found["bounce"] / found.total()
        print(f"bounce recall, {way}: {found['bounce']} of {found.total()} = {share:.1%}")


def own_set() -> None:
    """Print the figures of our own labelled set."""
    for at, way in enumerate(("fields", "text")):
        machines = [(one, kinds(one.raw, one.envelope_from)[at]) for one in automatic()]
        found = sum(verdict in DROPPED for _, verdict in machines)
        persons = [(one, kinds(one.raw, one.envelope_from)[at]) for one in ordinary()]
        dropped = [one.name for one, verdict in persons if verdict in DROPPED]
        open_to = [(one, verdict) for one, verdict in persons if one.answerable]
        silent = [one.name for one, verdict in open_to if verdict != "no"]
        print(f"own set, {way}: automatic answers found {found} of {len(machines)}")
        print(f"own set, {way}: complaints dropped {len(dropped)} of {len(persons)} {dropped}")
        print(f"own set, {way}: not acknowledged {len(silent)} of {len(open_to)} {silent}")
        print(f"own set, {way}: missed {[one.name for one, v in machines if v not in DROPPED]}")


def main() -> int:
    """Print the figures; the public set only where it is on this machine."""
    own_set()
    folder = Path(os.environ.get("GUICHET_CORPORA", BESIDE)) / "machines"
    if folder.is_dir():
        public_set(folder)
    else:
        print("the public mail sets are not here: set GUICHET_CORPORA", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())

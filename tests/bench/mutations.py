# SPDX-License-Identifier: MIT
"""Reads all seed mails and thousands of damaged ones, files each, and says what was lost."""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from channels.errors import MalformedMessage
from guichet_testing.mail_intake import stored
from guichet_testing.mutations import corpus_seeds, mutations, opened, own_seeds, unclean

BESIDE = Path(__file__).parents[3] / "shared" / "corpora"


def seeds() -> list[bytes]:
    """Our own and, where they are on this machine, those of the public sets."""
    corpora = Path(os.environ.get("GUICHET_CORPORA", BESIDE))
    return own_seeds() + (corpus_seeds(corpora) if corpora.is_dir() else [])


def reading(mails: Iterator[bytes]) -> dict[str, object]:
    """Figures of reading alone."""
    counts: Counter[str] = Counter()
    slowest = 0.0
    for mail in mails:
        counts["read"] += 1
        began = time.process_time()
        try:
            message = opened(mail)
        except MalformedMessage as error:
            counts["quarantined"] += 1
            # The reader's own wide catch: nothing is lost, but it should not have been needed.
            counts["caught late"] += error.__cause__ is not None
        except Exception as error:  # noqa: BLE001 - this is what is counted
            counts["exceptions"] += 1
            print(f"  {type(error).__name__}: {error}", file=sys.stderr)
        else:
            counts["unclean"] += bool(unclean(message))
        slowest = max(slowest, time.process_time() - began)
    return {
        "count": counts["read"],
        "exceptions": counts["exceptions"],
        "caught_late": counts["caught late"],
        "unclean": counts["unclean"],
        "quarantined": counts["quarantined"],
        "slowest_cpu_seconds": round(slowest, 4),
        "peak_resident_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def main() -> int:
    """Print the figures; 1 where a mail was lost, changed, or raised."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="Example: PYTHONPATH=tests/support python tests/bench/mutations.py --count 10000",
    )
    parser.add_argument("--count", type=int, default=10_000, help="damaged mails (10000)")
    parser.add_argument("--seed", type=int, default=1, help="of the chance (1)")
    parser.add_argument("--traced-every", type=int, default=5, help="guide by each nth mail (5)")
    options = parser.parse_args()
    known = seeds()

    def mails() -> Iterator[bytes]:
        damaged = mutations(known, options.count, options.seed, traced_every=options.traced_every)
        return chain(known, damaged)

    told = reading(mails())
    with tempfile.TemporaryDirectory() as folder:
        filed = stored(f"sqlite:///{folder}/guichet.sqlite3", mails())
    told["seeds"] = len(known)
    told["filed"] = dict(filed)
    print(json.dumps(told, indent=1))
    lost = filed["refused"] + filed["not exported"] + filed["bytes differ"]
    return int(bool(told["exceptions"] or told["unclean"] or lost))


if __name__ == "__main__":
    sys.exit(main())

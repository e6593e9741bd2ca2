# SPDX-License-Identifier: MIT
"""Kill −9 at random points: every acknowledged delivery is one case, and everybody is answered.

About two minutes a database; more with ``GUICHET_CRASH_MESSAGES`` and ``GUICHET_CRASH_ROUNDS``.
"""

import itertools
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import cycle

from guichet_testing.gateway import RunningGateway, until
from guichet_testing.traffic import mail, post_text, send_mail, webhook

MESSAGES = int(os.environ.get("GUICHET_CRASH_MESSAGES", "320"))
ROUNDS = int(os.environ.get("GUICHET_CRASH_ROUNDS", "2"))
SEED = int(os.environ.get("GUICHET_CRASH_SEED", "20260301"))
#: What one round kills, in an order of its own; ``horse`` is a relay worker's forked job.
ROUND = ("web", "smtp", "relay", "horse", "horse", "sweep", "valkey")
#: Which send is open when a horse is killed, and what is held of it.
OPEN_SENDS = (
    ("texts", "answer"),
    ("mails", "message"),
    ("mails", "answer"),
    ("texts", "message"),
)
WORDS = "Pas d'eau potable ici"


class Killer(threading.Thread):
    """Kills round after round; ``kills`` names each thing that was killed, in order."""

    def __init__(self, stage) -> None:
        super().__init__(daemon=True)
        self.stage = stage
        self.dice = random.Random(SEED)
        self.kills: list[str] = []
        self.enough = threading.Event()

    def run(self) -> None:
        """Kill one thing after another, with pauses that let work happen between."""
        open_sends = cycle(OPEN_SENDS)
        whole = (*ROUND, "postgresql") if self.stage.server is not None else ROUND
        for _ in range(ROUNDS):
            for kind in self.dice.sample(whole, len(whole)):
                time.sleep(self.dice.uniform(0.3, 1.5))  # the random point
                if kind == "postgresql":
                    self.stage.server.kill()
                    self.stage.server.start()
                elif kind == "horse":
                    self.kill_a_sender(*next(open_sends))
                else:
                    until(partial(self.kill_one, kind), what=f"a process to kill ({kind})")
                self.kills.append(kind)
        self.enough.set()

    def kill_one(self, kind: str) -> bool:
        """Kill one process of a kind; ``False`` while there is none, as it is just started anew."""
        found = self.stage.victims(kind)
        return bool(found) and kill(self.dice.choice(found))

    def kill_a_sender(self, way: str, what: str) -> None:
        """Kill a horse whose message is on its way to the provider."""
        held = getattr(self.stage, way)

        def killed() -> bool:
            # The sweeper sends too while Valkey is away: it is let go, and a horse comes after it.
            with held.holding(what):
                until(held.senders, seconds=90, what=f"an open send ({way}, {what})")
                horse = next(filter(self.stage.is_horse, held.senders()), None)
                if horse is not None and kill(horse):
                    until(lambda: horse not in held.senders(), what="the end of the horse")
                    return True
            return False

        until(killed, seconds=90, what=f"a horse that sends ({way}, {what})")


def kill(pid: int) -> bool:
    """Kill one process as a crash would; ``False`` when it had just ended by itself."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def insist(send: Callable[[], int], wanted: int) -> None:
    """Try again as the other side would until it is acknowledged."""
    until(lambda: send() == wanted, seconds=60, what="the acknowledgement")


class Citizens:
    """People who write, each once, until nobody kills any more and enough of them have written."""

    def __init__(self, house: RunningGateway, killer: Killer) -> None:
        self.house, self.killer = house, killer
        self.acknowledged: list[str] = []
        self._numbers = itertools.count()

    def write(self, seed: int) -> None:
        """Write and insist, again and again."""
        dice = random.Random(SEED + seed)
        while not self.killer.enough.is_set() or len(self.acknowledged) < MESSAGES:
            assert self.killer.is_alive() or self.killer.enough.is_set(), "the killer gave up"
            number = next(self._numbers)
            self.acknowledged.append(self.mailed(number) if number % 2 else self.texted(number))
            time.sleep(dice.uniform(0.1, 0.8))

    def texted(self, number: int) -> str:
        """Send a text from a telephone of its own; none ends as the simulator's failing ones do."""
        telephone = f"+2126614{number:04d}5"
        form = webhook(self.house, telephone, WORDS)
        insist(lambda: post_text(self.house, form, timeout=8), 200)
        return telephone

    def mailed(self, number: int) -> str:
        """Send a mail from an address of its own."""
        address = f"citizen{number}@crash.example"
        raw = mail(address, WORDS)
        insist(lambda: send_mail(self.house, address, raw, timeout=8), 250)
        return address


def test_nothing_acknowledged_is_lost_or_doubled(stage) -> None:
    """Promises 1 and 2, and every citizen told the code of their own case."""
    house = stage.house
    killer = Killer(stage)
    citizens = Citizens(house, killer)
    killer.start()
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(citizens.write, range(6)))
    house.await_ready()
    until(lambda: not stage.unsettled(), seconds=120, what="the end of the outbox")

    who = citizens.acknowledged
    filed = house.export("cases")
    cases = Counter(case["contact"]["value"] for case in filed)
    own = {case["contact"]["value"]: {case["tracking_code"]} for case in filed}
    told = {one: stage.heard_by(one) for one in who}
    doubtful = stage.once_unknown()
    lost = [one for one in who if cases[one] == 0]
    doubled = [one for one, count in cases.items() if count > 1]
    silent = [one for one in who if not any(heard.acknowledges for heard in told[one])]
    misled = [one for one in who if any(heard.codes != own[one] for heard in told[one])]
    repeated = [one for one in who if len({h.words for h in told[one]}) < len(told[one])]
    # A provider that can be asked is never given a text twice, whatever became of the first one.
    # Mail cannot be asked about: it may come again, under the same Message-ID.
    twice = [one for one in repeated if one not in doubtful or "@" not in one]
    unlike = [
        one
        for one in repeated
        if len({heard.words for heard in told[one]}) < len({h.message_id for h in told[one]})
    ]
    print(
        f"seed {SEED}: {len(who)} acknowledged, {len(killer.kills)} kills {killer.kills}, "
        f"{len(lost)} lost, {len(doubled)} doubled, {len(silent)} silent, {len(misled)} misled, "
        f"{len(doubtful & set(who))} once unknown, {len(repeated)} told twice, "
        f"{len(twice)} of them without excuse"
    )
    assert len(who) == len(set(who)) >= 300
    assert len(killer.kills) >= 10
    assert set(killer.kills) >= {"web", "smtp", "relay", "horse", "valkey"}
    assert ("postgresql" in killer.kills) == (stage.server is not None)
    # Both kinds were exercised: what a provider can be asked about, and what it cannot.
    assert {"@" in one for one in doubtful & set(who)} == {True, False}
    assert (lost, doubled, silent, misled, twice, unlike) == ([], [], [], [], [], [])
    assert len(house.export("deliveries")) == len(who)
    assert house.stop() == 0

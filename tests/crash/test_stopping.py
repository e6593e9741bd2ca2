# SPDX-License-Identifier: MIT
"""SIGTERM while entries wait and a send is open: a clean end in time, and all is done later."""

import signal
from collections import Counter
from pathlib import Path

from guichet_testing.gateway import until
from guichet_testing.traffic import mail, post_text, send_mail, webhook

#: The promise of the public surface: serve has ended this many seconds after SIGTERM.
SECONDS = 10
NUMBERS = [f"+2126615{n:04d}5" for n in range(20)]
ADDRESSES = [f"citizen{n}@stop.example" for n in range(20)]


def all_write(house) -> None:
    """Everybody's complaint is acknowledged."""
    for number, address in zip(NUMBERS, ADDRESSES, strict=True):
        assert post_text(house, webhook(house, number, "Pas d'eau potable ici")) == 200
        assert send_mail(house, address, mail(address, "Pas d'eau potable ici")) == 250


def everybody_is_answered(stage) -> None:
    """Await the end of the outbox: one case each, and its acknowledgement."""
    until(lambda: not stage.unsettled(), seconds=90, what="the end of the outbox")
    cases = Counter(case["contact"]["value"] for case in stage.house.export("cases"))
    assert cases == Counter([*NUMBERS, *ADDRESSES])
    for who in cases:
        assert any(heard.acknowledges for heard in stage.heard_by(who)), who


def repeated(stage, people: list[str]) -> list[str]:
    """Who received the same words twice."""
    heard = {who: [one.words for one in stage.heard_by(who)] for who in people}
    return [who for who, words in heard.items() if len(set(words)) < len(words)]


def test_serve_ends_in_time_although_a_provider_keeps_silent(stage) -> None:
    """Exit 0 within ten seconds, no process left behind; what was open is asked about later."""
    house = stage.house
    with stage.texts.holding("answer"):
        all_write(house)
        until(stage.texts.senders, what="an open send")
        processes = stage.all_processes()
        house.serve.send_signal(signal.SIGTERM)
        assert house.serve.wait(SECONDS) == 0
        until(lambda: not any(map(alive, processes)), what="the end of every process")
        assert stage.unsettled(), "nothing waited any more"

    house.start()
    everybody_is_answered(stage)
    assert stage.once_unknown(), "no send was open"
    assert repeated(stage, NUMBERS) == []


def test_a_stop_gives_back_what_is_not_begun(stage) -> None:
    """The send at hand is finished and recorded; nothing is unknown, so nobody is told twice."""
    house = stage.house
    with stage.mails.holding("answer"):
        all_write(house)
        until(stage.mails.senders, what="an open send")
        (door,) = stage.victims("smtp")
        house.serve.send_signal(signal.SIGTERM)
        until(lambda: not alive(door), what="the end of the doors")  # all were told to end
    assert house.serve.wait(SECONDS) == 0
    assert stage.unsettled(), "nothing waited any more"

    house.start()
    everybody_is_answered(stage)
    assert stage.once_unknown() == set()
    assert repeated(stage, [*NUMBERS, *ADDRESSES]) == []


def alive(pid: int) -> bool:
    """Whether a process exists and is not merely waiting to be reaped."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False

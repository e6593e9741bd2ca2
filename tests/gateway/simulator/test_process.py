# SPDX-License-Identifier: MIT
"""The simulator as a process: both ports, its end, and a taken port told in one line."""

import smtplib
import socket
import threading

import httpx
import pytest

from config.wording import Wording
from gateway.simulator.process import run
from gateway.simulator.world import ProductionRefused


def test_it_listens_on_both_ports_until_it_is_told_to_stop(settings):
    lines, ready, stop = [], threading.Event(), threading.Event()

    def announce(line):
        lines.append(line)
        if len(lines) == 2:
            ready.set()

    thread = threading.Thread(target=run, args=(settings, Wording(), announce, stop.is_set))
    thread.start()
    assert ready.wait(10)

    page = f"http://127.0.0.1:{settings.simulator.port}/simulator"
    assert lines[0] == f"simulator: {page}"
    assert httpx.get(page, trust_env=False).status_code == 200
    assert (
        httpx.get(page.replace("/simulator", "/static/simulator.js"), trust_env=False)
        .headers["content-type"]
        .startswith("text/javascript")
    )
    with smtplib.SMTP("127.0.0.1", settings.simulator.smtp_port) as line:
        assert line.noop()[0] == 250
    stop.set()
    thread.join(10)

    assert not thread.is_alive()


@pytest.mark.parametrize("which", ["port", "smtp_port"])
def test_a_taken_port_is_told(settings, which):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        place = settings.simulator.model_copy(update={which: taken})

        with pytest.raises(OSError, match=f"simulator.{which} {taken}"):
            run(
                settings.model_copy(update={"simulator": place}),
                Wording(),
                print,
                lambda: True,
            )


def test_it_does_not_run_in_production(settings):
    with pytest.raises(ProductionRefused):
        run(settings.model_copy(update={"profile": "production"}), Wording(), print, lambda: True)

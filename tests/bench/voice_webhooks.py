# SPDX-License-Identifier: MIT
"""Webhooks of calls, ten a second, with and without two workers that transcribe beside them.

Open loop: each is sent when its time has come, whether or not the one before was answered; a slow
answer makes no other wait unseen. Every second one files a recording: a commit of its own.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlencode
from uuid import uuid4

import httpx
from readings import cpu_seconds
from sqlalchemy import Engine, func, select
from twilio.request_validator import RequestValidator

from config.settings import load as load_settings
from gateway import wiring
from gateway.doorbell import TRANSCRIBE, Doorbell
from gateway.listening import whisper_folder
from guichet_testing.gateway import RunningGateway, listens, until
from guichet_testing.servers import ValkeyServer, running
from tracker.models import OutboxKind, attachments, messages, outbox
from tracker.outbox import put
from tracker.register import add_attachments

PER_SECOND, WORKERS, RECORDINGS = 10, 2, 200
LINE = "/inbound/voice/twilio"


@dataclass(frozen=True, slots=True)
class Latencies:
    """99th percentiles in seconds, and what the two workers did meanwhile.

    Attributes:
        alone: without them.
        beside: while both transcribe.
        at_work: share of the time in which both had the engine at work.
        cpu_share: CPU seconds of both together, per second.
        transcribed: recordings that they finished.
    """

    alone: float
    beside: float
    at_work: float
    cpu_share: float
    transcribed: int


class Caller:
    """Posts signed webhooks of calls."""

    def __init__(self, house: RunningGateway) -> None:
        self._base = house.base
        token = json.loads(house.environment["GUICHET_TWILIO__AUTH_TOKENS"])[0]
        self._sign = RequestValidator(token)
        self._client = httpx.Client(timeout=30, trust_env=False)
        welcome = self._document(LINE)
        menu = self._document(_action(welcome, "Gather"), Digits="2")
        self._record = _action(self._document(_action(menu, "Gather"), Digits="1"), "Record")

    def _document(self, url: str, **more: str) -> ET.Element:
        return ET.fromstring(self.post(url, **more).text)  # noqa: S314 - our own document

    def post(self, url: str, **more: str) -> httpx.Response:
        """One webhook of a call of its own."""
        address = url if url.startswith("http") else self._base + url
        form = {
            "CallSid": f"CA{uuid4().hex}",
            "From": "+212612345678",
            "To": "+212520000000",
            "CallStatus": "in-progress",
            "Direction": "inbound",
            **more,
        }
        headers = {
            "X-Twilio-Signature": self._sign.compute_signature(address, form),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        answer = self._client.post(address, content=urlencode(form), headers=headers)
        return answer.raise_for_status()

    def measure(self, seconds: float) -> float:
        """The 99th percentile over ``seconds``."""
        begin = time.perf_counter() + 0.2

        def one(number: int) -> float:
            due = begin + number / PER_SECOND
            time.sleep(max(0.0, due - time.perf_counter()))
            if number % 2:
                self.post(LINE)
            else:
                self.post(self._record, RecordingSid=f"RE{uuid4().hex}", RecordingDuration="9")
            return time.perf_counter() - due

        with ThreadPoolExecutor(64) as pool:
            took = sorted(pool.map(one, range(int(seconds * PER_SECOND))))
        return took[min(len(took) - 1, int(len(took) * 0.99))]


class Watch:
    """Looks every quarter of a second at what workers do, on a thread of its own."""

    def __init__(self, workers: Sequence[subprocess.Popen[bytes]]) -> None:
        self._workers = workers
        self._looks: list[int] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._began, self._spent = time.perf_counter(), self._cpu()
        self._thread.start()

    def end(self) -> tuple[float, float]:
        """Share of the looks that saw all at work, and CPU seconds of all, per second."""
        took, spent = time.perf_counter() - self._began, self._cpu() - self._spent
        self._over.set()
        self._thread.join()
        all_at_work = sum(seen == len(self._workers) for seen in self._looks)
        return all_at_work / len(self._looks), spent / took

    def _look(self) -> None:
        while True:
            self._looks.append(sum(listens_now(worker.pid) for worker in self._workers))
            if self._over.wait(0.25):
                return

    def _cpu(self) -> float:
        return sum(cpu_seconds(worker.pid) for worker in self._workers)


def listens_now(pid: int) -> bool:
    """Whether a child of a worker, which does one job, has the engine in its memory."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return any("libctranslate2" in Path(f"/proc/{n}/maps").read_text() for n in children)
    except OSError:
        return False


def latencies(seconds: float, speech: Sequence[bytes]) -> Latencies:
    """Measure without, with, and without once more; what is told is the better one without."""
    with running(ValkeyServer) as valkey:
        house = RunningGateway(
            None,
            QUEUE__REDIS_URL=valkey.url,
            LOG_LEVEL="ERROR",
            VOICE__ENGINE="whisper",
            TWILIO__LOOK_MINUTES="0",
        )
        try:
            house.run("migrate")
            web = house.spawn("web")
            until(lambda: listens(house.web_port), seconds=60)
            caller = Caller(house)
            caller.measure(3)  # warm
            before = caller.measure(seconds)
            with transcribing(house, speech) as (workers, done):
                start, watch = done(), Watch(workers)
                beside = caller.measure(seconds)
                (at_work, share), transcribed = watch.end(), done() - start
            alone = min(before, caller.measure(seconds))
            _end(web)
        finally:
            house.close()
    return Latencies(alone, beside, at_work, share, transcribed)


@contextmanager
def transcribing(
    house: RunningGateway, speech: Sequence[bytes]
) -> Iterator[tuple[Sequence[subprocess.Popen[bytes]], Callable[[], int]]]:
    """Two workers at work on recordings enough for the whole measurement."""
    saved = dict(os.environ)
    os.environ.update({k: v for k, v in house.environment.items() if k.startswith("GUICHET")})
    try:
        settings = wiring.with_demo_values(load_settings())
    finally:
        os.environ.clear()
        os.environ.update(saved)
    whisper_folder(settings)
    engine = wiring.engine_of(settings)

    def done() -> int:
        with engine.connect() as connection:
            return (
                connection.scalar(
                    select(func.count())
                    .select_from(attachments)
                    .where(attachments.c.transcript_state == "done")
                )
                or 0
            )

    with engine.begin() as connection:
        # Those that the webhooks filed have no sound here.
        connection.execute(outbox.update().values(state="done"))
        message, case = connection.execute(select(messages.c.id, messages.c.case_id)).first() or (
            None,
            None,
        )
        for number in range(RECORDINGS):
            new = uuid4()
            row = connection.execute(select(messages).where(messages.c.id == message)).one()
            connection.execute(messages.insert().values({**row._asdict(), "id": new}))
            file = {"filename": "r.wav", "media_type": "audio/wav", "transcript_state": "awaiting"}
            add_attachments(connection, new, [{**file, "content": speech[number % len(speech)]}])
            put(
                connection,
                OutboxKind.TRANSCRIBE,
                f"bench:{number}",
                now=wiring.now(),
                channel="voice",
                case_id=case,
                message_id=new,
            )
    workers = [house.spawn("worker", "transcribe") for _ in range(WORKERS)]
    bell = Doorbell(settings.redis_url, TRANSCRIBE)
    try:
        for number in range(1, WORKERS + 1):
            bell.ring_anew()
            until(partial(_at_work, engine, number), seconds=90, what="two at work")
        until(lambda: all(listens_now(worker.pid) for worker in workers), seconds=60)
        yield workers, done
    finally:
        for worker in workers:
            _end(worker)
        engine.dispose()


def _at_work(engine: Engine, workers: int) -> bool:
    return _claimed(engine) >= workers


def _claimed(engine: Engine) -> int:
    query = select(func.count()).select_from(outbox).where(outbox.c.state == "claimed")
    with engine.connect() as connection:
        return connection.scalar(query) or 0


def _action(document: ET.Element, verb: str) -> str:
    found = document.find(verb)
    return (found.get("action") or "") if found is not None else ""


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    process.wait(30)

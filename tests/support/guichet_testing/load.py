# SPDX-License-Identifier: MIT
"""The load: generated mails and signed webhooks, and the clients that send them."""

from __future__ import annotations

import asyncio
import base64
import random
import time
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlencode

from twilio.request_validator import RequestValidator

SEED = 20260301
WORDS = [
    "eau",
    "coupure",
    "quartier",
    "rue",
    "depuis",
    "jours",
    "facture",
    "lampadaire",
    "école",
    "hôpital",
    "merci",
    "commune",
]


def mails(count: int, run: str) -> list[tuple[str, bytes]]:
    """Mails of the design's table: median 2.4 kB, mean 25 kB, a third with a 50 kB attachment."""
    dice = random.Random(f"{SEED}:{run}")
    found = []
    for number in range(count):
        sender = f"c{run}-{number}@bench.example"
        words = " ".join(dice.choices(WORDS, k=dice.randint(230, 420)))
        lines = [words[start : start + 70] for start in range(0, len(words), 70)]
        head = [
            f"From: Citoyen <{sender}>",
            "To: complaints@guichet.example",
            f"Subject: Reclamation {number}",
            f"Message-ID: <{run}.{number}@bench.example>",
            "Date: Sun, 01 Mar 2026 12:00:00 +0000",
            "MIME-Version: 1.0",
        ]
        plain = ["Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit", ""]
        if number % 3 == 0:
            blob = base64.encodebytes(dice.randbytes(50_000)).decode().splitlines()
            body = [
                "Content-Type: multipart/mixed; boundary=b0",
                "",
                "--b0",
                *plain,
                *lines,
                "--b0",
                "Content-Type: application/pdf; name=piece.pdf",
                "Content-Disposition: attachment; filename=piece.pdf",
                "Content-Transfer-Encoding: base64",
                "",
                *blob,
                "--b0--",
            ]
        else:
            body = [*plain, *lines]
        found.append((sender, "\r\n".join([*head, *body, ""]).encode()))
    return found


@dataclass(frozen=True)
class Outcome:
    """What a client saw.

    Attributes:
        acknowledged: how many were told "stored".
        seconds: wall time from the first byte to the last answer.
        p99: seconds that 99 of 100 answers took at the most.
        refused: how many were told anything else.
        files: how many of the acknowledged ones carried a file.
    """

    acknowledged: int
    seconds: float
    p99: float
    refused: int = 0
    files: int = 0


async def send_mails(port: int, load: list[tuple[str, bytes]], sessions: int = 10) -> Outcome:
    """Send mails on kept connections."""
    waiting = list(reversed(load))
    times: list[float] = []

    files = 0

    async def session() -> int:
        nonlocal files
        reader, writer = await asyncio.open_connection("127.0.0.1", port)

        async def answer() -> bytes:
            while True:
                line = await reader.readline()
                if line[3:4] != b"-":
                    return line[:3]

        async def say(line: bytes) -> bytes:
            writer.write(line)
            return await answer()

        await answer()
        await say(b"EHLO bench.example\r\n")
        done = 0
        while waiting:
            sender, raw = waiting.pop()
            began = time.perf_counter()
            await say(f"MAIL FROM:<{sender}>\r\n".encode())
            await say(b"RCPT TO:<complaints@guichet.example>\r\n")
            await say(b"DATA\r\n")
            stored = await say(raw + b".\r\n") == b"250"
            done += stored
            files += stored and b"filename=" in raw
            times.append(time.perf_counter() - began)
        writer.close()
        return done

    began = time.perf_counter()
    counts = await asyncio.gather(*(session() for _ in range(sessions)))
    spent = time.perf_counter() - began
    return Outcome(sum(counts), spent, _p99(times), len(load) - sum(counts), files)


def webhooks(count: int, run: str, url: str, token: str, account: str) -> list[bytes]:
    """Signed webhook requests, ready to be written to a socket; each of a citizen of its own."""
    validator = RequestValidator(token)
    host = url.split("/")[2]
    path = "/" + url.split("/", 3)[3]
    found = []
    # Numbers of this run alone: a second text of one number within minutes would join its case.
    first = int(sha256(run.encode()).hexdigest(), 16) % (10**8 - count)
    for number in range(count):
        form = {
            "MessageSid": f"SM{sha256(f'{run}.{number}'.encode()).hexdigest()[:32]}",
            "AccountSid": account,
            "From": f"+2126{first + number:08d}",
            "To": "+212520000000",
            "Body": f"Pas d'eau depuis {number} jours dans notre quartier, merci de faire vite",
            "NumMedia": "0",
            "FromCity": "",
        }
        body = urlencode(form)
        found.append(
            (
                f"POST {path} HTTP/1.1\r\nHost: {host}\r\nConnection: keep-alive\r\n"
                f"Content-Type: application/x-www-form-urlencoded\r\n"
                f"X-Twilio-Signature: {validator.compute_signature(url, form)}\r\n"
                f"Content-Length: {len(body)}\r\n\r\n{body}"
            ).encode()
        )
    return found


async def post_webhooks(port: int, load: list[bytes], connections: int = 16) -> Outcome:
    """Post requests on kept connections; one that was closed is opened again."""
    waiting = list(reversed(load))
    times: list[float] = []

    async def connection() -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        done = 0
        while waiting:
            request = waiting.pop()
            began = time.perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            lower = head.lower()
            length = int(lower.split(b"content-length:")[1].split(b"\r\n")[0])
            if length:
                await reader.readexactly(length)
            done += head[9:12] == b"200"
            times.append(time.perf_counter() - began)
            if b"connection: close" in lower:
                writer.close()
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        return done

    began = time.perf_counter()
    counts = await asyncio.gather(*(connection() for _ in range(connections)))
    spent = time.perf_counter() - began
    return Outcome(sum(counts), spent, _p99(times), len(load) - sum(counts))


def _p99(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.99) - 1] if times else 0.0

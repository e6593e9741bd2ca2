# SPDX-License-Identifier: MIT
r"""The mailbox door: fetches mail over IMAP (RFC 3501) and flags it only after the commit.

Each mail goes ``FETCH BODY.PEEK[]`` → commit → ``\Seen`` (or MOVE) → cursor. ``\Seen`` alone is
no proof of filing: whatever lies above the cursor is fetched, read by a person or not. IDLE is
only a hint (RFC 2177) to look at once; a sweep follows each connection and each poll. A mail that
is fetched again has the same key and is not filed again: the cursor saves work, it proves nothing.
"""

from __future__ import annotations

import hashlib
import logging
import random
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from channels.channel import Accepted, Delivery, Refused
from channels.mail.charset import scrub
from channels.mail.examine import Facts, Source, examine
from channels.mail.imap_account import Account, hang_up
from channels.mail.key import idempotency_key
from channels.message import ChannelName

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from imapclient import IMAPClient

    from channels.channel import Accept, Acknowledgement, MailboxCursor
    from channels.mail.authenticity import Authenticator

logger = logging.getLogger(__name__)

#: Servers cut an IDLE at 10 to 29 minutes.
LONGEST_IDLE_SECONDS = 540.0
#: After so many failures to fetch one mail it is noted for a person and passed over.
MOST_FETCHES = 5
#: So many "try later" one after the other mean the storage is away: the rest is not fetched.
MOST_LATER = 10
_BATCH = 50
_HEADER_BYTES = 65_536
_CHECK_SECONDS = 0.5
_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 300.0
_RETURN_PATH = re.compile(rb"^return-path[ \t]*:\s*<?([^<>\s]*)", re.IGNORECASE | re.MULTILINE)
_AUTHOR = re.compile(
    rb"^(?:from|sender|reply-to)[ \t]*:[^\n]{0,998}?(?:\n[ \t][^\n]{0,998}?)?"
    rb"([^\s<>\"(),:;]{1,64}@[^\s<>\"(),:;]{1,255})",
    re.IGNORECASE | re.MULTILINE,
)
_END_OF_HEADERS = re.compile(rb"\r?\n\r?\n")


class MailboxDoor:
    r"""Takes mail out of one folder, and hands it to the house.

    Args:
        account: where the mail lies.
        accept: hands over one delivery and what was read of it (``None``: quarantine it).
        set_aside: keeps a note of a mail that was not fetched, with its reason, for a person.
        cursor: remembers how far we are.
        attempt: surrounds each reading and says whether the mail may be read at all.
        clock: the present time, aware UTC.
        move_to: the folder for filed mail; ``""``: it stays and is flagged ``\Seen``.
        max_size: a larger mail (bytes) is not fetched but flagged for a person.
        poll_seconds: between looks where the server has no IDLE.
        idle_seconds: between looks where it has; 9 minutes at most.
        count: told one word for each event worth a figure: ``accepted``, ``unreadable``,
            ``too_large``, ``try_later``, ``unfetchable``, ``facts_failed``, ``failure``.
        authenticator: determines facts about the sender; ``None``: there are none.
    """

    def __init__(
        self,
        account: Account,
        *,
        accept: Accept,
        set_aside: Callable[[Delivery, str], Acknowledgement],
        cursor: MailboxCursor,
        attempt: Callable[[bytes], AbstractContextManager[bool]],
        clock: Callable[[], datetime],
        move_to: str = "",
        max_size: int = 30_000_000,
        poll_seconds: float = 60.0,
        idle_seconds: float = 300.0,
        count: Callable[[str], None] = lambda _event: None,
        authenticator: Authenticator | None = None,
    ) -> None:
        self.account = account
        self._accept = accept
        self._set_aside = set_aside
        self._cursor = cursor
        self._attempt = attempt
        self._clock = clock
        self._move_to = move_to
        self._max_size = max_size
        self._poll_seconds = poll_seconds
        self._idle_seconds = min(idle_seconds, LONGEST_IDLE_SECONDS)
        self._count = count
        self._facts = Facts(authenticator, count)
        self._validity = 0
        self._reached = 0
        self._settled: set[int] = set()
        self._later: Counter[int] = Counter()
        self._fetches: Counter[int] = Counter()

    def run(self, stop: threading.Event) -> None:
        """Look after the mailbox until ``stop`` is set. Never raises.

        Any failure drops the connection; the next one comes after a growing pause with jitter.
        """
        # At DEBUG, imapclient logs what it says and hears: passwords and citizens' words.
        logging.getLogger("imapclient").setLevel(logging.WARNING)
        failures = 0
        while not stop.is_set():
            client: IMAPClient | None = None
            try:
                client = self.account.connect()
                if not self._validity:  # UIDs of a server that says 0 hold for one connection
                    self._reached = 0
                    self._settled.clear()
                while not stop.is_set():
                    whole = self.sweep(client, stop)
                    failures = 0 if whole else failures + 1
                    if whole:
                        self._wait(client, stop)
                    else:
                        stop.wait(_pause(failures))
            except Exception as error:  # noqa: BLE001 - this door's one wide catch: drop, begin anew
                failures += 1
                self._count("failure")
                # Its words stay out of the log: a server may quote a mail or a name.
                logger.warning("mailbox door: %s", type(error).__name__)
                stop.wait(_pause(failures))
            finally:
                if client is not None:
                    hang_up(client)

    # One sweep

    def sweep(self, client: IMAPClient, stop: threading.Event) -> bool:
        """Look at every mail that is not settled yet.

        Returns:
            whether all of them are settled now.

        Raises:
            OSError: the connection is broken.
            imapclient.exceptions.IMAPClientError: so it is, or the folder is not there.
        """
        selected = client.select_folder(self.account.folder)
        self._place(int(selected.get(b"UIDVALIDITY", 0)), int(selected.get(b"UIDNEXT", 0)))
        # "n:*" always names the last mail too, also a settled one (RFC 3501, 6.4.8).
        above = {uid for uid in client.search(f"UID {self._reached + 1}:*") if uid > self._reached}
        found = above | set(client.search("UNSEEN"))
        # Where a server keeps no flags, all stays unseen: what is settled is not fetched again.
        self._settled &= found
        waiting = found - self._settled
        # One mail that always fails must not stand before the others.
        order = sorted(waiting, key=lambda uid: (self._later[uid] + self._fetches[uid], uid))
        refused = 0
        for start in range(0, len(order), _BATCH):
            batch = order[start : start + _BATCH]
            sizes = client.fetch(batch, ["RFC822.SIZE"])
            for uid in batch:
                if stop.is_set() or refused >= MOST_LATER:
                    return False
                size = int(sizes[uid][b"RFC822.SIZE"]) if uid in sizes else None
                if size is None or self._take(client, uid, size):
                    waiting.discard(uid)
                    self._settled.add(uid)
                    refused = 0
                else:
                    refused += 1
            self._advance(found, waiting)
        return not waiting

    def _place(self, validity: int, next_uid: int) -> None:
        """Find out where we are. After a new UIDVALIDITY, or UIDs that went back: at the first."""
        if validity != self._validity:
            self._settled.clear()
            self._later.clear()
            self._fetches.clear()
            stored = self._cursor.read() if validity else None
            self._reached = stored[1] if stored and stored[0] == validity else 0
            self._validity = validity
        if next_uid and self._reached >= next_uid:
            self._reached = 0
            self._settled.clear()

    def _advance(self, found: set[int], waiting: set[int]) -> None:
        """Move the cursor to just before the first mail that waits."""
        reached = min(waiting) - 1 if waiting else max(found, default=0)
        if reached > self._reached:
            self._reached = reached
            if self._validity:  # a server that says 0 promises nothing about its UIDs
                self._cursor.advance(self._validity, reached)

    def _take(self, client: IMAPClient, uid: int, size: int) -> bool:
        """Fetch, hand over, and flag one mail; ``False``: it waits, unseen."""
        if self._fetches[uid] >= MOST_FETCHES:
            return self._note(client, uid, b"", "cannot be fetched; it is still in the mailbox")
        if size > self._max_size:
            header = self._fetch(client, uid, f"BODY.PEEK[HEADER]<0.{_HEADER_BYTES}>")
            reason = f"a mail of {size} bytes is too large; it is still in the mailbox"
            return header is not None and self._note(client, uid, header, reason)
        raw = self._fetch(client, uid, "BODY.PEEK[]")
        if raw is None:
            return False
        sender = envelope_sender(raw)
        examined = examine(raw, sender, (), self._attempt)
        message = examined.message
        if message is None:
            self._count("unreadable")
        else:
            message = self._facts.added_now(raw, message, Source(envelope_from=sender))
        answer = self._accept(self._delivery(uid, examined.key, raw, sender), message)
        if not self._is_settled(uid, answer):
            return False
        self._file_away(client, uid)
        return True

    def _fetch(self, client: IMAPClient, uid: int, what: str) -> bytes | None:
        """One section of one mail; ``None`` when the server has no answer for it."""
        self._fetches[uid] += 1  # counted before: a mail may take the connection down
        try:
            answer: dict[bytes, Any] = client.fetch([uid], [what]).get(uid, {})
        except client.AbortError:
            raise
        except client.Error:
            return None
        section = next((v for k, v in answer.items() if k.startswith(b"BODY[")), None)
        if not isinstance(section, bytes):
            return None
        del self._fetches[uid]
        return section

    def _note(self, client: IMAPClient, uid: int, header: bytes, reason: str) -> bool:
        """Put a mail that was not fetched on the desk's list, and flag it in the mailbox."""
        sender = envelope_sender(header)
        if header:
            key = idempotency_key(header, "", sender, reason)
        else:
            home = f"{self.account.user}@{self.account.host}:{self.account.port}"
            place = f"{home}\0{self.account.folder}\0{self._validity}\0{uid}"
            key = f"email:unfetchable:{hashlib.sha256(place.encode()).hexdigest()}"
        self._count("too_large" if header else "unfetchable")
        answer = self._set_aside(self._delivery(uid, key, header, sender), reason)
        if not self._is_settled(uid, answer):
            return False
        client.add_flags([uid], [b"\\Seen", b"\\Flagged"], silent=True)
        return True

    def _is_settled(self, uid: int, answer: Acknowledgement) -> bool:
        """Whether the mailbox may be told; a refusal is for a person, and settles nothing."""
        if isinstance(answer, Accepted):
            self._count("accepted")
            self._later.pop(uid, None)
            return True
        self._count("refused" if isinstance(answer, Refused) else "try_later")
        self._later[uid] += 1
        return False

    def _file_away(self, client: IMAPClient, uid: int) -> None:
        client.add_flags([uid], [b"\\Seen"], silent=True)
        if not self._move_to:
            return
        if not client.folder_exists(self._move_to):
            client.create_folder(self._move_to)
        if client.has_capability("MOVE"):  # RFC 6851
            client.move([uid], self._move_to)
            return
        client.copy([uid], self._move_to)
        client.add_flags([uid], [b"\\Deleted"], silent=True)
        if client.has_capability("UIDPLUS"):  # else the owner of the mailbox expunges
            client.uid_expunge([uid])

    def _delivery(self, uid: int, key: str, body: bytes, sender: str) -> Delivery:
        return Delivery(
            channel=ChannelName.EMAIL,
            idempotency_key=key,
            received_at=self._clock(),
            peer="",
            headers={
                "envelope-from": sender,
                "envelope-to": "",
                "imap-folder": self.account.folder,
                "imap-uidvalidity": str(self._validity),
                "imap-uid": str(uid),
            },
            body=body,
        )

    # Between two sweeps

    def _wait(self, client: IMAPClient, stop: threading.Event) -> None:
        """Wait for the next look; the server may call us earlier."""
        if not client.has_capability("IDLE"):
            stop.wait(self._poll_seconds)
            return
        client.idle()
        for _ in range(max(1, int(self._idle_seconds / _CHECK_SECONDS))):
            if stop.is_set() or _is_news(client.idle_check(timeout=_CHECK_SECONDS)):
                break
        client.idle_done()


def envelope_sender(raw: bytes) -> str:
    """The envelope sender, which IMAP does not tell: Return-Path, else who wrote the mail.

    ``""`` stands for a null reverse-path (RFC 5321, 4.5.5), by which bounces are known; a mail
    without a Return-Path must not be taken for one.
    """
    end = _END_OF_HEADERS.search(raw, 0, _HEADER_BYTES)
    head = raw[: end.start() if end else _HEADER_BYTES]
    found = _RETURN_PATH.search(head) or _AUTHOR.search(head)
    return scrub(found[1].decode("utf-8", "replace"))[:320] if found else ""


def _is_news(answers: Sequence[Iterable[Any]]) -> bool:
    """Whether a server said more than that it is still there."""
    return any(
        not {b"OK", b"FETCH"} & {w for w in said if isinstance(w, bytes)} for said in answers
    )


def _pause(failures: int) -> float:
    longest = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2.0 ** min(failures - 1, 10))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, no secret

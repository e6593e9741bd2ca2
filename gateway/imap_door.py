# SPDX-License-Identifier: MIT
"""Opens the mailbox door of this process with the settings."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from channels.channel import TryLater
from channels.mail.imap import MailboxDoor
from channels.mail.imap_account import Account
from config import country
from gateway import telemetry, too_large
from gateway.authenticating import authenticator_of
from gateway.filing import is_storage_failure
from gateway.reading_guard import ReadingGuard
from normalizer.normalize import preload
from tracker import mailbox
from tracker.database import reading
from tracker.group_commit import StorageUnavailable

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from sqlalchemy import Connection

    from channels.channel import Accepted, Acknowledgement, Delivery
    from gateway.house import House

logger = logging.getLogger(__name__)


def run(house: House, stop: threading.Event, announce: Callable[[str], None] = print) -> None:
    """Look after the mailbox until ``stop`` is set. Blocks.

    Args:
        house: what the door hands deliveries to, and its settings; ``imap.host`` is set.
        stop: set by a signal handler or another thread.
        announce: is told one line before the first connection.
    """
    preload()
    imap = house.settings.imap
    announce(f"mailbox door looks at imap://{imap.host}:{imap.port}")
    open_door(house).run(stop)


def open_door(house: House) -> MailboxDoor:
    """Build the door of these settings; it does not connect yet."""
    settings = house.settings
    imap = settings.imap
    return MailboxDoor(
        Account(
            host=imap.host,
            port=imap.port,
            user=imap.user,
            password=imap.password.get_secret_value(),
            oauth_token=imap.oauth_token.get_secret_value(),
            oauth_token_file=Path(imap.oauth_token_file) if imap.oauth_token_file else None,
            folder=imap.folder,
            tls=imap.tls,
            timeout_seconds=imap.timeout_seconds,
        ),
        accept=house.accept,
        set_aside=Aside(house),
        cursor=StoredCursor(house),
        authenticator=authenticator_of(settings),
        attempt=ReadingGuard(settings.data_dir / "reading").attempt,
        clock=house.clock,
        move_to=imap.move_to if imap.after_filing == "move" else "",
        max_size=imap.max_size,
        poll_seconds=imap.poll_seconds,
        idle_seconds=imap.idle_seconds,
        count=lambda event: telemetry.mail_event(f"imap_{event}"),
    )


class Aside:
    """Keeps a note of a mail that was not fetched, in quarantine, and tells its sender why."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._country = country.load(house.settings.country)

    def __call__(self, delivery: Delivery, reason: str) -> Acknowledgement:
        """Store the note; answer only after the commit. Never raises for want of storage."""
        stored = self._house.writer.submit(
            lambda connection: self._store(connection, delivery, reason),
            key=delivery.idempotency_key,
            savepoint=False,  # as the intake's own: it guards its writes
        )
        try:
            return stored.result(timeout=60)
        except (StorageUnavailable, TimeoutError):
            return TryLater()

    def _store(self, connection: Connection, delivery: Delivery, reason: str) -> Accepted:
        accepted = self._house.intake.file(connection, delivery, None, reason)
        if delivery.body and not accepted.repeated:  # without its header nobody is known to tell
            try:
                with connection.begin_nested():
                    too_large.tell(connection, delivery, self._country)
            except Exception as error:  # a hostile header: the note of the mail must stand
                if is_storage_failure(error):
                    raise
                logger.exception("mailbox door: the sender of a mail could not be told")
        return accepted


class StoredCursor:
    """The cursor of the mailbox of these settings, in the database."""

    def __init__(self, house: House) -> None:
        imap = house.settings.imap
        self._house = house
        self._account = f"{imap.user}@{imap.host}:{imap.port}"[:400]
        self._folder = imap.folder

    def read(self) -> tuple[int, int] | None:
        """UIDVALIDITY and the UID up to which every mail is settled; ``None`` at first."""
        with reading(self._house.engine).connect() as connection:
            return mailbox.position(connection, self._account, self._folder)

    def advance(self, uid_validity: int, uid: int) -> None:
        """Store both; where that fails, the mails are looked at once more."""
        now = self._house.clock()
        try:
            self._house.writer.run(
                lambda connection: mailbox.advance(
                    connection, self._account, self._folder, uid_validity, uid, at=now
                )
            )
        except StorageUnavailable:
            logger.warning("mailbox door: the cursor could not be stored")

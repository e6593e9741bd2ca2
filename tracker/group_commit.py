# SPDX-License-Identifier: MIT
"""One writing thread per process: waiting messages share one commit, a savepoint each.

A commit costs an fsync; ten waiting messages cost one. When the commit fails, *every* message of
the group gets the failure, so that no door acknowledges what is not on disk (design, promise 1).
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from tracker import deferred, strangers

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection, Engine

    from tracker.strangers import Sender

T = TypeVar("T")
logger = logging.getLogger(__name__)


class StorageUnavailable(Exception):  # noqa: N818 - what it says, as the doors read it
    """Nothing was stored: the database is locked, full, or away. Answer a temporary failure."""


class GroupCommit:
    """Runs functions in shared transactions.

    Args:
        engine: the writing engine.
        size: most functions that share one commit.
        after_commit: called once after each successful commit (the doorbell).
        gather_seconds: how long the first function waits for company. A few milliseconds pay
            where many threads hand in one each, as they make fewer and larger commits.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        size: int = 64,
        after_commit: Callable[[], None] | None = None,
        gather_seconds: float = 0.0,
    ) -> None:
        self._engine = engine
        self._size = size
        self._after_commit = after_commit
        self._gather_seconds = gather_seconds
        self._waiting: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._closed = False
        self._connection: Connection | None = None

    def submit(
        self,
        function: Callable[[Connection], T],
        *,
        key: str = "",
        savepoint: bool = True,
        sender: Sender | None = None,
    ) -> Future[T]:
        """Queue ``function`` for the next commit.

        Args:
            function: takes the connection; runs in a savepoint of its own. What it raises is
                given to its own caller alone and undoes its own savepoint alone.
            key: the unique key it claims; a group runs in the order of the keys, so that two
                processes can never wait for each other's keys in a circle.
            savepoint: ``False`` for a function that guards its own writes; what it raises then
                fails the whole group.
            sender: whose cases it will ask for (see :mod:`tracker.strangers`), or ``None``.

        Returns:
            a future that is done only after the commit. Its exception is
            :class:`StorageUnavailable` when the commit failed.
        """
        future: Future[T] = Future()
        if self._closed:
            future.set_exception(StorageUnavailable("this process is stopping"))
            return future
        if self._thread is None:
            self._start()
        self._waiting.put(_Job(function, future, key, savepoint, sender))
        return future

    def run(
        self, function: Callable[[Connection], T], *, key: str = "", timeout: float = 60.0
    ) -> T:
        """Queue ``function`` and wait for its commit.

        Raises:
            StorageUnavailable: nothing was stored.
        """
        try:
            return self.submit(function, key=key).result(timeout)
        except TimeoutError as error:
            message = "the database did not answer in time"
            raise StorageUnavailable(message) from error

    def close(self) -> None:
        """Commit what waits, then stop the thread."""
        self._closed = True
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join(timeout=10)

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._loop, name="writer", daemon=True)
                self._thread.start()

    def _loop(self) -> None:
        try:
            while self._next():
                pass
        finally:
            self._hang_up()

    def _next(self) -> bool:
        """Commit the next group; ``False`` at the end."""
        job = self._waiting.get()
        if job is None:
            return False
        if self._gather_seconds:
            time.sleep(self._gather_seconds)
        group = [job]
        following: _Job | None = job
        while len(group) < self._size:
            try:
                following = self._waiting.get_nowait()
            except queue.Empty:
                break
            if following is None:
                break
            group.append(following)
        group.sort(key=lambda job: job.key)
        self._commit(group, batched=True)
        return following is not None

    def _commit(self, group: list[_Job], *, batched: bool) -> None:
        try:
            results = self._together(group, batched=batched)
        except (IntegrityError, DataError) as error:
            # A key that is there already, or a value that does not fit. Without a batch each
            # function has a savepoint of its own; alone, it has only itself to blame.
            if batched:
                self._commit(group, batched=False)
            elif len(group) > 1:
                for job in group:
                    self._commit([job], batched=False)
            else:
                self._fail(group, type(error).__name__, error)
            return
        except Exception as error:  # noqa: BLE001 - the driver's own errors, of every kind
            if len(group) > 1 and not isinstance(error, DBAPIError):
                for job in group:  # an error of one function's own: the others do not share it
                    self._commit([job], batched=batched)
                return
            self._fail(group, type(error).__name__, error)
            return
        for job, result, failed in results:
            if failed is not None:
                job.future.set_exception(failed)
            else:
                job.future.set_result(result)
        if self._after_commit is not None:
            self._after_commit()

    def _together(self, group: list[_Job], *, batched: bool) -> list[_Result]:
        """Run a group in one transaction on the connection that this thread keeps."""
        kept = self._connection is not None
        connection = self._connection or self._engine.connect()
        self._connection = connection
        committing = False
        try:
            with connection.begin() as transaction:
                if batched:
                    strangers.ask(connection, [job.sender for job in group if job.sender])
                    deferred.open_batch(connection)
                results: list[_Result] = [(job, *_run(connection, job)) for job in group]
                deferred.close_batch(connection)
                committing = True
                transaction.commit()
        except DBAPIError as error:
            if error.connection_invalidated:
                self._hang_up()
                # A connection that died while it was idle says nothing of the database now; but
                # what may have been committed is not done again.
                if kept and not committing:
                    return self._together(group, batched=batched)
            raise
        except BaseException:
            self._hang_up()
            raise
        finally:
            deferred.drop_batch(connection)
            strangers.forget(connection)
        return results

    def _hang_up(self) -> None:
        """Let the connection go; the next group opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):  # it is broken, or the engine is gone
                connection.close()

    @staticmethod
    def _fail(group: list[_Job], reason: str, cause: BaseException | None = None) -> None:
        logger.warning("commit failed, %d waiting: %s", len(group), reason)
        for job in group:
            failure = StorageUnavailable("nothing was stored; try again later")
            failure.__cause__ = cause
            job.future.set_exception(failure)


def _run(connection: Connection, job: _Job) -> tuple[Any, BaseException | None]:
    if not job.savepoint:
        return job.function(connection), None
    with deferred.suspended(connection):
        savepoint = connection.begin_nested()
        try:
            result = job.function(connection)
            savepoint.commit()
        except Exception as error:
            if not savepoint.is_active and connection.invalidated:
                raise
            savepoint.rollback()
            if _is_storage_failure(error):
                raise
            return None, error
        return result, None


def _is_storage_failure(error: BaseException) -> bool:
    """A failure of the database itself spoils the whole group; one of the message does not."""
    return isinstance(error, DBAPIError) and not isinstance(error, IntegrityError | DataError)


class _Job:
    """One waiting function."""

    __slots__ = ("function", "future", "key", "savepoint", "sender")

    def __init__(
        self,
        function: Callable[[Connection], Any],
        future: Future[Any],
        key: str,
        savepoint: bool,  # noqa: FBT001 - a field
        sender: Sender | None,
    ) -> None:
        self.function = function
        self.future = future
        self.key = key
        self.savepoint = savepoint
        self.sender = sender


_Result = tuple[_Job, Any, BaseException | None]

# SPDX-License-Identifier: MIT
"""Who is to blame when a commit of several things fails: the database, or one of them."""

from __future__ import annotations

from sqlalchemy.exc import SQLAlchemyError, StatementError

from gateway import filing


def is_its_own(cause: BaseException) -> bool:
    """Whether something spoilt the commit that it was part of: then the others need not wait."""
    if isinstance(cause, StatementError):  # a value that no statement takes, or the driver's word
        return not filing.is_storage_failure(cause)
    return not isinstance(cause, SQLAlchemyError | OSError | MemoryError)

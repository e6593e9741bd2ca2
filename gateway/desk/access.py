# SPDX-License-Identifier: MIT
"""What each role may see and do at the desk. One table, so that one test can walk through it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from tracker.models import Role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Row


class Deed(StrEnum):
    """Something that one may do at the desk."""

    REPLY = "reply"
    NOTE = "note"
    STATUS = "status"
    ASSIGN = "assign"
    ATTENTION = "attention"


_WORK = frozenset({Deed.REPLY, Deed.NOTE, Deed.STATUS})

#: An auditor reads, and does nothing else.
DEEDS: Mapping[Role, frozenset[Deed]] = {
    Role.AGENT: _WORK,
    Role.SUPERVISOR: _WORK | {Deed.ASSIGN},
    Role.TRIAGE: _WORK | {Deed.ASSIGN, Deed.ATTENTION},
    Role.OPERATOR: _WORK | {Deed.ASSIGN, Deed.ATTENTION},
    Role.AUDITOR: frozenset(),
}
#: Roles that see the figures; a supervisor those of one administration.
SEE_FIGURES = frozenset({Role.SUPERVISOR, Role.TRIAGE, Role.OPERATOR, Role.AUDITOR})
#: Roles that see the cases of every administration.
SEE_ALL = frozenset({Role.TRIAGE, Role.OPERATOR, Role.AUDITOR})


class DeskUser:
    """The person who is signed in, in the shape Flask-Login asks for.

    Args:
        row: a row of ``users``.
    """

    is_authenticated = True
    is_anonymous = False

    def __init__(self, row: Row[Any]) -> None:
        self.id = row.id
        self.email: str = row.email
        self.role = Role(row.role)
        self.administration: str | None = row.administration
        self.session_epoch: int = row.session_epoch
        self.is_active: bool = not row.disabled

    def get_id(self) -> str:
        """What the session remembers: the user, and the number that ends sessions when it rises."""
        return f"{self.id}:{self.session_epoch}"

    def may(self, deed: str) -> bool:
        """Whether this person's role includes ``deed``."""
        return Deed(deed) in DEEDS[self.role]

    @property
    def sees_all(self) -> bool:
        """Whether this person sees every administration's cases."""
        return self.role in SEE_ALL

    @property
    def sees_figures(self) -> bool:
        """Whether this person sees how well cases reach the right administration."""
        return self.role in SEE_FIGURES

    def may_see(self, case: Row[Any]) -> bool:
        """Whether this person may see ``case`` (a row of ``cases``)."""
        return self.sees_all or (
            self.administration is not None and case.administration == self.administration
        )

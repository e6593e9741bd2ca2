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
    GIVE_UP = "give_up"
    DIVIDE = "divide"
    ELSEWHERE = "elsewhere"
    LINK = "link"
    DECIDE = "decide"


_WORK = frozenset({Deed.REPLY, Deed.NOTE, Deed.STATUS, Deed.LINK})
_SORT = frozenset({Deed.ASSIGN, Deed.ATTENTION, Deed.DIVIDE, Deed.ELSEWHERE})

#: An auditor reads, and does nothing else.
DEEDS: Mapping[Role, frozenset[Deed]] = {
    Role.AGENT: _WORK | {Deed.GIVE_UP},
    Role.SUPERVISOR: _WORK | {Deed.ASSIGN, Deed.GIVE_UP},
    Role.TRIAGE: _WORK | _SORT,
    Role.OPERATOR: _WORK | _SORT,
    Role.AUDITOR: frozenset(),
}
#: Roles that see the figures; a supervisor those of one administration.
SEE_FIGURES = frozenset({Role.SUPERVISOR, Role.TRIAGE, Role.OPERATOR, Role.AUDITOR})
#: A supervisor of no administration is the person above: they decide a third transfer.
ABOVE = _WORK | _SORT | {Deed.DECIDE}
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
        return Deed(deed) in (ABOVE if self.is_above else DEEDS[self.role])

    @property
    def is_above(self) -> bool:
        """Whether this person is the one above all administrations and those who sort."""
        return self.role is Role.SUPERVISOR and self.administration is None

    @property
    def sees_all(self) -> bool:
        """Whether this person sees every administration's cases."""
        return self.role in SEE_ALL or self.is_above

    @property
    def sees_figures(self) -> bool:
        """Whether this person sees how well cases reach the right administration."""
        return self.role in SEE_FIGURES

    def may_see(self, case: Row[Any]) -> bool:
        """Whether this person may see ``case`` (a row of ``cases``)."""
        return self.sees_all or (
            self.administration is not None and case.administration == self.administration
        )

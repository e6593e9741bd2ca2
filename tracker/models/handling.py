# SPDX-License-Identifier: MIT
"""Tables of what people decide about cases: transfers, and which cases speak of the same thing."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import (
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from tracker.models.types import UtcDateTime, metadata

#: Each time an administration gives a case up. ``to_administration`` is null while people choose
#: the next one; ``proposed`` is what the one that gave it up proposes. Nothing here has a date of
#: its own but the act: the legal clock runs on from receipt.
transfers = Table(
    "transfers",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("case_id", Uuid, ForeignKey("cases.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("from_administration", String(64), nullable=False),
    Column("to_administration", String(64), nullable=True),
    Column("proposed", String(64), nullable=True),
    Column("reason", Text, nullable=False),
    Column("transferred_by", String(254), nullable=False),
    Column("transferred_at", UtcDateTime, nullable=False),
    UniqueConstraint("case_id", "number"),
)


class LinkState(StrEnum):
    """What a person said of two cases that look alike."""

    LINKED = "linked"
    DISMISSED = "dismissed"


#: Two cases that a person looked at side by side; ``case_id`` is the smaller id of the two. Each
#: keeps its code, its people and its clock.
case_links = Table(
    "case_links",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("case_id", Uuid, ForeignKey("cases.id"), nullable=False),
    Column("other_id", Uuid, ForeignKey("cases.id"), nullable=False),
    Column("state", String(16), nullable=False),
    Column("score", Float, nullable=False),
    Column("decided_by", String(254), nullable=False),
    Column("decided_at", UtcDateTime, nullable=False),
    UniqueConstraint("case_id", "other_id"),
    Index("ix_case_links_other_id", "other_id"),
)

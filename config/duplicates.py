# SPDX-License-Identifier: MIT
"""The settings of what is said twice: ``[duplicates]``."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Duplicates(BaseModel):
    """When the same words join a case, and when another case is proposed beside one."""

    model_config = ConfigDict(extra="forbid")

    window_days: float = Field(
        30.0,
        ge=0,
        description="days in which the same words of one sender join their open case, and in which "
        "cases are compared; 0: never",
    )
    least_letters: int = Field(
        12, ge=1, description='letters of words that join: "OK" twice is two messages'
    )
    near_score: float = Field(
        0.5, gt=0, le=1, description="likeness (0 to 1) from which another case is proposed"
    )
    compared: int = Field(100, ge=1, le=2000, description="cases that one is compared with at most")

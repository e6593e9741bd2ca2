# SPDX-License-Identifier: MIT
"""One table of the settings file."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """One table of the settings file. An unknown key is an error: a typing slip must not pass."""

    model_config = ConfigDict(extra="forbid")

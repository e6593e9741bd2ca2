# SPDX-License-Identifier: MIT
"""The settings of conversations by text, whoever carries them: ``[sms]``."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Sms(BaseModel):
    """Texts and WhatsApp messages: which case one belongs to, and how many we send."""

    model_config = ConfigDict(extra="forbid")

    same_case_minutes: float = Field(
        5.0,
        ge=0,
        description="a text this soon after its sender's last one may continue it; 0: never",
    )
    move_hours: float = Field(
        24.0, gt=0, description="how long one word may still split a text off or merge a case"
    )
    allowed_calling_codes: list[str] = Field(
        default_factory=list,
        description="where automatic texts may go, digits alone; empty: the country's code",
    )
    texts_per_day: int = Field(
        5000, ge=1, description="automatic texts in all, a day of the country's zone"
    )
    silence_status_at: float = Field(
        0.8, ge=0, le=1, description="from this share of them on, acknowledgements alone go"
    )
    emergency_texts_per_day: int = Field(
        500,
        ge=0,
        description="texts that tell whom to call in danger, in 24 hours, beyond the rest",
    )
    reply_segments: int = Field(
        6, ge=2, le=10, description="an administration's answer by text; the rest is read elsewhere"
    )

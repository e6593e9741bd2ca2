# SPDX-License-Identifier: MIT
"""The settings of learning from people's decisions: ``[routing]``."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Routing(BaseModel):
    """When the classifier learns, when a new one takes over, and how the machine is watched."""

    model_config = ConfigDict(extra="forbid")

    learn_at_start: bool = Field(
        default=True, description="serve trains the seed examples once, beside everything else"
    )
    embeddings: bool = Field(
        default=False,
        description="sentence embeddings beside the seed model (extra `embeddings`, 30 ms a text)",
    )
    nightly_training: bool = Field(
        default=True, description="learn from people's decisions once a night, by the sweeper"
    )
    training_hour: int = Field(
        3, ge=0, le=23, description="the country's hour from which on it is done"
    )
    training_niceness: int = Field(
        19, ge=0, le=19, description="how far the training stands back for other work (nice)"
    )
    training_hours: float = Field(
        2.0, gt=0, description="longest time a training may take, then it is ended"
    )
    kept_models: int = Field(5, ge=2, description="models kept on disk, the one in force included")
    judged_days: int = Field(
        7, ge=1, description="a new model is judged on the decisions of so many latest days"
    )
    least_judged: int = Field(
        50, ge=1, description="fewer new confirmed decisions than these promote no model"
    )
    latest_confirmed: int = Field(
        2000, ge=50, description="confirmed decisions on which rules and thresholds are judged"
    )
    rule_floor: float = Field(
        0.9, ge=0, le=1, description="a rule that was right less often only proposes"
    )
    least_of_a_rule: int = Field(
        10, ge=1, description="confirmed decisions before a rule is judged by them"
    )
    blind_check_share: float = Field(
        0.03, ge=0, le=1, description="share of automatic decisions that a person checks unseen"
    )
    refresh_seconds: float = Field(
        300.0, gt=0, description="how often a worker looks what people have confirmed since"
    )

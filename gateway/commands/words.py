# SPDX-License-Identifier: MIT
"""``guichet understand`` and ``guichet route``: how one text would be read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from gateway import wiring
from gateway.commands.settings import pass_settings
from normalizer.intent import understand as understand_text
from normalizer.language import detect

if TYPE_CHECKING:
    from config.settings import Settings


@click.command(epilog='Example: guichet understand "suivi 4821-0937-5518"')
@click.argument("text")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of a line.")
def understand(text: str, *, as_json: bool) -> None:
    """Say what a text wants, its language and the code in it."""
    found = understand_text(text)
    told = {"intent": str(found.intent), "code": found.code, "language": detect(text)}
    click.echo(json.dumps(told) if as_json else "  ".join(f"{k}={v}" for k, v in told.items()))


@click.command(epilog='Example: guichet route "pas d’eau depuis trois jours" --json')
@click.argument("text")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of lines.")
@pass_settings
def route(settings: Settings, text: str, as_json: bool) -> None:  # noqa: FBT001
    """Say which administration a text would go to, and why."""
    try:
        router = wiring.router_of(settings, wiring.engine_of(settings))
    except (OSError, ValueError) as error:
        raise click.ClickException(f"the routing rules cannot be read: {error}") from error
    decision = router.decide(text)
    told = {
        "administration": decision.administration,
        "confidence": round(decision.confidence, 3),
        "reasons": list(decision.reasons),
        "candidates": [
            {"administration": c.administration, "score": c.score, "reasons": list(c.reasons)}
            for c in decision.candidates
        ],
    }
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    click.echo(decision.administration or "a person decides")
    for reason in decision.reasons:
        click.echo(f"  {reason}")

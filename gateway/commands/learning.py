# SPDX-License-Identifier: MIT
"""``guichet routing train | promote | figures``: learning from people's decisions, by hand."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from dispatcher.administration_csv import BadRegister
from dispatcher.routing.examples import BadExamples
from dispatcher.routing.learning import COMPARISON, Comparison
from dispatcher.routing.model_store import ModelError, NoModel
from dispatcher.routing.proportion import interval
from dispatcher.routing.training import CannotTrain
from gateway import routing as putting_together
from gateway import wiring
from gateway.commands.settings import pass_settings_as_they_are
from gateway.training import learn, recorded, tidy
from tracker import figures as counting
from tracker import trainings
from tracker.database import reading
from tracker.models import TrainingState

if TYPE_CHECKING:
    from config.settings import Settings
    from dispatcher.routing.model_store import ModelStore

_BY = "command line"


def _aside(line: str) -> None:
    click.echo(line, err=True)


@click.command(epilog="Example: guichet routing train --json")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--of-night", "night", type=click.UUID, hidden=True)
@pass_settings_as_they_are
def train(settings: Settings, *, as_json: bool, night: UUID | None) -> None:
    """Train on the seed examples and all confirmed decisions, and compare; promotes nothing."""
    engine = wiring.engine_of(settings)
    if night is not None:
        os.nice(settings.routing.training_niceness)
        recorded(
            engine,
            night,
            wiring.now,
            lambda: learn(settings, engine, wiring.now(), lambda _: None, promote=True),
        )
        return
    with engine.begin() as connection:
        begun = trainings.begin(connection, by=_BY, now=wiring.now())
    try:
        outcome = recorded(
            engine,
            begun,
            wiring.now,
            lambda: learn(settings, engine, wiring.now(), _aside, promote=False, even_if_few=True),
        )
    except (BadExamples, BadRegister, CannotTrain, OSError) as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(json.dumps(asdict(outcome)))
        return
    click.echo(f"{outcome.version}: {outcome.confirmed} confirmed decisions")
    click.echo(outcome.detail)


@click.command(epilog="Example: guichet routing promote 20261127T031500-0a1b2c3d4e5f")
@click.argument("version", required=False)
@click.option("--force", is_flag=True, help="Also if it is worse, or was not compared.")
@click.option("--reason", default="", help="Why, with --force; it is kept on record.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@pass_settings_as_they_are
def promote(
    settings: Settings,
    version: str | None,
    *,
    force: bool,
    reason: str,
    as_json: bool,
) -> None:
    """Put a stored model in force, by default the newest; workers take it up with the next text."""
    if force and not reason.strip():
        raise click.UsageError("--force needs a --reason, which is kept on record")
    store, engine = putting_together.store_of(settings), wiring.engine_of(settings)
    stored = store.versions()
    if not stored:
        raise click.ClickException(
            f"there is no model in {store.folder}; run: guichet routing train"
        )
    version = version or stored[-1]
    try:
        before = store.current_version()
    except NoModel:
        before = ""
    try:
        may, why = _verdict(store, version, before, settings.routing.least_judged)
        if not may and not force:
            raise click.ClickException(f"{version} is not put in force: {why}")
        store.promote(version)
    except ModelError as error:
        raise click.ClickException(str(error)) from error
    detail = why if may else f"forced: {reason.strip()[:300]} ({why})"
    with engine.begin() as connection:
        begun = trainings.begin(connection, by=_BY, now=wiring.now())
        trainings.end(
            connection,
            begun,
            TrainingState.PROMOTED,
            now=wiring.now(),
            detail=detail,
            version=version,
            previous=before,
        )
    tidy(store, settings.routing.kept_models)
    told = {"version": version, "previous": before, "detail": detail}
    click.echo(json.dumps(told) if as_json else f"{version} is in force: {detail}")


def _verdict(store: ModelStore, version: str, before: str, least: int) -> tuple[bool, str]:
    """Whether a stored model may be promoted over the one in force, and why."""
    if version == before:
        return True, "it was in force already"
    if not before:
        return True, "no model was in force"
    told = store.load(version).manifest.figures.get(COMPARISON)
    if not told:
        return False, "it was not compared with the model in force"
    comparison = Comparison.from_json(told)
    if comparison.old != before:
        compared = comparison.old or "none"
        return False, f"it was compared with {compared}, but {before} is in force: train again"
    return comparison.verdict(least)


@click.command(epilog="Example: guichet routing figures --days 30 --json")
@click.option("--days", type=click.IntRange(1, 3660), default=90, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@pass_settings_as_they_are
def figures(settings: Settings, days: int, *, as_json: bool) -> None:
    """How well cases reach the right administration, with counts and intervals."""
    engine, now = wiring.engine_of(settings), wiring.now()
    with reading(engine).connect() as connection:
        found = counting.count(connection, since=now - timedelta(days=days))
        latest = trainings.latest(connection, 1)
    told = {
        "days": days,
        "all": told_of(found.total),
        "administrations": {slug: told_of(one) for slug, one in found.administrations.items()},
        "rules": {
            key: {"checked": checked, "agreed": agreed} | _precision(agreed, checked)
            for key, (checked, agreed) in found.rules.items()
        },
        "training": {
            "state": latest[0].state,
            "version": latest[0].version,
            "detail": latest[0].detail,
            "started_at": latest[0].started_at.isoformat(),
        }
        if latest
        else None,
    }
    if as_json:
        click.echo(json.dumps(told))
        return
    for slug, one in {"all": told["all"], **told["administrations"]}.items():  # type: ignore[dict-item]
        click.echo(f"{slug}: {json.dumps(one)}")
    if latest:
        click.echo(f"last training: {latest[0].state}, {latest[0].detail}")


def told_of(tally: counting.Tally) -> dict[str, Any]:
    """Counts, shares and intervals of one administration; ``None`` where nothing was counted."""
    return {
        "assigned": tally.assigned,
        "first_assignment_rate": _share(tally.stayed, tally.assigned),
        "stayed": tally.stayed,
        "reassignments": tally.reassignments,
        "automatic": tally.automatic,
        "automatic_share": _share(tally.automatic, tally.assigned),
        "blind_checks": {"checked": tally.checked, "agreed": tally.agreed}
        | _precision(tally.agreed, tally.checked),
        "answered": len(tally.days),
        "median_days": None if tally.median_days is None else round(tally.median_days, 2),
    }


def _share(count: int, of: int) -> float | None:
    return round(count / of, 4) if of else None


def _precision(right: int, of: int) -> dict[str, Any]:
    low, high = interval(right, of)
    return {"precision": _share(right, of), "low": round(low, 4), "high": round(high, 4)}

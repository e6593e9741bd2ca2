# SPDX-License-Identifier: MIT
"""``guichet route`` and ``guichet routing``: where texts would go, and how well that is done."""

from __future__ import annotations

import csv
import json
import multiprocessing
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dispatcher.administration_csv import BadRegister
from dispatcher.routing.examples import BadExamples, read_csv
from gateway import routing as putting_together
from gateway.commands.settings import pass_settings_as_they_are

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from config.settings import Settings
    from dispatcher.routing.decision import Decider, Decision

#: From so many texts on it is worth to start processes.
_MANY = 200
#: How far the first training stands back for the processes that serve (nice).
_STANDS_BACK = 10
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def _aside(line: str) -> None:
    """Tell what goes on without disturbing what is printed for a program."""
    click.echo(line, err=True)


@click.command(
    epilog="Examples: guichet route 'pas d’eau depuis trois jours' --json;"
    " guichet route --csv texts.csv > routed.jsonl"
)
@click.argument("text", required=False)
@click.option("--json", "as_json", is_flag=True, help="JSON instead of lines.")
@click.option(
    "--csv", "file", type=_FILE, help="File with the columns id, text[, language]; JSON Lines."
)
@pass_settings_as_they_are
def route(
    settings: Settings,
    text: str | None,
    as_json: bool,  # noqa: FBT001 - click hands it over by name
    file: Path | None,
) -> None:
    """Say which administrations a text may be for, and why. Needs no database."""
    if (text is None) == (file is None):
        raise click.UsageError("give one text, or a file with --csv")
    decider = _decider(settings)
    if file is not None:
        for told in _routed(decider, list(_texts(file))):
            click.echo(told)
        return
    decision = decider.decide(text or "")
    if as_json:
        click.echo(json.dumps(_told("", decision), ensure_ascii=False))
        return
    click.echo(decision.administration or "a person decides")
    for reason in decision.reasons:
        click.echo(f"  {reason}")
    for one in decision.candidates:
        click.echo(f"{one.score:5.2f}  {one.administration}: {'; '.join(one.reasons)}")


def _decider(settings: Settings) -> Decider:
    try:
        register = putting_together.register_of(settings)
        model = putting_together.ensure_model(settings, register, _aside)
        return putting_together.decider_of(settings, register, lambda: model)
    except (BadRegister, BadExamples) as error:
        raise click.ClickException(str(error)) from error
    except (OSError, ValueError) as error:
        raise click.ClickException(f"the routing data cannot be read: {error}") from error


def _texts(file: Path) -> Iterator[tuple[str, str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.DictReader(lines)
        if not {"id", "text"} <= set(rows.fieldnames or ()):
            raise click.ClickException(f"{file}: the first line must name the columns id and text")
        for row in rows:
            yield row["id"] or "", row["text"] or "", (row.get("language") or "").strip()


def _routed(decider: Decider, texts: list[tuple[str, str, str]]) -> Iterator[str]:
    """Lines of JSON in the order of the texts; many are shared out over the processors."""

    def line(text: tuple[str, str, str]) -> str:
        number, words, language = text
        return json.dumps(_told(number, decider.decide(words, language)), ensure_ascii=False)

    workers = len(os.sched_getaffinity(0))
    if len(texts) < _MANY or workers == 1:
        yield from map(line, texts)
        return
    _Share.line = staticmethod(line)
    # Forked, so that each has the model and the rules already.
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        yield from pool.imap(_share, texts, chunksize=50)


class _Share:
    """What a forked process does with a text; functions made in another cannot be sent there."""

    line: Callable[[tuple[str, str, str]], str]


def _share(text: tuple[str, str, str]) -> str:
    return _Share.line(text)


def _told(number: str, decision: Decision) -> dict[str, Any]:
    """One line of the answer."""
    return {
        "id": number,
        "language": decision.language,
        "decision": "auto" if decision.administration else "triage",
        "candidates": [
            {
                "administration": one.administration,
                "score": one.score,
                "reasons": list(one.reasons),
            }
            for one in decision.candidates
        ],
        "reasons": list(decision.reasons),
        "by": decision.by,
    }


@click.group(epilog="Example: guichet routing evaluate --train a.csv --test b.csv --json")
def routing() -> None:
    """Train, judge and promote the classifier that proposes administrations."""


@routing.command(epilog="Example: guichet routing evaluate --train a.csv --test b.csv --json")
@click.option("--train", "taught", type=_FILE, required=True, help="CSV: text,label[,language].")
@click.option("--test", "tested", type=_FILE, required=True, help="The same; a|b accepts both.")
@click.option("--embeddings", is_flag=True, help="With sentence embeddings (an extra).")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def evaluate(taught: Path, tested: Path, *, embeddings: bool, as_json: bool) -> None:
    """Train on one file, judge on another. Needs no settings and no database."""
    from dispatcher.routing.embeddings import NoEmbeddings, load
    from dispatcher.routing.evaluation import evaluate as judge
    from dispatcher.routing.training import CannotTrain, train

    try:
        embed = load() if embeddings else None
        rows, test = read_csv(taught), read_csv(tested)
        spent, passed = time.process_time(), time.monotonic()
        model = train(rows, concepts=putting_together.concepts_for(rows), embed=embed)
        spent, passed = time.process_time() - spent, time.monotonic() - passed
    except (BadExamples, CannotTrain, NoEmbeddings) as error:
        raise click.ClickException(str(error)) from error
    if not test:
        raise click.ClickException(f"{tested.name} has no rows")
    told = judge(model, test).as_json()
    told |= {
        "tier": "with embeddings" if embeddings else "fast",
        "train_rows": len(rows),
        "train_seconds": round(spent, 2),
        "train_wall_seconds": round(passed, 2),
    }
    if as_json:
        click.echo(json.dumps(told))
        return
    errors = told["standard_errors"]
    click.echo(f"{told['n']} texts, trained on {len(rows)} in {spent:.1f} s of CPU")
    click.echo(f"top-1 {told['top1']:.3f} ± {errors['top1']:.3f}")
    click.echo(f"top-3 {told['top3']:.3f} ± {errors['top3']:.3f}")
    for target, coverage in told["coverage_at"].items():
        precision = told["precision_at"][target]
        shown = "–" if precision is None else f"{precision:.3f}"
        click.echo(f"automatic at {target}: {coverage:.3f} of the texts, precision {shown}")


@routing.command(hidden=True, epilog="Example: guichet routing seed")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@pass_settings_as_they_are
def seed(settings: Settings, *, as_json: bool) -> None:
    """Train the model of a fresh installation where there is none; `serve` runs it once."""
    os.nice(_STANDS_BACK)
    register = putting_together.register_of(settings)
    model = putting_together.ensure_model(settings, register, _aside)
    version = model.manifest.version
    click.echo(json.dumps({"version": version}) if as_json else f"{version} is in force")

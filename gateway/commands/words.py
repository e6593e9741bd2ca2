# SPDX-License-Identifier: MIT
"""``guichet understand``: how one text would be read."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from config import country
from gateway.commands.settings import pass_settings_as_they_are
from normalizer import phone
from normalizer.intent import understand as understand_text
from normalizer.language import detect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.settings import Settings


@click.command(
    epilog="Examples: guichet understand 'suivi 4821-0937-5518' --json;"
    " guichet understand --csv texts.csv > understood.jsonl"
)
@click.argument("text", required=False)
@click.option("--json", "as_json", is_flag=True, help="JSON instead of a line.")
@click.option(
    "--csv",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Read texts from a file with the columns id and text; write JSON Lines.",
)
@pass_settings_as_they_are
def understand(
    settings: Settings,
    text: str | None,
    as_json: bool,  # noqa: FBT001 - click hands it over by name
    file: Path | None,
) -> None:
    """Say what a text wants, its language and the codes in it."""
    if (text is None) == (file is None):
        raise click.UsageError("give one text, or a file with --csv")
    calling_code = phone.calling_code(country.load(settings.country).region)
    if file is not None:
        for number, words in _texts(file):
            click.echo(json.dumps(_understood(number, words, calling_code), ensure_ascii=False))
        return
    told = _understood("", text or "", calling_code)
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    told["codes"] = ",".join(told["codes"]) or "-"
    told["typo"] = "yes" if told["typo"] else "no"
    click.echo("  ".join(f"{key}={value}" for key, value in told.items() if key != "id"))


def _texts(file: Path) -> Iterator[tuple[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.DictReader(lines)
        if not {"id", "text"} <= set(rows.fieldnames or ()):
            raise click.ClickException(f"{file}: the first line must name the columns id and text")
        for row in rows:
            yield row["id"] or "", row["text"] or ""


def _understood(number: str, text: str, calling_code: str) -> dict[str, Any]:
    found = understand_text(text, calling_code=calling_code)
    return {
        "id": number,
        "intent": str(found.intent),
        "codes": list(found.codes),
        "language": detect(text),
        "typo": found.typo,
    }

# SPDX-License-Identifier: MIT
"""Labelled texts in CSV files: the seed examples, and any ``text,label`` file to learn from."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from dispatcher.administration import Administration
from dispatcher.routing.model import FOR_A_PERSON
from dispatcher.routing.recipe import Row

#: A row may bear two labels of which either is right.
EITHER = "|"
_NAME_WEIGHT = 1.0


class BadExamples(ValueError):  # noqa: N818
    """The file has errors; ``errors`` tells each by its row, the header being row 1."""

    def __init__(self, path: Path, errors: list[str]) -> None:
        super().__init__(f"{path.name}: " + "; ".join(errors))
        self.errors = tuple(errors)


def read_csv(path: Path, *, shown: bool = False) -> list[Row]:
    """Read ``text,label[,language]`` in UTF-8.

    Args:
        path: the file.
        shown: whether a clerk may be shown its texts: they are invented.

    Raises:
        BadExamples: a column is missing, or a row lacks its text or label.
        OSError: it cannot be read.
    """
    rows: list[Row] = []
    errors: list[str] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            missing = {"text", "label"} - set(reader.fieldnames or ())
            if missing:
                raise BadExamples(path, [f"row 1: no column {' and '.join(sorted(missing))}"])
            for number, row in enumerate(reader, start=2):
                text = (row["text"] or "").strip()
                given = [label.strip() for label in (row["label"] or "").split(EITHER)]
                labels = tuple(dict.fromkeys(filter(None, given)))
                if not text or not labels:
                    errors.append(f"row {number}: no {'label' if text else 'text'}")
                    continue
                language = (row.get("language") or "").strip()
                rows.append(Row(text, labels, language, text if shown else ""))
    except csv.Error as error:
        errors.append(f"after row {len(rows) + 1}: {error}")
    except UnicodeDecodeError as error:
        raise BadExamples(path, ["the file is not written in UTF-8"]) from error
    if errors:
        raise BadExamples(path, errors)
    return rows


def read_folder(folder: Path) -> list[Row]:
    """Read every ``*.csv`` of a folder of invented examples, in the order of their names.

    Raises:
        BadExamples: a file has errors.
    """
    return [row for path in sorted(folder.glob("*.csv")) for row in read_csv(path, shown=True)]


def of_administrations(register: Iterable[Administration]) -> list[Row]:
    """What the register says of each administration, as texts: its names and its competence."""
    rows: list[Row] = []
    for one in register:
        for language, name in one.names.items():
            rows.append(Row(name, (one.slug,), language, weight=_NAME_WEIGHT))
        for language, phrases in (one.competence or {}).items():
            rows.extend(Row(phrase, (one.slug,), language) for phrase in phrases)
    return rows


def known_to(rows: Iterable[Row], register: Mapping[str, Administration]) -> list[Row]:
    """The rows whose labels are of the register or need a person; others teach nothing here.

    Bodies that do the same at different places have one label between them: which of them is a
    question of the place (``recipient.py``), not of the matter.
    """
    alike: dict[tuple[str, ...], str] = {}
    label_of: dict[str, str] = {}
    for slug, one in register.items():
        matters = tuple(one.matters) if one.places else ()
        label_of[slug] = alike.setdefault(matters, slug) if matters else slug
    found = []
    for row in rows:
        known = [one for one in row.labels if one in label_of or one.startswith(FOR_A_PERSON)]
        if known:
            labels = tuple(dict.fromkeys(label_of.get(one, one) for one in known))
            found.append(replace(row, labels=labels))
    return found

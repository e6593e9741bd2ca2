# SPDX-License-Identifier: MIT
"""Models on disk: a folder each, and one small file that names the one in force.

Every file of a model stands in its manifest with its SHA-256 and is checked before it is used.
Arrays are read with ``allow_pickle=False``. A model is written beside and moved to its place, and
``current`` is replaced in one step, so that a worker sees the old model or the new one, whole.

    ModelError
    ├── NoModel          nothing is stored under that name, or nothing is in force
    ├── DamagedModel     a file is missing, changed or does not fit the others
    └── UnknownFormat    written by another version of this program
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dispatcher.routing.features import Concepts
from dispatcher.routing.model import Embed, Examples, Manifest, Model
from dispatcher.routing.thresholds import Thresholds

FORMAT = 1
MANIFEST, CURRENT = "manifest.json", "current"
_CHUNK = 1 << 20


class ModelError(Exception):
    """A stored model cannot be used."""


class NoModel(ModelError):  # noqa: N818
    """Nothing is stored under that name, or nothing is in force."""


class DamagedModel(ModelError):  # noqa: N818
    """A file is missing, changed or does not fit the others."""


class UnknownFormat(ModelError):  # noqa: N818
    """The model was written by another version of this program."""


@dataclass(slots=True)
class ModelStore:
    """The models of one folder.

    Attributes:
        folder: made when the first model is saved (mode 0700).
        embed: makes sentence embeddings, for models that were trained with them.
    """

    folder: Path
    embed: Embed | None = None
    _loaded: Model | None = None
    _seen: tuple[int, int] | None = None

    def save(self, model: Model) -> str:
        """Write a model under its version; it is not yet in force.

        Returns:
            the version.

        Raises:
            OSError: it cannot be written.
        """
        version = model.manifest.version
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=".writing-", dir=self.folder))
        try:
            _write(model, beside)
            target = self.folder / version
            if target.exists():
                shutil.rmtree(beside)
            else:
                beside.rename(target)
        except BaseException:
            shutil.rmtree(beside, ignore_errors=True)
            raise
        return version

    def promote(self, version: str) -> None:
        """Put a stored model in force; workers take it up with the next text.

        Raises:
            ModelError: it cannot be loaded; what was in force stays so.
        """
        self.load(version)
        beside = self.folder / f".{CURRENT}-{os.getpid()}"
        with beside.open("w", encoding="utf-8") as file:
            file.write(f"{version}\n")
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.folder / CURRENT)

    def versions(self) -> list[str]:
        """The stored versions, oldest first."""
        return sorted(path.parent.name for path in self.folder.glob(f"[!.]*/{MANIFEST}"))

    def current_version(self) -> str:
        """The version in force.

        Raises:
            NoModel: none is.
        """
        try:
            return (self.folder / CURRENT).read_text(encoding="utf-8").strip()
        except FileNotFoundError as error:
            raise NoModel(f"no model is in force in {self.folder}") from error

    def current(self) -> Model:
        """The model in force, loaded anew when another was promoted.

        Raises:
            ModelError: none is in force, or it cannot be used.
        """
        try:
            status = (self.folder / CURRENT).stat()
        except FileNotFoundError as error:
            raise NoModel(f"no model is in force in {self.folder}") from error
        seen = (status.st_ino, status.st_mtime_ns)
        if self._loaded is None or seen != self._seen:
            self._loaded, self._seen = self.load(self.current_version()), seen
        return self._loaded

    def load(self, version: str) -> Model:
        """Read a stored model.

        Raises:
            NoModel: there is none of that version.
            DamagedModel: its files are not what its manifest says.
            UnknownFormat: another version of this program wrote it.
        """
        folder = self.folder / version
        if Path(version).name != version or not (folder / MANIFEST).is_file():
            raise NoModel(f"there is no model {version} in {self.folder}")
        try:
            told = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            if told.get("format") != FORMAT:
                raise UnknownFormat(
                    f"model {version} has format {told.get('format')}, not {FORMAT}"
                )
            for name, digest in told["files"].items():
                if _sha256(folder / name) != digest:
                    raise DamagedModel(f"{name} of model {version} is not what was written")
            return _read(folder, told, self.embed)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise DamagedModel(f"model {version} cannot be read: {error}") from error


def _write(model: Model, folder: Path) -> None:
    manifest = model.manifest
    arrays: dict[str, Any] = {"weights": model.weights, "bias": model.bias, "rarity": model.rarity}
    texts: dict[str, Any] = {
        "vocabulary": {view: list(columns) for view, columns in model.vocabulary.items()},
        "concepts": [[list(key), list(names)] for key, names in model.concepts.phrases.items()],
    }
    if model.examples is not None:
        kept = model.examples
        texts["examples"] = {"references": list(kept.references), "labels": list(kept.labels)}
        arrays |= {
            "example_starts": kept.starts,
            "example_columns": kept.columns,
            "example_values": kept.values,
        }
    if model.meanings is not None:
        arrays["meanings"] = model.meanings
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)
    for name, data in texts.items():
        (folder / f"{name}.json").write_text(
            json.dumps(data, ensure_ascii=False, separators=(",", ":")), encoding="utf-8"
        )
    files = {path.name: _sha256(path) for path in sorted(folder.iterdir())}
    told = {
        "format": FORMAT,
        "version": manifest.version,
        "created_at": manifest.created_at,
        "labels": list(manifest.labels),
        "rows": dict(manifest.rows),
        "languages": dict(manifest.languages),
        "digest": manifest.digest,
        "sharpness": manifest.sharpness,
        "thresholds": {name: one.as_json() for name, one in manifest.thresholds.items()},
        "figures": dict(manifest.figures),
        "files": files,
    }
    with (folder / MANIFEST).open("w", encoding="utf-8") as file:
        json.dump(told, file, ensure_ascii=False, indent=1)
        file.flush()
        os.fsync(file.fileno())


def _read(folder: Path, told: dict[str, Any], embed: Embed | None) -> Model:
    def array(name: str, *, mapped: bool = False) -> Any:
        file = folder / f"{name}.npy"
        return np.load(file, mmap_mode="r" if mapped else None, allow_pickle=False)

    def text(name: str) -> Any:
        return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))

    manifest = Manifest(
        told["version"],
        told["created_at"],
        tuple(told["labels"]),
        told["rows"],
        told["languages"],
        told["digest"],
        float(told["sharpness"]),
        {name: Thresholds.from_json(one) for name, one in told["thresholds"].items()},
        told["figures"],
    )
    vocabulary: dict[str, dict[str, int]] = {}
    column = 0
    for view, features in text("vocabulary").items():
        vocabulary[view] = dict(zip(features, range(column, column + len(features)), strict=True))
        column += len(features)
    # Mapped: the processes of one machine share these pages.
    rarity, bias, weights = array("rarity"), array("bias"), array("weights", mapped=True)
    if (
        weights.shape != (column, len(manifest.labels))
        or rarity.shape != (column,)
        or bias.shape != (len(manifest.labels),)
    ):
        raise DamagedModel(f"the arrays of model {manifest.version} do not fit its vocabulary")
    examples = None
    if "examples.json" in told["files"]:
        kept = text("examples")
        examples = Examples(
            kept["references"],
            kept["labels"],
            array("example_starts"),
            array("example_columns", mapped=True),
            array("example_values", mapped=True),
        )
    meanings = array("meanings") if "meanings.npy" in told["files"] else None
    concepts = Concepts({tuple(key): tuple(names) for key, names in text("concepts")})
    return Model(manifest, vocabulary, rarity, weights, bias, concepts, examples, meanings, embed)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()

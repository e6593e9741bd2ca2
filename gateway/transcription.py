# SPDX-License-Identifier: MIT
"""Fetches recordings and has them transcribed: the audio is the record, the transcript a hint."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from sqlalchemy import select

from channels.errors import DeliveryError, MalformedMessage
from channels.sms import media
from channels.sms.twilio import MEDIA_SCHEME
from channels.voice.recording import fetch
from channels.voice.transcribe import (
    NoTranscriber,
    Transcriber,
    Transcript,
    VoskTranscriber,
)
from dispatcher.work import Result, Work
from tracker import attention, register
from tracker.database import reading
from tracker.models import AttentionReason, EventType, OutboxKind, OutboxState, attachments, blobs
from tracker.outbox import put

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Connection, Engine

    from config.settings import Settings

logger = logging.getLogger(__name__)

RECORDING = "twilio-recording:"
TWILIO_API = "https://api.twilio.com"
#: Below this a transcript does not choose an administration: a person listens first.
CONFIDENT = 0.75


class Transcription:
    """Does outbox entries of the kind ``transcribe``.

    Args:
        settings: provider and engine.
        engine: the database.
        clock: the present time.
    """

    def __init__(self, settings: Settings, engine: Engine, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._engine = engine
        self._clock = clock
        self._transcriber: Transcriber = (
            VoskTranscriber(settings.voice.models)
            if settings.voice.engine == "vosk" and settings.voice.models
            else NoTranscriber()
        )

    def perform(self, work: Work) -> Result:
        """Fetch what is still to be fetched, store it, transcribe it, and let routing go on."""
        entry = work.entry
        with reading(self._engine).connect() as connection:
            files = connection.execute(
                select(attachments).where(attachments.c.message_id == entry.message_id)
            ).all()
        language = work.case.language if work.case is not None else "fr"
        done: list[tuple[UUID, bytes, Transcript | None]] = []
        for file in files:
            try:
                content = self._content(file.fetch_url, file.sha256)
            except MalformedMessage as error:
                return Result(OutboxState.FAILED, error=str(error))
            except DeliveryError as error:
                state = OutboxState.DUE if error.retryable else OutboxState.FAILED
                return Result(state, error=str(error))
            spoken = file.transcript_state == "awaiting"
            transcript = self._transcribe(content, language) if spoken else None
            done.append((file.id, content, transcript))
        return Result(OutboxState.DONE, record=lambda c: self._record(c, work, done))

    def _transcribe(self, content: bytes, language: str) -> Transcript | None:
        try:
            return self._transcriber.transcribe(content, language)
        except MalformedMessage as error:
            logger.warning("no transcript: %s", type(error).__name__)
            return None

    def _content(self, fetch_url: str, sha256: str | None) -> bytes:
        if sha256 is not None:
            with reading(self._engine).connect() as connection:
                stored = select(blobs.c.content).where(blobs.c.sha256 == sha256)
                return bytes(connection.execute(stored).scalar_one())
        twilio = self._settings.twilio
        tokens = [token.get_secret_value() for token in twilio.auth_tokens]
        if fetch_url.startswith(MEDIA_SCHEME):
            return media.fetch(
                twilio.account_sid,
                fetch_url,
                twilio.api_base_url,
                (twilio.account_sid, tokens[0] if tokens else ""),
                self._settings.web.max_upload_bytes,
                content_hosts=twilio.content_hosts,
            )
        return fetch(
            account_sid=twilio.account_sid,
            recording_sid=fetch_url.removeprefix(RECORDING),
            base_url=twilio.api_base_url or TWILIO_API,
            auth=(twilio.account_sid, tokens[0] if tokens else ""),
            max_bytes=self._settings.voice.max_recording_bytes,
        )

    def _record(
        self,
        connection: Connection,
        work: Work,
        done: list[tuple[UUID, bytes, Transcript | None]],
    ) -> None:
        now, case = self._clock(), work.case
        confident: list[str] = []
        for attachment_id, content, transcript in done:
            sha256 = register.store_blob(connection, content)
            values: dict[str, object] = {"sha256": sha256, "size": len(content)}
            if transcript is not None:
                values |= {
                    "transcript_state": "done",
                    "transcript": transcript.text,
                    "transcript_data": {
                        "engine": transcript.engine,
                        "confidence": transcript.confidence,
                        "language": transcript.language,
                    },
                }
                if transcript.text and transcript.confidence >= CONFIDENT:
                    confident.append(transcript.text)
            connection.execute(
                attachments.update().where(attachments.c.id == attachment_id).values(**values)
            )
            if case is not None:
                register.add_event(
                    connection,
                    case.id,
                    EventType.TRANSCRIBED if transcript else EventType.RECORDING_STORED,
                    {"size": len(content)},
                    source="/channels/voice",
                    subject=str(attachment_id),
                    at=now,
                )
        if case is None or work.entry.channel != "voice":
            return
        if confident:
            put(
                connection,
                OutboxKind.ROUTE,
                f"route:{case.id}",
                now=now,
                channel=case.channel,
                case_id=case.id,
                payload={"transcript": "\n".join(confident)},
            )
            return
        attention.open_item(
            connection,
            AttentionReason.UNTRANSCRIBED,
            "a recording waits to be listened to: no transcript, or an unsure one",
            at=now,
            case_id=case.id,
        )

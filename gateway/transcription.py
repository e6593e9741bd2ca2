# SPDX-License-Identifier: MIT
"""Fetches recordings and has them transcribed: the audio is the record, the transcript a hint."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from channels.errors import DeliveryError, MalformedMessage
from channels.sms import media
from channels.sms.twilio import MEDIA_SCHEME
from channels.voice.recording import fetch
from channels.voice.transcribe import Interrupted, NotLoaded, Transcriber, Transcript, never
from config.wording import ANSWERED_IN, Wording
from dispatcher.work import Result, Work
from gateway.listening import transcriber_of
from normalizer import emergency
from tracker import attention, outbox, recordings, register
from tracker.database import reading
from tracker.models import (
    AttentionReason,
    EventType,
    OutboxKind,
    OutboxState,
    attachments,
    blobs,
    messages,
)
from tracker.outbox import put

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Connection, Engine

    from config.settings import Settings

logger = logging.getLogger(__name__)

RECORDING = "twilio-recording:"
TWILIO_API = "https://api.twilio.com"
AWAITING, DONE = "awaiting", "done"
#: Key of an attention item's data: what a machine made of the recording (:class:`Heard`).
HEARD = "heard"
STOPPED = "the worker was asked to stop; begun anew later"


class Heard(StrEnum):
    """What a machine made of a recording that a person listens to."""

    UNSURE = "unsure"
    FOREIGN = "foreign"
    NO_WORDS = "no_words"
    NO_ENGINE = "no_engine"
    NO_LANGUAGE = "no_language"
    BROKEN = "broken"
    UNUSABLE = "unusable"


#: Why a person listens to a recording (attention items; plain English, no words of a citizen).
WHY: Mapping[Heard, str] = {
    Heard.UNSURE: "a recording whose transcript is unsure ({confidence:.0%}): "
    "listen before it is sent on",
    Heard.FOREIGN: "a recording in a language that nobody is answered in here",
    Heard.NO_WORDS: "a recording in which no words were heard",
    Heard.NO_ENGINE: "a recording awaits transcription: no engine is set up",
    Heard.NO_LANGUAGE: "a recording awaits transcription: nothing here speaks its language",
    Heard.BROKEN: "a recording awaits transcription: the engine or its model does not work",
    Heard.UNUSABLE: "a recording whose sound no engine can read",
}


class Transcription:
    """Does outbox entries of the kind ``transcribe``.

    Args:
        settings: provider and engine.
        engine: the database.
        clock: the present time.
        transcriber: another engine than that of the settings, for tests.
        stop: true gives a transcription up; it is begun anew later.
    """

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        clock: Callable[[], datetime],
        *,
        transcriber: Transcriber | None = None,
        stop: Callable[[], bool] = never,
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._clock = clock
        self._stop = stop
        self._transcriber = transcriber or transcriber_of(settings)
        self._spoken = frozenset({*Wording().languages, *ANSWERED_IN})

    def perform(self, work: Work) -> Result:
        """Fetch what is still to be fetched, store it, transcribe it, and let routing go on."""
        entry = work.entry
        with reading(self._engine).connect() as connection:
            files = connection.execute(
                select(attachments).where(attachments.c.message_id == entry.message_id)
            ).all()
            language = connection.scalar(
                select(messages.c.language).where(messages.c.id == entry.message_id)
            )
        # A recording that stays cut off through all tries is kept as it is rather than lost.
        last = entry.attempts >= self._settings.queue.max_attempts
        done: list[tuple[UUID, bytes, Transcript | Heard | None]] = []
        with self._kept_claimed(entry.id):
            for file in files:
                try:
                    content = self._content(file.fetch_url, file.sha256, even_cut=last)
                    spoken = file.transcript_state == AWAITING
                    transcript = self._transcribe(content, language or None) if spoken else None
                except MalformedMessage as error:
                    return Result(OutboxState.FAILED, error=str(error))
                except DeliveryError as error:
                    state = OutboxState.DUE if error.retryable else OutboxState.FAILED
                    return Result(state, error=str(error))
                except Interrupted:
                    return Result(OutboxState.DUE, error=STOPPED, retry_after=0.001, counts=False)
                done.append((file.id, content, transcript))
        return Result(OutboxState.DONE, record=lambda c: self._record(c, work, done))

    def _transcribe(self, content: bytes, language: str | None) -> Transcript | Heard:
        """The transcript, or why there is none: the sound is kept all the same."""
        try:
            transcript = self._transcriber.transcribe(content, language, self._stop)
        except Interrupted:
            raise
        except MalformedMessage as error:
            logger.warning("no transcript: %s", type(error).__name__)
            return Heard.UNUSABLE
        except NotLoaded:
            return Heard.BROKEN
        except Exception:  # whatever an engine raises: a person need not wait for its mending
            logger.exception("the engine failed: a recording waits for a person")
            return Heard.BROKEN
        if transcript is not None:
            return transcript
        return Heard.NO_ENGINE if self._settings.voice.engine == "none" else Heard.NO_LANGUAGE

    @contextmanager
    def _kept_claimed(self, entry_id: UUID) -> Iterator[None]:
        """Renew the claim while the work goes on: a long recording outlasts one lease.

        A process that is killed renews no more, and the sweeper frees its claim.
        """
        lease = self._settings.queue.lease_seconds
        over = threading.Event()

        def renew() -> None:
            while not over.wait(lease / 3):
                try:
                    with self._engine.begin() as connection:
                        until = self._clock() + timedelta(seconds=lease)
                        outbox.renew(connection, entry_id, until)
                except SQLAlchemyError as error:
                    logger.warning("a claim was not renewed: %s", type(error).__name__)

        thread = threading.Thread(target=renew, name="claim", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _content(self, fetch_url: str, sha256: str | None, *, even_cut: bool = False) -> bytes:
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
            longest_seconds=self._settings.voice.fetch_seconds,
            even_cut=even_cut,
            stop=self._stop,
        )

    def _record(
        self,
        connection: Connection,
        work: Work,
        done: list[tuple[UUID, bytes, Transcript | Heard | None]],
    ) -> None:
        now, case = self._clock(), work.case
        heard: list[Transcript | Heard] = []
        for attachment_id, content, made in done:
            transcript = made if isinstance(made, Transcript) else None
            values: dict[str, object] = {
                "sha256": register.store_blob(connection, content),
                "size": len(content),
            }
            if transcript is not None:
                values |= {
                    "transcript_state": DONE,
                    "transcript": transcript.text,
                    "transcript_data": data_of(transcript),
                }
            before = connection.execute(
                select(attachments.c.transcript_state, attachments.c.sha256).where(
                    attachments.c.id == attachment_id
                )
            ).one()
            if before.sha256 is not None and (
                before.transcript_state != AWAITING or not transcript
            ):
                continue  # another worker, or a person, was first; or nothing new is known
            connection.execute(
                attachments.update().where(attachments.c.id == attachment_id).values(**values)
            )
            if before.transcript_state == AWAITING and made is not None:
                heard.append(made)
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
        if work.entry.message_id is not None:
            recordings.fetched(connection, work.entry.message_id, now)
        if case is not None and work.entry.channel == "voice" and heard:
            for transcript in self._surely(heard)[:1]:
                recordings.spoken_in(connection, work.entry.message_id, transcript.language)
            self._go_on(connection, case, heard, now)

    def _surely(self, heard: Sequence[Transcript | Heard]) -> list[Transcript]:
        """What was surely heard, in a language that is answered here."""
        sure = self._settings.voice.confident
        words = [one for one in heard if isinstance(one, Transcript) and one.text]
        return [one for one in words if one.confidence >= sure and one.language in self._spoken]

    def _reason(self, heard: Sequence[Transcript | Heard], unsure: Sequence[Transcript]) -> Heard:
        """Why a person listens: what failed first, else that no words were spoken."""
        if any(one.confidence < self._settings.voice.confident for one in unsure):
            return Heard.UNSURE
        if unsure:
            return Heard.FOREIGN
        return next((one for one in heard if isinstance(one, Heard)), Heard.NO_WORDS)

    def _go_on(
        self, connection: Connection, case: Any, heard: list[Transcript | Heard], now: datetime
    ) -> None:
        """Route by what was surely heard; else a person listens, and is told why.

        Danger counts however unsurely it was heard: no machine routes it, and a person listens
        first of all.
        """
        surely = self._surely(heard)
        words = [one for one in heard if isinstance(one, Transcript) and one.text]
        unsure = [one for one in words if one not in surely]
        danger = any(emergency.in_danger(one.text, one.language) for one in unsure)
        attention.resolve_of_case(  # what is known now takes the place of what was known before
            connection, case.id, AttentionReason.UNTRANSCRIBED, by="transcription", at=now
        )
        if surely and not danger:  # danger that was surely heard is seen by the router
            put(
                connection,
                OutboxKind.ROUTE,
                f"route:{case.id}",
                now=now,
                channel=case.channel,
                case_id=case.id,
                payload={"transcript": "\n".join(one.text for one in surely)},
            )
            return
        why = self._reason(heard, unsure)
        confidence = max((one.confidence for one in unsure), default=0.0)
        attention.open_item(
            connection,
            AttentionReason.UNTRANSCRIBED,
            WHY[why].format(confidence=confidence),
            at=now,
            case_id=case.id,
            data={HEARD: str(why)} | ({"confidence": round(confidence, 3)} if unsure else {}),
            urgent=danger,
        )


def data_of(transcript: Transcript) -> dict[str, Any]:
    """What is kept beside a transcript's text: times in seconds, confidences from 0 to 1."""
    return {
        "engine": transcript.engine,
        "confidence": round(transcript.confidence, 4),
        "language": transcript.language,
        "words": [
            [word.text, round(word.start, 2), round(word.end, 2), round(word.confidence, 3)]
            for word in transcript.words
        ],
    }

# SPDX-License-Identifier: MIT
"""A telephone line that speaks TwiML: keys are pressed, sounds recorded, words collected.

One :class:`Calls` holds all lines. A line stands still where its TwiML waits for a person
(``<Gather>``, ``<Record>``) and goes on when the person does something; each step is one call of a
method here, and each returns the call as it then is.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.simulator import sound
from gateway.simulator.state import Call, Heard, Recording, new_sid
from gateway.simulator.twiml import NotTwiml, Verb, read
from gateway.simulator.webhooks import WebhookFailed, Webhooks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from gateway.simulator.call_reports import CallReports
    from gateway.simulator.state import State

VOICE_PATH = "/inbound/voice/twilio"
#: What an operator enters at Twilio as the number's "call status changes" URL.
VOICE_STATUS_PATH = "/inbound/voice/twilio/status"
#: A dialogue that fetches more documents than this without a person is a loop.
MOST_DOCUMENTS = 40
#: How often a caller who answers without a person lets a question pass before hanging up.
MOST_SILENCES = 6
#: Seconds a telephone rings when the caller does not say (Twilio's default).
RINGING_SECONDS = 60

WAITS_FOR = {"Gather": "keys", "Record": "recording"}


class NoSuchCall(LookupError):  # noqa: N818 - the name is the sentence
    """The call is unknown, or too old to be kept."""


@dataclass(slots=True)
class Line:
    """Where a running call stands in its TwiML."""

    lock: threading.RLock = field(default_factory=threading.RLock)
    rest: deque[Verb] = field(default_factory=deque)
    document: str = ""
    waiting: Verb | None = None
    fetched: int = 0


class Calls:
    """All telephone lines.

    Args:
        state: where calls and recordings are kept.
        webhooks: how the gateway is asked.
        number: the voice line's own number (E.164).
        clock: the present time, aware UTC.
        reports: what the provider tells of a call.
    """

    def __init__(
        self,
        state: State,
        webhooks: Webhooks,
        *,
        number: str,
        clock: Callable[[], datetime],
        reports: CallReports,
    ) -> None:
        self._state = state
        self._webhooks = webhooks
        self._number = number
        self._clock = clock
        self._reports = reports
        self._lines: dict[str, Line] = {}
        self._guard = threading.Lock()

    # A citizen calls us ---------------------------------------------------------------------

    def dial(self, caller: str) -> Call:
        """Call the gateway's voice line from ``caller`` and listen until it asks for something."""
        now = self._clock()
        url = self._webhooks.absolute(VOICE_PATH)
        call = self._state.calls.put(
            Call(
                sid=new_sid("CA"),
                caller=caller,
                called=self._number,
                direction="inbound",
                status="ringing",
                created_at=now,
                url=url,
                status_callback=self._webhooks.absolute(VOICE_STATUS_PATH),
            )
        )
        return self._pick_up(call)

    # We call a citizen ----------------------------------------------------------------------

    def ring(self, call: Call, seconds: int = RINGING_SECONDS) -> None:
        """Let a placed call ring; it is missed after ``seconds``. Returns at once."""
        self._webhooks.later(lambda: self._report_start(call.sid))
        timer = threading.Timer(seconds, self._miss, (call.sid,))
        timer.daemon = True
        timer.start()

    def answer(self, sid: str) -> Call:
        """Pick up a ringing telephone and listen until the gateway asks for something."""
        call = self._call(sid)
        with self._line(sid).lock:
            call = self._call(sid)
            if call.status != "ringing":
                return call
            return self._pick_up(call)

    def decline(self, sid: str, status: str = "busy") -> Call:
        """Do not pick up: ``busy`` (refused), ``no-answer``, ``failed`` or ``canceled``."""
        with self._line(sid).lock:
            if self._call(sid).status in ("queued", "ringing"):
                self._end(sid, status)
            return self._call(sid)

    def listen(self, sid: str) -> Call:
        """Answer, say nothing and press nothing, until the gateway hangs up (or for too long)."""
        self.answer(sid)
        for _ in range(MOST_SILENCES):
            if self._call(sid).over:
                break
            self.stay_silent(sid)
        return self.hang_up(sid)

    # A person on the line -------------------------------------------------------------------

    def press(self, sid: str, keys: str, *, then_wait: bool = False) -> Call:
        """Press keys, one after the other.

        Args:
            sid: the call.
            keys: digits, ``*`` and ``#``; others are no keys and are left out.
            then_wait: wait until the line takes the keys as complete (its time-out).
        """
        line = self._line(sid)
        with line.lock:
            for key in keys:
                call = self._call(sid)
                if key not in "0123456789*#" or call.over or line.waiting is None:
                    continue
                if line.waiting.name == "Record":
                    if key in line.waiting.finish_keys:
                        self._finish_recording(call, line, sound.tone(), key)
                    continue
                self._press_one(call, line, key)
            if then_wait and self._call(sid).keys:
                self._submit(self._call(sid), line)
            return self._call(sid)

    def stay_silent(self, sid: str) -> Call:
        """Press and say nothing until the line goes on by itself (its time-out)."""
        line = self._line(sid)
        with line.lock:
            call = self._call(sid)
            if call.over or line.waiting is None:
                return call
            if call.keys or (line.waiting.name == "Gather" and line.waiting.sends_empty):
                self._submit(call, line)
            else:
                self._go_on(call, line)
            return self._call(sid)

    def speak(self, sid: str, content: bytes | None = None, finish_key: str = "#") -> Call:
        """Speak after the tone and end with a key.

        Args:
            sid: the call.
            content: a WAV file in place of a voice, or ``None`` for a plain tone.
            finish_key: the key that ends it.

        Raises:
            NotASound: ``content`` is no WAV file.
        """
        line = self._line(sid)
        with line.lock:
            call = self._call(sid)
            if line.waiting is not None and line.waiting.name == "Record" and not call.over:
                voice = sound.tone() if content is None else sound.checked(content)
                self._finish_recording(call, line, voice, finish_key)
            return self._call(sid)

    def hang_up(self, sid: str, content: bytes | None = None) -> Call:
        """Put the telephone down; ``content`` is what was said into a running recording."""
        line = self._line(sid)
        with line.lock:
            call = self._call(sid)
            if call.over:
                return call
            waiting, line.waiting = line.waiting, None
            line.rest.clear()
            self._state.calls.change(sid, status="completed", waits_for="", keys="")
            if waiting is not None and waiting.name == "Record" and content is not None:
                recording = self._keep(call, sound.checked(content))
                # Twilio sends the action with the literal word although nobody listens any more.
                form = self._reports.recording_form(recording) | {"Digits": "hangup"}
                self._webhooks.later(lambda: self._send_action(sid, line.document, waiting, form))
                self._reports.recorded(sid, line.document, waiting, recording)
            self._end(sid, "completed")
            return self._call(sid)

    # Inside ---------------------------------------------------------------------------------

    def _call(self, sid: str) -> Call:
        call = self._state.calls.get(sid)
        if call is None:
            raise NoSuchCall("this call is not known here")
        return call

    def _line(self, sid: str) -> Line:
        if self._call(sid).over:
            return Line()
        with self._guard:
            return self._lines.setdefault(sid, Line())

    def _pick_up(self, call: Call) -> Call:
        line = self._line(call.sid)
        with line.lock:
            incoming = call.direction == "inbound"
            if not incoming:
                self._reports.progress(call, "answered", "in-progress")
            # Twilio says "ringing" in the first request of an incoming call, and then picks up.
            form = self._reports.form(call) | {
                "CallStatus": "ringing" if incoming else "in-progress"
            }
            self._state.calls.change(call.sid, status="in-progress", answered_at=self._clock())
            if call.twiml:
                line.rest = deque(self._read(call.sid, call.twiml))
            else:
                self._fetch(call.sid, line, call.url, call.method, form)
            self._play(call.sid, line)
        return self._call(call.sid)

    def _press_one(self, call: Call, line: Line, key: str) -> None:
        gather = line.waiting
        if gather is None:
            return
        if key in gather.finish_keys:
            if call.keys or gather.sends_empty:
                self._submit(call, line)
            else:
                self._go_on(call, line)
            return
        call = self._state.calls.change(call.sid, keys=call.keys + key) or call
        if gather.number_of_digits is not None and len(call.keys) >= gather.number_of_digits:
            self._submit(call, line)

    def _submit(self, call: Call, line: Line) -> None:
        gather, line.waiting = line.waiting, None
        if gather is None:
            return
        self._hear(call.sid, Heard("keys", call.keys))
        self._state.calls.change(call.sid, keys="", waits_for="")
        url = self._webhooks.absolute(gather.action, line.document)
        form = self._reports.form(call) | {"Digits": call.keys, "msg": "Gather End"}
        self._fetch(call.sid, line, url, gather.method, form)
        self._play(call.sid, line)

    def _go_on(self, call: Call, line: Line) -> None:
        line.waiting = None
        self._state.calls.change(call.sid, keys="", waits_for="")
        self._play(call.sid, line)

    def _finish_recording(self, call: Call, line: Line, content: bytes, key: str) -> None:
        record, line.waiting = line.waiting, None
        if record is None:
            return
        recording = self._keep(call, content)
        call = self._state.calls.change(call.sid, waits_for="") or call
        self._reports.recorded(call.sid, line.document, record, recording)
        form = self._reports.form(call) | self._reports.recording_form(recording) | {"Digits": key}
        url = self._webhooks.absolute(record.action, line.document)
        self._fetch(call.sid, line, url, record.method, form)
        self._play(call.sid, line)

    def _keep(self, call: Call, content: bytes) -> Recording:
        recording = self._state.recordings.put(
            Recording(new_sid("RE"), call.sid, content, sound.seconds_of(content), self._clock())
        )
        kept = (*self._call(call.sid).recordings, recording.sid)
        self._state.calls.change(call.sid, recordings=kept)
        self._hear(call.sid, Heard("record", str(recording.seconds)))
        return recording

    def _send_action(self, sid: str, document: str, verb: Verb, extra: dict[str, str]) -> None:
        url = self._webhooks.absolute(verb.action, document)
        self._webhooks.send(url, self._reports.form(self._call(sid)) | extra, verb.method)

    def _fetch(self, sid: str, line: Line, url: str, method: str, form: dict[str, str]) -> None:
        """Put the document of ``url`` in the place of the rest; a failure ends the call."""
        line.rest.clear()
        line.fetched += 1
        if line.fetched > MOST_DOCUMENTS:
            self._fail(sid, "the dialogue goes round in a circle")
            return
        try:
            answer = self._webhooks.send(url, form, method)
        except WebhookFailed as failure:
            self._fail(sid, f"11200 HTTP retrieval failure: {failure}")
            return
        line.document = url
        line.rest = deque(self._read(sid, answer.content))

    def _read(self, sid: str, document: str | bytes) -> Sequence[Verb]:
        try:
            return read(document)
        except NotTwiml as failure:
            self._fail(sid, str(failure))
            return ()

    def _play(self, sid: str, line: Line) -> None:
        """Carry out verbs until one waits for the person, or the call is over."""
        while not self._call(sid).over:
            if not line.rest:
                self._end(sid, "completed")
                return
            verb = line.rest.popleft()
            if verb.name in WAITS_FOR:
                for inner in verb.inner:
                    self._hear_verb(sid, inner)
                line.waiting = verb
                self._state.calls.change(sid, waits_for=WAITS_FOR[verb.name], keys="")
                # A person acts now: what comes after is no circle.
                line.fetched = min(line.fetched, MOST_DOCUMENTS // 2)
                return
            if verb.name == "Redirect":
                url = self._webhooks.absolute(verb.text, line.document)
                self._fetch(sid, line, url, verb.method, self._reports.form(self._call(sid)))
            elif verb.name in ("Hangup", "Reject"):
                self._end(sid, "busy" if verb.name == "Reject" else "completed")
            else:
                self._hear_verb(sid, verb)

    def _hear_verb(self, sid: str, verb: Verb) -> None:
        language = verb.attributes.get("language", "")
        kind = {"Say": "say", "Play": "play", "Pause": "pause", "Dial": "dial"}.get(verb.name)
        if kind is None:
            self._hear(sid, Heard("error", f"12200 unknown verb {verb.name}"))
        else:
            times = verb.attributes.get("loop", "1")
            for _ in range(min(int(times), 5) if times.isdigit() else 1):
                self._hear(sid, Heard(kind, verb.text, language))

    def _hear(self, sid: str, heard: Heard) -> None:
        call = self._call(sid)
        self._state.calls.change(sid, heard=(*call.heard, heard)[-500:])

    def _fail(self, sid: str, reason: str) -> None:
        self._hear(sid, Heard("error", reason))
        self._end(sid, "completed")

    def _end(self, sid: str, status: str) -> None:
        now = self._clock()
        self._hear(sid, Heard("end", status))
        call = self._state.calls.change(
            sid, status=status, ended_at=now, waits_for="", keys=""
        ) or self._call(sid)
        with self._guard:
            self._lines.pop(sid, None)
        seconds = int((now - call.answered_at).total_seconds()) if call.answered_at else 0
        extra = {"CallDuration": str(seconds), "Duration": str(-(-seconds // 60))}
        self._reports.progress(call, "completed", status, extra)

    def _miss(self, sid: str) -> None:
        call = self._state.calls.get(sid)
        if call is not None and call.status == "ringing":
            self.decline(sid, "no-answer")

    def _report_start(self, sid: str) -> None:
        self._reports.progress(self._call(sid), "initiated", "initiated")
        if self._call(sid).called.endswith("0002"):
            self.decline(sid, "busy")
            return
        if self._call(sid).called.endswith("0001"):
            self.decline(sid, "no-answer")
            return
        self._reports.progress(self._call(sid), "ringing", "ringing")
        machine = self._call(sid).answered_by.startswith("machine")
        if self._state.answers_by_itself or machine:
            self.listen(sid)

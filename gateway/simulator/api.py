# SPDX-License-Identifier: MIT
"""The simulator's own JSON API: what tests and ``guichet simulate`` drive it by.

Every answer is an object; an error is ``{"error": "one sentence"}`` with 400, 404 or 502. Numbers
are E.164, times RFC 3339 in UTC.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, jsonify, request

from gateway.simulator.calls import NoSuchCall
from gateway.simulator.mailbox import MailNotTaken
from gateway.simulator.sound import NotASound, checked
from gateway.simulator.telephone import WhatsApp
from gateway.simulator.world import current_world

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.simulator.state import Call, Mail, Text

#: A call that asks more often than this after the keys ran out is hung up.
MOST_STEPS = 30

blueprint = Blueprint("simulator_api", __name__, url_prefix="/simulator/api")


class BadRequest(ValueError):  # noqa: N818 - told as HTTP 400
    """The request lacks something, or it has the wrong kind."""


@blueprint.errorhandler(BadRequest)
@blueprint.errorhandler(NotASound)
def bad_request(error: Exception) -> tuple[Response, int]:
    """Say in one sentence what is wrong with the request."""
    return jsonify(error=str(error)), 400


@blueprint.errorhandler(NoSuchCall)
def no_such_call(error: NoSuchCall) -> tuple[Response, int]:
    """Say that the call is not known."""
    return jsonify(error=str(error)), 404


@blueprint.errorhandler(MailNotTaken)
def mail_not_taken(error: MailNotTaken) -> tuple[Response, int]:
    """Say what the gateway's SMTP door answered."""
    return jsonify(error=str(error), code=error.code, temporary=error.temporary), 502


@blueprint.post("/sms")
def send_text() -> tuple[Response, int]:
    """Send a text, by WhatsApp with ``whatsapp``; 502 when its webhook failed.

    ``{from, body, webhook?: bool, sid?, whatsapp?: {name?, pin?: [latitude, longitude]}}`` → the
    text. With a pin ``body`` may be empty.
    """
    given = _given()
    whatsapp = _whatsapp(given)
    shared = whatsapp is not None and whatsapp.pin is not None
    text = current_world().telephone.text(
        _word(given, "from"),
        _word(given, "body", "" if shared else None),
        whatsapp=whatsapp,
        webhook=given.get("webhook", True) is True,
        sid=_word(given, "sid", ""),
    )
    return jsonify(text_as_json(text)), 201 if text.error_code is None else 502


@blueprint.get("/sms/<number>")
def read_texts(number: str) -> Response:
    """The texts of one telephone, oldest first: ``{texts: [...]}``."""
    texts = current_world().state.thread(number)
    return jsonify(texts=[text_as_json(text) for text in texts])


@blueprint.post("/call")
def make_call() -> tuple[Response, int]:
    """Call the voice line, press keys, speak, hang up: the whole call with all that was said.

    ``{from, keys?: [..], record?: path | null | false}``: each of ``keys`` is pressed where the
    line asks for keys; where it records, the WAV file at ``record`` is spoken (``null``: a plain
    tone; ``false``: the caller hangs up instead). When the keys run out, the caller hangs up at the
    next question.
    """
    given = _given()
    keys, voice = _keys(given), _voice(given)
    call = current_world().calls.dial(_word(given, "from"))
    return jsonify(call_as_json(_hold(call, keys, voice=voice))), 201


@blueprint.get("/call/<number>")
def read_calls(number: str) -> Response:
    """The calls of one telephone, oldest first: ``{calls: [...]}``."""
    calls = current_world().state.calls_of(number)
    return jsonify(calls=[call_as_json(call) for call in calls])


@blueprint.post("/calls/<sid>/answer")
def answer_call(sid: str) -> Response:
    """Answer a ringing telephone; ``{keys?, record?}`` as in a call of one's own.

    Without keys the citizen listens to the end; with keys they hang up when the keys have run out.
    """
    given = _given()
    world = current_world()
    if not _keys(given):
        return jsonify(call_as_json(world.calls.listen(sid)))
    return jsonify(call_as_json(_hold(world.calls.answer(sid), _keys(given), voice=_voice(given))))


@blueprint.post("/automatic")
def set_automatic() -> Response:
    """``{on: bool}``: whether ringing telephones are answered without a person."""
    on = _given().get("on") is True
    current_world().state.answer_by_itself(on=on)
    return jsonify(on=on)


@blueprint.get("/mail/<address>")
def read_mails(address: str) -> Response:
    """The mails of one mailbox, oldest first: ``{mails: [...]}``."""
    return jsonify(mails=[mail_as_json(mail) for mail in current_world().state.mailbox(address)])


@blueprint.post("/mail")
def send_mail() -> tuple[Response, int]:
    """``{from, subject, text, to?, in_reply_to?: Message-ID}`` → the mail; 502 when not taken."""
    given = _given()
    world = current_world()
    sender, answered = _word(given, "from"), _word(given, "in_reply_to", "").strip("<> ")
    answers = None
    if answered:
        found = [
            mail for mail in world.state.mailbox(sender) if mail.message_id.strip("<>") == answered
        ]
        if not found:
            raise BadRequest("in_reply_to names no mail of this mailbox")
        answers = found[-1]
    mail = world.mailboxes.write(
        sender,
        _word(given, "subject", ""),
        _word(given, "text"),
        to=_word(given, "to", ""),
        answers=answers,
    )
    return jsonify(mail_as_json(mail)), 201


def text_as_json(text: Text) -> dict[str, Any]:
    """One SMS: sid, from, to, body, direction, status, error_code, segments, date."""
    return {
        "sid": text.sid,
        "from": text.sender,
        "to": text.recipient,
        "body": text.body,
        "direction": text.direction,
        "status": text.status,
        "error_code": text.error_code,
        "segments": text.segments,
        "date": text.created_at.isoformat(),
    }


def call_as_json(call: Call) -> dict[str, Any]:
    """One call: sid, from, to, direction, status, waits_for, heard, spoken, recordings, date."""
    return {
        "sid": call.sid,
        "from": call.caller,
        "to": call.called,
        "direction": call.direction,
        "status": call.status,
        "waits_for": call.waits_for,
        "heard": [
            {"kind": one.kind, "text": one.text, "language": one.language} for one in call.heard
        ],
        "spoken": [one.text for one in call.heard if one.kind == "say"],
        "recordings": list(call.recordings),
        "date": call.created_at.isoformat(),
    }


def mail_as_json(mail: Mail) -> dict[str, Any]:
    """One mail, with the header names of RFC 5322 in lower case."""
    return {
        "sid": mail.sid,
        "outgoing": mail.outgoing,
        "from": mail.sender,
        "to": mail.recipient,
        "reply_to": mail.reply_to,
        "subject": mail.subject,
        "text": mail.text,
        "message_id": mail.message_id,
        "in_reply_to": mail.in_reply_to,
        "references": list(mail.references),
        "auto_submitted": mail.auto_submitted,
        "attachments": list(mail.attachments),
        "date": mail.at.isoformat(),
    }


def _hold(call: Call, keys: Sequence[str], *, voice: bytes | bool | None) -> Call:
    """Stay on the line until it ends, the keys run out, or there is nothing to say."""
    calls = current_world().calls
    left = list(keys)
    for _ in range(MOST_STEPS):
        if call.over:
            return call
        if call.waits_for == "recording" and not isinstance(voice, bool):
            call = calls.speak(call.sid, voice)
        elif call.waits_for == "keys" and left:
            call = calls.press(call.sid, left.pop(0), then_wait=True)
        else:
            break
    return calls.hang_up(call.sid)


def _given() -> dict[str, Any]:
    given = request.get_json(silent=True)
    if given is None and not request.data:
        return {}
    if not isinstance(given, dict):
        raise BadRequest("the request is no JSON object")
    return given


def _word(given: dict[str, Any], name: str, otherwise: str | None = None) -> str:
    value = given.get(name, otherwise)
    if not isinstance(value, str) or (otherwise is None and not value):
        raise BadRequest(f"'{name}' is missing or no text")
    return value


def _whatsapp(given: dict[str, Any]) -> WhatsApp | None:
    told = given.get("whatsapp")
    if told is None:
        return None
    if not isinstance(told, dict):
        raise BadRequest("'whatsapp' is no JSON object")
    pin = told.get("pin")
    if pin is not None and not (
        isinstance(pin, list)
        and [type(degrees) in (int, float) for degrees in pin] == [True, True]
        and all(abs(degrees) <= most for degrees, most in zip(pin, (90, 180), strict=True))
    ):
        raise BadRequest("'pin' is no latitude and longitude in degrees")
    return WhatsApp(_word(told, "name", ""), (pin[0], pin[1]) if pin else None)


def _keys(given: dict[str, Any]) -> list[str]:
    keys = given.get("keys") or []
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise BadRequest("'keys' is no list of texts")
    return keys


def _voice(given: dict[str, Any]) -> bytes | bool | None:
    path = given.get("record")
    if path is None or path is False:
        return path
    if not isinstance(path, str):
        raise BadRequest("'record' is no path of a WAV file")
    try:
        return checked(Path(path).read_bytes())
    except OSError as error:
        raise BadRequest("'record' names no readable file") from error

# SPDX-License-Identifier: MIT
"""Twilio's REST API as far as the official SDK is used: Messages, Calls, Recordings.

Paths, fields and error bodies are those of https://www.twilio.com/docs/usage/api (version
2010-04-01); ``client.api.base_url`` of the SDK is pointed here. Numbers that end in 0000 have opted
out (21610), in 0001 cannot be reached (30003 in a callback), in 0002 are busy (calls). A text to
0003 is taken, the first one to 0004 is lost: both without an answer in time and without a callback,
so that only asking can tell.
"""

from __future__ import annotations

import hmac
import re
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, request

from channels.sms.segments import length
from gateway.simulator.call_reports import answered_by
from gateway.simulator.calls import RINGING_SECONDS
from gateway.simulator.state import Call, Recording, Text, new_sid
from gateway.simulator.telephone import LOST_END, OPTED_OUT_END, UNANSWERED_END, rfc2822
from gateway.simulator.world import current_world

if TYPE_CHECKING:
    from collections.abc import Sequence

    from werkzeug.datastructures import MultiDict

API = "/2010-04-01/Accounts/<account>"
MOST_CHARACTERS = 1600
E164 = re.compile(r"(?:whatsapp:)?\+[1-9][0-9]{6,14}")

blueprint = Blueprint("provider", __name__)


class Refusal(Exception):  # noqa: N818 - what the provider does, not a fault of ours
    """An error answer of the API.

    Attributes:
        status: HTTP status.
        code: Twilio's error number.
    """

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@blueprint.errorhandler(Refusal)
def refused(refusal: Refusal) -> tuple[Response, int]:
    """Answer as Twilio does: ``{code, message, more_info, status}``."""
    body = {
        "code": refusal.code,
        "message": str(refusal),
        "more_info": f"https://www.twilio.com/docs/errors/{refusal.code}",
        "status": refusal.status,
    }
    return jsonify(body), refusal.status


@blueprint.before_request
def authenticate() -> None:
    """Let only the account itself in (HTTP Basic: account SID and any of its tokens)."""
    settings = current_world().settings
    given = request.authorization
    account = settings.twilio.account_sid
    known = (
        given is not None
        and given.type == "basic"
        and _same(given.username or "", account)
        and any(
            _same(given.password or "", token.get_secret_value())
            for token in settings.twilio.auth_tokens
        )
    )
    if not known:
        raise Refusal(401, 20003, "Authenticate")
    if (request.view_args or {}).get("account") != account:
        raise Refusal(404, 20404, "The requested resource was not found")


@blueprint.post(f"{API}/Messages.json")
def create_message(account: str) -> tuple[Response, int]:
    """Take a text for a telephone and report its way to ``StatusCallback``."""
    world = current_world()
    form = request.form
    recipient, sender, body = form.get("To", ""), form.get("From", ""), form.get("Body", "")
    if not E164.fullmatch(recipient):
        raise Refusal(400, 21211, "Invalid 'To' Phone Number")
    if not sender and not form.get("MessagingServiceSid"):
        raise Refusal(400, 21603, "A 'From' phone number is required.")
    if not body:
        raise Refusal(400, 21602, "Message body is required.")
    if len(body) > MOST_CHARACTERS:
        raise Refusal(400, 21617, "The concatenated message body exceeds the 1600 character limit.")
    if recipient.endswith(OPTED_OUT_END) or recipient in world.state.opted_out:
        raise Refusal(400, 21610, "Attempt to send to unsubscribed recipient")
    if recipient.endswith(LOST_END) and recipient not in world.state.lost:
        world.state.lost.add(recipient)
        return _too_late()
    now = world.clock()
    text = world.state.texts.put(
        Text(
            sid=new_sid("SM"),
            sender=sender or world.settings.twilio.number,
            recipient=recipient,
            body=body,
            direction="outbound-api",
            status="queued",
            created_at=now,
            updated_at=now,
            status_callback=form.get("StatusCallback", ""),
            segments=length(body).segments,
        )
    )
    if recipient.endswith(UNANSWERED_END):
        world.state.texts.change(text.sid, status="sent")
        return _too_late()
    world.telephone.deliver(text)
    return jsonify(_message(text, account)), 201


def _too_late() -> tuple[Response, int]:
    """An answer that comes when the client no longer waits for it."""
    time.sleep(current_world().settings.twilio.timeout_seconds * 2)
    raise Refusal(503, 20503, "Service unavailable")


@blueprint.get(f"{API}/Messages.json")
def list_messages(account: str) -> Response:
    """List texts, newest first; filters To, From, DateSent, DateSent<, DateSent>."""
    args = request.args
    texts = current_world().state.texts.all(
        lambda text: (
            args.get("To", text.recipient) == text.recipient
            and args.get("From", text.sender) == text.sender
            and _within(args, "DateSent", text.created_at)
        )
    )
    texts.reverse()
    return _page("messages", [_message(text, account) for text in texts])


@blueprint.get(f"{API}/Messages/<sid>.json")
def fetch_message(account: str, sid: str) -> Response:
    """One text by its sid."""
    text = current_world().state.texts.get(sid)
    if text is None:
        raise Refusal(404, 20404, "The requested resource was not found")
    return jsonify(_message(text, account))


@blueprint.post(f"{API}/Calls.json")
def create_call(account: str) -> tuple[Response, int]:
    """Let a telephone ring; its dialogue is fetched from ``Url`` (or given as ``Twiml``)."""
    world = current_world()
    form = request.form
    called, caller = form.get("To", ""), form.get("From", "")
    if not E164.fullmatch(called):
        raise Refusal(400, 21211, "Invalid 'To' Phone Number")
    if not E164.fullmatch(caller):
        raise Refusal(400, 21212, "Invalid 'From' Phone Number")
    if not form.get("Url") and not form.get("Twiml"):
        raise Refusal(400, 21205, "Url parameter is required.")
    call = world.state.calls.put(
        Call(
            sid=new_sid("CA"),
            caller=caller,
            called=called,
            direction="outbound-api",
            status="ringing",
            created_at=world.clock(),
            url=form.get("Url", ""),
            method=form.get("Method", "POST"),
            twiml=form.get("Twiml", ""),
            status_callback=form.get("StatusCallback", ""),
            status_events=tuple(form.getlist("StatusCallbackEvent")) or ("completed",),
            answered_by=answered_by(called) if form.get("MachineDetection") else "",
        )
    )
    world.calls.ring(call, int(form.get("Timeout", "") or RINGING_SECONDS))
    return jsonify(_call(call, account) | {"status": "queued"}), 201


@blueprint.get(f"{API}/Calls.json")
def list_calls(account: str) -> Response:
    """List calls, newest first; filters To, From, Status, StartTime, StartTime<, StartTime>."""
    args = request.args
    calls = current_world().state.calls.all(
        lambda call: (
            args.get("To", call.called) == call.called
            and args.get("From", call.caller) == call.caller
            and args.get("Status", call.status) == call.status
            and _within(args, "StartTime", call.created_at)
        )
    )
    calls.reverse()
    return _page("calls", [_call(call, account) for call in calls])


@blueprint.route(f"{API}/Calls/<sid>.json", methods=["GET", "POST"])
def one_call(account: str, sid: str) -> Response:
    """One call by its sid; ``Status=canceled`` or ``completed`` ends it."""
    world = current_world()
    call = world.state.calls.get(sid)
    if call is None:
        raise Refusal(404, 20404, "The requested resource was not found")
    if request.method == "POST" and request.form.get("Status") == "completed":
        call = world.calls.hang_up(sid)
    elif request.method == "POST" and request.form.get("Status") == "canceled":
        call = world.calls.decline(sid, "canceled")
    return jsonify(_call(call, account))


@blueprint.get(f"{API}/Recordings.json")
def list_recordings(account: str) -> Response:
    """List recordings, newest first; filters CallSid, DateCreated, DateCreated<, DateCreated>."""
    args = request.args
    recordings = current_world().state.recordings.all(
        lambda one: (
            args.get("CallSid", one.call_sid) == one.call_sid
            and _within(args, "DateCreated", one.created_at)
        )
    )
    recordings.reverse()
    return _page("recordings", [_recording(one, account) for one in recordings])


@blueprint.get(f"{API}/Recordings/<sid>.json")
def fetch_recording(account: str, sid: str) -> Response:
    """What is known of one recording."""
    return jsonify(_recording(_kept_recording(sid), account))


@blueprint.get(f"{API}/Recordings/<sid>.wav")
@blueprint.get(f"{API}/Recordings/<sid>")
def play_recording(account: str, sid: str) -> Response:  # noqa: ARG001 - checked before, for all
    """The sound itself, as WAV."""
    return Response(_kept_recording(sid).content, mimetype="audio/x-wav")


def _kept_recording(sid: str) -> Recording:
    recording = current_world().state.recordings.get(sid)
    if recording is None:
        raise Refusal(404, 20404, "The requested resource was not found")
    return recording


def _message(text: Text, account: str) -> dict[str, Any]:
    path = f"/2010-04-01/Accounts/{account}/Messages/{text.sid}"
    sent = text.status not in ("queued", "accepted")
    return {
        "account_sid": account,
        "api_version": "2010-04-01",
        "body": text.body,
        "date_created": rfc2822(text.created_at),
        "date_sent": rfc2822(text.created_at) if sent else None,
        "date_updated": rfc2822(text.updated_at),
        "direction": text.direction,
        "error_code": text.error_code if text.direction != "inbound" else None,
        "error_message": None,
        "from": text.sender,
        "messaging_service_sid": None,
        "num_media": "0",
        "num_segments": str(text.segments),
        "price": None,
        "price_unit": "USD",
        "sid": text.sid,
        "status": text.status,
        "subresource_uris": {"media": f"{path}/Media.json"},
        "to": text.recipient,
        "uri": f"{path}.json",
    }


def _call(call: Call, account: str) -> dict[str, Any]:
    path = f"/2010-04-01/Accounts/{account}/Calls/{call.sid}"
    seconds = None
    if call.answered_at and call.ended_at:
        seconds = str(int((call.ended_at - call.answered_at).total_seconds()))
    return {
        "account_sid": account,
        "annotation": None,
        "answered_by": None,
        "api_version": "2010-04-01",
        "caller_name": "",
        "date_created": rfc2822(call.created_at),
        "date_updated": rfc2822(call.ended_at or call.answered_at or call.created_at),
        "direction": call.direction,
        "duration": seconds,
        "end_time": rfc2822(call.ended_at),
        "forwarded_from": None,
        "from": call.caller,
        "from_formatted": call.caller,
        "group_sid": None,
        "parent_call_sid": None,
        "phone_number_sid": "",
        "price": None,
        "price_unit": "USD",
        "queue_time": "0",
        "sid": call.sid,
        "start_time": rfc2822(call.answered_at),
        "status": call.status,
        "subresource_uris": {"recordings": f"{path}/Recordings.json"},
        "to": call.called,
        "to_formatted": call.called,
        "trunk_sid": None,
        "uri": f"{path}.json",
    }


def _recording(recording: Recording, account: str) -> dict[str, Any]:
    path = f"/2010-04-01/Accounts/{account}/Recordings/{recording.sid}"
    return {
        "account_sid": account,
        "api_version": "2010-04-01",
        "call_sid": recording.call_sid,
        "channels": 1,
        "conference_sid": None,
        "date_created": rfc2822(recording.created_at),
        "date_updated": rfc2822(recording.created_at),
        "duration": str(recording.seconds),
        "encryption_details": None,
        "error_code": None,
        "media_url": request.host_url.rstrip("/") + path,
        "price": None,
        "price_unit": "USD",
        "sid": recording.sid,
        "source": "RecordVerb",
        "start_time": rfc2822(recording.created_at),
        "status": "completed",
        "subresource_uris": {},
        "uri": f"{path}.json",
    }


def _page(name: str, rows: Sequence[dict[str, Any]]) -> Response:
    """One page of a list, with the paging fields the SDK follows (``next_page_uri``)."""
    size = min(max(request.args.get("PageSize", 50, int), 1), 1000)
    page = max(request.args.get("Page", 0, int), 0)
    part = rows[page * size : (page + 1) * size]

    def uri(number: int) -> str:
        kept = [(key, value) for key, value in request.args.items(multi=True) if key != "Page"]
        return f"{request.path}?{urlencode([*kept, ('Page', number)])}"

    return jsonify(
        {
            name: part,
            "page": page,
            "page_size": size,
            "start": page * size,
            "end": page * size + max(len(part) - 1, 0),
            "uri": uri(page),
            "first_page_uri": uri(0),
            "next_page_uri": uri(page + 1) if (page + 1) * size < len(rows) else None,
            "previous_page_uri": uri(page - 1) if page else None,
        }
    )


def _within(args: MultiDict[str, str], name: str, moment: datetime) -> bool:
    """Apply Twilio's three date filters: on a day, not after, not before."""
    exact, before, after = args.get(name), args.get(f"{name}<"), args.get(f"{name}>")
    if exact and moment.date() != _moment(exact).date():
        return False
    # The API has whole seconds: a message of the asked second belongs to the answer.
    second = moment.replace(microsecond=0)
    return not (before and second > _moment(before)) and not (after and second < _moment(after))


def _moment(value: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise Refusal(400, 20001, "Invalid date") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _same(given: str, expected: str) -> bool:
    return bool(expected) and hmac.compare_digest(given.encode(), expected.encode())

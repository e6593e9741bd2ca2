# SPDX-License-Identifier: MIT
"""The door for calls: each webhook of Twilio is one turn of the dialogue in ``channels.voice.ivr``.

The dialogue is pure; what it needs to know is looked up here, and where a call stands travels in
signed action URLs. Twilio does not repeat a voice webhook after a 5xx: it uses the fallback URL of
the number, else the caller hears an error. So a filing that fails is answered 503 *and* TwiML with
an apology (for a fallback that relays it); the recording stays at the provider, and is swept later.
"""

from __future__ import annotations

import hashlib
import logging
from uuid import UUID

from flask import Blueprint, Response, request
from itsdangerous import BadData, URLSafeSerializer
from sqlalchemy.exc import SQLAlchemyError

from channels.channel import Accepted
from channels.errors import MalformedMessage
from channels.message import ChannelName, Receipt
from channels.twilio_account import Form
from channels.voice import ivr, twilio
from channels.voice.ivr import Facts, Filed, Heard, Line, Need, Place, Step, Turn
from channels.voice.speech import Sound
from gateway.house import House, current_house
from gateway.inbound import calls, recordings
from gateway.inbound.provider import Webhook, apply_receipt, later, verified, xml
from gateway.telemetry import refused, try_later
from tracker import receipts
from tracker.group_commit import StorageUnavailable

logger = logging.getLogger(__name__)
blueprint = Blueprint("inbound_voice", __name__)

BASE = "/inbound/voice/twilio"
SALT = "voice-line"


@blueprint.post(BASE)
def welcome() -> Response:
    """A call comes in."""
    hook = verified(ChannelName.VOICE)
    return hook if isinstance(hook, Response) else _turn(hook, Place(Step.WELCOME))


@blueprint.post(f"{BASE}/<step>")
def turn(step: str) -> Response:
    """One more turn of a call. A place that we did not sign, or no longer know, begins anew."""
    hook = verified(ChannelName.VOICE)
    if isinstance(hook, Response):
        return hook
    return _turn(hook, _place(hook.house, step) or Place(Step.WELCOME))


@blueprint.post(f"{BASE}/answer/<uuid:outbox_id>")
def answer(outbox_id: UUID) -> Response:
    """Somebody picked up a call of ours."""
    hook = verified(ChannelName.VOICE)
    if isinstance(hook, Response):
        return hook
    return _turn(hook, Place(Step.ANNOUNCE, entry=str(outbox_id)))


@blueprint.post(f"{BASE}/recording")
def recording() -> Response:
    """A recording is ready: file it unless its ``action`` came first. 204, or 503."""
    hook = verified(ChannelName.VOICE)
    if isinstance(hook, Response):
        return hook
    place = _place(hook.house, Step.RECORDING) or Place(Step.RECORDING)
    try:
        outcome = recordings.file(hook, place.language)
    except MalformedMessage:
        return _quarantined(hook)
    return Response(status=204) if isinstance(outcome, Accepted) else later()


@blueprint.post(f"{BASE}/status")
def ended() -> Response:
    """A call to us ended: one that left nothing and heard nothing is a missed call for a person."""
    hook = verified(ChannelName.VOICE)
    if isinstance(hook, Response):
        return hook
    house, form = hook.house, hook.form
    if form.get("CallStatus") != "completed" or form.get("Direction").startswith("outbound"):
        return Response(status=204)
    try:
        sid = twilio.call_sid(form)
    except MalformedMessage:
        return _quarantined(hook)
    if recordings.served(house, sid):
        return Response(status=204)
    delivery = hook.keyed(twilio.missed_key(sid))
    outcome = house.accept(delivery, recordings.read(delivery))
    return Response(status=204) if isinstance(outcome, Accepted) else later()


@blueprint.post("/receipts/voice/twilio/<uuid:outbox_id>")
def receipt(outbox_id: UUID) -> Response:
    """Note how a call of ours ended."""
    hook = verified(ChannelName.VOICE)
    if isinstance(hook, Response):
        return hook
    try:
        return apply_receipt(hook, outbox_id, twilio.read_receipt)
    except MalformedMessage as error:
        refused("voice", "receipt")
        return Response(f"{error}\n", status=400, mimetype="text/plain")


@blueprint.errorhandler(SQLAlchemyError)
def unavailable(error: SQLAlchemyError) -> Response:
    """A look-up failed: the caller is told in all languages, the provider gets 503."""
    logger.error("voice: the database does not answer: %s", type(error).__name__)
    try_later("voice")
    return xml(ivr.apology(line_of(current_house()), Place(Step.WELCOME)), 503)


def _turn(hook: Webhook, place: Place) -> Response:
    house, form = hook.house, hook.form
    line = line_of(house)
    heard = Heard(form.get("Digits"), twilio.recording_sid(form))
    now = ivr.respond(line, place, heard)
    if now.needs is not None:
        facts = _facts(hook, now.needs, place)
        if facts is None:
            # Only what could not be stored is a failure of ours; an entry that is gone is none.
            return xml(ivr.apology(line, place), 503 if now.needs is Need.FILED else 200)
        now = ivr.respond(line, place, heard, facts)
        _note(hook, place, now, facts)
    return xml(now.twiml)


def _facts(hook: Webhook, need: Need, place: Place) -> Facts | None:
    """Look up what a turn needs; ``None`` where nothing can be stored or found now."""
    house, form = hook.house, hook.form
    match need:
        case Need.FILED:
            outcome = recordings.file(hook, place.language)
            if not isinstance(outcome, Accepted):
                return None
            return Filed(outcome.tracking_code or "", outcome.pin or "")
        case Need.STATUS:
            return calls.status(house, form, place.language)
        case Need.ANNOUNCEMENT:
            return calls.announcement(house, UUID(place.entry))
        case Need.ANSWER:
            return calls.answer(house, UUID(place.entry), form)
    return calls.words_of(house, UUID(place.entry))  # Need.REPEAT, the last of them


def _note(hook: Webhook, place: Place, now: Turn, facts: Facts) -> None:
    """Keep what a turn showed: a wrong code, a status heard, an answer read to its citizen."""
    house, form = hook.house, hook.form
    if now.wrong_code:
        calls.count_wrong_code(house, calls.guesser(form))
    elif isinstance(facts, ivr.StatusFacts) and facts.reading is ivr.CodeReading.FOUND:
        recordings.mark_served(house, form.get("CallSid"))
    elif now.read_out:
        _delivered(house, UUID(place.entry), form)


def _delivered(house: House, outbox_id: UUID, form: Form) -> None:
    told: Receipt = twilio.heard(form)
    try:
        house.writer.run(lambda c: receipts.apply(c, outbox_id, told, house.clock()))
    except StorageUnavailable:
        return  # the citizen hears the answer; at worst they are called or told once more


def _quarantined(hook: Webhook) -> Response:
    """Verified but unreadable: kept for a person, under the digest of its bytes."""
    key = f"voice:sha256:{hashlib.sha256(hook.delivery.body).hexdigest()}"
    outcome = hook.house.accept(hook.keyed(key), None)
    return Response(status=204) if isinstance(outcome, Accepted) else later()


def line_of(house: House) -> Line:
    """What the dialogue needs: wording, signed URLs, voices."""
    voice = house.settings.voice
    serializer = _serializer(house)

    def url(place: Place) -> str:
        token = serializer.dumps(
            [str(place.step), place.language, place.silences, place.tries, place.entry]
        )
        return f"{house.settings.public_base_url}{BASE}/{place.step}?at={token}"

    return Line(
        say=lambda language, key, **values: house.wording.text(language, f"voice.{key}", **values),
        url=url,
        sound=Sound(
            voices=voice.say_voices,
            languages=voice.say_languages,
            max_recording_seconds=voice.max_recording_seconds,
        ),
    )


def _serializer(house: House) -> URLSafeSerializer:
    # itsdangerous signs with the last key of the list and reads with all of them.
    return URLSafeSerializer(list(reversed(house.settings.signing_keys)), salt=SALT)


def _place(house: House, step: str) -> Place | None:
    """The place that the action URL carries, if we signed it for this step."""
    try:
        name, language, silences, tries, entry = _serializer(house).loads(
            request.args.get("at", "")
        )
        place = Place(Step(name), language, silences, tries, entry)
    except (BadData, ValueError, TypeError):
        return None
    return place if str(place.step) == step else None

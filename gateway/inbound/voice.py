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

from flask import Blueprint, Response
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from channels.channel import Accepted
from channels.errors import MalformedMessage
from channels.message import ChannelName, Receipt
from channels.twilio_account import Form
from channels.voice import ivr, twilio
from channels.voice.dialogue import (
    AnswerFacts,
    CodeReading,
    Facts,
    Filed,
    Need,
    Place,
    StatusFacts,
    Step,
    Turn,
)
from gateway.call_ends import follow, note_call, note_part
from gateway.house import House, current_house
from gateway.inbound import answers, calls, recordings
from gateway.inbound.line import BASE, CLIPS, clip_file, line_of, place_of
from gateway.inbound.provider import Webhook, apply_receipt, later, verified, xml
from gateway.telemetry import refused, try_later
from tracker import receipts
from tracker.group_commit import StorageUnavailable

logger = logging.getLogger(__name__)
blueprint = Blueprint("inbound_voice", __name__)
blueprint.add_url_rule(f"{CLIPS}/<token>", "clip", clip_file)


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
    return _turn(hook, place_of(hook.house, step) or Place(Step.WELCOME))


@blueprint.post(f"{BASE}/answer/<uuid:outbox_id>")
def answer(outbox_id: UUID) -> Response:
    """Somebody picked up a call of ours."""
    hook = verified(ChannelName.VOICE)
    if isinstance(hook, Response):
        return hook
    house = hook.house
    try:
        sid = twilio.call_sid(hook.form)
        house.writer.run(lambda connection: note_call(connection, outbox_id, sid))
    except (MalformedMessage, StorageUnavailable):
        logger.warning("voice: whose call was picked up is not noted")
    return _turn(hook, Place(Step.ANNOUNCE, entry=str(outbox_id)))


@blueprint.post(f"{BASE}/recording")
def recording() -> Response:
    """A recording is ready: file it unless its ``action`` came first. 204, or 503."""
    hook = verified(ChannelName.VOICE)
    if isinstance(hook, Response):
        return hook
    place = place_of(hook.house, Step.RECORDING) or Place(Step.RECORDING)
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
    house = hook.house
    try:
        told, again = follow(
            house.engine,
            house.settings,
            house.country,
            outbox_id,
            twilio.read_receipt(hook.form),
            house.clock(),
        )
        return apply_receipt(hook, outbox_id, lambda _: told, again)
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
    heard = twilio.heard(form)
    now = ivr.respond(line, place, heard)
    if now.needs is not None:
        facts = _facts(hook, now.needs, place)
        if facts is None:
            # Only what could not be stored is a failure of ours; an entry that is gone is none.
            return xml(ivr.apology(line, place), 503 if now.needs is Need.FILED else 200)
        now = ivr.respond(line, place, heard, facts)
        _note(hook, place, now, facts)
    return xml(now.document)


def _facts(hook: Webhook, need: Need, place: Place) -> Facts | None:
    """Look up what a turn needs; ``None`` where nothing can be stored or found now."""
    house, form = hook.house, hook.form
    match need:
        case Need.FILED:
            outcome = recordings.file(hook, place.language)
            if not isinstance(outcome, Accepted):
                return None
            if outcome.repeated and outcome.tracking_code and not twilio.heard(form).hung_up:
                recordings.told(house, outcome.tracking_code)
            return Filed(outcome.tracking_code or "", outcome.pin or "")
        case Need.STATUS:
            return calls.status(house, form, place.language)
        case Need.KEYED:
            return answers.keyed(house, form)
        case Need.OWN_ANSWER:
            return answers.own(house, UUID(place.entry), form, place.language)
        case Need.OWN_REPEAT:
            return answers.own_words(house, UUID(place.entry), place.language)
        case Need.ANNOUNCEMENT:
            return answers.announcement(house, UUID(place.entry))
        case Need.ANSWER:
            return answers.answer(house, UUID(place.entry), form)
    return answers.words_of(house, UUID(place.entry))  # Need.REPEAT, the last of them


def _note(hook: Webhook, place: Place, now: Turn, facts: Facts) -> None:
    """Keep what a turn showed: a wrong code, a status heard, an answer read to its citizen."""
    house, form = hook.house, hook.form
    if now.wrong_code:
        answers.count_wrong(house, form, place.entry)
    elif isinstance(facts, StatusFacts) and facts.reading is CodeReading.FOUND:
        recordings.mark_served(house, form.get("CallSid"))
    elif isinstance(facts, AnswerFacts) and place.step is Step.OWN_PIN:
        if facts.reading is CodeReading.FOUND:  # told, also where there is no answer yet
            recordings.mark_served(house, form.get("CallSid"))
    elif now.reading is not None and place.step in (Step.ANNOUNCE, Step.ANSWER, Step.AGAIN):
        _heard(house, UUID(place.entry), form, now)


def _heard(house: House, outbox_id: UUID, form: Form, now: Turn) -> None:
    """On a call of ours what it tells is delivered when its last part is begun, and not before."""
    told: Receipt = twilio.read_out(form)

    def note(connection: Connection) -> None:
        if now.reading is not None:
            note_part(connection, outbox_id, *now.reading)
        if now.read_out:
            receipts.apply(connection, outbox_id, told, house.clock())

    try:
        house.writer.run(note)
    except StorageUnavailable:
        return  # the citizen hears the answer; at worst they are called or told once more


def _quarantined(hook: Webhook) -> Response:
    """Verified but unreadable: kept for a person, under the digest of its bytes."""
    key = f"voice:sha256:{hashlib.sha256(hook.delivery.body).hexdigest()}"
    outcome = hook.house.accept(hook.keyed(key), None)
    return Response(status=204) if isinstance(outcome, Accepted) else later()

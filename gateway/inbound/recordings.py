# SPDX-License-Identifier: MIT
"""Files what a call left: a recording, by whichever of two webhooks comes first, or nothing."""

from __future__ import annotations

from sqlalchemy import Connection, select

from channels.channel import Accepted, Acknowledgement, Delivery, TryLater
from channels.errors import DeliveryError
from channels.message import InboundMessage
from channels.twilio_account import form_of
from channels.voice import twilio
from channels.voice.twilio import TwilioVoice
from gateway.house import House
from gateway.inbound.provider import Webhook
from tracker import register, throttle
from tracker.database import reading
from tracker.group_commit import StorageUnavailable
from tracker.models import OutboxState, deliveries, outbox

LANGUAGE, CALLER, CALLED = "x-guichet-language", "x-guichet-caller", "x-guichet-called"
#: Scope of the note that a call got what it came for. The shared table of short-lived keyed digests
#: holds it: it names nobody and expires.
SERVED = "call-served"


def read(delivery: Delivery) -> InboundMessage:
    """Read a stored delivery of this door, for filing and for a later replay alike.

    Raises:
        MalformedMessage: it names neither a recording nor a call.
    """
    form = form_of(delivery.body)
    language = delivery.headers.get(LANGUAGE, "")
    if delivery.idempotency_key.endswith(":missed"):
        return twilio.read_missed(form, delivery.received_at, language)
    return twilio.read_recording(
        form,
        delivery.received_at,
        language,
        caller=delivery.headers.get(CALLER),
        called=delivery.headers.get(CALLED),
    )


def file(hook: Webhook, language: str) -> Acknowledgement:
    """File the recording of this webhook; a repeated one gets the same code and PIN again.

    Its ``recordingStatusCallback`` has neither caller nor called number. Where it comes first, the
    provider is asked for them: a number in the callback's URL would stand in access logs.

    Raises:
        MalformedMessage: it names no recording.
    """
    house, form = hook.house, hook.form
    sid = twilio.recording_sid(form)
    key = twilio.recording_key(sid)
    told: dict[str, str] = {"language": language}
    if "From" not in form and sid:
        if known(house, key):
            return Accepted(repeated=True)
        try:
            caller, called = voice_of(house).parties(twilio.call_sid(form))
        except DeliveryError:
            return TryLater("provider")  # the recording stays at the provider and is swept
        told |= {"caller": caller or "anonymous", "called": called}
    delivery = hook.keyed(key, told)
    message = read(delivery)
    outcome = house.accept(delivery, message)
    if isinstance(outcome, Accepted):
        mark_served(house, form.get("CallSid"))
    return outcome


def told(house: House, tracking_code: str) -> None:
    """The caller hears the code now, so nobody need call to tell it.

    Its ``recordingStatusCallback`` may have filed it before, when nobody knew who still listened.
    """

    def settle(connection: Connection) -> None:
        case = register.find_case(connection, tracking_code)
        if case is not None:
            connection.execute(
                outbox.update()
                .where(outbox.c.idempotency_key == f"ack:{case.id}", outbox.c.channel == "voice")
                .where(outbox.c.state == str(OutboxState.DUE))
                .values(state=str(OutboxState.DONE), done_at=house.clock())
            )

    try:
        house.writer.run(settle)
    except StorageUnavailable:
        return  # they are called and hear it once more


def known(house: House, key: str) -> bool:
    """Whether a delivery is filed already."""
    with reading(house.engine).connect() as connection:
        found = connection.scalar(
            select(deliveries.c.id).where(deliveries.c.idempotency_key == key)
        )
    return found is not None


def mark_served(house: House, call_sid: str) -> None:
    """Note that a call left a recording or heard a status, so that its end is no missed call.

    The note is a convenience: when it cannot be stored, a person sees one missed call too many.
    """
    subject = throttle.digest(house.settings.signing_keys[0], call_sid)
    now = house.clock()
    try:
        house.writer.run(lambda connection: throttle.record(connection, SERVED, subject, now))
    except StorageUnavailable:
        return


def served(house: House, call_sid: str) -> bool:
    """Whether :func:`mark_served` noted this call under any of the signing keys."""
    with reading(house.engine).connect() as connection:
        return any(
            not throttle.allowed(
                connection,
                SERVED,
                throttle.digest(key, call_sid),
                tries=1,
                window_seconds=86_400,
                now=house.clock(),
            )
            for key in house.settings.signing_keys
        )


def voice_of(house: House) -> TwilioVoice:
    """The provider's API, asked only where a webhook leaves something out."""
    settings = house.settings.twilio
    tokens = [token.get_secret_value() for token in settings.auth_tokens]
    return TwilioVoice(
        account_sid=settings.account_sid,
        auth_token=tokens[0] if tokens else "",
        sender=settings.voice_number or settings.number,
        public_base_url=house.settings.public_base_url,
        api_base_url=settings.api_base_url,
        # A webhook has 15 s in all.
        timeout_seconds=min(settings.timeout_seconds, 4.0),
    )

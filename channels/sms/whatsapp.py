# SPDX-License-Identifier: MIT
"""WhatsApp through Twilio: what a message brings beside its words, and when it may be answered.

The webhook is that of a text; its numbers bear the prefix ``whatsapp:``, and it also tells::

    ProfileName=Amina&WaId=212612345678&Latitude=33.9716&Longitude=-6.8498&Address=Av.+Hassan+II
    &Label=Marjane&ButtonText=Oui&ButtonPayload=yes&OriginalRepliedMessageSid=SM8f…

https://www.twilio.com/docs/whatsapp/api. Free text may be sent within 24 hours of the person's last
message (the customer service window); afterwards WhatsApp takes approved templates only (63016).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from channels.errors import Rejected
from channels.twilio_account import Form

WHATSAPP = "whatsapp:"
#: How long after a person's last message free text may be sent. A minute less than WhatsApp's own
#: 24 hours: its clock started when the message was sent, ours when it came.
WINDOW = timedelta(hours=24) - timedelta(minutes=1)
#: The provider's error outside the window; ours bears the same code, so that the desk sees one.
OUTSIDE_WINDOW = "63016"
LONGEST_NAME = 200

_COORDINATE = re.compile(r"[+-]?\d{1,3}(?:\.\d{1,12})?", re.ASCII)
_SID = re.compile(r"(?:SM|MM|CH|IM)[0-9a-zA-Z]{1,64}", re.ASCII)
_KEPT = {"WaId": "whatsapp_id", "ButtonPayload": "button", "ProfileName": "profile_name"}
_MOST_DEGREES = {"Latitude": 90.0, "Longitude": 180.0}


class OutsideWindow(Rejected):
    """The person's last WhatsApp message is more than a day old: another channel must be used."""

    def __init__(self) -> None:
        super().__init__(
            "WhatsApp takes no free text more than 24 hours after the person's last message; "
            "use another channel",
            code=OUTSIDE_WINDOW,
        )


@dataclass(frozen=True, slots=True)
class Told:
    """What a WhatsApp message brings beside its words.

    Attributes:
        text: a line for a message without words (a place, a button pressed), or ``""``.
        display_name: the profile's name; its owner chose it.
        in_reply_to: the MessageSid that was answered, where one was.
        fields: what the record keeps; ``location`` is a place in words and degrees.
    """

    text: str = ""
    display_name: str = ""
    in_reply_to: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)


NOTHING = Told()


def read(form: Form) -> Told:
    """Read what a verified WhatsApp webhook brings. Total: what makes no sense is left out."""
    fields = {ours: form.get(theirs) for theirs, ours in _KEPT.items() if form.get(theirs)}
    place = _place(form)
    if place:
        fields["location"] = place
    replied = form.get("OriginalRepliedMessageSid")
    return Told(
        text=form.get("ButtonText").strip() or place,
        display_name=" ".join(form.get("ProfileName").split())[:LONGEST_NAME],
        in_reply_to=(replied,) if _SID.fullmatch(replied) else (),
        fields=fields,
    )


def check_window(last_inbound: datetime | None, now: datetime) -> None:
    """Check that free text may be sent now.

    Args:
        last_inbound: when the person last wrote by WhatsApp, aware; ``None``: never.
        now: aware.

    Raises:
        OutsideWindow: it may not.
    """
    if last_inbound is None or now - last_inbound >= WINDOW:
        raise OutsideWindow


def _place(form: Form) -> str:
    """A shared place as one line: its name, its address, its degrees (WGS 84)."""
    degrees = [_degrees(form, name) for name in _MOST_DEGREES]
    words = dict.fromkeys(" ".join(form.get(name).split()) for name in ("Label", "Address"))
    parts = [word for word in words if word]
    if all(degrees):
        parts.append(", ".join(degrees))
    return " · ".join(parts)


def _degrees(form: Form, name: str) -> str:
    value = form.get(name).strip()
    known = _COORDINATE.fullmatch(value) is not None
    return value if known and abs(float(value)) <= _MOST_DEGREES[name] else ""

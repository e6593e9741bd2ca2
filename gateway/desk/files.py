# SPDX-License-Identifier: MIT
"""Files of citizens at the desk: handed out as downloads, never opened as pages of ours."""

from __future__ import annotations

import unicodedata
from io import BytesIO
from typing import TYPE_CHECKING, Any

from flask import abort, request, send_file
from flask_login import login_required
from sqlalchemy import select

from gateway.desk.access import Deed
from gateway.desk.session import person
from gateway.house import current_house
from gateway.sound_type import sound_type
from tracker.children import of_parent
from tracker.database import reading
from tracker.models import attachments, blobs, cases, deliveries, messages

if TYPE_CHECKING:
    from uuid import UUID

    from flask import Blueprint, Response

#: A file is shown to the browser as nothing it could open, but for sound that it plays.
OPAQUE = "application/octet-stream"
_LONGEST_NAME = 120


def attach_to(blueprint: Blueprint) -> None:
    """Add this file's pages to the desk."""
    blueprint.add_url_rule("/attachments/<uuid:file_id>", "attachment", attachment)
    blueprint.add_url_rule("/deliveries/<uuid:delivery_id>/raw", "raw_delivery", raw_delivery)


def safe_name(filename: str, otherwise: str) -> str:
    """A name to save a file under: no path, and nothing invisible that turns the name around."""
    name = filename.replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(c for c in name if unicodedata.category(c)[0] != "C").strip(" .")
    return name[-_LONGEST_NAME:] or otherwise


@login_required
def attachment(file_id: UUID) -> Response:
    """Hand out one file of a case that this person may see."""
    house = current_house()
    with reading(house.engine).connect() as connection:
        found: Any = connection.execute(
            select(
                attachments.c.filename,
                blobs.c.content,
                cases.c.administration,
                cases.c.id,
                cases.c.children,
            )
            .join(messages, messages.c.id == attachments.c.message_id)
            .join(cases, cases.c.id == messages.c.case_id)
            .join(blobs, blobs.c.sha256 == attachments.c.sha256)
            .where(attachments.c.id == file_id)
        ).first()
        # A child has the files of its parent: those that the citizen sent.
        parts = of_parent(connection, found.id) if found is not None and found.children else ()
    if found is None or not any(map(person().may_see, (found, *parts))):
        abort(404)
    return _handed_out(
        found.content,
        safe_name(found.filename, f"file-{file_id.hex[:8]}"),
        sound_type(found.content[:16]) or OPAQUE,
    )


@login_required
def raw_delivery(delivery_id: UUID) -> Response:
    """Hand out a delivery as it came, to who must find out what is wrong with it."""
    if not person().may(Deed.ATTENTION):
        abort(404)
    with reading(current_house().engine).connect() as connection:
        found = connection.execute(
            select(deliveries.c.channel, deliveries.c.body).where(deliveries.c.id == delivery_id)
        ).first()
    if found is None:
        abort(404)
    ending = "eml" if found.channel == "email" else "bin"
    return _handed_out(found.body, f"delivery-{delivery_id.hex[:8]}.{ending}", OPAQUE)


def _handed_out(content: bytes, name: str, media_type: str) -> Response:
    response = send_file(
        BytesIO(content),
        mimetype=media_type,
        as_attachment=True,
        download_name=name,
        conditional="Range" in request.headers,
        max_age=0,
        etag=False,
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Cache-Control"] = "private, no-store"
    return response

# SPDX-License-Identifier: MIT
"""The citizen's own recording on the tracking page, behind a link that code and PIN open."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from typing import TYPE_CHECKING
from uuid import UUID

from flask import Response, abort, request, send_file
from itsdangerous import BadData, URLSafeSerializer
from sqlalchemy import select

from gateway.house import current_house
from gateway.sound_type import sound_type
from tracker.database import reading
from tracker.models import attachments, blobs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

#: A page that lies open plays for so long; then code and PIN open another.
LIFE = timedelta(hours=1)
#: A little into the future is the clock of another machine.
CLOCKS_APART = timedelta(minutes=5)
_SALT = "own-recording"


def link(keys: Sequence[str], language: str, file_id: UUID, now: datetime) -> str:
    """The path that plays one file; only a page that proof opened may show it."""
    token = _serializer(keys).dumps([file_id.hex, int(now.timestamp())])
    return f"/{language}/track/recording/{token}"


def play(lang: str, token: str) -> Response:  # noqa: ARG001 - the path is one of the language's
    """GET /<lang>/track/recording/<token>: the sound, or 404 for what we did not sign lately."""
    house = current_house()
    try:
        name, stamp = _serializer(house.settings.signing_keys).loads(token)
        file_id, age = UUID(hex=name), house.clock().timestamp() - int(stamp)
    except (BadData, TypeError, ValueError):
        abort(404)
    if not -CLOCKS_APART.total_seconds() <= age <= LIFE.total_seconds():
        abort(404)
    with reading(house.engine).connect() as connection:
        found = connection.execute(
            select(blobs.c.content)
            .join(attachments, attachments.c.sha256 == blobs.c.sha256)
            .where(attachments.c.id == file_id)
        ).first()
    kind = sound_type(found.content[:16]) if found is not None else None
    if found is None or kind is None:
        abort(404)
    response = send_file(
        BytesIO(found.content),
        mimetype=kind,
        conditional="Range" in request.headers,
        max_age=0,
        etag=False,
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _serializer(keys: Sequence[str]) -> URLSafeSerializer:
    return URLSafeSerializer(list(reversed(keys)), salt=_SALT)

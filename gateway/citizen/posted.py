# SPDX-License-Identifier: MIT
"""A posted form's raw bytes → what was typed, when it arrives and when it is replayed."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_options_header

from channels.web import form
from gateway.citizen.frame import LANGUAGES
from normalizer.phone import e164

if TYPE_CHECKING:
    from channels.channel import Delivery
    from config.settings import Settings

#: Fields of one form in bytes, files left out; and parts. The page has seven fields.
_FIELD_BYTES, _PARTS = 500_000, 40
KEY_PREFIX = "web:"


def parse(body: bytes, content_type: str) -> tuple[dict[str, str], list[form.PostedFile]]:
    """Split a posted body (urlencoded or RFC 7578 multipart) into fields and files.

    Of a field posted twice the first counts.

    Raises:
        werkzeug.exceptions.RequestEntityTooLarge: more or larger fields than any form of ours.
    """
    media_type, options = parse_options_header(content_type)
    parser = FormDataParser(max_form_memory_size=_FIELD_BYTES, max_form_parts=_PARTS, silent=True)
    stream, fields, files = parser.parse(BytesIO(body), media_type, len(body), options)
    stream.close()
    return fields.to_dict(), [
        form.PostedFile(file.filename or "", file.mimetype or "", file.read())
        for file in files.getlist("files")
    ]


def read(
    delivery: Delivery,
    fields: dict[str, str],
    files: list[form.PostedFile],
    *,
    settings: Settings,
    region: str,
) -> form.Reading:
    """Read what was typed into the form of this delivery, whose URL path begins with a language."""
    language = delivery.url.removeprefix(settings.public_base_url).split("/")[1:2]
    limits = form.Limits(
        files=settings.web.max_upload_files, file_bytes=settings.web.max_upload_bytes
    )
    return form.read(
        fields,
        files,
        message_id=delivery.idempotency_key.removeprefix(KEY_PREFIX),
        languages=tuple(LANGUAGES),
        language=language[0] if language and language[0] in LANGUAGES else "",
        date=delivery.received_at,
        recipient=delivery.url,
        limits=limits,
        readable_phone=lambda text: e164(text, region) is not None,
    )


def replay(delivery: Delivery, *, settings: Settings, region: str) -> form.Reading:
    """Read a stored delivery again."""
    content_type = {name.lower(): value for name, value in delivery.headers.items()}.get(
        "content-type", ""
    )
    fields, files = parse(delivery.body, content_type)
    return read(delivery, fields, files, settings=settings, region=region)

# SPDX-License-Identifier: MIT
"""Files that go along with an answer, as the desk posts them."""

from __future__ import annotations

import mimetypes
from typing import TYPE_CHECKING, Any

from gateway.desk.files import safe_name
from gateway.desk.frame import show
from gateway.desk.showing import MEGABYTE
from normalizer.text import storable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from werkzeug.datastructures import FileStorage

    from config.settings import Settings


def most_bytes(settings: Settings) -> int:
    """Bytes that all files of one answer may have together."""
    return min(settings.relay.max_attachment_bytes, settings.web.max_upload_bytes)


def read(
    posted: Sequence[FileStorage], settings: Settings, *, by_mail: bool
) -> tuple[list[dict[str, Any]], str]:
    """The files of an answer.

    Args:
        posted: as the browser sent them; an empty file field is left out.
        settings: how many and how much.
        by_mail: whether the answer leaves by mail; nothing else carries files.

    Returns:
        ``{filename, media_type, content}`` each, and what is wrong in the desk's language, or
        ``""``. The type is told by the ending of the name alone.
    """
    files = []
    for one in posted:
        content = one.read()
        if not (one.filename or content):
            continue
        name = storable(safe_name(one.filename or "", ""))
        media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
        files.append({"filename": name, "media_type": media_type, "content": content})
    if files and not by_mail:
        return [], show().t("reply.only_by_mail")
    if len(files) > settings.web.max_upload_files:
        return [], show().t("reply.too_many", count=settings.web.max_upload_files)
    most = most_bytes(settings)
    if sum(len(file["content"]) for file in files) > most:
        return [], show().t("reply.too_big", megabytes=most // MEGABYTE)
    return files, ""

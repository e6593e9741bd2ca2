# SPDX-License-Identifier: MIT
"""How an administration is chosen at the desk: from a short list, or by typing where it is long.

A list of 2,000 is not read. From ``desk.longest_list`` administrations on, each form has a field to
type into; the browser offers what fits from one list of the page (``<datalist>``), without a
script. What comes back is a slug, a name with its slug behind it as the list writes it, or a name
as somebody typed it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gateway.desk import reading as desk_reading
from gateway.desk.frame import show
from gateway.house import current_house
from normalizer.text import fold
from tracker.database import reading

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The slug, or the class of texts that are nobody's, behind a name; isolated, so that it stays
#: behind an Arabic name as well.
_BEHIND = re.compile(r"\((\w[\w:.-]*)\)[\s\u2069]*$", re.ASCII)
_ISOLATES = str.maketrans("", "", "\u2066\u2067\u2068\u2069\u200e\u200f")


def chosen(written: str) -> str:
    """The slug of what a form brought; as written where nothing, or not one alone, fits it.

    Args:
        written: a slug, ``Name (slug)``, or a name in the language of the desk.
    """
    written = written.strip()
    behind = _BEHIND.search(written)
    if behind is not None:
        return behind.group(1)
    if not written or re.fullmatch(r"[a-z0-9:_-]+", written):
        return written
    house = current_house()
    with reading(house.engine).connect() as connection:
        names = desk_reading.names(connection, show().language, house.today())
    return only_one(written, names) or written


def only_one(written: str, names: Mapping[str, str]) -> str:
    """The slug of the one administration that is called so, or that alone has it in its name.

    Args:
        written: as typed.
        names: slug → name.

    Returns:
        its slug, or ``""`` where it is none or several.
    """
    wanted = " ".join(fold(written.translate(_ISOLATES)).split())
    folded = {slug: " ".join(fold(name).split()) for slug, name in names.items()}
    for fitting in (
        [slug for slug, name in folded.items() if name == wanted],
        [slug for slug, name in folded.items() if wanted in name],
    ):
        if fitting:
            return fitting[0] if len(fitting) == 1 else ""
    return ""

# SPDX-License-Identifier: MIT
"""Why an administration is proposed, in the language of whoever reads it.

The record keeps reasons as the router gave them, in English, with the citizen's words in “ ”. Each
form of sentence has its wording here; one without a form is shown as it was kept.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Key of the wording ``desk.why.<key>`` and the sentence; its groups are the wording's words.
_FORMS = tuple(
    (key, re.compile(pattern))
    for key, pattern in (
        ("named", "“(?P<words>.+)” is named"),
        ("weighed", "(?P<words>“.+”) speak for it"),
        ("like", "like “(?P<words>.+)”"),
        ("basin", "“(?P<words>.+)” lies in the (?P<place>.+) basin"),
        ("lies_in", "“(?P<words>.+)” lies in (?P<place>.+)"),
        ("outside", "“(?P<words>.+)” lies outside its places"),
        ("different", "(?P<words>“.+”) have different ones"),
        ("no_place", "which one depends on the place, and no place is clear"),
        ("unsure", "not sure enough of (?P<slugs>.+)"),
        ("unclear", "not clear enough between (?P<slugs>.+)"),
        ("nothing", "nothing known is named|no rule matches these words"),
        ("danger", "it may tell of somebody in danger now"),
        ("court", "it may be a court's matter"),
        ("private", "it may be a quarrel between private people"),
        ("none", "it may be no complaint"),
        ("vague", "it does not say what it is about"),
        ("person", "a person decides on texts like this one"),
    )
)


def in_words(
    reason: str, wording: Callable[..., str], names: Mapping[str, str], between: str
) -> str:
    """A reason in the language of the page.

    Args:
        reason: as it was kept.
        wording: gives the text of a key, with these words in it.
        names: administrations by slug.
        between: what stands between the names of a list.
    """
    for key, form in _FORMS:
        found = form.fullmatch(reason)
        if found is None:
            continue
        words = found.groupdict()
        if "slugs" in words:
            listed = (names.get(slug, slug) for slug in words.pop("slugs").split(", "))
            words["names"] = between.join(listed)
        elif key in ("weighed", "different"):
            quoted = re.findall("“([^”]+)”", words["words"])
            words["words"] = between.join(f"«\u00a0{one}\u00a0»" for one in quoted)
        return wording(f"why.{key}", **words)
    return reason

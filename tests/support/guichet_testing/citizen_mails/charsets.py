# SPDX-License-Identifier: MIT
"""First complaints, nothing quoted, in the charsets of real mail: named rightly, wrongly, not."""

from __future__ import annotations

from collections.abc import Iterator

from guichet_testing.citizen_mails.citizen_mail import CitizenMail
from guichet_testing.citizen_mails.envelope import CITIZENS, ENCODINGS, entity, sent
from guichet_testing.citizen_mails.words import COMPLAINTS, Words

_BY_LANGUAGE = {words.language: words for words in COMPLAINTS}
_TYPOGRAPHIC = Words(
    "fr",
    "Facture d’électricité",
    "Bonjour,\n\nMa facture d’électricité est de 1 250 € – “ erreur ” "
    "selon l’agence.\nMon cœur de métier n’est pas la physique… mais 900 kWh, c’est trop.",
)
_PLAIN_ARABIC = Words(
    "ar",
    "شكاية",
    "السلام عليكم،\nأشتكي من انقطاع الماء في حينا منذ أسبوع، فهل من حل؟\nرقم العداد 88104.",
)
_ACCENTED = Words(
    "fr",
    "Route",
    "Monsieur,\nL'école de Béni Mellal est privée d'eau depuis l'été.\nOù dois-je m'adresser ?",
)

#: Words, what they are written in, what is declared (None: the same), the language's own name.
_CASES: tuple[tuple[Words, str, str | None], ...] = (
    *((words, "utf-8", None) for words in COMPLAINTS),
    (_PLAIN_ARABIC, "windows-1256", None),
    (_BY_LANGUAGE["ar"], "windows-1256", None),
    (_BY_LANGUAGE["ary"], "windows-1256", "cp1256"),
    (_PLAIN_ARABIC, "iso-8859-6", None),
    (_PLAIN_ARABIC, "iso-8859-6", "ISO-8859-6-i"),
    (_PLAIN_ARABIC, "iso-8859-6", "ASMO-708"),
    (_TYPOGRAPHIC, "windows-1252", None),
    (_TYPOGRAPHIC, "windows-1252", "iso-8859-1"),
    (_TYPOGRAPHIC, "windows-1252", "us-ascii"),
    (_ACCENTED, "iso-8859-15", None),
    (_ACCENTED, "iso-8859-1", "latin1"),
    (_BY_LANGUAGE["ar"], "utf-16", None),
    (_BY_LANGUAGE["fr"], "utf-16", None),
    (_BY_LANGUAGE["ar"], "utf-8", ""),
    (_BY_LANGUAGE["fr"], "utf-8", ""),
    (_BY_LANGUAGE["mul"], "utf-8", "us-ascii"),
    (_BY_LANGUAGE["ar"], "utf-8", "utf8"),
    (_BY_LANGUAGE["ar"], "utf-8", "uft-8"),
    (_BY_LANGUAGE["ar"], "utf-8", "x-unknown"),
    (_BY_LANGUAGE["fr"], "utf-8", "unknown-8bit"),
    (_BY_LANGUAGE["ar"], "windows-1256", "cp-1256"),
    (_BY_LANGUAGE["ary"], "windows-1256", "x-cp1256"),
    (_PLAIN_ARABIC, "windows-1256", "ansi"),
    (_PLAIN_ARABIC, "windows-1256", "x-unknown"),
    (_TYPOGRAPHIC, "windows-1252", "ansi"),
    (_PLAIN_ARABIC, "windows-1256", ""),
    (_PLAIN_ARABIC, "mac_arabic", "x-mac-arabic"),
    (_BY_LANGUAGE["ar"], "utf-8", '"utf-8"'),
    (_BY_LANGUAGE["ar"], "utf-8", "'UTF-8'"),
    (_BY_LANGUAGE["ary-Latn"], "us-ascii", None),
    (_BY_LANGUAGE["en"], "us-ascii", ""),
)


def mails() -> Iterator[CitizenMail]:
    """Each case, in an encoding that can carry it."""
    for at, (words, charset, declared) in enumerate(_CASES):
        encoding = "base64" if charset == "utf-16" else ENCODINGS[at % 3]
        label = charset if declared is None else declared
        yield sent(
            f"first {at + 1:02}/{charset} as {label or 'nothing'}/{words.language}",
            entity(words.text, charset=charset, declared=declared, encoding=encoding),
            citizen=CITIZENS[at % len(CITIZENS)],
            subject=words.subject,
            language=words.language,
            new_text=words.text,
            charset=label,
        )

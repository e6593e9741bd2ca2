# SPDX-License-Identifier: MIT
"""Shapes of From, Subject and file names: encoded words, raw bytes, commas, RFC 2231."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from urllib.parse import quote

from guichet_testing.citizen_mails.citizen_mail import CitizenMail
from guichet_testing.citizen_mails.envelope import (
    Citizen,
    attached,
    b_word,
    entity,
    multipart,
    q_word,
    sent,
)
from guichet_testing.citizen_mails.words import COMPLAINTS, Words

_AT = "citoyenne@courriel.example"
_AR = "مواطنة من طنجة"
_FR = "Citoyenne de Salé"


def _split(text: str, charset: str = "utf-8", size: int = 9) -> str:
    """Encoded words cut after so many octets, inside of characters too (against RFC 2047, 5)."""
    octets = text.encode(charset)
    pieces = (octets[at : at + size] for at in range(0, len(octets), size))
    return "\r\n ".join(f"=?{charset}?B?{base64.b64encode(one).decode()}?=" for one in pieces)


_SUBJECT_AR = "شكاية بخصوص انقطاع الماء الصالح للشرب"

#: What it is, the display name, the From field.
_FROM: tuple[tuple[str, str, str | bytes], ...] = (
    ("B ar", _AR, f"{b_word(_AR)} <{_AT}>"),
    ("B ar quoted", _AR, f'"{b_word(_AR)}" <{_AT}>'),
    ("B ar windows-1256", _AR, f"{b_word(_AR, 'windows-1256')} <{_AT}>"),
    ("B ar iso-8859-6", _AR, f"{b_word(_AR, 'iso-8859-6')} <{_AT}>"),
    ("B ar cut inside a character", _AR, f"{_split(_AR)} <{_AT}>"),
    ("B ar utf8", _AR, f"{b_word(_AR, 'utf-8', 'utf8')} <{_AT}>"),
    ("B ar cp-1256", _AR, f"{b_word(_AR, 'windows-1256', 'cp-1256')} <{_AT}>"),
    ("Q fr", _FR, f"{q_word(_FR)} <{_AT}>"),
    ("Q fr iso-8859-1", _FR, f"{q_word(_FR, 'iso-8859-1')} <{_AT}>"),
    ("raw utf-8 ar", _AR, f"{_AR} <{_AT}>"),
    ("raw utf-8 quoted fr", _FR, f'"{_FR}" <{_AT}>'),
    ("raw windows-1256 ar", _AR, _AR.encode("windows-1256") + f" <{_AT}>".encode()),
    ("raw windows-1252 fr", _FR, _FR.encode("windows-1252") + f" <{_AT}>".encode()),
    ("comma", "Citoyen, Rabat", f"Citoyen, Rabat <{_AT}>"),
    ("comma quoted", "Citoyen, Rabat", f'"Citoyen, Rabat" <{_AT}>'),
    ("comma in a B word", "مواطن، سلا, Salé", f"{b_word('مواطن، سلا, Salé')} <{_AT}>"),
    ("no name", "", _AT),
    ("no space", "Habitants de la rue 14", f"Habitants de la rue 14<{_AT}>"),
    ("brackets", "Habitants (rue 14)", f'"Habitants (rue 14)" <{_AT}>'),
    ("words and B", "Association حي السلام", f"Association {b_word('حي السلام')} <{_AT}>"),
)

#: What it is, the subject, the Subject field.
_SUBJECTS: tuple[tuple[str, str, str | bytes], ...] = (
    ("B ar", _SUBJECT_AR, b_word(_SUBJECT_AR)),
    ("B ar cut inside a character", _SUBJECT_AR, _split(_SUBJECT_AR, size=15)),
    ("B ar windows-1256 in three", _SUBJECT_AR, _split(_SUBJECT_AR, "windows-1256")),
    ("Q fr windows-1252", "Réf : coupure d’eau", q_word("Réf : coupure d’eau", "windows-1252")),
    (
        "Q fr iso-8859-15",
        "TR: dégâts des eaux, 300 €",
        q_word("TR: dégâts des eaux, 300 €", "iso-8859-15"),
    ),
    ("raw utf-8 ar", f"رد: {_SUBJECT_AR}", f"رد: {_SUBJECT_AR}"),
    ("raw windows-1256 ar", _SUBJECT_AR, _SUBJECT_AR.encode("windows-1256")),
    ("raw windows-1252 fr", "RE : hôpital fermé", "RE : hôpital fermé".encode("windows-1252")),
    ("prefix bare, rest B", f"RE : {_SUBJECT_AR}", f"RE : {b_word(_SUBJECT_AR)}"),
    (
        "two charsets",
        "Plainte شكاية été",
        f"Plainte {b_word('شكاية', 'windows-1256')}\r\n {q_word(' été', 'iso-8859-1')}",
    ),
    (
        "folded",
        "Route coupée entre le douar et le collège depuis février",
        f"{q_word('Route coupée entre le douar ')}\r\n {q_word('et le collège depuis février')}",
    ),
    ("empty", "", " "),
    ("unknown charset", "شكاية", b_word("شكاية", "utf-8", "x-unknown")),
    ("lower case b", "شكاية", b_word("شكاية").replace("?B?", "?b?")),
)


def _continued(name: str, charset: str = "utf-8", size: int = 10) -> str:
    """RFC 2231: a value in pieces, which may be cut inside a character."""
    octets = name.encode(charset)
    pieces = [octets[at : at + size] for at in range(0, len(octets), size)]
    first = f"{charset}''"
    return ";\r\n ".join(
        f"filename*{at}*={first if at == 0 else ''}{quote(piece, safe='')}"
        for at, piece in enumerate(pieces)
    )


_FILE_AR = "فاتورة الماء شهر مارس.pdf"
_FILE_FR = "reçu hôpital.pdf"

#: What it is, the file name, the parameter of Content-Disposition.
_FILES: tuple[tuple[str, str, str | bytes], ...] = (
    ("RFC 2231 ar", _FILE_AR, f"filename*=utf-8''{quote(_FILE_AR)}"),
    ("RFC 2231 ar in pieces", _FILE_AR, _continued(_FILE_AR)),
    ("RFC 2231 ar windows-1256", _FILE_AR, _continued(_FILE_AR, "windows-1256")),
    ("B ar", _FILE_AR, f'filename="{b_word(_FILE_AR)}"'),
    ("B ar folded", _FILE_AR, f'filename="{b_word(_FILE_AR[:12])}\r\n {b_word(_FILE_AR[12:])}"'),
    ("Q fr iso-8859-1", _FILE_FR, f'filename="{q_word(_FILE_FR, "iso-8859-1")}"'),
    ("raw utf-8 ar", _FILE_AR, f'filename="{_FILE_AR}"'),
    ("both", _FILE_FR, f"filename=\"recu.pdf\"; filename*=utf-8'fr'{quote(_FILE_FR)}"),
    ("raw windows-1256 ar", _FILE_AR, b'filename="' + _FILE_AR.encode("windows-1256") + b'"'),
)


def mails() -> Iterator[CitizenMail]:
    """Each shape, on complaints in turn."""
    for at, (shape, name, value) in enumerate(_FROM):
        words, charset = _beside(shape, at)
        yield sent(
            f"from/{shape}",
            entity(words.text, charset=charset),
            citizen=Citizen(_AT, name),
            subject=words.subject,
            language=words.language,
            new_text=words.text,
            charset=charset,
            from_field=value,
        )
    for at, (shape, subject, value) in enumerate(_SUBJECTS):
        words, charset = _beside(shape, at + 1)
        yield sent(
            f"subject/{shape}",
            entity(words.text, charset=charset),
            citizen=Citizen(_AT, _FR),
            subject=subject,
            language=words.language,
            new_text=words.text,
            charset=charset,
            subject_field=value,
        )
    content = b"%PDF-1.4 facture"
    for at, (shape, name, value) in enumerate(_FILES):
        words, charset = _beside(shape, at + 2)
        parameter = value.encode() if isinstance(value, str) else value
        head = (
            b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n"
            b"Content-Disposition: attachment; " + parameter
        )
        yield sent(
            f"file/{shape}",
            multipart("mixed", entity(words.text, charset=charset), attached(head, content)),
            citizen=Citizen(_AT, _AR),
            subject=words.subject,
            language=words.language,
            new_text=words.text,
            charset=charset,
            attachments=((name, content),),
        )


def _beside(shape: str, at: int) -> tuple[Words, str]:
    """A client that sends a field in raw windows-… writes the body in the same charset."""
    if shape.startswith("raw windows-1256"):
        return COMPLAINTS[1], "windows-1256"
    if shape.startswith("raw windows-1252"):
        return COMPLAINTS[0], "windows-1252"
    return COMPLAINTS[at % len(COMPLAINTS)], "utf-8"

# SPDX-License-Identifier: MIT
"""Answers whose words are a page (HTML): alone, and beside plain text (multipart/alternative)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html import escape

from guichet_testing.citizen_mails.answers import notice
from guichet_testing.citizen_mails.citizen_mail import CitizenMail
from guichet_testing.citizen_mails.clients import Client, client, in_plain_text
from guichet_testing.citizen_mails.envelope import CITIZENS, ENCODINGS, entity, multipart, sent
from guichet_testing.citizen_mails.words import ANSWERS


def direction(text: str) -> str:
    """``rtl`` where the first letters are Arabic."""
    return "rtl" if any("\u0600" <= letter <= "\u06ff" for letter in text[:12]) else "ltr"


def lines(text: str) -> str:
    """A text with ``<br>`` at its line ends."""
    return escape(text, quote=False).replace("\n", "<br>\n")


def blocks(text: str) -> str:
    """A text with each line in a ``<div>``, as webmail writes."""
    way = direction(text)
    return "".join(
        f'<div dir="{way}">{escape(line, quote=False) or "<br>"}</div>' for line in text.split("\n")
    )


def paragraphs(text: str) -> str:
    """A text with each line in a ``<p class=MsoNormal>``, as Outlook writes."""
    way = direction(text)
    return "".join(
        f'<p class="MsoNormal" dir="{way.upper()}"><span style="font-family:Arial">'
        f"{escape(line, quote=False) or '&nbsp;'}<o:p></o:p></span></p>\n"
        for line in text.split("\n")
    )


def gmail(one: Client, new: str, quoted: str) -> str:
    """Gmail: ``gmail_quote``."""
    way = direction(new)
    return (
        f'<div dir="{way}">{blocks(new)}</div><br>'
        f'<div class="gmail_quote gmail_quote_container"><div dir="{way}" class="gmail_attr">'
        f'{lines(" ".join(one.head.split()))}<br></div><blockquote class="gmail_quote" '
        'style="margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex">'
        f'<div dir="ltr">{lines(quoted)}</div></blockquote></div>'
    )


def _labelled(head: str) -> str:
    """A head of fields with its labels in bold."""
    fields = [line for line in head.strip("\n_").split("\n") if ":" in line]
    parted = (line.partition(":") for line in fields)
    return "<br>\n".join(
        f"<b>{escape(label)}:</b>{escape(value, quote=False)}" for label, _, value in parted
    )


def outlook_desktop(one: Client, new: str, quoted: str) -> str:
    """Outlook for Windows: a border above the head."""
    way = direction(one.head)
    return (
        '<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><style><!--\n'
        "p.MsoNormal {margin:0cm; font-size:11.0pt;}\n--></style></head>"
        f'<body lang="FR"><div class="WordSection1">{paragraphs(new)}'
        f'<div><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm">'
        f'<p class="MsoNormal" dir="{way}">{_labelled(one.head)}<o:p></o:p></p></div></div>'
        f'<p class="MsoNormal"><o:p>&nbsp;</o:p></p>{paragraphs(quoted)}</div></body></html>'
    )


def outlook_header(one: Client, new: str, quoted: str) -> str:
    """Older Outlook: ``OutlookMessageHeader``."""
    way = direction(one.head)
    return (
        f'<html><body><div dir="{way}"><font face="Arial" size="2">{lines(new)}</font></div><br>'
        f'<div class="OutlookMessageHeader" lang="fr" dir="{way}" align="left"><hr tabindex="-1">'
        f'<font face="Tahoma" size="2">{_labelled(one.head)}<br></font><br></div>'
        f"<div>{lines(quoted)}</div></body></html>"
    )


def outlook_web(one: Client, new: str, quoted: str) -> str:
    """Outlook on the web and on telephones: ``divRplyFwdMsg``."""
    way = direction(one.head)
    label, _, link = one.advert.partition("<")
    advert = (
        f'<div id="ms-outlook-mobile-signature" dir="{way}"><a href="{link.rstrip(">")}">'
        f"{escape(label)}</a></div>"
        if one.advert
        else ""
    )
    return (
        f'<html><body dir="{way}"><div class="elementToProof">{blocks(new)}</div>'
        f'<div><br></div>{advert}<div id="appendonsend"></div>'
        '<hr style="display:inline-block;width:98%" tabindex="-1">'
        f'<div id="divRplyFwdMsg" dir="{way}"><font face="Calibri" style="font-size:11pt"'
        f' color="#000000">{_labelled(one.head)}</font><div>&nbsp;</div></div>'
        f'<div class="BodyFragment">{lines(quoted)}</div></body></html>'
    )


def cited(one: Client, new: str, quoted: str) -> str:
    """Apple Mail and iPhone: ``blockquote type=cite``."""
    advert = (
        f'<br><div dir="{direction(one.advert)}">{escape(one.advert)}</div>' if one.advert else ""
    )
    way = direction(new)
    return (
        f'<html><body dir="auto"><div dir="{way}">{lines(new)}</div>{advert}'
        f'<div dir="{way}"><br><blockquote type="cite">{lines(one.head.strip())}<br></blockquote>'
        f'</div><blockquote type="cite"><div dir="ltr">{lines(quoted)}</div></blockquote></body>'
    )


def thunderbird(one: Client, new: str, quoted: str) -> str:
    """Thunderbird: ``moz-cite-prefix``."""
    return (
        f'<html><head></head><body dir="{direction(new)}"><p>{lines(new)}</p>'
        f'<div class="moz-cite-prefix">{escape(one.head)}<br></div>'
        f'<blockquote type="cite" cite="mid:notice.1@guichet.example">{lines(quoted)}</blockquote>'
        "</body></html>"
    )


def yahoo(one: Client, new: str, quoted: str) -> str:
    """Yahoo: ``yahoo_quoted``."""
    way = direction(new)
    return (
        f'<html><body><div class="ydp1yahoo-style-wrap" dir="{way}">{blocks(new)}<br></div>'
        '<div id="ydp1yahoo_quoted_7001" class="ydp1yahoo_quoted"><div style="color:#26282a">'
        f"<div>{escape(one.head.strip())}</div><div><br></div><div>{lines(quoted)}</div>"
        "</div></div></body></html>"
    )


def roundcube(one: Client, new: str, quoted: str) -> str:
    """Roundcube: ``reply-intro``."""
    return (
        f'<html><body><p dir="{direction(new)}">{lines(new)}</p>'
        f'<p id="reply-intro">{escape(one.head)}</p><blockquote type="cite" '
        f'style="padding: 0 0.4em; border-left: #1010ff 2px solid; margin: 0">{lines(quoted)}'
        "</blockquote></body></html>"
    )


def zimbra(one: Client, new: str, quoted: str) -> str:
    """Zimbra: a rule with ``data-marker``."""
    head = "\n".join(one.head.split("\n")[1:])
    return (
        f'<html><body><div style="color: #000"><div dir="{direction(new)}">{lines(new)}</div>'
        f'<div><br></div><hr id="zwchr" data-marker="__DIVIDER__"><div data-marker="__HEADERS__">'
        f'{_labelled(head)}<br></div><div data-marker="__QUOTED_TEXT__">{lines(quoted)}</div>'
        "</div></body></html>"
    )


Page = Callable[[Client, str, str], str]
_PAGES: tuple[tuple[str, Page, tuple[str, ...]], ...] = (
    ("gmail-web", gmail, ("fr", "ar", "en")),
    ("gmail-android", gmail, ("fr", "ar", "en")),
    ("outlook-desktop", outlook_desktop, ("fr", "ar", "en")),
    ("outlook-web", outlook_web, ("fr", "ar", "en")),
    ("outlook-mobile", outlook_web, ("fr", "ar", "en")),
    ("iphone", cited, ("fr", "ar", "en")),
    ("apple-mail", cited, ("fr", "ar", "en")),
    ("thunderbird", thunderbird, ("fr", "ar", "en")),
    ("yahoo", yahoo, ("fr", "ar", "en")),
    ("roundcube", roundcube, ("ar", "fr")),
    ("zimbra", zimbra, ("fr", "ar")),
    ("outlook-desktop", outlook_header, ("fr", "ar")),
)


def mails() -> Iterator[CitizenMail]:
    """Each page by itself, and every second one beside its plain text too."""
    each = [(name, page, tag) for name, page, tags in _PAGES for tag in tags]
    for at, (name, page, tag) in enumerate(each):
        one, words = client(name, tag), ANSWERS[(at * 7 + 4) % len(ANSWERS)]
        quoted = notice(one)
        html, plain = page(one, words.text, quoted), in_plain_text(one, words.text, quoted)
        charset = _narrow(html + plain) if at % 4 == 1 else "utf-8"
        page_part = entity(html, "text/html", charset=charset, encoding=ENCODINGS[at % 3])
        plain_part = entity(plain, charset=charset, encoding=ENCODINGS[(at + 1) % 3])
        bodies = [("page", page_part, f"{words.text}\n{_shown_head(one)}\n{quoted}")]
        if at % 2 == 0:
            bodies.append(
                ("page and plain", multipart("alternative", plain_part, page_part), plain)
            )
        for shape, body, whole in bodies:
            yield sent(
                f"{shape}/{page.__name__}/{name}/{tag}",
                body,
                citizen=CITIZENS[at % len(CITIZENS)],
                subject=f"{one.answer}{words.subject}",
                language=words.language,
                new_text=words.text,
                charset=charset,
                whole=whole,
                answers=True,
            )


def _shown_head(one: Client) -> str:
    """The words of a head that a page shows too: a rule or a dashed line is no text there."""
    lines_of_head = one.head.split("\n")
    return "\n".join(
        line for line in lines_of_head if not line.lstrip("\u200f").startswith(("_", "--"))
    )


def _narrow(text: str) -> str:
    """windows-1256 where it can write the text."""
    try:
        text.encode("windows-1256")
    except UnicodeEncodeError:
        return "utf-8"
    return "windows-1256"

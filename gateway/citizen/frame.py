# SPDX-License-Identifier: MIT
"""What the citizens' pages share: language, words, dates, the headers of a private page."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time
from flask import abort, make_response, render_template, request
from markupsafe import Markup, escape
from sqlalchemy import select

from config.country import Country
from config.wording import direction
from dispatcher.administration import former_names, name_on
from gateway.house import current_house
from tracker.models import administrations

if TYPE_CHECKING:
    from datetime import datetime

    from flask import Response
    from sqlalchemy import Connection

#: The languages that have pages, each by its own name, in the order of the switch.
LANGUAGES = {"ar": "العربية", "fr": "Français", "en": "English"}
#: Marks the place of a value while the text around it is escaped (a private-use character).
_MARK = "\ue000"


def say(language: str, key: str, **values: object) -> Markup:
    """The text of ``key`` as HTML: the text and every value escaped, unless a value is Markup."""
    names = list(values)
    places = {
        name: value if isinstance(value, int) else f"{_MARK}{names.index(name)}{_MARK}"
        for name, value in values.items()
    }
    html = str(escape(current_house().wording.text(language, key, **places)))
    for position, name in enumerate(names):
        html = html.replace(f"{_MARK}{position}{_MARK}", str(escape(values[name])))
    return Markup(html)  # noqa: S704 - every piece of it was escaped above


def country() -> Country:
    """The country profile of this house."""
    return current_house().country


def known(language: str) -> str:
    """``language`` where it has pages; another one ends the request with 404."""
    if language not in LANGUAGES:
        abort(404)
    return language


def hinted_language() -> str:
    """The language of a page that has none in its path: Accept-Language, else the country's."""
    best = request.accept_languages.best_match(list(LANGUAGES))
    if best:
        return best
    default = country().default_language
    return default if default in LANGUAGES else next(iter(LANGUAGES))


class Dates:
    """Times as people of the country write them (CLDR; ``ar-MA`` has month names of its own)."""

    def __init__(self, language: str, profile: Country) -> None:
        self._language = language
        self._locale = _locale(language, profile.region)
        self._zone = ZoneInfo(profile.timezone)

    def day(self, at: datetime | None) -> str:
        """A day: ``24 août 2026``."""
        return "" if at is None else format_date(at.astimezone(self._zone), "long", self._locale)

    def moment(self, at: datetime | None) -> str:
        """A day and a time of day: ``24 août 2026, 14:05``."""
        if at is None:
            return ""
        time = format_time(at, "HH:mm", tzinfo=self._zone, locale=self._locale)
        return f"{self.day(at)}{say(self._language, 'pages.separator')} {time}"


@cache
def _locale(language: str, region: str) -> Locale:
    # 001 is CLDR's "world": English with the day before the month.
    for tag in (f"{language}_{region}", f"{language}_001", language):
        try:
            return Locale.parse(tag)
        except UnknownLocaleError:
            continue
    return Locale("en")


def page(
    template: str, language: str, http_status: int = 200, *, private: bool = False, **values: Any
) -> Response:
    """Render a page of the citizens.

    Args:
        template: file name below ``templates``.
        language: the page's BCP 47 tag.
        http_status: RFC 9110 section 15.
        private: it shows something of a person: never stored, never indexed.
        values: for the template; ``alternates=[]`` leaves the language switch out.
    """

    def t(key: str, **places: object) -> Markup:
        return say(language, f"pages.{key}", **places)

    shown = {
        "say": say,
        "t": t,
        "lang": language,
        "dir": direction(language),
        "dates": Dates(language, country()),
        "home_url": f"/{language}/",
        "privacy_url": f"/{language}/privacy",
        "alternates": alternates(language),
        "private": private,
    }
    response = make_response(render_template(template, **(shown | values)), http_status)
    response.headers["Content-Language"] = language
    # An empty form may be kept by the browser, so that Back brings it with what was typed.
    response.headers["Cache-Control"] = "no-store" if private else "private, no-cache"
    if private:
        response.headers["X-Robots-Tag"] = "noindex"
        response.headers["Referrer-Policy"] = "no-referrer"
    return response


def alternates(language: str, rest: str | None = None) -> list[dict[str, str]]:
    """The same page in every language; ``rest`` is the path after the language."""
    if rest is None:
        path = request.path
        rest = path.removeprefix(f"/{language}/") if path.startswith(f"/{language}/") else ""
    return [
        {"lang": tag, "name": name, "href": f"/{tag}/{rest}"} for tag, name in LANGUAGES.items()
    ]


def administration_name(connection: Connection, slug: str | None, language: str) -> str:
    """What an administration is called today in ``language``, else in French; ``""`` for none."""
    if slug is None:
        return ""
    row = connection.execute(
        select(administrations.c.names, administrations.c.names_former).where(
            administrations.c.slug == slug
        )
    ).first()
    if row is None:
        return slug
    former = former_names(row.names_former)
    return name_on(row.names, former, language, current_house().today()) or slug

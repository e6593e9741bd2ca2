# SPDX-License-Identifier: MIT
"""``guichet simulate``: be a citizen from the command line, through the running simulator.

Texts, calls and mails go by the simulator's JSON API; the web form is the gateway's own, read and
posted as a browser does.
"""

from __future__ import annotations

import json
import math
from functools import wraps
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

import click
import httpx

from config import country as countries
from gateway.commands.settings import pass_trial_settings
from gateway.simulator.webhooks import local_base_url

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.settings import Settings

P = ParamSpec("P")

#: A call is a whole dialogue of several webhooks of up to 15 s each.
TIMEOUT = 120.0
MAILBOX = "amina@citizen.localhost"

as_json_option = click.option("--json", "as_json", is_flag=True, help="One line of JSON.")


def as_a_citizen(command: Callable[Concatenate[Settings, P], None]) -> Callable[P, None]:
    """Hand a command the settings of a trial first; production is refused."""

    @pass_trial_settings
    @wraps(command)
    def run(settings: Settings, /, *args: P.args, **kwargs: P.kwargs) -> None:
        if settings.profile == "production":
            raise click.ClickException("nobody is simulated with profile = production")
        command(settings, *args, **kwargs)

    return run


@click.group(
    epilog='Examples: guichet simulate sms "Pas d’eau depuis trois jours" · '
    "guichet simulate call --keys 2,1"
)
def simulate() -> None:
    """Text, call, mail or write as a citizen (the simulator must be running)."""


@simulate.command(epilog='Example: guichet simulate sms "Pas d’eau depuis trois jours"')
@click.option(
    "--from", "sender", default="", help="The citizen's number; empty: the country's example."
)
@click.option("--lost", is_flag=True, help="The webhook is lost: only a sweep can find the text.")
@click.option("--again", default="", metavar="SID", help="Deliver an earlier text once more.")
@as_json_option
@click.argument("text")
@as_a_citizen
def sms(
    settings: Settings,
    *,
    sender: str,
    lost: bool,
    again: str,
    as_json: bool,
    text: str,
) -> None:
    """Send a text message."""
    body = {"from": sender or _number(settings), "body": text, "webhook": not lost, "sid": again}
    told = _post(settings, "sms", body)
    _tell(told, f"{told['sid']} {told['status']}", as_json=as_json)


@simulate.command(
    epilog='Example: guichet simulate whatsapp --name Amina --pin 33.9716,-6.8498 "Pas d’eau ici"'
)
@click.option(
    "--from", "sender", default="", help="The citizen's number; empty: the country's example."
)
@click.option("--name", default="", help="The name of the citizen's profile.")
@click.option("--pin", default="", metavar="LAT,LON", help="Share this place (degrees).")
@click.option("--lost", is_flag=True, help="The webhook is lost: only a sweep can find it.")
@as_json_option
@click.argument("text", default="")
@as_a_citizen
def whatsapp(
    settings: Settings,
    *,
    sender: str,
    name: str,
    pin: str,
    lost: bool,
    as_json: bool,
    text: str,
) -> None:
    """Send a message by WhatsApp: words, a shared place, or both."""
    if not text and not pin:
        raise click.UsageError("give words, or a place with --pin")
    told = _post(
        settings,
        "sms",
        {
            "from": sender or _number(settings),
            "body": text,
            "webhook": not lost,
            "whatsapp": {"name": name, "pin": _degrees(pin) if pin else None},
        },
    )
    _tell(told, f"{told['sid']} {told['status']}", as_json=as_json)


@simulate.command(epilog='Example: guichet simulate call --keys "2,1" --record voice.wav')
@click.option(
    "--from", "sender", default="", help="The citizen's number; empty: the country's example."
)
@click.option("--keys", default="", help="Answers to the questions, separated by commas.")
@click.option(
    "--record",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="WAV file to speak; without one a plain tone.",
)
@click.option("--silent", is_flag=True, help="Hang up instead of speaking.")
@as_json_option
@as_a_citizen
def call(
    settings: Settings,
    *,
    sender: str,
    keys: str,
    record: Path | None,
    silent: bool,
    as_json: bool,
) -> None:
    """Call the voice line, press keys, speak; print what was said."""
    voice: str | bool | None = str(record.resolve()) if record else None
    body = {
        "from": sender or _number(settings),
        "keys": [key.strip() for key in keys.split(",") if key.strip()],
        "record": False if silent else voice,
    }
    told = _post(settings, "call", body)
    lines = [f"{told['sid']} {told['status']}"]
    lines += [f"  {one['kind']:<7}{one['text']}" for one in told["heard"] if one["text"]]
    _tell(told, "\n".join(lines), as_json=as_json)


@simulate.command(
    epilog='Example: guichet simulate mail --from amina@citizen.localhost --subject "Éclairage" '
    '"Le lampadaire est cassé."'
)
@click.option("--from", "sender", default=MAILBOX, show_default=True, help="The citizen's address.")
@click.option("--subject", default="", help="Subject; empty in an answer: Re: and the old one.")
@click.option("--to", "recipient", default="", help="Recipient; empty: the public mailbox.")
@click.option("--in-reply-to", "answered", default="", metavar="MESSAGE-ID", help="Mail answered.")
@as_json_option
@click.argument("text")
@as_a_citizen
def mail(
    settings: Settings,
    *,
    sender: str,
    subject: str,
    recipient: str,
    answered: str,
    as_json: bool,
    text: str,
) -> None:
    """Send a mail to the gateway's SMTP door."""
    body = {
        "from": sender,
        "subject": subject,
        "text": text,
        "to": recipient,
        "in_reply_to": answered,
    }
    told = _post(settings, "mail", body)
    _tell(told, str(told["message_id"]), as_json=as_json)


@simulate.command(epilog='Example: guichet simulate web --language fr "Pas d’eau depuis lundi"')
@click.option(
    "--language", type=click.Choice(["ar", "fr", "en"]), default="fr", help="The page's language."
)
@click.option("--name", default="", help="The citizen's name.")
@click.option("--contact", default="", help="A mail address or a telephone number.")
@click.option("--location", default="", help="Where it is.")
@as_json_option
@click.argument("text")
@as_a_citizen
def web(
    settings: Settings,
    *,
    language: str,
    name: str,
    contact: str,
    location: str,
    as_json: bool,
    text: str,
) -> None:
    """Fill in the web form and print the code and the PIN of the page that follows."""
    url = f"{local_base_url(settings)}/{language}/complain"
    try:
        with httpx.Client(timeout=TIMEOUT, trust_env=False, follow_redirects=True) as browser:
            form = Form()
            form.feed(browser.get(url).raise_for_status().text)
            fields = form.fields | {
                form.text_field: text,
                "name": name,
                "contact": contact,
                "location": location,
            }
            # Files make it multipart, as the page's own form is.
            answer = browser.post(url, files={key: (None, word) for key, word in fields.items()})
    except httpx.HTTPStatusError as error:
        status = error.response.status_code
        raise click.ClickException(f"the form's page answered {status}") from None
    except httpx.HTTPError as error:
        raise click.ClickException(
            f"no answer at {local_base_url(settings)} ({type(error).__name__}): is it running?"
        ) from error
    shown = Shown()
    shown.feed(answer.text)
    if not answer.is_success or not shown.codes:
        raise click.ClickException(f"the form was not taken (HTTP {answer.status_code})")
    code, pin = (*shown.codes, "")[:2]
    told = {"code": code, "pin": pin, "status": answer.status_code}
    _tell(told, f"{code} {pin}", as_json=as_json)


class Form(HTMLParser):
    """What a browser would send of the form that has a text area, left as it came.

    Attributes:
        fields: hidden fields and chosen radio buttons.
        text_field: the text area's name.
    """

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.text_field = ""
        self._found: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect fields; each form begins anew, and the one with the text area is kept."""
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._found = {}
        elif tag == "textarea":
            self.text_field = given.get("name", "")
            self.fields = self._found
        elif tag == "input" and (given.get("type") == "hidden" or "checked" in given):
            self._found[given.get("name", "")] = given.get("value", "")


class Shown(HTMLParser):
    """The codes that a page shows big: the tracking code, then the PIN.

    Attributes:
        codes: their texts, in order.
    """

    def __init__(self) -> None:
        super().__init__()
        self.codes: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notice where a code begins."""
        self._inside = "code--big" in (dict(attrs).get("class") or "").split()

    def handle_data(self, data: str) -> None:
        """Keep a code's text."""
        if self._inside and data.strip():
            self.codes.append(data.strip())
        self._inside = False


def _degrees(pin: str) -> list[float]:
    """Latitude and longitude of ``33.9716,-6.8498``."""
    try:
        latitude, longitude = map(float, pin.split(","))
    except ValueError:
        latitude = longitude = math.nan
    if abs(latitude) <= 90 and abs(longitude) <= 180:  # noqa: PLR2004 - the globe's own
        return [latitude, longitude]
    raise click.BadParameter(
        "a place is a latitude and a longitude, as in 33.9716,-6.8498", param_hint="--pin"
    )


def _number(settings: Settings) -> str:
    """The country's example of a citizen's number."""
    return countries.load(settings.country).example_mobile


def _post(settings: Settings, what: str, body: dict[str, Any]) -> dict[str, Any]:
    place = settings.simulator
    url = f"http://{place.host}:{place.port}/simulator/api/{what}"
    try:
        answer = httpx.post(url, json=body, timeout=TIMEOUT, trust_env=False)
        told = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise click.ClickException(
            f"no simulator at {place.host}:{place.port} ({type(error).__name__}): "
            "start it with `make demo`"
        ) from error
    if not answer.is_success:
        raise click.ClickException(str(told.get("error") or "the gateway did not take it"))
    return dict(told)


def _tell(told: dict[str, Any], line: str, *, as_json: bool) -> None:
    click.echo(json.dumps(told, ensure_ascii=False) if as_json else line)

# SPDX-License-Identifier: MIT
"""The citizens' pages: the ways in, the form, tracking, confirmation of a contact, data and rights.

They work without JavaScript, in Arabic, French and English, from 320 px and on paper.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint
from flask.blueprints import BlueprintSetupState

from config.wording import direction
from gateway.citizen import complain, confirm, recordings, track
from gateway.citizen.frame import LANGUAGES, country, hinted_language, known, page, say
from gateway.house import current_house
from normalizer.tracking_code import display

if TYPE_CHECKING:
    from flask import Response

blueprint = Blueprint("citizen", __name__)
#: Every template of the application may say the words of the frame (layout.html).
blueprint.add_app_template_global(say, "say")
blueprint.add_app_template_filter(display, "code_groups")


@blueprint.record_once
def _exempt(state: BlueprintSetupState) -> None:
    """Leave the session's form token to the desk.

    Nobody is signed in here whose session could be abused, and the form has a signed nonce.
    """
    if "csrf" in state.app.extensions:
        state.app.extensions["csrf"].exempt(blueprint)


@blueprint.get("/")
def ways_in() -> Response:
    """Every way in, in the language that the browser asks for, and the choice of a language."""
    language = hinted_language()
    choices = [
        {"lang": tag, "dir": direction(tag), "name": name, "hinted": tag == language}
        for tag, name in LANGUAGES.items()
    ]
    response = page("citizen/ways_in.html", language, alternates=[], choices=choices, **_ways())
    response.headers["Vary"] = "Accept-Language"
    return response


@blueprint.get("/<lang>/")
def home(lang: str) -> Response:
    """The same ways in, in one language."""
    return page("citizen/home.html", known(lang), **_ways())


@blueprint.get("/<lang>/privacy")
def privacy(lang: str) -> Response:
    """Who holds the data, why, and the person's rights (Morocco: law 09-08)."""
    return page("citizen/privacy.html", known(lang), **_ways())


def _ways() -> dict[str, Any]:
    settings = current_house().settings
    return {
        "text_number": settings.twilio.number,
        "voice_number": settings.twilio.voice_number or settings.twilio.number,
        "mailbox": f"{settings.mail.mailbox}@{settings.mail.domain}",
        "country": country(),
    }


blueprint.add_url_rule("/<lang>/complain", "complain", complain.empty_form, methods=["GET"])
blueprint.add_url_rule("/<lang>/complain", "post", complain.post_form, methods=["POST"])
blueprint.add_url_rule("/<lang>/track", "track", track.empty_form, methods=["GET"])
blueprint.add_url_rule("/<lang>/track", "look_up", track.look_up, methods=["POST"])
blueprint.add_url_rule("/<lang>/track/recording/<token>", "recording", recordings.play)
blueprint.add_url_rule("/<lang>/confirm/<token>", "ask", confirm.ask, methods=["GET"])
blueprint.add_url_rule("/<lang>/confirm/<token>", "confirm", confirm.confirm, methods=["POST"])

# SPDX-License-Identifier: MIT
"""The one page of the simulator: a telephone, a mailbox, and the ways to the form and the desk.

It works with forms alone; ``static/simulator.js`` only fetches the moving parts again every second
or two. Which telephone and mailbox one holds lives in a cookie, never in a URL.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from flask import Blueprint, redirect, render_template, request, session, url_for

from config.wording import direction
from gateway.simulator.calls import NoSuchCall
from gateway.simulator.mailbox import MailNotTaken, quoted
from gateway.simulator.sound import NotASound
from gateway.simulator.telephone import WhatsApp
from gateway.simulator.webhooks import local_base_url
from gateway.simulator.world import current_world

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from gateway.simulator.world import World

LANGUAGES = {"ar": "العربية", "fr": "Français", "en": "English"}
#: Last digits of the telephones at hand; the first ones are those of the country's example.
TAILS = ("678", "754", "833")
ADDRESSES = ("amina@citizen.localhost", "karim@citizen.localhost")
E164 = re.compile(r"\+[1-9][0-9]{6,14}")
ADDR_SPEC = re.compile(r"[^@\s<>,;]{1,64}@[^@\s<>,;]{1,200}")
PARTS = ("texts", "call", "mail")

blueprint = Blueprint("simulator", __name__, url_prefix="/simulator")


@blueprint.get("")
def page() -> str:
    """The whole page."""
    return render_template("simulator/page.html", **_picture(), told=session.pop("told", ""))


@blueprint.get("/live/<part>")
def live(part: str) -> tuple[str, int]:
    """One moving part of the page (``texts``, ``call`` or ``mail``) as a piece of HTML."""
    if part not in PARTS:
        return "", 404
    return render_template(f"simulator/_{part}.html", **_picture()), 200


@blueprint.post("/hold")
def hold() -> Response:
    """Take another telephone or mailbox into the hand, or read in another language."""
    number = re.sub(r"[\s().-]", "", request.form.get("number", ""))
    mailbox = request.form.get("mailbox", "").strip()
    if number:
        if E164.fullmatch(number):
            session["number"] = number
        else:
            session["told"] = "bad_number"
    if mailbox:
        if ADDR_SPEC.fullmatch(mailbox):
            session["mailbox"] = mailbox
            session.pop("mail", None)
        else:
            session["told"] = "bad_mailbox"
    if request.form.get("language") in LANGUAGES:
        session["language"] = request.form["language"]
    if request.form.get("automatic") in ("on", "off"):
        current_world().state.answer_by_itself(on=request.form["automatic"] == "on")
    return _back()


@blueprint.post("/text")
def text() -> Response:
    """Send a text, by SMS or WhatsApp."""
    body = request.form.get("body", "").strip()
    if body:
        whatsapp = WhatsApp() if request.form.get("whatsapp") else None
        session["whatsapp"] = whatsapp is not None
        sent = current_world().telephone.text(_number(), body, whatsapp=whatsapp)
        session["told"] = "text_lost" if sent.error_code else ""
    return _back("phone")


@blueprint.post("/dial")
def dial() -> Response:
    """Call the voice line."""
    call = current_world().calls.dial(_number())
    session["call"] = call.sid
    return _back("call")


@blueprint.post("/call")
def act() -> Response:
    """Do something with the call: answer, decline, a key, several keys, wait, speak, hang up."""
    calls, form = current_world().calls, request.form
    sid, act = form.get("sid", ""), form.get("act", "")
    try:
        if form.get("key"):
            calls.press(sid, form["key"])
        elif act == "keys":
            calls.press(sid, form.get("keys", ""), then_wait=True)
        elif act == "answer":
            calls.answer(sid)
        elif act == "decline":
            calls.decline(sid)
        elif act == "wait":
            calls.stay_silent(sid)
        elif act == "speak":
            upload = request.files.get("voice")
            content = upload.read() if upload is not None and upload.filename else None
            calls.speak(sid, content)
        elif act == "hang_up":
            calls.hang_up(sid)
    except NoSuchCall:
        session["told"] = "call_gone"
    except NotASound:
        session["told"] = "no_sound"
    return _back("call")


@blueprint.post("/open")
def open_mail() -> Response:
    """Open a mail, or close the open one."""
    session["mail"] = request.form.get("sid", "")
    return _back("mail")


@blueprint.post("/mail")
def write_mail() -> Response:
    """Write a mail, or answer the open one."""
    world, form = current_world(), request.form
    answered = world.state.mails.get(form.get("answers", ""))
    words = form.get("text", "").strip()
    if answered is not None and form.get("quote"):
        words += quoted(answered)
    if not words:
        return _back("mail")
    try:
        world.mailboxes.write(_mailbox(), form.get("subject", ""), words, answers=answered)
        session["told"] = "mail_sent"
        session.pop("mail", None)
    except MailNotTaken as failure:
        session["told"] = "mail_later" if failure.temporary else "mail_refused"
    return _back("mail")


def _back(anchor: str = "") -> Response:
    return redirect(url_for("simulator.page", _anchor=anchor or None), code=303)


def _number() -> str:
    return str(session.get("number", _numbers()[0]))


def _numbers() -> tuple[str, ...]:
    example = current_world().example_mobile
    return tuple(example[:-3] + tail for tail in TAILS)


def _mailbox() -> str:
    return str(session.get("mailbox", ADDRESSES[0]))


def _language(world: World) -> str:
    chosen = str(session.get("language", ""))
    if chosen in LANGUAGES:
        return chosen
    best = request.accept_languages.best_match(list(LANGUAGES))
    return best or world.wording.answering_language("fr")


def _picture() -> dict[str, Any]:
    """All that the templates need."""
    world = current_world()
    state, settings, lang = world.state, world.settings, _language(world)
    number, mailbox = _number(), _mailbox()
    calls = state.calls_of(number)
    running = [call for call in calls if not call.over]
    opened = state.mails.get(str(session.get("mail", "")))

    def words(key: str, **values: object) -> str:
        return world.wording.text(lang, f"simulator.{key}", **values)

    return {
        "lang": lang,
        "dir": direction(lang),
        "words": words,
        "languages": LANGUAGES,
        "number": number,
        "numbers": _first_of(number, _numbers()),
        "mailbox": mailbox,
        "mailboxes": _first_of(mailbox, ADDRESSES, state.mailboxes()),
        "line": settings.twilio.voice_number or settings.twilio.number,
        "our_number": settings.twilio.number,
        "our_mailbox": world.mailboxes.public_address,
        "texts": state.thread(number)[-100:],
        "whatsapp": session.get("whatsapp", False),
        "call": running[-1] if running else (calls[-1] if calls else None),
        "mails": list(reversed(state.mailbox(mailbox)))[:50],
        "opened": opened if opened and opened.mailbox == mailbox.casefold() else None,
        "automatic": state.answers_by_itself,
        "gateway_url": local_base_url(settings),
        "form_url": f"{local_base_url(settings)}/{lang}/complain",
        "track_url": f"{local_base_url(settings)}/{lang}/track",
        "desk_url": f"{local_base_url(settings)}/desk/",
    }


def _first_of(chosen: str, *lists: tuple[str, ...] | list[str]) -> list[str]:
    return list(dict.fromkeys([chosen, *(one for some in lists for one in some)]))[:30]

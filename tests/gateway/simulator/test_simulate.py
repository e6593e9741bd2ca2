# SPDX-License-Identifier: MIT
"""``guichet simulate`` against a running simulator and a stand-in gateway."""

import json
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner
from flask import Flask, request

from channels.message import ChannelName
from channels.sms import twilio
from channels.twilio_account import Form
from gateway.commands.simulate import simulate


def inbound(form):
    """What the gateway's own reader makes of a webhook."""
    return twilio.read_message(Form(tuple(form.items())), datetime(2026, 5, 1, tzinfo=UTC), "MA")


LINE = "/inbound/voice/twilio"


@pytest.fixture
def guichet(settings):
    def run(*words):
        return CliRunner().invoke(simulate, list(words), obj=settings)

    return run


def test_a_text(guichet, simulator, gateway):
    done = guichet("sms", "--from", "+212661987654", "لا ماء", "--json")

    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["status"] == "received"
    assert gateway.at("/inbound/sms/twilio")[0]["From"] == "+212661987654"


def test_a_message_by_whatsapp_with_a_place(guichet, simulator, gateway):
    done = guichet(
        *("whatsapp", "--from", "+212661987654", "--name", "Amina"),
        *("--pin", "33.9716,-6.8498", "Pas d’eau ici", "--json"),
    )

    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["from"] == "whatsapp:+212661987654"
    (came,) = gateway.at("/inbound/sms/twilio")
    read = inbound(came)
    assert read.channel is ChannelName.WHATSAPP
    assert read.sender.value == "+212661987654"
    assert read.sender.display_name == "Amina"
    assert read.text == "Pas d’eau ici"
    assert read.fields["location"] == "33.971600, -6.849800"


def test_a_place_alone_is_a_message_by_whatsapp(guichet, simulator, gateway):
    assert guichet("whatsapp", "--pin", "33.9716,-6.8498").exit_code == 0

    (came,) = gateway.at("/inbound/sms/twilio")
    assert (came["From"], came["To"]) == ("whatsapp:+212612345678", "whatsapp:+212520000000")
    assert inbound(came).text == "33.971600, -6.849800"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "--pin"),
        (("--pin", "here"), "latitude"),
        (("--pin", "133,0"), "latitude"),
        (("--pin", "nan,0"), "latitude"),
    ],
)
def test_what_is_no_message_by_whatsapp_is_told(guichet, simulator, gateway, words, told):
    done = guichet("whatsapp", *words)

    assert done.exit_code != 0
    assert told in done.output
    assert gateway.came == []


def test_a_lost_text_reaches_nobody_but_is_listed(guichet, simulator, gateway):
    assert guichet("sms", "x", "--lost").exit_code == 0

    assert gateway.came == []
    assert len(simulator.world.state.thread("+212612345678")) == 1


def test_a_call_with_keys(guichet, simulator, gateway):
    gateway.documents |= {
        LINE: '<Gather numDigits="1" action="/menu"><Say>Langue</Say></Gather>',
        "/menu": '<Record action="/recorded"/>',
        "/recorded": "<Say>Votre code est 1 2 3</Say>",
    }

    done = guichet("call", "--keys", "2, 1")

    assert done.exit_code == 0, done.output
    assert "Votre code est 1 2 3" in done.output


def test_a_caller_who_says_nothing(guichet, simulator, gateway):
    gateway.documents[LINE] = '<Record action="/recorded"/>'

    assert guichet("call", "--silent").exit_code == 0
    assert gateway.at("/recorded") == []


def test_a_mail_that_is_not_taken_is_an_error(guichet, simulator):
    done = guichet("mail", "--subject", "s", "text")

    assert done.exit_code == 1
    assert "no answer" in done.output


def test_without_a_simulator_it_says_so(guichet):
    done = guichet("sms", "x")

    assert done.exit_code == 1
    assert "make demo" in done.output


def test_the_web_form_is_filled_in(guichet, settings):
    import threading

    from werkzeug.serving import make_server

    app, came = Flask("form"), dict[str, str]()

    @app.get("/fr/complain")
    def form():
        return (
            '<form><input type="hidden" name="x" value="y"></form><form method="post">'
            '<input type="hidden" name="nonce" value="n-1">'
            '<input type="radio" name="kind" value="complaint" checked>'
            '<input type="radio" name="kind" value="suggestion">'
            '<textarea name="description"></textarea></form>'
        )

    @app.post("/fr/complain")
    def take():
        came.update(request.form)
        big = '<bdi dir="ltr" class="code code--big">'
        return f"<dl><dd>{big}4821-0937-5512</bdi></dd><dd>{big}123456</bdi></dd></dl>"

    server = make_server("127.0.0.1", settings.web.port, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        done = guichet("web", "--language", "fr", "pas d’eau", "--contact", "a@b.test", "--json")
    finally:
        server.shutdown()
        server.server_close()

    assert json.loads(done.output) == {"code": "4821-0937-5512", "pin": "123456", "status": 200}
    assert came == {
        "nonce": "n-1",
        "kind": "complaint",
        "description": "pas d’eau",
        "name": "",
        "contact": "a@b.test",
        "location": "",
    }


def test_nobody_is_simulated_in_production(settings):
    words = settings.model_copy(update={"profile": "production"})

    assert CliRunner().invoke(simulate, ["sms", "x"], obj=words).exit_code == 1

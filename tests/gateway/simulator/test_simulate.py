# SPDX-License-Identifier: MIT
"""``guichet simulate`` against a running simulator and a stand-in gateway."""

import json

import pytest
from click.testing import CliRunner
from flask import Flask, request

from gateway.commands.simulate import simulate

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

# SPDX-License-Identifier: MIT
"""The settings of a command: who wins, and each fault in one line that never shows a value."""

import json
import stat
from functools import partial
from pathlib import Path

import pytest
from click.testing import Result

from guichet_testing import command_line

SECRET = "s3cret-that-nobody-may-read"
STRONG = {
    "WEB__SECRET_KEYS": json.dumps(["k" * 40]),
    "WEB__PUBLIC_BASE_URL": "https://guichet.example",
    "MAIL__DOMAIN": "guichet.example",
    "RELAY__HOST": "mail.example",
}


@pytest.fixture
def call(tmp_path: Path):
    """Run ``guichet`` in an empty folder; keywords are variables of the environment."""
    return partial(command_line.call, tmp_path)


def told_in_one_line(result: Result) -> str:
    """The line in which a command ended; anything else than a clean end fails."""
    assert isinstance(result.exception, SystemExit), result.exception
    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: ")
    return line


@pytest.mark.parametrize(
    ("setting", "value", "told"),
    [
        ("WEB__SECRET_KEYS", "[]", "web.secret_keys is empty"),
        ("WEB__SECRET_KEYS", json.dumps(["k" * 40, SECRET]), "web.secret_keys[1] is shorter"),
        ("WEB__PUBLIC_BASE_URL", "http://guichet.example", "web.public_base_url"),
        ("MAIL__DOMAIN", "guichet.localhost", "mail.domain"),
        ("TWILIO__ACCOUNT_SID", "AC1", "twilio.auth_tokens is empty"),
        ("RELAY__TLS", "none", "relay.tls"),
        ("SIMULATOR__ENABLED", "true", "simulator.enabled"),
    ],
)
@pytest.mark.parametrize("command", ["serve", "web", "migrate"])
def test_production_does_not_start_on_what_is_weak_and_says_which(
    call, tmp_path, command, setting, value, told
):
    result = call(command, **(STRONG | {setting: value}))

    assert result.exit_code == 2
    headline, fault = result.stderr.splitlines()
    assert headline == "Error: not fit for production:"
    assert fault.strip().startswith(told)
    assert SECRET not in result.output
    assert list(tmp_path.iterdir()) == []


def test_all_that_is_missing_is_told_at_once(call):
    """Without a word the profile is production's."""
    lines = call("serve").stderr.splitlines()

    assert [line.split()[0] for line in lines[1:]] == [
        "web.secret_keys",
        "web.public_base_url",
        "mail.domain",
    ]


def test_production_starts_on_strong_settings(tmp_path):
    done = command_line.run(tmp_path, "migrate", DATA_DIR="data", **STRONG)

    assert (done.returncode, done.stderr) == (0, "")
    assert "100 administrations added" in done.stdout


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("[web]\nprot = 80", "web.prot is no setting; is web.port meant?"),
        ("[webb]\nport = 80", "webb is no setting; is web meant?"),
        ("[web]\nport = 'many'", "web.port: Input should be a valid integer"),
        (f"[web]\nsecret_keys = [{{ key = '{SECRET}' }}]", "web.secret_keys.0: "),
        ("[web\nport = 80", "guichet.toml is not TOML: Expected ']' at the end"),
        ("country = 'zz'", "country: zz has no profile"),
        (f"[database]\nurl = 'mysql://u:{SECRET}@host/x'", "database.url must begin with"),
        ("[queue]\nredis_url = 'host:6379'", "queue.redis_url must begin with"),
        ("[dispatch]\nrules = 'nowhere.toml'", "dispatch.rules: there is no file nowhere.toml"),
        ("data_dir = 'guichet.toml'", "guichet.toml: File exists"),
    ],
)
@pytest.mark.parametrize("command", ["serve", "doctor"])
def test_a_fault_of_the_file_is_told_in_one_line(call, tmp_path, command, lines, told):
    (tmp_path / "guichet.toml").write_text(f"profile = 'demo'\n{lines}\n", encoding="utf-8")

    line = told_in_one_line(call("--config", "guichet.toml", command))

    assert told in line
    assert SECRET not in line


def test_a_file_that_is_not_there_or_no_text_is_told(call, tmp_path):
    (tmp_path / "latin.toml").write_bytes(b"country = 'f\xe9'")

    missing = told_in_one_line(call("--config", "no.toml", "doctor"))
    latin = told_in_one_line(call("--config", "latin.toml", "doctor"))
    assert "no settings file at no.toml" in missing
    assert "latin.toml is not written in UTF-8" in latin


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("WEB__PROT", "80", "web.prot is no setting; is web.port meant?"),
        ("WEBB__PORT", "80", "GUICHET_WEBB__PORT is no setting; is GUICHET_WEB__… meant?"),
        ("WEB__SECRET_KEYS", SECRET, "GUICHET_WEB__SECRET_KEYS must be JSON"),
        ("PROFILE", "trial", "profile: Input should be 'demo' or 'production'"),
    ],
)
def test_a_fault_of_the_environment_is_told_in_one_line(call, variable, value, told):
    line = told_in_one_line(call("doctor", **({"PROFILE": "demo"} | {variable: value})))

    assert told in line
    assert SECRET not in line


def test_a_process_ends_as_plainly(tmp_path):
    (tmp_path / "guichet.toml").write_text("[web\n", encoding="utf-8")

    done = command_line.run(tmp_path, "--config", "guichet.toml", "serve")

    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)


def test_the_environment_wins_over_the_file_and_the_file_over_the_defaults(tmp_path):
    def made(*words: str, **variables: str) -> set[str]:
        before = set(tmp_path.iterdir())
        done = command_line.run(tmp_path, *words, "migrate", PROFILE="demo", **variables)
        assert done.returncode == 0, done.stderr
        return {path.name for path in tmp_path.iterdir() if path not in before}

    file = tmp_path / "guichet.toml"
    file.write_text('profile = "production"\ndata_dir = "of-the-file"\n', encoding="utf-8")

    assert made() == {"var"}
    assert made("--config", file.name, DATA_DIR="of-the-environment") == {"of-the-environment"}
    assert made("--config", file.name) == {"of-the-file"}
    assert made(SETTINGS_FILE=file.name, DATA_DIR="again") == {"again"}
    assert stat.S_IMODE((tmp_path / "of-the-file").stat().st_mode) == 0o700


def test_a_citizen_is_played_in_a_demo_where_no_profile_is_named_and_never_in_production(
    call, tmp_path
):
    (tmp_path / "guichet.toml").write_text("profile = 'production'\n", encoding="utf-8")
    unheard = {"SIMULATOR__PORT": "1"}

    trial = call("simulate", "sms", "Pas d'eau", **unheard)
    real = call("--config", "guichet.toml", "simulate", "sms", "Pas d'eau", **unheard)

    assert "no simulator at 127.0.0.1:1" in trial.stderr
    assert real.stderr == "Error: nobody is simulated with profile = production\n"

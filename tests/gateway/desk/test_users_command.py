# SPDX-License-Identifier: MIT
"""``guichet users``: add, list, disable."""

import json

import pytest
from click.testing import CliRunner

from config.settings import Settings
from gateway.commands.doctor import desk_fault
from gateway.commands.users import users
from tracker.database import open_engine
from tracker.models import administrations, metadata

PASSWORD = "a long enough pass phrase"


@pytest.fixture
def run(tmp_path):
    settings = Settings(profile="demo", data_dir=tmp_path)
    engine = open_engine(settings.database_url)
    metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(
            administrations.insert().values(slug="sante", names={"fr": "Santé"}, outlet="desk")
        )
    engine.dispose()

    def run(*words, typed=""):
        return CliRunner().invoke(users, list(words), obj=settings, input=typed)

    return run


def add(run, *words, typed=f"{PASSWORD}\n", email="A@example.org", role="agent"):
    return run("add", "--email", email, "--role", role, "--password-stdin", *words, typed=typed)


def test_a_user_is_added_listed_and_disabled(run):
    added = add(run, "--administration", "sante", "--json")
    listed = run("list", "--json")
    disabled = run("disable", "--email", "a@example.org")

    assert added.exit_code == 0, added.output
    assert json.loads(added.output)["email"] == "a@example.org"
    assert json.loads(listed.output) == {
        "schema": 1,
        "email": "a@example.org",
        "role": "agent",
        "administration": "sante",
        "disabled": False,
        "created_at": json.loads(listed.output)["created_at"],
    }
    assert disabled.exit_code == 0
    assert "disabled" in run("list").output
    assert PASSWORD not in added.output + listed.output


@pytest.mark.parametrize(
    ("words", "values", "told"),
    [
        ((), {}, "needs an administration"),
        (("--administration", "x"), {}, "no administration 'x'"),
        (("--administration", "sante"), {"typed": "short\n"}, "12 characters"),
        (("--administration", "sante"), {"role": "triage"}, "leave the administration out"),
        ((), {"role": "king"}, "king"),
    ],
)
def test_what_does_not_fit_is_told_in_one_line(run, words, values, told):
    result = add(run, *words, **values)

    assert result.exit_code != 0
    assert told in result.output
    assert run("disable", "--email", "a@example.org").exit_code == 1


@pytest.mark.parametrize("words", [(), ("add",), ("list",), ("disable",)])
def test_help_has_an_example(run, words):
    assert "Example:" in run(*words, "--help").output


def test_the_doctor_says_when_nobody_stands_above_for_third_transfers(run, tmp_path):
    settings = Settings(profile="demo", data_dir=tmp_path)
    assert desk_fault(settings) == ""  # nobody here can give a case up
    add(run, email="t@example.org", role="triage")
    assert desk_fault(settings) == ""
    add(run, "--administration", "sante")
    add(run, "--administration", "sante", email="s@example.org", role="supervisor")
    assert "third transfer" in desk_fault(settings)

    add(run, email="above@example.org", role="supervisor")
    assert desk_fault(settings) == ""
    run("disable", "--email", "above@example.org")
    assert "guichet users add --role supervisor" in desk_fault(settings)

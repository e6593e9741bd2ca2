# SPDX-License-Identifier: MIT
"""Signing in and out: who gets in, who is told to wait, and when a session is over."""

import pytest
from argon2 import PasswordHasher

from gateway.desk import session
from gateway.desk.passwords import Passwords
from tracker import users
from tracker.models import users as table

PASSWORD = "a long enough pass phrase"


def test_the_desk_asks_everybody_to_sign_in(desk):
    response = desk.client().get("/desk/?status=all")

    assert response.status_code == 302
    assert response.location.startswith("/desk/sign-in?next=")


def test_who_signs_in_comes_where_they_wanted(desk):
    case = desk.case(administration="sante")
    browser = desk.client()

    response = browser.post(
        "/desk/sign-in",
        {
            "email": "AGENT@example.org ",
            "password": PASSWORD,
            "next": f"/desk/cases/{case.id}",
        },
    )

    assert response.status_code == 302
    assert response.location == f"/desk/cases/{case.id}"
    assert browser.get(response.location).status_code == 200


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/desk/",
        "//evil.example",
        "/\\evil.example",
        "/complain",
        "javascript:1",
    ],
)
def test_nobody_is_sent_elsewhere_after_signing_in(desk, wanted):
    response = desk.client().post(
        "/desk/sign-in", {"email": "agent@example.org", "password": PASSWORD, "next": wanted}
    )

    assert response.location == "/desk/"


@pytest.mark.parametrize("email", ["agent@example.org", "nobody@example.org", "", "x" * 999])
def test_a_wrong_name_and_a_wrong_password_are_told_alike(desk, email):
    response = desk.client().sign_in(email, "wrong")

    assert response.status_code == 401
    assert "do not fit together" in response.text


def test_an_unknown_name_is_checked_as_slowly_as_a_known_one():
    checked = []

    class Counting(PasswordHasher):
        def verify(self, password_hash, password):
            checked.append(password_hash)
            return super().verify(password_hash, password)

    hasher = Passwords(Counting(time_cost=1, memory_cost=8, parallelism=1))

    assert not hasher.fits(None, "anything")
    assert not hasher.fits(hasher.hash("right"), "x" * 5000)
    assert len(checked) == 2


def test_a_disabled_user_is_out_at_once(desk):
    browser = desk.client("agent")
    with desk.house.engine.begin() as connection:
        users.disable(connection, "agent@example.org")

    assert browser.get("/desk/").status_code == 302
    assert browser.sign_in("agent@example.org").status_code == 401


def test_guesses_at_one_name_are_paused_and_the_pause_ends(desk):
    tries = desk.house.settings.limits.sign_in_tries
    browser = desk.client()
    for number in range(tries):
        answer = browser.sign_in(
            "agent@example.org", "wrong", environ_base={"REMOTE_ADDR": f"192.0.2.{number}"}
        )
        assert answer.status_code == 401

    paused = browser.sign_in("agent@example.org", environ_base={"REMOTE_ADDR": "198.51.100.9"})
    assert paused.status_code == 429
    assert "Too many tries" in paused.text

    desk.clock.turn(seconds=desk.house.settings.limits.sign_in_window_seconds + 1)
    assert browser.sign_in("agent@example.org").status_code == 302


def test_guesses_from_one_network_are_paused(desk):
    tries = desk.house.settings.limits.sign_in_tries
    for number in range(tries):
        desk.client().sign_in(
            f"name{number}@example.org",
            "wrong",
            environ_base={"REMOTE_ADDR": f"2001:db8::{number + 1}"},
        )

    same = desk.client().sign_in(
        "agent@example.org", environ_base={"REMOTE_ADDR": "2001:db8::ffff"}
    )
    other = desk.client().sign_in(
        "agent@example.org", environ_base={"REMOTE_ADDR": "2001:db8:0:1::1"}
    )

    assert (same.status_code, other.status_code) == (429, 302)


def test_signing_in_rightly_is_never_counted(desk):
    for _ in range(desk.house.settings.limits.sign_in_tries + 2):
        desk.clock.turn(seconds=1)
        assert desk.client().sign_in("agent@example.org").status_code == 302


def test_a_form_without_token_is_refused(desk):
    browser = desk.client("agent")
    case = desk.case(administration="sante")

    for path in ("/desk/sign-in", "/desk/sign-out", f"/desk/cases/{case.id}/reply"):
        response = browser.client.post(path, data={"text": "x"}, headers=browser.headers)
        assert response.status_code == 400
        assert "no longer valid" in response.text


def test_signing_in_makes_a_new_session(desk):
    browser = desk.client()
    before = browser.token()
    with browser.client.session_transaction() as kept:
        kept["planted"] = "by somebody else"

    browser.sign_in("agent@example.org")

    with browser.client.session_transaction() as kept:
        assert "planted" not in kept
    answer = browser.client.post("/desk/sign-out", data={"csrf_token": before})
    assert answer.status_code == 400


def test_an_idle_session_ends(desk):
    browser = desk.client("agent")
    minutes = desk.house.settings.desk.session_idle_minutes

    desk.clock.turn(minutes=minutes - 1)
    assert browser.get("/desk/").status_code == 200
    desk.clock.turn(minutes=minutes - 1)
    assert browser.get("/desk/").status_code == 200
    desk.clock.turn(minutes=minutes)
    ended = browser.get("/desk/", follow_redirects=True)

    assert "Your session has ended" in ended.text


def test_a_busy_session_ends_too(desk):
    browser = desk.client("agent")
    for _ in range(desk.house.settings.desk.session_hours * 2 - 1):
        desk.clock.turn(minutes=30)
        assert browser.get("/desk/").status_code == 200

    desk.clock.turn(minutes=30)
    assert browser.get("/desk/").status_code == 302


def test_signing_out_ends_a_copied_cookie_too(desk):
    browser = desk.client("agent")
    cookie = browser.client.get_cookie("session").value

    browser.post("/desk/sign-out")

    thief = desk.client()
    thief.client.set_cookie("session", cookie)
    assert thief.get("/desk/").status_code == 302
    assert browser.get("/desk/").status_code == 302


def test_a_cookie_is_of_no_use_in_another_browser(desk):
    cookie = desk.client("agent").client.get_cookie("session").value
    thief = desk.client()
    thief.client.set_cookie("session", cookie)
    thief.headers["User-Agent"] = "another one"

    assert thief.get("/desk/").status_code == 302


def test_a_new_password_ends_every_other_session(desk):
    here, there = desk.client("agent"), desk.client("agent")
    form = {
        "old_password": PASSWORD,
        "new_password": "another long one",
        "again": "another long one",
    }

    answer = here.post("/desk/password", form)

    assert answer.status_code == 302
    assert "Your password is changed" in here.text("/desk/")
    assert there.get("/desk/").status_code == 302
    assert desk.client().sign_in("agent@example.org").status_code == 401
    assert desk.client().sign_in("agent@example.org", "another long one").status_code == 302


@pytest.mark.parametrize(
    ("old", "new", "again", "told"),
    [
        (PASSWORD, "short", "short", "at least 12"),
        (PASSWORD, "long enough again", "not the same one", "not the same"),
        (PASSWORD, PASSWORD, PASSWORD, "not the old one"),
        ("wrong", "long enough again", "long enough again", "not your password now"),
    ],
)
def test_a_password_that_does_not_do_changes_nothing(desk, old, new, again, told):
    browser = desk.client("agent")

    answer = browser.post(
        "/desk/password", {"old_password": old, "new_password": new, "again": again}
    )

    assert answer.status_code == 422
    assert told in answer.text
    assert old not in answer.text
    assert browser.get("/desk/").status_code == 200


def test_old_costs_are_brought_up_to_date_at_sign_in(desk):
    weaker = PasswordHasher(time_cost=2, memory_cost=8, parallelism=1).hash(PASSWORD)
    with desk.house.engine.begin() as connection:
        connection.execute(
            table.update().where(table.c.email == "agent@example.org").values(password_hash=weaker)
        )

    assert desk.client().sign_in("agent@example.org").status_code == 302

    with desk.house.engine.connect() as connection:
        row = users.find_by_email(connection, "agent@example.org")
    assert row is not None
    assert row.password_hash != weaker
    assert not desk.passwords.outdated(row.password_hash)


def test_the_language_is_kept_through_sign_in_and_out(desk):
    browser = desk.client(language="en")
    browser.post("/desk/language", {"language": "ar"})

    assert '<html lang="ar" dir="rtl">' in browser.get("/desk/sign-in").text
    browser.sign_in("agent@example.org")
    assert '<html lang="ar" dir="rtl">' in browser.text("/desk/")
    browser.post("/desk/sign-out")
    assert '<html lang="ar" dir="rtl">' in browser.get("/desk/sign-in").text


def test_networks_are_told_apart_as_providers_give_them_out():
    assert session.network("192.0.2.7") == "192.0.2.7"
    assert session.network("2001:db8::1") == session.network("2001:db8::2")
    assert session.network("2001:db8:0:1::1") != session.network("2001:db8::1")
    assert session.network("unix") == "unix"

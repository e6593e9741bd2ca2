# SPDX-License-Identifier: MIT
"""The command line: help that needs nothing, output that a program reads, faults in plain words."""

import json
import stat
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click
import pytest

from channels.channel import Accepted, Delivery
from channels.message import Address, AddressScheme, ChannelName, InboundMessage
from config import country
from config.settings import Settings
from gateway.cli import SERVICES, guichet
from gateway.intake import Intake
from gateway.planning import Planner
from guichet_testing import command_line
from tracker.database import open_engine
from tracker.group_commit import GroupCommit
from tracker.migrations import upgrade

#: Commands that run until they are stopped, and those whose output is JSON Lines or raw bytes.
RUNNING = SERVICES | {"serve", "demo"}
NOT_IN_NEED_OF_JSON = {"export", "quarantine show"}
PASSWORD = "a-long-enough-pass-phrase"


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run ``guichet`` in an empty folder; keywords are variables of the environment."""
    return partial(command_line.run, tmp_path)


def commands(group: click.Group, *before: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command and group below a group, by its words."""
    for name, command in group.commands.items():
        yield (*before, name), command
        if isinstance(command, click.Group):
            yield from commands(command, *before, name)


ALL = [((), guichet), *commands(guichet)]


# --- Help and output ------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [words for words, _ in ALL], ids=" ".join)
def test_help_needs_no_settings_and_shows_an_example_of_itself(tmp_path, words):
    result = command_line.call(tmp_path, *words, "--help")

    assert result.exit_code == 0, result.output
    assert result.output.startswith(f"Usage: {' '.join(('guichet', *words))} ")
    (example,) = [line for line in result.output.split("\n\n") if "Example" in line]
    assert all(word in example.split() for word in ("guichet", *words))
    assert list(tmp_path.iterdir()) == []


def test_help_of_a_process_in_an_empty_folder(run):
    done = run("serve", "--help")

    assert (done.returncode, done.stderr) == (0, "")
    assert "Example" in done.stdout


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (" ".join(words), command)
        for words, command in ALL
        if not isinstance(command, click.Group) and words[0] not in RUNNING
    ],
)
def test_what_a_program_may_read_has_json(words, command):
    options = {name for parameter in command.params for name in parameter.opts}

    assert ("--json" in options) != (words in NOT_IN_NEED_OF_JSON)


# --- Commands -------------------------------------------------------------------------------------


def test_the_doctor_works_on_a_fresh_folder_and_says_what_to_do(run, tmp_path, redis_url):
    fresh = run("doctor", "--json", DATA_DIR="fresh")
    faults = json.loads(fresh.stdout)

    assert (fresh.returncode, fresh.stderr) == (1, "")
    assert "web.secret_keys is empty" in faults["settings"]
    assert faults["database"].endswith("run: guichet migrate")
    assert "guichet serve" in faults["queue"]
    assert list(tmp_path.iterdir()) == []

    world = {"PROFILE": "demo", "DATA_DIR": "demo", "QUEUE__REDIS_URL": redis_url}
    assert "schema empty, expected" in run("doctor", **world).stdout
    assert json.loads(run("migrate", "--json", **world).stdout)["administrations_added"] == 100
    healthy = run("doctor", **world)
    assert (healthy.returncode, "FAULT" in healthy.stdout) == (0, False)
    assert len(healthy.stdout.splitlines()) == len(faults)


def test_a_database_that_is_empty_or_away_is_told_in_one_line(run):
    empty = run("export", "cases", PROFILE="demo", DATA_DIR="empty")
    away = run(
        "users",
        "list",
        PROFILE="demo",
        DATABASE__URL=f"postgresql+psycopg://u:{PASSWORD}@127.0.0.1:1/x",
    )

    for done in (empty, away):
        assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
        assert "see: guichet doctor" in done.stderr
    assert "no such table" in empty.stderr
    assert PASSWORD not in away.stderr


@pytest.fixture
def record(database_url: str) -> str:
    """A database with two cases, one of them with a follow-up."""
    engine, ma = open_engine(database_url), country.load("ma")
    upgrade(engine)
    writer = GroupCommit(engine)
    settings = Settings(profile="demo", web={"secret_keys": ["k" * 40]})
    intake = Intake(writer, Planner(settings, ma), ma)

    def file(words: str, number: str, key: str) -> Accepted:
        sender = Address(AddressScheme.TEL, number)
        message = InboundMessage(key, ChannelName.SMS, None, sender, "+2125", "", words)
        at = datetime(2026, 3, 1, 12, tzinfo=UTC)
        answer = intake.accept(Delivery(ChannelName.SMS, key, at, "", {}, b"raw"), message)
        assert isinstance(answer, Accepted)
        return answer

    code = file("لا ماء منذ أيام", "+212612345678", "sms:1").tracking_code
    file("La rue est noire\nla nuit", "+212612345679", "sms:2")
    file(f"{code} toujours rien ici", "+212612345678", "sms:3")
    writer.close()
    engine.dispose()
    return database_url


@pytest.mark.parametrize(
    ("what", "count", "before"), [("cases", 2, None), ("deliveries", 3, 0o644), ("outbox", 4, None)]
)
def test_an_export_is_json_lines_of_schema_1_for_its_owner_alone(
    run, tmp_path, record, what, count, before
):
    file = tmp_path / "export.jsonl"
    if before is not None:
        file.write_text("of yesterday\n" * 99)
        file.chmod(before)
    world = {"PROFILE": "demo", "DATABASE__URL": record}

    shown = run("export", what, **world)
    written = run("export", what, "--output", file.name, **world)

    lines = [json.loads(line) for line in shown.stdout.splitlines()]
    assert len(lines) == count
    assert {line["schema"] for line in lines} == {1}
    assert all(line.get("case") or line["tracking_code"] for line in lines)
    assert (written.returncode, written.stdout) == (0, "")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text(encoding="utf-8") == shown.stdout


def test_an_export_that_cannot_be_written_is_told(run):
    done = run("export", "cases", "--output", "no/where.jsonl", PROFILE="demo", DATA_DIR=".")

    assert done.returncode == 1
    assert done.stderr == "Error: cannot write no/where.jsonl: No such file or directory\n"


def test_an_import_tells_what_changed_and_a_list_is_narrowed_by_words_place_matter_and_day(
    run, tmp_path
):
    world = {"PROFILE": "demo", "DATA_DIR": "d"}
    head = "slug,name_fr,kind,matter,place,names_former,telephone\n"
    rows = "eau-fes,Office de l'eau,agence,eau,fes,../2024-10-23 fr: Régie des eaux,\n"
    (tmp_path / "a.csv").write_text(head + rows + "cnss,Caisse nationale,,,,,\n")
    (tmp_path / "b.csv").write_text(head + rows.replace(",eau,fes,", ",eau,atlantide,"))
    assert run("migrate", **world).returncode == 0

    checked = run("administrations", "check", "a.csv")
    unknown = run("administrations", "check", "b.csv")
    imported = run("administrations", "import", "a.csv", **world)

    assert (checked.returncode, checked.stderr) == (0, "the column telephone is not read\n")
    assert "row 2: place atlantide is not in the gazetteer" in unknown.stderr
    lines = imported.stdout.splitlines()
    assert (lines[0], lines[2]) == ("+ eau-fes", "1 added, 1 changed")
    assert lines[1].startswith("~ cnss: names, kind, competence")
    assert "importing 2" in imported.stderr

    def listed(*words: str) -> list[str]:
        done = run("administrations", "list", *words, **world)
        return [line.split(maxsplit=2)[2] for line in done.stdout.splitlines()]

    # Of Fès: the office there, and the agency of the basin that Fès lies in.
    assert listed("--place", "fes") == [
        "Agence du bassin hydraulique du Sebou",
        "Office de l'eau",
    ]
    assert listed("--matter", "eau") == listed("office de l'EAU") == ["Office de l'eau"]
    assert listed("--matter", "eau", "--on", "2024-10-23") == ["Régie des eaux"]
    assert listed("--kind", "agence", "--place", "oujda") == [
        "Agence du bassin hydraulique de la Moulouya"
    ]
    refused = run("administrations", "list", "--place", "atlantide", **world)
    assert (refused.returncode, "not in the gazetteer" in refused.stderr) == (1, True)


def test_administrations_and_users_from_an_empty_database_on(run, tmp_path):
    world = {"PROFILE": "demo", "DATA_DIR": "d"}
    (tmp_path / "broken.csv").write_text("slug,name_fr,outlet\neau,Eau,fax\n,Sans,\nb,B,\n")
    (tmp_path / "good.csv").write_text("slug,name_fr\neau,Office de l'eau\n")
    assert run("migrate", **world).returncode == 0

    for words in (("check", "broken.csv"), ("import", "broken.csv")):
        refused = run("administrations", *words, **world)
        assert refused.returncode == 1
        assert [line.strip().partition(":")[0] for line in refused.stderr.splitlines()[1:]] == [
            "row 2",
            "row 3",
        ]
    as_json = run("administrations", "check", "broken.csv", "--json")
    assert (as_json.returncode, len(json.loads(as_json.stdout)["errors"])) == (1, 2)

    imported = run("administrations", "import", "good.csv", "--json", **world)
    listed = run("administrations", "list", "--json", **world).stdout.splitlines()
    assert json.loads(imported.stdout) == {
        "added": 1,
        "changed": 0,
        "errors": [],
        "added_slugs": ["eau"],
        "changed_columns": {},
    }
    assert len(listed) == 101
    (water,) = (row for row in map(json.loads, listed) if row["slug"] == "eau")
    assert (water["names"], water["outlet"]) == ({"fr": "Office de l'eau"}, "desk")
    assert (water["matters"], water["places"]) == (["eau"], [])

    user = ("users", "add", "--email", "a@example.org", "--role", "agent", "--password-stdin")
    short = run(*user, "--administration", "eau", stdin="short\n", **world)
    added = run(*user, "--administration", "eau", stdin=f"{PASSWORD}\n", **world)
    assert (short.returncode, added.returncode) == (1, 0)
    assert "12 characters or more" in short.stderr
    assert PASSWORD not in added.stdout + added.stderr
    assert "a@example.org  agent  eau" in run("users", "list", **world).stdout


def test_texts_of_a_file_are_understood_line_by_line(run, tmp_path):
    texts = tmp_path / "texts.csv"
    rows = [
        "\ufefftext,id,note",
        "suivi 4826-4246-8273,1,",
        '"لا يوجد ماء\nمنذ يومين",2,x',
        "suivi 482642468274,3,",
        ",4,",
    ]
    texts.write_text("\r\n".join(rows) + "\r\n", encoding="utf-8")

    done = run("understand", "--csv", str(texts))

    assert done.returncode == 0, done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [tuple(one) for one in told] == [("id", "intent", "codes", "language", "typo")] * 4
    assert [(one["id"], one["intent"], one["codes"], one["typo"]) for one in told] == [
        ("1", "status_query", ["482642468273"], False),
        ("2", "complaint", [], False),
        ("3", "status_query", [], True),
        ("4", "noise", [], False),
    ]
    assert told[1]["language"] == "ar"


def test_a_file_without_its_columns_is_told(run, tmp_path):
    texts = tmp_path / "texts.csv"
    texts.write_text("words\nmerci\n", encoding="utf-8")

    done = run("understand", "--csv", str(texts))

    assert done.returncode != 0
    assert "id and text" in done.stderr


def test_a_text_and_a_file_are_not_understood_together(run, tmp_path):
    texts = tmp_path / "texts.csv"
    texts.write_text("id,text\n1,merci\n", encoding="utf-8")

    assert run("understand", "merci", "--csv", str(texts)).returncode == 2
    assert run("understand").returncode == 2

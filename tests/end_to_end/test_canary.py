# SPDX-License-Identifier: MIT
"""Canaries: what citizens gave us is in the record, and in no log, no job and no figure.

Values that occur nowhere else go in through every door, also through those that refuse, and while
the database refuses. Then everything that the house leaves behind is searched for them.
"""

import json
from base64 import b64encode
from collections.abc import Iterator
from functools import partial
from urllib.parse import quote

import httpx
import pytest
import redis
from sqlalchemy import create_engine

from guichet_testing import canaries
from guichet_testing.canaries import Story
from guichet_testing.gateway import RunningGateway, until
from guichet_testing.traces import Planted, Trace, files, find, queue_history, queue_now
from guichet_testing.traffic import post_text, webhook

REFUSED_IN, REFUSED_OUT, NEVER_DONE = "+212661730471", "+212661730472", "+212661730473"
#: A database that does not take certain rows, as one with a full disk takes none. Both kinds
#: quote the row in their error: PostgreSQL in its DETAIL, SQLAlchemy in the parameters it adds.
REFUSING = {
    "sqlite": (
        (
            "CREATE TRIGGER refusing BEFORE INSERT ON messages "
            f"WHEN NEW.sender = '{REFUSED_IN}' OR NEW.recipient = '{REFUSED_OUT}' "
            "BEGIN SELECT RAISE(ABORT, 'this row is not taken'); END"
        ),
        (
            "CREATE TRIGGER never_done BEFORE UPDATE ON outbox "
            f"WHEN NEW.recipient = '{NEVER_DONE}' AND NEW.state = 'done' "
            "BEGIN SELECT RAISE(ABORT, 'this row is not taken'); END"
        ),
    ),
    "postgresql": (
        (
            "ALTER TABLE messages ADD CONSTRAINT refusing CHECK "
            f"(sender <> '{REFUSED_IN}' AND recipient <> '{REFUSED_OUT}') NOT VALID"
        ),
        (
            "ALTER TABLE outbox ADD CONSTRAINT never_done CHECK "
            f"(recipient <> '{NEVER_DONE}' OR state <> 'done') NOT VALID"
        ),
    ),
}


def when_the_database_refuses(story: Story) -> None:
    """What cannot be filed, a sent text whose copy cannot be kept, and one that fails its job."""
    plants, house = story.plants, story.house
    with story.engine.begin() as connection:
        for statement in REFUSING[story.engine.dialect.name]:
            connection.exec_driver_sql(statement)
    plants.number("a refused sender", REFUSED_IN)
    words = plants.words("a refused text", "wilmorquande")
    assert post_text(house, webhook(house, REFUSED_IN, words)) == 200
    assert len(story.rows("SELECT id FROM deliveries WHERE reason LIKE 'filing failed%'")) == 1
    for name, number, word in (
        ("a refused recipient", REFUSED_OUT, "xantrovelis"),
        ("a recipient who fails the job", NEVER_DONE, "querlombast"),
    ):
        plants.number(name, number)
        story.write(number, f"Pas d'eau, {plants.words(f'of {name}', word)}")
        told = until(partial(story.texts, number), what="the text that cannot be recorded")
        story.code(f"the code of {name}", told[0])
    with redis.Redis.from_url(f"unix://{house.data_dir / 'valkey.sock'}") as queue:
        until(lambda: queue.exists("rq:failed:relay"), what="the failed job")


def on_the_command_line(story: Story) -> None:
    """An operator's commands, which write into the same log."""
    [found] = story.rows(
        "SELECT id FROM deliveries WHERE state = 'quarantined' AND reason NOT LIKE 'filing%'"
    )
    for command in (("quarantine", "list"), ("quarantine", "replay", str(found.id))):
        assert story.house.spawn(*command).wait(60) == (command[1] != "list")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def story(request: pytest.FixtureRequest) -> Iterator[Story]:
    """A day at the counter, and what it left behind."""
    url = None
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_server").create()
    house = RunningGateway(url)
    engine = create_engine(url or f"sqlite:///{house.data_dir / 'guichet.sqlite3'}")
    told = Story(house, engine)
    queue = f"unix://{house.data_dir / 'valkey.sock'}"
    try:
        house.start()
        add = ("users", "add", "--email", canaries.CLERK, "--role", "operator", "--password-stdin")
        house.run(*add, stdin=canaries.PASSWORD + "\n")
        told.plants.words("a clerk's password", canaries.PASSWORD)
        told.plants.words("a clerk's name", canaries.CLERK)
        texted = canaries.by_text(told)
        canaries.to_the_unreachable(told)
        canaries.by_mail(told)
        called = canaries.by_telephone(told)
        canaries.by_form(told)
        canaries.at_closed_doors(told)
        told.traces += queue_now(queue)
        canaries.at_the_desk(told, texted, called)
        when_the_database_refuses(told)
        told.traces += queue_now(queue)
        on_the_command_line(told)
        figures = httpx.get(f"http://127.0.0.1:{house.metrics_port}/metrics", timeout=20)
        told.traces.append(Trace("figures", figures.content))
        assert house.stop() == 0
        told.traces += [*files(house.data_dir), *queue_history(house.data_dir)]
        yield told
    finally:
        engine.dispose()
        house.close()


NUMBER = Planted("a number", "+212661730461", "number")
ARABIC = Planted("a word", "زعبلوقيات")


@pytest.mark.parametrize(
    ("planted", "trace"),
    [
        (NUMBER, '{"to": "+212661730461"}'),
        (NUMBER, "tel 06 61-73-04-61"),
        (NUMBER, "00212661730461"),
        (NUMBER, "٠٦٦١٧٣٠٤٦١"),
        (NUMBER, "From=%2B212661730461&To="),
        (NUMBER, b64encode(b"sms to 0661730461.").decode()),
        (Planted("a code", "4821-0937-5518", "code"), "GET /fr/track?code=482109375518"),
        (Planted("a code", "4821-0937-5518", "code"), "4821 0937 5518"),
        (Planted("a PIN", "482109", "pin"), "pin=482109"),
        (Planted("an address", "brivosque@example.org"), "to=Brivosque%40Example.org"),
        (ARABIC, "قال زعبلوقيات أمس"),
        (ARABIC, json.dumps({"a": json.dumps("زعبلوقيات")})),
        (ARABIC, repr("زعبلوقيات".encode())),
        (ARABIC, quote("زعبلوقيات")),
        (ARABIC, b64encode("a زعبلوقيات".encode()).decode()),
        (ARABIC, "\\x" + "زعبلوقيات".encode().hex()),
    ],
)
def test_the_search_finds_a_value_in_every_form(planted: Planted, trace: str) -> None:
    assert find([planted], Trace("a text", trace.encode()))


def test_the_search_finds_nothing_in_other_digits() -> None:
    others = b'{"at": "2026-03-01T12:00:00.482109Z", "job": "a482109", "code": "482109375519"}'
    pin, code = Planted("a PIN", "482109", "pin"), Planted("a code", "4821-0937-5518", "code")
    assert find([pin, code, NUMBER, ARABIC], Trace("a text", others)) == []


def test_all_that_is_left_behind_was_collected(story: Story) -> None:
    """Each kind of trace holds what must be in it, so that an empty search is no success."""
    code = {"sqlite": b"SQLITE_CONSTRAINT_TRIGGER", "postgresql": b"23514"}
    wanted = {
        "file serve.log": (
            b"database: {",
            b"simulator: http://",
            b"filing failed",
            b"a job failed",
            b"IntegrityError",
            code[story.engine.dialect.name],
            b"raised while executing (gateway.worker.relay_job)",
            b"email    unreadable",
        ),
        "file valkey/log": (b"",),
        "file metrics/": (b"guichet_deliveries",),
        "queue: HSET": (b"gateway.worker.relay_job", b"description"),
        "queue: XADD": (b"exc_string", b"Traceback"),
        "queue key b'rq:job:": (b"gateway.worker.relay_job",),
        "queue key b'rq:results:": (b"Traceback", b"IntegrityError"),
        "figures": (
            b'guichet_deliveries_total{channel="voice"',
            b'guichet_refused_total{door="sms",reason="signature"}',
            b'guichet_refused_total{door="web",reason="http"}',
            b'guichet_needs_a_person{reason="undelivered"}',
        ),
    }
    missing = [
        (where, words)
        for where, all_words in wanted.items()
        for words in all_words
        if not any(
            trace.where.startswith(where) and words in trace.content for trace in story.traces
        )
    ]
    assert missing == []


def test_what_citizens_gave_is_in_the_record(story: Story) -> None:
    """The same search finds it there: it did come in, and would be found where it must not be."""
    tables = ("deliveries", "cases", "messages", "attachments", "outbox")
    rows = [repr(row) for table in tables for row in story.rows(f"SELECT * FROM {table}")]  # noqa: S608
    record = Trace("the record", "\n".join(rows).encode())
    given = {
        "a text's sender", "a text", "a text's code", "an Arabic text", "an unreachable sender",
        "a mail's address", "a display name", "a mail", "Arabic in a mail", "a file's name",
        "a follow-up", "an unreadable mail", "a caller's number", "a caller's PIN",
        "words in a form", "a place in a form", "a name in a form", "a file's name in a form",
        "a typed contact", "a form's code", "a form's PIN", "a note", "a refused text",
    }  # fmt: skip
    assert {one.what for one in story.plants.planted if find([one], record)} >= given


def test_no_value_is_in_what_is_left_behind(story: Story) -> None:
    found = [hit for trace in story.traces for hit in find(story.plants.planted, trace)]
    assert found == [], "\n".join(found)

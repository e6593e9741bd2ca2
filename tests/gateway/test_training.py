# SPDX-License-Identifier: MIT
"""Nightly training in a process of its own, promotion by hand, models kept and cleared away."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from config import country
from config.settings import Settings
from dispatcher.administration import Administration, store
from dispatcher.routing.training import Row, train
from gateway import routing
from gateway.cli import guichet
from gateway.commands.doctor import learning_fault
from gateway.learning import LearningDecider
from gateway.relay import RELAYED, Relay
from gateway.training import NightlyTraining, learn, recorded, tidy
from gateway.wiring import build_workshop
from normalizer.tracking_code import new_code
from tracker import answers, learning, trainings
from tracker.database import open_engine, reading
from tracker.identity import new_id
from tracker.migrations import upgrade
from tracker.models import OutboxKind, TrainingState, attention, cases
from tracker.models import trainings as trainings_table
from tracker.outbox import put

NOW = datetime.now(UTC)
WATER = ("zrkt eau coupée", "zrkt fuite", "zrkt robinet sec", "zrkt compteur")
#: Words of no seed example: only people's decisions can teach them.
INVENTED = ("qvxw blorp", "qvxw sniv", "qvxw drelt", "qvxw plimo")


@pytest.fixture
def house(database_url, tmp_path, monkeypatch):
    """Settings, as a child process reads them from the environment, and a database."""
    monkeypatch.setenv("GUICHET_PROFILE", "demo")
    monkeypatch.setenv("GUICHET_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("GUICHET_DATABASE__URL", database_url)
    settings = Settings()
    settings.data_dir.mkdir()
    engine = open_engine(database_url)
    upgrade(engine)
    with engine.begin() as connection:
        store(
            connection,
            [
                Administration("eau", {"fr": "Eau"}, competence={"fr": ["fuite d'eau"]}),
                Administration("sante", {"fr": "Santé"}, competence={"fr": ["hôpital"]}),
                Administration("education", {"fr": "École"}, competence={"fr": ["école"]}),
            ],
        )
    yield settings, engine
    engine.dispose()


@pytest.fixture
def small_seed(monkeypatch):
    """Few seed examples: a training of a moment."""
    rows = [
        Row(text, (label,), "fr", text)
        for label, words in (
            ("eau", ("pas d'eau", "fuite d'eau", "eau sale", "facture d'eau")),
            ("sante", ("hôpital fermé", "médecin absent", "ambulance", "médicaments")),
        )
        for text in (f"{one} {place}" for one in words for place in ("à Fès", "à Salé", "ici"))
    ]
    monkeypatch.setattr(routing, "seed_rows", lambda _register: rows)
    return rows


def in_force(settings, rows):
    models = routing.store_of(settings)
    version = models.save(train(rows, seed=True, now=NOW - timedelta(days=40)))
    models.promote(version)
    return version


def decided(engine, count, *, words=INVENTED, slug="sante", at=NOW):
    """So many cases that people gave to an administration."""
    with engine.begin() as connection:
        for number in range(count):
            case_id = opened(connection, f"{words[number % len(words)]} {number}", at)
            case = fetched(connection, case_id)
            answers.assign(connection, case, slug, by="t@example.org", reasons=["…"], now=at)


def opened(connection, words, at=NOW):
    """A case with these words; its id."""
    case_id = new_id()
    connection.execute(
        cases.insert().values(
            id=case_id,
            tracking_code=new_code("212"),
            pin="123456",
            kind="complaint",
            channel="sms",
            status="received",
            language="fr",
            subject="",
            description=words,
            contact_scheme="anonymous",
            contact_value="",
            contact_confirmed=False,
            requested_datetime=at,
            updated_at=at,
        )
    )
    return case_id


def fetched(connection, case_id):
    """The row of a case."""
    return connection.execute(select(cases).where(cases.c.id == case_id)).one()


def rows_of(engine):
    with reading(engine).connect() as connection:
        return connection.execute(
            select(trainings_table).order_by(trainings_table.c.started_at)
        ).all()


def guess(settings, text):
    return routing.store_of(settings).current().guess(text).labels[0]


# --- Learning -------------------------------------------------------------------------------------


def test_people_teach_a_model_that_takes_over_without_a_restart(house, small_seed):
    settings, engine = house
    before = in_force(settings, small_seed)
    worker = LearningDecider(settings, engine)
    assert worker.decide("qvxw plimo").model == before
    decided(engine, 60)

    outcome = learn(settings, engine, NOW, lambda _: None, promote=True)

    assert outcome.state is TrainingState.PROMOTED
    assert (outcome.previous, outcome.confirmed) == (before, 60)
    decision = worker.decide("qvxw plimo")
    assert decision.model == outcome.version
    assert decision.candidates[0].administration == "sante"


def test_too_few_new_decisions_train_nothing_at_night(house, small_seed):
    settings, engine = house
    before = in_force(settings, small_seed)
    decided(engine, 49)

    outcome = learn(settings, engine, NOW, lambda _: None, promote=True)

    assert outcome.state is TrainingState.NOTHING_NEW
    assert "49 confirmed decisions are new" in outcome.detail
    assert routing.store_of(settings).versions() == [before]


def test_what_fails_is_written_down(house):
    _, engine = house
    with engine.begin() as connection:
        begun = trainings.begin(connection, by="scheduler", now=NOW)

    def fails():
        raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space"):
        recorded(engine, begun, lambda: NOW, fails)
    (row,) = rows_of(engine)
    assert row.state == "failed"
    assert "no space left" in row.detail


def test_the_doctor_tells_of_a_training_that_failed(house):
    settings, engine = house
    assert learning_fault(settings) == ""
    with engine.begin() as connection:
        begun = trainings.begin(connection, by="scheduler", now=NIGHT)
        trainings.end(connection, begun, TrainingState.FAILED, now=NIGHT, detail="no space left")
    assert learning_fault(settings) == "the training of 2026-11-24 failed: no space left"


def test_old_models_go_and_the_one_in_force_stays(house, small_seed):
    settings, _ = house
    models = routing.store_of(settings)
    made = [
        models.save(train(small_seed, now=NOW + timedelta(seconds=number))) for number in range(6)
    ]
    models.promote(made[0])
    assert tidy(models, 3) == made[1:4]
    assert models.versions() == [made[0], *made[4:]]
    assert models.current().manifest.version == made[0]


# --- What a worker permits ------------------------------------------------------------------------


def suggested(engine, count, *, right, slug="eau", version, rule="", margin=2.0):
    """Suggestions of a model, of which people bore out the first so many."""
    with engine.begin() as connection:
        for number in range(count):
            case_id = opened(connection, f"texte {number}")
            suggestion = learning.Suggestion(
                f"texte {number}",
                "fr",
                [(slug, 0.9)],
                first=slug,
                margin=margin,
                model=version,
                rule=rule,
            )
            learning.suggest(connection, case_id, suggestion, now=NOW)
            answers.assign(
                connection,
                fetched(connection, case_id),
                slug if number < right else "education",
                by="t@example.org",
                reasons=["…"],
                now=NOW,
            )


def test_the_classifier_only_proposes_before_fifty_are_confirmed(house, small_seed):
    settings, engine = house
    version = in_force(settings, small_seed)
    clear = routing.store_of(settings).current().guess("fuite d'eau à Fès", "fr")
    seconds = [0.0]
    worker = LearningDecider(settings, engine, lambda: seconds[0])
    suggested(engine, 49, right=49, version=version, margin=clear.margin)
    assert worker.decider().thresholds() is None

    suggested(engine, 11, right=11, version=version, margin=clear.margin)
    assert worker.decider().thresholds() is None  # it does not look at every text
    seconds[0] += settings.routing.refresh_seconds
    thresholds = worker.decider().thresholds()
    assert thresholds is not None
    assert thresholds.permit(clear.margin, "eau", "fr")


def test_a_rule_that_people_overrule_is_switched_off_in_running_workers(house, small_seed):
    settings, engine = house
    in_force(settings, small_seed)
    seconds = [0.0]
    worker = LearningDecider(settings, engine, lambda: seconds[0])
    (rule,) = [one for one in worker._rules if one.administration == "eau" and one.phrases][:1]
    text = " ".join(rule.phrases[0])
    assert worker.decider().router.decide(text).administration == "eau"

    suggested(engine, 12, right=2, version="", rule=rule.key)
    seconds[0] += settings.routing.refresh_seconds
    kept = worker.decider().router.decide(text)
    assert kept.rule != rule.key


# --- By night -------------------------------------------------------------------------------------


class Clock:
    """A clock that stands until it is turned."""

    def __init__(self, now):
        self.now = now

    def __call__(self):
        return self.now


def until(condition, seconds=60.0):
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


#: Half past three in the night, in Morocco.
NIGHT = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)


@pytest.fixture
def nightly(house):
    settings, engine = house
    made = NightlyTraining(settings, engine, country.load("ma"), Clock(NIGHT))
    yield made
    made.stop()


@pytest.mark.slow
def test_a_night_is_trained_once_in_a_child_and_its_outcome_is_on_record(
    house, nightly, monkeypatch
):
    """The child trains on the real seed examples: a minute's work at most."""
    settings, engine = house
    decided(engine, 4)
    nightly._clock.now = NIGHT.replace(hour=0)
    nightly.tick()
    assert rows_of(engine) == []  # it is not yet the hour

    nightly._clock.now = NIGHT
    nightly.tick()
    assert nightly.running
    nightly.tick()  # it never waits
    until(lambda: (nightly.tick(), not nightly.running)[1], 300)

    (row,) = rows_of(engine)
    assert (row.night, row.started_by, row.state) == ("2026-11-24", "scheduler", "promoted")
    assert row.detail == "no model was in force"
    assert routing.store_of(settings).current_version() == row.version
    nightly.tick()
    again = NightlyTraining(settings, engine, country.load("ma"), Clock(NIGHT))
    again.tick()
    assert not again.running
    assert len(rows_of(engine)) == 1


def test_before_people_have_decided_anything_no_child_is_started(house, nightly):
    _, engine = house
    nightly.tick()
    assert not nightly.running
    (row,) = rows_of(engine)
    assert (row.night, row.state) == ("2026-11-24", "nothing_new")


def test_a_child_that_dies_leaves_a_failure_and_the_next_night_tries_again(house, nightly):
    _, engine = house
    decided(engine, 4)
    nightly.tick()
    nightly._child.send_signal(signal.SIGKILL)
    until(lambda: (nightly.tick(), not nightly.running)[1])
    (row,) = rows_of(engine)
    assert row.state == "failed"
    assert "left no word" in row.detail

    nightly._clock.now = NIGHT + timedelta(days=1)
    nightly.tick()
    assert nightly.running
    nightly.stop()
    assert [row.state for row in rows_of(engine)] == ["failed", "failed"]
    assert "stopped" in rows_of(engine)[1].detail


def test_a_training_that_takes_too_long_is_ended(house, nightly):
    _, engine = house
    decided(engine, 4)
    nightly.tick()
    os.kill(nightly._child.pid, signal.SIGSTOP)
    nightly._clock.now = NIGHT + timedelta(hours=3)
    nightly.tick()
    assert not nightly.running
    (row,) = rows_of(engine)
    assert "took too long" in row.detail


def test_it_can_be_switched_off(house):
    settings, engine = house
    settings.routing.nightly_training = False
    off = NightlyTraining(settings, engine, country.load("ma"), Clock(NIGHT))
    off.tick()
    assert rows_of(engine) == []


# --- By hand --------------------------------------------------------------------------------------


def run(*words):
    return CliRunner().invoke(guichet, ["routing", *words])


def test_by_hand_nothing_is_promoted_but_on_demand(house, small_seed):
    settings, engine = house
    before = in_force(settings, small_seed)
    decided(engine, 60)
    trained = run("train", "--json")
    assert trained.exit_code == 0, trained.output
    told = json.loads(trained.stdout)
    assert told["state"] == "not_promoted"
    assert told["comparison"]["judged"] == 60
    assert routing.store_of(settings).current_version() == before

    promoted = run("promote")
    assert promoted.exit_code == 0, promoted.output
    assert "not worse" in promoted.output
    assert guess(settings, "qvxw blorp") == "sante"
    assert [row.state for row in rows_of(engine)] == ["not_promoted", "promoted"]


def test_what_is_not_shown_to_be_as_good_needs_force_and_a_reason(house, small_seed):
    settings, engine = house
    before = in_force(settings, small_seed)
    decided(engine, 10)
    version = json.loads(run("train", "--json").stdout)["version"]

    refused = run("promote", version)
    assert refused.exit_code == 1
    assert "50 are needed" in refused.output
    assert run("promote", version, "--force").exit_code == 2
    assert routing.store_of(settings).current_version() == before

    forced = run("promote", version, "--force", "--reason", "new administration since Monday")
    assert forced.exit_code == 0, forced.output
    assert routing.store_of(settings).current_version() == version
    (row,) = [row for row in rows_of(engine) if row.state == "promoted"]
    assert "forced: new administration since Monday" in row.detail
    assert row.previous == before

    back = run("promote", before)
    assert back.exit_code == 1
    assert "was not compared" in back.output


def test_figures_are_told_as_json(house, small_seed):
    _, engine = house
    decided(engine, 3)
    told = json.loads(run("figures", "--days", "30", "--json").stdout)
    assert told["all"]["assigned"] == 3
    assert told["all"]["first_assignment_rate"] == 1.0
    assert told["all"]["automatic_share"] == 0.0
    assert told["all"]["blind_checks"] == {
        "checked": 0,
        "agreed": 0,
        "precision": None,
        "low": 0.0,
        "high": 1.0,
    }
    assert told["training"] is None


def test_the_child_stands_back_for_other_work(house):
    """It begins with nice: seen from outside while it runs."""
    _, engine = house
    decided(engine, 4)
    with engine.begin() as connection:
        begun = trainings.begin(connection, by="scheduler", now=NOW, night="2026-11-24")
    child = subprocess.Popen(
        [sys.executable, "-m", "gateway", "routing", "train", "--of-night", str(begun)]
    )
    try:
        until(lambda: os.getpriority(os.PRIO_PROCESS, child.pid) == 19)
    finally:
        child.kill()
        child.wait()


# --- The whole loop -------------------------------------------------------------------------------


def test_what_the_machine_sends_is_suggested_on_record_and_asked_for_blindly(house, small_seed):
    """A rule with a measured precision decides; the worker notes what it was and asks a person."""
    settings, engine = house
    in_force(settings, small_seed)
    settings.routing.blind_check_share = 1.0
    settings.dispatch.rules = str(settings.data_dir / "rules.toml")
    (settings.data_dir / "rules.toml").write_text(
        '[[rule]]\nadministration = "eau"\nphrases = ["fuite d\'eau"]\nprecision = 1.0\n'
        "measured = 100\n",
        encoding="utf-8",
    )
    workshop = build_workshop(settings, engine)
    with engine.begin() as connection:
        case_id = opened(connection, "fuite d'eau à Fès")
        put(connection, OutboxKind.ROUTE, "route:1", now=NOW, channel="sms", case_id=case_id)
    Relay(engine, settings, workshop.dispatcher.perform, lambda: NOW, RELAYED).drain()

    with reading(engine).connect() as connection:
        case = fetched(connection, case_id)
        suggestion = learning.suggestion_of(connection, case_id)
        (asked,) = connection.execute(
            select(attention).where(attention.c.reason == "blind_check")
        ).all()
    assert case.administration == "eau"
    assert suggestion is not None
    assert (suggestion.administration, suggestion.first) == ("eau", "eau")
    assert suggestion.rule.startswith("eau/")
    assert suggestion.model == routing.store_of(settings).current_version()
    assert asked.case_id == case_id
    assert asked.data == {"chosen": "eau"}

# SPDX-License-Identifier: MIT
"""Holidays: the operator's table before the library, which is not loaded before it is asked."""

import subprocess
import sys
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from config import country
from config.public_holidays import HERE, BadHolidays, load, read_table
from config.settings import Settings
from gateway.legal_clock import terms_of

MOROCCO = country.load("ma")


def test_the_library_knows_the_fixed_days_and_estimates_those_of_the_moon():
    days = load("MA")

    assert date(2026, 5, 1) in days
    assert date(2026, 3, 20) in days  # Eid al-Fitr, estimated
    assert date(2026, 3, 19) not in days


def test_what_was_announced_goes_before_the_library(tmp_path):
    """The moon was seen a day later."""
    file = tmp_path / "ma.toml"
    file.write_text('2026-03-20 = ""\n2026-03-22 = "عيد الفطر"\n', encoding="utf-8")
    days = load("MA", file)

    assert [day for day in range(19, 24) if date(2026, 3, day) in days] == [21, 22]


def test_a_country_that_the_library_does_not_know_has_its_table(tmp_path):
    file = tmp_path / "xa.toml"
    file.write_text('2026-03-21 = "Spring"\n', encoding="utf-8")

    assert [day for day in (20, 21) if date(2026, 3, day) in load("XA", file)] == [21]
    assert date(2026, 3, 21) not in load("XA")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('2026-3-20 = "x"', "2026-3-20 is no date"),
        ('eid = "x"', "eid is no date"),
        ("2026-03-20 = true", "2026-03-20 needs a name in quotes"),
        ("2026-03-20", "ma.toml: "),
    ],
)
def test_an_error_in_the_table_is_told_by_its_key(tmp_path, text, told):
    file = tmp_path / "ma.toml"
    file.write_text(text, encoding="utf-8")

    with pytest.raises(BadHolidays, match=told):
        read_table(file)


def test_a_table_that_was_named_must_be_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        load("MA", tmp_path / "none.toml")


def test_every_shipped_table_is_sound():
    files = sorted(HERE.glob("*.toml"))

    assert "ma" in [file.stem for file in files]
    for file in files:
        read_table(file)  # raises where it is not


def test_a_profile_of_calendar_days_never_loads_the_library():
    program = (
        "import sys\nfrom datetime import UTC, datetime\nfrom config import country\n"
        "from config.settings import Settings\nfrom gateway.legal_clock import terms_of\n"
        "terms_of(country.load('ma'), Settings()).clock(datetime.now(UTC))\n"
        "print('holidays' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "False"


def test_working_days_leave_out_weekends_and_announced_holidays(tmp_path):
    """Ten working days from Wednesday 11 March 2026, over Eid al-Fitr and a weekend each side."""
    file = tmp_path / "ma.toml"
    file.write_text('2026-03-20 = ""\n2026-03-23 = "عيد الفطر"\n', encoding="utf-8")
    working = MOROCCO.model_copy(update={"answer_days": 10, "answer_counting": "working"})
    received = datetime(2026, 3, 11, 9, tzinfo=UTC)
    zone = ZoneInfo(MOROCCO.timezone)

    def last_day(settings: Settings) -> str:
        due = terms_of(working, settings).clock(received).answer_by
        return f"{due.astimezone(zone):%d/%m %H:%M:%S}"

    assert last_day(Settings()) == "26/03 23:59:59"  # the 20th is a holiday of the library
    assert last_day(Settings(clock={"holidays": str(file)})) == "26/03 23:59:59"
    file.write_text('2026-03-20 = ""\n', encoding="utf-8")
    assert last_day(Settings(clock={"holidays": str(file)})) == "25/03 23:59:59"


def test_the_legal_days_of_morocco_are_those_of_the_decree():
    terms = terms_of(MOROCCO, Settings())

    assert (terms.forward.days, terms.answer.days, terms.follow_up.days) == (15, 60, 60)
    assert {terms.forward.counting, terms.answer.counting} == {"calendar"}
    assert not terms.waiting_stops


@pytest.mark.parametrize(
    "wrong",
    [
        {"weekend": ("sonday",)},
        {"weekend": country.WEEK},
        {"answer_counting": "days"},
        {"remind_days_before": (-1,)},
        {"escalate_after_days": (4000,)},
        {"notice_hour": 24},
        {"remind_every_days": 0},
    ],
)
def test_a_wrong_clock_is_refused_by_the_name_of_its_key(wrong):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        country.Country.model_validate(MOROCCO.model_dump() | wrong)

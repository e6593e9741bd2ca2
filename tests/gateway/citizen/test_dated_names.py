# SPDX-License-Identifier: MIT
"""A renamed administration: citizens and clerks read the name that is valid on the day."""

from datetime import UTC, date, datetime

from dispatcher.administration import Administration, FormerName, store
from gateway.desk import reading as desk_reading
from tracker import answers

RENAMED = Administration(
    "digital",
    {"fr": "Ministère du Numérique", "ar": "وزارة الرقمنة"},
    names_former=(FormerName("fr", "Ministère délégué", date(2026, 8, 31)),),
)
#: 23:30 in UTC is the next day already where the country's clocks are an hour ahead.
LAST, FIRST = datetime(2026, 8, 31, 12, tzinfo=UTC), datetime(2026, 8, 31, 23, 30, tzinfo=UTC)


def test_the_tracking_page_tells_the_name_of_the_day(town):
    code, _ = town.filed()
    with town.house.engine.begin() as connection:
        store(connection, [RENAMED])
        case = town.case(code, connection)
        answers.assign(connection, case, "digital", by="desk", reasons=[], now=town.time[0])

    told = {}
    for moment in (LAST, FIRST):
        town.time[0] = moment
        told[moment] = town.checked(town.track(code=code), "fr").text

    assert "Ministère délégué" in told[LAST]
    assert "Ministère du Numérique" not in told[LAST]
    assert "Ministère du Numérique" in told[FIRST]
    assert "وزارة الرقمنة" in town.checked(town.track("ar", code=code), "ar").text


def test_the_desk_lists_the_names_of_the_day(town):
    with town.house.engine.begin() as connection:
        store(connection, [RENAMED, Administration("water", {"ar": "الماء"})])
        before = desk_reading.names(connection, "fr", date(2026, 8, 31))
        after = desk_reading.names(connection, "fr", date(2026, 9, 1))

    assert before == {"digital": "Ministère délégué", "water": "الماء"}
    assert after["digital"] == "Ministère du Numérique"

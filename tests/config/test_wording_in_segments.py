# SPDX-License-Identifier: MIT
"""Every notice by text as an operator's line carries it: in how many messages, and none too many.

The values are the worst that there are: each status, each administration of the register, the
longest date, five codes, a case that another is named beside, an answer that must be cut.
"""

import random
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from channels.message import Address, AddressScheme
from channels.sms.part import Outgoing
from channels.sms.smpp_account import SmppAccount
from channels.sms.smpp_segment import References, bodies_of
from config import country
from config.settings import Settings
from config.wording import HERE, Wording
from dispatcher.administration_csv import read_csv
from gateway.wiring import confirm_url, notices_of
from tracker.models import CaseStatus

SETTINGS = Settings(
    profile="demo",
    web={"public_base_url": "https://plaintes.ville.example", "secret_keys": ["k" * 40]},
)
MOROCCO = country.load("ma")
REGISTER = read_csv(HERE.parent / "administrations.csv")
ACCOUNT = SmppAccount("one", "localhost", 2775, "us", "", number="3737", region="MA")
PREFIX = "notices.sms."
NOTICES = sorted(k.removeprefix(PREFIX) for k in Wording().keys("fr") if k.startswith(PREFIX))
CODE = "482109375512"


def case_of(language: str, status: str) -> Any:
    """What a notice reads of a case's row; no date is written longer than this one."""
    at = datetime(2026, 11, 24, 9, tzinfo=UTC)
    return SimpleNamespace(
        id=UUID(int=7),
        language=language,
        tracking_code=CODE,
        status=status,
        expected_datetime=at,
        answer_due=None,
        children=0,
        requested_datetime=at,
        contact_value="+212612345678",
        channel="sms",
        pin="481516",
    )


def messages_of(text: str) -> int:
    """How many messages the line makes of it."""
    to = Address(AddressScheme.TEL, "+212612345678")
    references = References(8, random.Random(1))
    return len(bodies_of(Outgoing("one", to, "", text), ACCOUNT, references))


@pytest.mark.parametrize("notice", NOTICES)
@pytest.mark.parametrize(
    ("language", "most"), [("fr", 1), ("en", 1), ("ar", 2), ("zgh", 2), ("ary-Latn", 2)]
)
def test_a_notice_leaves_in_few_messages(language: str, most: int, notice: str) -> None:
    notices = notices_of(SETTINGS, MOROCCO)
    shown = Wording().answering_language(language)
    own = [{"code": CODE, "status": str(CaseStatus.WAITING_FOR_CITIZEN)}]
    for status in map(str, CaseStatus):
        case = case_of(language, status)
        url = confirm_url(SETTINGS, case, shown) if notice == "confirm" else ""
        for administration in (None, *REGISTER):
            composed = notices.compose(
                notice,
                "sms",
                case,
                administration,
                codes=[CODE] * 5,
                url=url,
                other=CODE,
                own=own,
                pin=case.pin,
            )
            assert messages_of(composed.text) <= most, composed.text


@pytest.mark.parametrize("language", ["fr", "en", "ar", "zgh"])
@pytest.mark.parametrize("most", [2, 3, 6, 10])
@pytest.mark.parametrize(
    "words", ["Les travaux ont repris. ", "استؤنفت الأشغال. ", "x" * 40 + "😀"]
)
def test_a_long_answer_leaves_in_as_many_messages_as_are_set(
    language: str, most: int, words: str
) -> None:
    notices, case = notices_of(SETTINGS, MOROCCO), case_of(language, "answered")
    answer = notices.compose("reply", "sms", case, REGISTER[0], text=words * 200)
    told = notices.in_segments(answer, case, most)

    # Two are taken by the code, the name and the way to the rest where the words need UCS-2.
    assert messages_of(told.text) == most or (most == 2 and messages_of(told.text) == 1)
    assert "481516" in told.text
    assert "https://plaintes.ville.example" in told.text

    short = notices.compose("reply", "sms", case, REGISTER[0], text=words)
    assert notices.in_segments(short, case, most) == short

# SPDX-License-Identifier: MIT
"""A worker dies between taking a job and taking the bell down: what is due is done all the same."""

from redis import Redis

from guichet_testing.gateway import until
from guichet_testing.traffic import post_text, webhook


def test_a_bell_without_its_job_silences_nobody(stage) -> None:
    """The bell stays up for ever here: with a time to live, waiting for its end would hide it."""
    house, number = stage.house, "+212661600015"
    with Redis.from_url(f"unix://{house.data_dir}/valkey.sock") as queue:
        queue.set("relay:bell", 1)
    assert post_text(house, webhook(house, number, "Pas d'eau potable ici")) == 200

    until(lambda: not stage.unsettled(), what="the end of the outbox")
    assert [heard.acknowledges for heard in stage.heard_by(number)].count(True) == 1

# SPDX-License-Identifier: MIT
"""Damaged mails through the intake into the record: each there, byte for byte."""

from guichet_testing.mail_intake import stored
from guichet_testing.mutations import mutations, own_seeds

COUNT = 300


def test_every_damaged_mail_is_on_record_as_it_came(database_url: str) -> None:
    counts = stored(database_url, mutations(own_seeds(), COUNT, seed=2))

    assert counts["refused"] == counts["not exported"] == counts["bytes differ"] == 0
    assert counts["filed"] > COUNT // 4
    assert sum(counts.values()) == COUNT

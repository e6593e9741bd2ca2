# SPDX-License-Identifier: MIT
"""Citizens' mails in Arabic, French, Darija and English, with the reading expected of each.

A set of our own, because no public one holds such mail. The expected texts were written from what
a careful clerk reads, before and apart from the rules that the reader goes by.
"""

from guichet_testing.citizen_mails import answers, charsets, fields, forwards, pages, traps
from guichet_testing.citizen_mails.citizen_mail import CitizenMail, Verdict, folded, judged

CITIZEN_MAILS: tuple[CitizenMail, ...] = tuple(
    mail for part in (answers, pages, forwards, charsets, fields, traps) for mail in part.mails()
)

__all__ = ["CITIZEN_MAILS", "CitizenMail", "Verdict", "folded", "judged"]

# SPDX-License-Identifier: MIT
"""What a text from a phone is, and which of its sender's cases it belongs to. Reads only.

File first: a text without a code is a case of its own, linked to its sender's last one, unless it
answers a question of ours, or plainly goes on with the text before it. The answer says which, and
one short word (:data:`SAME_CASE`, :data:`OTHER_CASE`) moves it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from channels.message import AddressScheme, ChannelName
from gateway.plan import Move, Plan, is_correspondent, join
from normalizer.complaint import Outcome
from normalizer.intent import CONTENT, Intent, Understanding
from normalizer.text import fold
from tracker import children, links, register
from tracker.models import CaseStatus, DeliveryState
from tracker.status import FINAL
from tracker.throttle import allowed, digest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Row

    from channels.channel import Delivery
    from config.settings import Settings
    from normalizer.complaint import Submission

_WORD = re.compile(r"[^\W_]+")


def _said(submission: Submission) -> str:
    return " ".join(_WORD.findall(fold(submission.description)))


def _may_be_more(submission: Submission) -> bool:
    """Whether a text without a code only looks like a command: then it is filed, when unsure."""
    understood = submission.understanding
    if understood.codes or understood.intent in CONTENT:
        return False
    return understood.odd or submission.danger


def _phrases(*texts: str) -> frozenset[str]:
    return frozenset(fold(text) for text in texts)


#: The answers that our notices ask for. None is a carrier's word (STOP, END, INFO …).
SAME_CASE = _phrases(
    *("suite", "la suite", "même affaire", "même plainte", "la même", "la même affaire"),
    *("même dossier", "same", "same case", "same complaint", "the same"),
    *("نفس القضية", "نفس الشكاية", "نفسها", "نفس الملف", "نفس الموضوع"),
    *("nafs lqadiya", "nafs chikaya", "nefs chikaya"),
)
OTHER_CASE = _phrases(
    *("autre", "autre affaire", "autre plainte", "une autre", "une autre affaire"),
    *("autre dossier", "une autre plainte", "other", "other case", "another", "another case"),
    *("another complaint", "other complaint"),
    *("أخرى", "قضية أخرى", "شكاية أخرى", "ملف آخر", "موضوع آخر"),
    *("okhra", "chikaya okhra", "chikaya khra", "ⵜⴰⵢⴰⴹ"),
)
#: What "the same case" may look like to whoever does not know what we asked.
_LOOKS_LIKE = (Intent.HELP, Intent.GREETING, Intent.THANKS)
#: Fact of a delivery that was appended because it came soon after another text.
JOINED = "joined"
_ANSWER_WORDS = 3
_OPEN = [str(status) for status in CaseStatus if status not in FINAL]
_NOT_REFERRED = (str(CaseStatus.RECEIVED), str(CaseStatus.TRIAGE))
_NOT_ANSWERED = (*_NOT_REFERRED, str(CaseStatus.REFERRED), str(CaseStatus.IN_PROGRESS))
#: Codes that one notice of one's own cases names.
_TOLD = 3


class Texting:
    """Decides what a text is.

    Args:
        settings: keys, limits and windows.
        new_case: id, code, PIN and legal dates of a case received at a time.
        open_case: the plan that opens a case for a submission.
        subject_of: the administration that words plainly name, by its slug, or ``None``.
        repeated: what words are that repeat a case of their sender's, or ``None``.
    """

    def __init__(
        self,
        settings: Settings,
        new_case: Callable[[datetime], dict[str, Any]],
        open_case: Callable[[Delivery, Submission], Plan],
        subject_of: Callable[[str], str | None],
        repeated: Callable[[Connection, Sequence[Row[Any]], Delivery, Submission], Plan | None],
    ) -> None:
        self._settings = settings
        self._new_case = new_case
        self._open_case = open_case
        self._subject_of = subject_of
        self._repeated = repeated

    def plan(self, connection: Connection, delivery: Delivery, submission: Submission) -> Plan:
        """Decide; whatever comes by WhatsApp opens its window anew."""
        if _may_be_more(submission):
            words = Understanding(Intent.COMPLAINT, typo=submission.understanding.typo)
            submission = replace(submission, understanding=words)
        plan = self._decide(connection, delivery, submission)
        if submission.message.channel is not ChannelName.WHATSAPP:
            return plan
        return replace(plan, heard=digest(self._settings.signing_keys[0], submission.contact.value))

    def _decide(self, connection: Connection, delivery: Delivery, submission: Submission) -> Plan:
        intent = submission.understanding.intent
        opt_out = submission.message.fields.get("opt_out_type", "")
        if opt_out:  # the provider has answered already
            outcome = {"START": Outcome.OPT_IN, "HELP": Outcome.HELP}.get(opt_out, Outcome.OPT_OUT)
            return Plan(DeliveryState.IGNORED, outcome, reason="answered by the provider")
        if intent in _LOOKS_LIKE and _said(submission) in SAME_CASE | OTHER_CASE:
            return self._among_own(connection, delivery, submission)
        match intent:
            case Intent.OPT_OUT:
                return Plan(DeliveryState.ANSWERED, Outcome.OPT_OUT)
            case Intent.OPT_IN:
                return Plan(DeliveryState.ANSWERED, Outcome.OPT_IN, notice="help")
            case Intent.HELP:
                return Plan(DeliveryState.ANSWERED, Outcome.HELP, notice="help")
            case Intent.GREETING:
                return Plan(DeliveryState.ANSWERED, Outcome.GREETING, notice="help")
            case Intent.THANKS:
                return self._thanks(connection, submission)
            case Intent.STATUS_QUERY if submission.understanding.code:
                return self.status(connection, delivery, submission)
            case _:
                pass
        if intent in CONTENT:
            named = [
                register.find_case(connection, code) for code in submission.understanding.codes
            ]
            # WhatsApp says which of our messages was answered.
            answered = submission.message.in_reply_to
            named.append(register.case_of_message_ids(connection, answered) if answered else None)
            for case in named:
                if case is not None and is_correspondent(case, submission):
                    return join(register.standing(connection, case))
        return self._among_own(connection, delivery, submission)

    def status(self, connection: Connection, delivery: Delivery, submission: Submission) -> Plan:
        """Tell where the case of a code stands; also for mails."""
        code = submission.understanding.code
        if code is None:
            return Plan(DeliveryState.ANSWERED, Outcome.STATUS_QUERY, notice="slip")
        limits = self._settings.limits
        subject = digest(self._settings.signing_keys[0], submission.contact.value)
        if not allowed(
            connection,
            "code",
            subject,
            tries=limits.code_tries,
            window_seconds=limits.code_window_seconds,
            now=delivery.received_at,
        ):
            return Plan(
                DeliveryState.ANSWERED, Outcome.STATUS_QUERY, notice="later", reason="throttled"
            )
        asked = register.find_case(connection, code)
        if asked is None:
            return Plan(
                DeliveryState.ANSWERED,
                Outcome.STATUS_QUERY,
                notice="unknown_code",
                facts={"wrong_code": subject},
            )
        case = children.citizens_case(connection, asked)
        return Plan(
            DeliveryState.ANSWERED,
            Outcome.STATUS_QUERY,
            case_id=case.id,
            case=case,
            # The code of a merged case stays its own; that of a part is told to no citizen.
            tracking_code=code if case.id == asked.id else case.tracking_code,
            notice="status",
            # A question with words that nobody understood may say more (design, promise 5).
            keep=submission.understanding.odd and is_correspondent(case, submission),
        )

    @staticmethod
    def _thanks(connection: Connection, submission: Submission) -> Plan:
        """Nobody is answered for saying thanks; beside a code of theirs it is noted as theirs."""
        code = submission.understanding.code
        case = register.find_case(connection, code) if code else None
        own = case is not None and is_correspondent(case, submission)
        if case is not None and own and submission.understanding.odd:
            return join(register.standing(connection, case))  # they may say more than thanks
        return Plan(
            DeliveryState.ANSWERED,
            Outcome.GREETING,
            case_id=case.id if case is not None and own else None,
        )

    def _among_own(
        self, connection: Connection, delivery: Delivery, submission: Submission
    ) -> Plan:
        """What a text without a code of its sender's own means among the cases of that sender."""
        understood = submission.understanding
        asks = understood.intent is Intent.STATUS_QUERY
        contact = submission.contact
        own: Sequence[Row[Any]] = ()
        if contact.scheme is AddressScheme.TEL:  # a name or a service is no one person
            own = links.own_cases(connection, str(contact.scheme), contact.value)
        plan: Plan | None = None
        if own and not understood.codes:
            plan = self._moved(connection, own, delivery, submission)
            if plan is None and (understood.typo or not asks):
                plan = self._answering(connection, own, submission)
        if plan is not None:
            return plan
        if asks and not understood.typo:
            return self._own_codes(connection, submission)
        if asks:
            return self.status(connection, delivery, submission)
        if understood.intent is Intent.NOISE:
            return Plan(DeliveryState.IGNORED, Outcome.NOISE, reason="nothing in it")
        return self._filed(connection, own, delivery, submission)

    def _own_codes(self, connection: Connection, submission: Submission) -> Plan:
        """Codes and states of the sender's open cases, sent to the number on record alone."""
        contact = submission.contact
        found: Sequence[Row[Any]] = ()
        if contact.scheme is AddressScheme.TEL:
            found = links.own_cases(
                connection, str(contact.scheme), contact.value, open_only=True, most=_TOLD
            )
        told = [{"code": case.tracking_code, "status": case.status} for case in found]
        return Plan(
            DeliveryState.ANSWERED,
            Outcome.STATUS_QUERY,
            notice="own_cases" if told else "own_none",
            telling={"cases": told} if told else {},
        )

    def _moved(
        self,
        connection: Connection,
        own: Sequence[Row[Any]],
        delivery: Delivery,
        submission: Submission,
    ) -> Plan | None:
        """One of the two short answers, where the sender's last text left something to move."""
        said = _said(submission)
        if submission.message.attachments or said not in SAME_CASE | OTHER_CASE:
            return None
        last = links.last_text(connection, [case.id for case in own])
        hours = timedelta(hours=self._settings.sms.move_hours)
        if last is None or delivery.received_at - last.date > hours:
            return None
        case = next(one for one in own if one.id == last.case_id)
        if last.filed_under != case.id:  # it was moved already
            return None
        if said in SAME_CASE and last.filed_as == str(DeliveryState.FILED):
            return self._merging(connection, case)
        if said in OTHER_CASE and JOINED in (last.facts or {}):
            values = self._new_case(last.date)
            return Plan(
                DeliveryState.ANSWERED,
                Outcome.FOLLOW_UP,
                case_id=values["id"],
                tracking_code=values["tracking_code"],
                move=Move(case, message=last, values=values),
                reason="its sender split a text off",
            )
        return None

    def _merging(self, connection: Connection, case: Row[Any]) -> Plan | None:
        if case.linked_to is None or case.status not in _NOT_ANSWERED or case.children:
            return None
        into = register.case_by_id(connection, case.linked_to)
        into = register.standing(connection, into) if into is not None else None
        if into is None or into.id == case.id or into.status not in _OPEN:
            return None
        return Plan(
            DeliveryState.ANSWERED,
            Outcome.FOLLOW_UP,
            case_id=into.id,
            case=into,
            tracking_code=into.tracking_code,
            move=Move(case, into=into, names=self._now_named(into, case.description)),
            notice="merged",
            telling={"other": case.tracking_code},
            reason="its sender merged two cases",
        )

    def _answering(
        self, connection: Connection, own: Sequence[Row[Any]], submission: Submission
    ) -> Plan | None:
        """Three words at most to somebody who was asked something: that is the answer."""
        waiting = [case for case in own if case.status == str(CaseStatus.WAITING_FOR_CITIZEN)]
        words = submission.description.split()
        if not waiting or len(words) > _ANSWER_WORDS:
            return None
        if not words and not submission.message.attachments:
            return None
        last = links.last_word(connection, [case.id for case in own])
        case = next((one for one in waiting if last is not None and one.id == last.case_id), None)
        if case is None:
            return None
        slip = submission.understanding.typo  # perhaps a number that was asked for: kept, and told
        return join(case, notice="slip" if slip else "")

    def _filed(
        self,
        connection: Connection,
        own: Sequence[Row[Any]],
        delivery: Delivery,
        submission: Submission,
    ) -> Plan:
        """A person's own words: with the text before them, or a new case linked to the last."""
        if not own:
            return self._open_case(delivery, submission)
        again = self._repeated(connection, own, delivery, submission)
        if again is not None:
            return again
        last = links.last_text(connection, [case.id for case in own])
        before = next((one for one in own if last is not None and one.id == last.case_id), own[0])
        if last is not None and not submission.understanding.codes:
            window = timedelta(minutes=self._settings.sms.same_case_minutes)
            soon = delivery.received_at - last.date <= window
            if window and soon and self._continues(before, last, submission):
                return self._joined(before, delivery, submission, window)
        plan = self._open_case(delivery, submission)
        beside = before.tracking_code if before.status in _OPEN else ""
        new_case = {**(plan.new_case or {}), "linked_to": before.id}
        return replace(plan, new_case=new_case, beside=beside)

    def _continues(self, case: Row[Any], last: Row[Any], submission: Submission) -> bool:
        if case.status not in _NOT_REFERRED or case.administration is not None:
            return False
        new = self._subject_of(submission.description)
        if new is None:
            return True
        earlier = self._subject_of(f"{case.subject}\n{case.description}")
        earlier = earlier or self._subject_of(last.text)
        return earlier is None or earlier == new

    def _joined(
        self, case: Row[Any], delivery: Delivery, submission: Submission, window: timedelta
    ) -> Plan:
        seconds = max(window.total_seconds(), 1.0)
        turn = int(delivery.received_at.timestamp() // seconds)
        return join(
            case,
            notice="joined" if submission.contact.replyable else "",
            notice_key=f"joined:{case.id}:{turn}",
            names=self._now_named(case, submission.description),
            facts={JOINED: "yes"},
            reason="it came soon after its sender's last text",
        )

    def _now_named(self, case: Row[Any], words: str) -> str:
        """The further words, where with them a case that has no administration names one."""
        if case.administration is not None or case.status not in _NOT_REFERRED:
            return ""
        named = self._subject_of(f"{case.subject}\n{case.description}\n{words}")
        return words if named is not None else ""

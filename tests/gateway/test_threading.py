# SPDX-License-Identifier: MIT
"""Which case a mail joins: whole mails, read as the door reads them, on both databases."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from uuid import uuid4

import pytest
from sqlalchemy import Engine, func, select

from channels.channel import Accepted, Delivery
from channels.mail.address import thread_address
from channels.mail.mime import read
from channels.message import ChannelName
from config import country
from config.settings import Settings
from gateway.intake import Intake
from gateway.planning import Planner
from normalizer.tracking_code import display
from tracker.database import open_engine
from tracker.group_commit import GroupCommit
from tracker.identity import new_id
from tracker.migrations import upgrade
from tracker.models import attention, cases, messages

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = "k" * 40
CITIZEN = "citizen@mail.example"
OURS = "complaints@g.example"

Send = Callable[..., Accepted]


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An empty database, migrated."""
    engine = open_engine(database_url)
    upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def send(engine: Engine) -> Iterator[Send]:
    """Files a mail as the door would; gives the acknowledgement."""
    settings = Settings(profile="demo", web={"secret_keys": [KEY]}, mail={"domain": "g.example"})
    morocco = country.load("ma")
    writer = GroupCommit(engine)
    intake = Intake(writer, Planner(settings, morocco), morocco)

    def send(
        words: str,
        *,
        subject: str = "Eau",
        sender: str = CITIZEN,
        to: str = OURS,
        without_id: bool = False,
        **fields: str,
    ) -> Accepted:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = sender, to, subject
        if not without_id:
            mail["Message-ID"] = f"<{uuid4()}@mail.example>"
        for name, value in fields.items():
            mail[name.replace("_", "-")] = value
        mail.set_content(words)
        raw = mail.as_bytes()
        message = read(raw, envelope_from=sender, envelope_to=(to,))
        delivery = Delivery(ChannelName.EMAIL, f"mail:{uuid4()}", NOW, "192.0.2.1", {}, raw)
        answer = intake.accept(delivery, message)
        assert isinstance(answer, Accepted)
        return answer

    yield send
    writer.close()


def notice_of_ours(engine: Engine, code: str) -> str:
    """A notice that we sent for a case; gives its Message-ID."""
    identifier = f"{uuid4()}@g.example"
    with engine.begin() as connection:
        case = connection.execute(select(cases.c.id).where(cases.c.tracking_code == code)).one()
        connection.execute(
            messages.insert().values(
                id=new_id(),
                case_id=case.id,
                direction="outbound",
                author="system",
                channel="email",
                text="Votre plainte est enregistrée.",
                date=NOW,
                message_id=identifier,
            )
        )
    return identifier


def count(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(cases)) or 0


def test_the_signed_address_threads_whatever_the_subject(send: Send, engine: Engine) -> None:
    """In upper case too: mail systems may change the case of a local part."""
    first = send("Pas d'eau")
    address = thread_address(str(first.tracking_code), "g.example", (KEY,))
    for to in (address, address.upper().replace("G.EXAMPLE", "g.example")):
        answer = send("Toujours rien", subject="Autre sujet", to=to, without_id=True)
        assert (answer.state, answer.tracking_code) == ("appended", first.tracking_code)
    assert count(engine) == 1


@pytest.mark.parametrize("field", ["In_Reply_To", "References"])
@pytest.mark.parametrize("subject", ["رد: الماء", "Réf : Eau", "TR: Eau", "RE : RE: Eau", ""])
def test_our_message_id_threads_whatever_the_subject(
    send: Send, engine: Engine, field: str, subject: str
) -> None:
    first = send("Pas d'eau")
    identifier = notice_of_ours(engine, str(first.tracking_code))
    fields = {field: f"<other@mail.example> <{identifier}>"}
    answer = send("Toujours rien", subject=subject, **fields)
    assert (answer.state, answer.tracking_code) == ("appended", first.tracking_code)
    assert count(engine) == 1


@pytest.mark.parametrize(
    "subject",
    [
        "Re: [{code}] Votre plainte est enregistrée",
        "رد: [{code}] شكايتك مسجلة",
        "رد: ‎\u2066{code}\u2069 شكايتك",
        "Réf : {digits}",
        "TR: dossier {arabic}",
        "回复：[{code}] Votre plainte",
    ],
)
def test_a_code_in_the_subject_threads_without_references(
    send: Send, engine: Engine, subject: str
) -> None:
    """As QQ Mail and some telephones send it: no In-Reply-To, another Message-ID than before."""
    first = send("Pas d'eau")
    code = str(first.tracking_code)
    arabic = code.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    answer = send(
        "Toujours rien",
        subject=subject.format(code=display(code), digits=code, arabic=arabic),
        References="<rewritten-by-a-provider@elsewhere.example>",
        without_id=True,
    )
    assert (answer.state, answer.tracking_code) == ("appended", first.tracking_code)
    assert count(engine) == 1


def test_a_code_in_the_quoted_words_threads_for_the_correspondent_alone(
    send: Send, engine: Engine
) -> None:
    """Anybody may quote a code: from somebody else it is a case of its own."""
    first = send("Pas d'eau")
    quoted = (
        "Toujours rien chez nous.\n\n"
        "Le 1 mars 2026 à 12:00, Guichet <complaints@g.example> a écrit :\n"
        f"> Votre plainte porte le code {display(str(first.tracking_code))}.\n> Nous répondrons.\n"
    )
    own = send(quoted, subject="Re: Eau")
    other = send(quoted, subject="Re: Eau", sender="neighbour@mail.example")
    assert (own.state, own.tracking_code) == ("appended", first.tracking_code)
    assert other.state == "filed"
    assert other.tracking_code != first.tracking_code


@pytest.mark.parametrize("way", ["address", "reference", "subject"])
def test_a_stranger_on_whatever_thread_is_held(send: Send, engine: Engine, way: str) -> None:
    """Held for a person with the case as a guess: neither appended nor lost."""
    first = send("Pas d'eau")
    code = str(first.tracking_code)
    arguments: dict[str, str] = {"sender": "neighbour@mail.example"}
    if way == "address":
        arguments["to"] = thread_address(code, "g.example", (KEY,))
    elif way == "reference":
        arguments["In_Reply_To"] = f"<{notice_of_ours(engine, code)}>"
    else:
        arguments["subject"] = f"Re: [{display(code)}]"
    answer = send("Moi aussi", **arguments)
    assert (answer.state, answer.tracking_code) == ("held", None)
    with engine.connect() as connection:
        assert connection.scalar(select(attention.c.reason)) == "held"
    assert count(engine) == 1


@pytest.mark.parametrize(
    "to", ["case+{code}.aaaaaaaaaaaaaaaa@g.example", "case+123.aaaaaaaaaaaaaaaa@g.example"]
)
def test_a_forged_token_is_worth_nothing(send: Send, engine: Engine, to: str) -> None:
    """It is filed as what it is: a mail to us."""
    first = send("Pas d'eau")
    answer = send("Bonjour", to=to.format(code=first.tracking_code), sender="x@mail.example")
    assert answer.state == "filed"
    assert answer.tracking_code != first.tracking_code
    assert count(engine) == 2


def test_an_answer_to_ones_own_mail_joins_it(send: Send, engine: Engine) -> None:
    """For the correspondent alone: the sender chose that Message-ID."""
    first = send("Pas d'eau", Message_ID="<own@mail.example>", without_id=True)
    own = send("J'oubliais: depuis lundi", subject="Re: Eau", In_Reply_To="<own@mail.example>")
    other = send(
        "Chez moi aussi", sender="neighbour@mail.example", In_Reply_To="<own@mail.example>"
    )
    assert (own.state, own.tracking_code) == ("appended", first.tracking_code)
    assert other.state == "filed"
    assert count(engine) == 2


def test_a_mail_without_anything_is_a_case_of_its_own(send: Send, engine: Engine) -> None:
    """No Message-ID, a subject of an answer, no code: file first."""
    send("Pas d'eau")
    answer = send("Les ordures ne sont plus ramassées", subject="Re: Eau", without_id=True)
    assert answer.state == "filed"
    assert count(engine) == 2

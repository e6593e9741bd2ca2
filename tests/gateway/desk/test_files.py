# SPDX-License-Identifier: MIT
"""Files of citizens are handed out as downloads, to those who may see the case."""

import pytest
from sqlalchemy import select

from gateway.desk.files import safe_name
from gateway.sound_type import sound_type
from tracker import register
from tracker.identity import new_id
from tracker.models import attachments, deliveries, messages

WAV = b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(32)


def stored(desk, case, content=WAV, filename="voix.wav", media_type="audio/wav", state=""):
    message = desk.one(select(messages.c.id).where(messages.c.case_id == case.id))[0]
    with desk.house.engine.begin() as connection:
        register.add_attachments(
            connection,
            message,
            [
                {
                    "filename": filename,
                    "media_type": media_type,
                    "content": content,
                    "transcript_state": state,
                }
            ],
        )
    return desk.rows(select(attachments.c.id).order_by(attachments.c.id))[-1][0]


def test_a_file_is_a_download_in_a_sandbox(desk):
    case = desk.case(administration="sante")
    file_id = stored(desk, case, b"<script>alert(1)</script>", "page.html", "text/html")

    answer = desk.client("agent").get(f"/desk/attachments/{file_id}")

    assert answer.status_code == 200
    assert answer.data == b"<script>alert(1)</script>"
    assert answer.headers["Content-Disposition"] == "attachment; filename=page.html"
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")


def test_a_file_of_another_administration_does_not_exist(desk):
    case = desk.case(administration="eau")
    file_id = stored(desk, case)
    path = f"/desk/attachments/{file_id}"

    assert desk.client("agent").get(path).status_code == 404
    assert desk.client().get(path).status_code == 302
    assert desk.client("auditor").get(path).status_code == 200


def test_sound_is_played_only_where_its_content_is_sound(desk):
    case = desk.case(administration="sante")
    sound = stored(desk, case, state="awaiting")
    fake = stored(desk, case, b"<html>not sound", "voix2.wav")
    agent = desk.client("agent")

    page = agent.text(f"/desk/cases/{case.id}")

    assert f'<audio controls preload="none" src="/desk/attachments/{sound}" aria-label=' in page
    assert f'src="/desk/attachments/{fake}"' not in page
    assert "Awaiting transcription" in page
    assert agent.get(f"/desk/attachments/{sound}").headers["Content-Type"] == "audio/wav"
    part = agent.client.get(f"/desk/attachments/{sound}", headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.data) == (206, b"RIFF")


def test_a_transcript_is_shown_as_a_hint(desk):
    case = desk.case(administration="sante")
    stored(desk, case, state="done")
    with desk.house.engine.begin() as connection:
        connection.execute(attachments.update().values(transcript="ما كاينش الما"))

    page = desk.client("agent").text(f"/desk/cases/{case.id}")

    assert "only a hint" in page
    assert "ما كاينش الما" in page


@pytest.mark.parametrize(
    ("state", "kept", "shown", "by_machine"),
    [
        ("done", {"transcript": "ما كاينش الما"}, "ما كاينش الما", True),
        (
            "done",
            {"transcript": "ما كاينش الما", "transcript_data": {"typed_by": "triage@example.org"}},
            "ما كاينش الما",
            False,
        ),
        ("done", {}, "(nothing understood)", False),
        ("awaiting", {}, "Awaiting transcription", False),
        ("failed", {}, "Could not be transcribed", False),
    ],
)
def test_the_list_tells_what_a_call_says(desk, state, kept, shown, by_machine):
    case = desk.case(administration="sante", channel="voice", description="")
    stored(desk, case, state=state)
    if kept:
        with desk.house.engine.begin() as connection:
            connection.execute(attachments.update().values(kept))

    page = desk.client("agent").text("/desk/")

    assert shown in page
    assert ("Heard by a machine" in page) == by_machine
    assert "No words" not in page


def test_a_child_in_the_list_has_the_words_of_its_parents_recording(desk):
    parent = desk.case(administration="eau", channel="voice", description="")
    stored(desk, parent, state="done")
    with desk.house.engine.begin() as connection:
        connection.execute(attachments.update().values(transcript="ما كاينش الما"))
    desk.case(administration="sante", channel="voice", description="", parent_case=parent.id)

    assert "ما كاينش الما" in desk.client("agent").text("/desk/")


def test_a_case_with_words_is_listed_by_them(desk):
    case = desk.case(administration="sante")
    stored(desk, case, state="done")
    with desk.house.engine.begin() as connection:
        connection.execute(attachments.update().values(transcript="ما كاينش الما"))

    page = desk.client("agent").text("/desk/")

    assert "Pas d&#39;eau depuis lundi" in page
    assert "ما كاينش الما" not in page


def test_a_raw_delivery_is_for_those_who_settle_it(desk):
    delivery_id = new_id()
    with desk.house.engine.begin() as connection:
        connection.execute(
            deliveries.insert().values(
                id=delivery_id,
                channel="email",
                idempotency_key="k",
                received_at=desk.clock(),
                peer="",
                state="quarantined",
                headers={},
                body=b"From: x\r\n\r\n\xff",
            )
        )

    path = f"/desk/deliveries/{delivery_id}/raw"

    answer = desk.client("triage").get(path)
    assert answer.data == b"From: x\r\n\r\n\xff"
    assert ".eml" in answer.headers["Content-Disposition"]
    assert desk.client("agent").get(path).status_code == 404
    assert desk.client("auditor").get(path).status_code == 404


@pytest.mark.parametrize(
    ("head", "found"),
    [
        (WAV[:16], "audio/wav"),
        (b"ID3\x04", "audio/mpeg"),
        (b"\xff\xfb\x90", "audio/mpeg"),
        (b"OggS", "audio/ogg"),
        (b"fLaC", "audio/flac"),
        (b"\xff\xfe<", None),
        (b"<html>", None),
        (b"", None),
        (None, None),
    ],
)
def test_sound_is_told_by_its_first_bytes(head, found):
    assert sound_type(head) == found


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\x\\photo.jpg", "photo.jpg"),
        ("facture\u202egpj.exe", "facturegpj.exe"),
        ("صورة.jpg", "صورة.jpg"),
        ("a\r\nSet-Cookie: x", "aSet-Cookie: x"),
        ("", "file"),
        (" . ", "file"),
    ],
)
def test_a_name_is_never_a_path_nor_turned_around(given, kept):
    assert safe_name(given, "file") == kept

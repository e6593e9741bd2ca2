# SPDX-License-Identifier: MIT
"""Training, judging and keeping a model: arrays and JSON, checked by their hashes."""

import json
import os
import pickle

import numpy as np
import pytest

from dispatcher.routing.evaluation import evaluate
from dispatcher.routing.features import Concepts
from dispatcher.routing.model_store import DamagedModel, ModelStore, NoModel, UnknownFormat
from dispatcher.routing.training import CannotTrain, Recipe, Row, digest_of, train

CONCEPTS = Concepts.of({"water": ["eau", "الماء"], "train": ["train", "القطار"]})
THINGS = {
    "eau": [
        "plus d'eau au robinet",
        "facture d'eau trop chère",
        "انقطع الماء عن الحي",
        "الما مقطوع علينا",
    ],
    "oncf": [
        "le train est en retard",
        "train supprimé ce matin",
        "القطار متأخر دائما",
        "التران ديما معطل",
    ],
    "sante": [
        "pas de médecin à l'hôpital",
        "attente aux urgences",
        "لا يوجد طبيب بالمستشفى",
        "ماكاين طبيب فالسبيطار",
    ],
}
PLACES = "Salé Fès Tiznit Oujda الرباط أكادير hier lundi demain svp".split()  # noqa: SIM905
ROWS = [
    Row(f"{text} {place}", (label,), reference=f"{text} {place}")
    for label, texts in THINGS.items()
    for text in texts
    for place in PLACES
]


@pytest.fixture(scope="module")
def model():
    return train(ROWS, concepts=CONCEPTS)


def test_it_tells_apart_what_it_was_taught(model):
    assert model.guess("il n'y a plus d'eau chez nous").labels[0] == "eau"
    assert model.guess("القطار لم يصل").labels[0] == "oncf"
    assert model.guess("lma ma9to3 3lina lyoum", "ary-Latn").labels[0] == "eau"
    guess = model.guess("le train")
    assert sum(guess.scores) == pytest.approx(1.0)
    assert list(guess.scores) == sorted(guess.scores, reverse=True)
    assert guess.margin > 0


def test_a_text_of_which_nothing_is_known_has_scores_all_the_same(model):
    for text in ("", "xyzzy", "🙂", "\ud800"):
        assert len(model.guess(text).labels) == len(THINGS)


def test_it_tells_which_words_weighed_and_which_example_is_alike(model):
    guess = model.guess("Plus d'eau au Robinet")

    assert "Robinet" in " ".join(model.telling(guess.vector, "eau"))
    reference, alike = model.nearest(guess.vector, "eau")
    assert "plus d'eau au robinet" in reference
    assert 0.5 < alike <= 1.0001
    assert model.nearest(guess.vector, "nobody") is None


def test_the_same_rows_make_the_same_model(model):
    again = train(ROWS, concepts=CONCEPTS)

    assert np.array_equal(again.weights, model.weights)
    assert again.manifest.digest == model.manifest.digest == digest_of(ROWS, CONCEPTS)
    assert digest_of(ROWS[1:], CONCEPTS) != model.manifest.digest
    assert digest_of(ROWS) != model.manifest.digest


def test_it_says_what_it_is_made_of(model):
    assert model.manifest.labels == tuple(sorted(THINGS))
    assert sum(model.manifest.rows.values()) == len(ROWS)
    assert set(model.manifest.languages) >= {"fr", "ar", "ary"}
    assert model.manifest.thresholds["0.9"].confirmed == model.manifest.figures["judged"]


def test_either_label_of_two_is_right():
    rows = [*ROWS, *(Row(f"eau ou train {place}", ("eau", "oncf")) for place in PLACES)]
    found = evaluate(train(rows), [Row("eau ou train demain", ("eau", "oncf"))])

    assert (found.texts, found.first, found.among_three) == (1, 1, 1)


def test_one_label_teaches_nothing():
    with pytest.raises(CannotTrain, match="1 label in 40 rows"):
        train([row for row in ROWS if row.labels == ("eau",)])


def test_two_labels_can_be_told_apart():
    two = train([row for row in ROWS if row.labels != ("sante",)], recipe=Recipe(judged_folds=0))

    assert two.guess("plus d'eau").labels[0] == "eau"
    assert two.guess("le train").labels[0] == "oncf"
    assert two.manifest.thresholds["0.9"].overall is None  # nothing was judged


def test_embeddings_speak_beside_the_words():
    """A text of unknown words is placed by what its embedding is near to."""
    places = {label: np.eye(len(THINGS), dtype=np.float32)[at] for at, label in enumerate(THINGS)}
    known = {row.text: places[row.labels[0]] for row in ROWS} | {"xyzzy": places["oncf"]}
    asked = []

    def embed(texts):
        asked.extend(texts)
        return np.vstack([known[text] for text in texts])

    model = train(ROWS, embed=embed)

    assert model.guess("xyzzy").labels[0] == "oncf"
    assert asked[-1] == "xyzzy"


# --- Figures --------------------------------------------------------------------------------------


def test_figures_are_counted_on_the_test_alone(model):
    test = [
        Row("plus d'eau", ("eau",)),
        Row("le train", ("oncf",)),
        Row("le train", ("eau",)),
        Row("المستشفى بلا طبيب", ("sante",)),
    ]
    told = evaluate(model, test, clock=iter([1.0, 3.0]).__next__).as_json()

    assert (told["n"], told["top1"], told["top3"]) == (4, 0.75, 1.0)
    assert told["counts"]["top1"] == 3
    assert told["standard_errors"]["top1"] == pytest.approx(0.2165, abs=1e-4)
    # eau: right 1, told 1, true 2; oncf: right 1, told 2, true 1; sante: 1, 1, 1.
    assert told["macro_f1"] == pytest.approx((2 / 3 + 2 / 3 + 1) / 3, abs=1e-4)
    assert told["predict_ms"] == 500.0
    assert set(told["coverage_at"]) == set(told["precision_at"]) == {"0.9", "0.95"}
    assert json.dumps(told)


# --- On disk --------------------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path, model):
    store = ModelStore(tmp_path / "models")
    store.promote(store.save(model))
    return store


def test_a_stored_model_says_the_same(store, model):
    loaded = ModelStore(store.folder).current()

    for text in ("plus d'eau", "القطار", "xyzzy"):
        one, other = loaded.guess(text), model.guess(text)
        assert (one.labels, one.language) == (other.labels, other.language)
        assert one.scores == pytest.approx(other.scores)
        assert loaded.telling(one.vector, "eau") == model.telling(other.vector, "eau")
        assert loaded.nearest(one.vector, "eau") == model.nearest(other.vector, "eau")
    assert loaded.manifest == model.manifest
    assert store.folder.stat().st_mode & 0o777 == 0o700


def test_workers_take_up_a_promoted_model_without_a_restart(store, model):
    worker = ModelStore(store.folder)
    before = worker.current()
    assert worker.current() is before
    other = train(ROWS[:80], recipe=Recipe(judged_folds=0))
    version = store.save(other)
    assert worker.current() is before  # stored is not in force

    store.promote(version)

    assert worker.current().manifest.version == version == store.current_version()
    assert set(store.versions()) == {version, model.manifest.version}


def test_nothing_is_in_force_in_an_empty_folder(tmp_path):
    store = ModelStore(tmp_path / "nowhere")

    with pytest.raises(NoModel):
        store.current()
    with pytest.raises(NoModel):
        store.promote("20260101T000000-0")
    with pytest.raises(NoModel):
        store.load("../../etc")


@pytest.mark.parametrize("name", ["weights.npy", "vocabulary.json", "rarity.npy", "examples.json"])
def test_a_changed_file_is_found_out(store, name):
    file = store.folder / store.current_version() / name
    data = bytearray(file.read_bytes())
    data[-3] ^= 1
    file.write_bytes(data)

    with pytest.raises(DamagedModel, match=name):
        ModelStore(store.folder).current()


def test_a_missing_file_and_another_format_are_told(store):
    folder = store.folder / store.current_version()
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"format": 99}))
    with pytest.raises(UnknownFormat, match="99"):
        ModelStore(store.folder).current()

    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "bias.npy").unlink()
    with pytest.raises(DamagedModel):
        ModelStore(store.folder).current()


def test_a_damaged_model_is_not_promoted(store, model):
    version = store.save(train(ROWS[:80], recipe=Recipe(judged_folds=0)))
    (store.folder / version / "bias.npy").write_bytes(b"")

    with pytest.raises(DamagedModel):
        store.promote(version)
    assert store.current_version() == model.manifest.version


class _Code:
    def __reduce__(self):
        return (os.mkdir, ("ran",))


def test_code_in_an_array_is_never_run(store, tmp_path, monkeypatch):
    """Also where its hash was written into the manifest: pickles are not read."""
    import hashlib

    monkeypatch.chdir(tmp_path)
    folder = store.folder / store.current_version()
    np.save(folder / "bias.npy", np.array([_Code()], dtype=object), allow_pickle=True)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["bias.npy"] = hashlib.sha256((folder / "bias.npy").read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))

    with pytest.raises(DamagedModel):
        ModelStore(store.folder).current()
    assert not (tmp_path / "ran").exists()
    assert pickle.dumps(_Code())  # it would have been a pickle that does something


def test_an_interrupted_save_leaves_nothing(tmp_path, model, monkeypatch):
    store = ModelStore(tmp_path / "models")

    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(OSError, match="No space left"):
        store.save(model)
    assert list(store.folder.iterdir()) == []

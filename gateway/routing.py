# SPDX-License-Identifier: MIT
"""Puts routing together from settings, files and the record: rules, places, the model in force.

A fresh installation has no model: it is trained once from the seed examples, the words of the
register and the concepts of ``config/routing/``, and kept in the data folder under a digest of all
three.
"""

from __future__ import annotations

import logging
import tomllib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import create_engine, inspect
from sqlalchemy.exc import SQLAlchemyError

import config
from config import country as countries
from dispatcher.administration import Administration, load_all
from dispatcher.administration_csv import read_csv
from dispatcher.routing import examples
from dispatcher.routing.decision import Decider
from dispatcher.routing.embeddings import NoEmbeddings, load
from dispatcher.routing.features import Concepts
from dispatcher.routing.gazetteer import read_places
from dispatcher.routing.model import Model
from dispatcher.routing.model_store import ModelError, ModelStore, NoModel
from dispatcher.routing.places import Places
from dispatcher.routing.recipient import Recipients
from dispatcher.routing.rules import Router, Rule, of_administrations, read_toml

if TYPE_CHECKING:
    from config.country import Country
    from config.settings import Settings
    from dispatcher.routing.model import Embed
    from dispatcher.routing.training import Row

logger = logging.getLogger(__name__)

CONFIG = Path(config.__file__).parent
ROUTING = CONFIG / "routing"
EXAMPLES, CONCEPTS = ROUTING / "examples", ROUTING / "concepts.toml"
CONCEPT_RULES = ROUTING / "concept_rules.toml"


def store_of(settings: Settings) -> ModelStore:
    """Where the models of these settings are kept."""
    wanted = settings.routing.embeddings
    return ModelStore(settings.data_dir / "routing-models", _embed() if wanted else None)


@cache
def _embed() -> Embed | None:
    """What makes embeddings; without the extra, models do without and the log says so."""
    try:
        return load()
    except NoEmbeddings as error:
        logger.warning("routing.embeddings: %s", error)
        return None


@cache
def concepts() -> Concepts:
    """The words that mean the same, from the shipped file."""
    lines: dict[str, str] = tomllib.loads(CONCEPTS.read_text(encoding="utf-8"))["concepts"]
    return Concepts.of({name: phrases.split(",") for name, phrases in lines.items()})


def concepts_for(rows: Sequence[Row]) -> Concepts | None:
    """The concepts, where rows are labelled with administrations of the shipped register.

    They are words of this matter: beside labels of another kind they are noise.
    """
    slugs = {one.slug for one in read_csv(CONFIG / "administrations.csv")}
    labels = {label for row in rows for label in row.labels}
    return concepts() if len(labels & slugs) * 2 >= len(labels) else None


def register_of(settings: Settings) -> dict[str, Administration]:
    """The administrations on record; of the file they come from where there is no record yet.

    Raises:
        BadRegister: the file has errors.
    """
    url = settings.database_url
    there = not url.startswith("sqlite") or Path(url.removeprefix("sqlite:///")).exists()
    if there:
        engine = create_engine(url)
        try:
            with engine.connect() as connection:
                if inspect(connection).has_table("administrations"):
                    found = load_all(connection)
                    if found:
                        return found
        except SQLAlchemyError as error:
            logger.info("no record to read the administrations from: %s", type(error).__name__)
        finally:
            engine.dispose()
    name = settings.dispatch.administrations
    file = Path(name) if name else CONFIG / "administrations.csv"
    return {one.slug: one for one in read_csv(file)}


def seed_rows(register: Mapping[str, Administration]) -> list[Row]:
    """What a fresh installation learns from: examples, then the register's own words."""
    rows = examples.read_folder(EXAMPLES)
    return examples.known_to([*rows, *examples.of_administrations(register.values())], register)


def ensure_model(
    settings: Settings, register: Mapping[str, Administration], tell: Callable[[str], None]
) -> Model:
    """The model in force; the seed model is trained and put in force where there is none.

    A seed model is trained anew when its examples, concepts or administrations have changed; a
    model that people's decisions have taught is left in force.

    Args:
        settings: where to keep it.
        register: administrations by slug.
        tell: is told what takes its time.
    """
    from dispatcher.routing.training import Recipe, digest_of, train

    store = store_of(settings)
    words = concepts()
    rows = seed_rows(register)
    try:
        current = store.current()
        known = current.manifest.digest == digest_of(rows, words)
        with_them = (current.meanings is not None) == (store.embed is not None)
        if not is_seed(current) or (known and with_them):
            return current
    except NoModel:
        pass
    except ModelError as error:
        tell(f"{error}; it is trained anew")
    tell(f"learning to route from {len(rows)} examples; this is done once and takes a little while")
    recipe = Recipe(judged_folds=0)
    model = train(rows, concepts=words, recipe=recipe, seed=True, embed=store.embed)
    try:
        store.promote(store.save(model))
    except OSError as error:
        tell(f"the model cannot be kept in {store.folder}: {error.strerror}")
    return model


def is_seed(model: Model) -> bool:
    """Whether a model was trained on seed examples alone."""
    return bool(model.manifest.figures.get("seed"))


def rules_of(settings: Settings, register: Mapping[str, Administration]) -> list[Rule]:
    """The rules: the operator's file or the shipped ones, then each administration's own words.

    Raises:
        OSError, ValueError: the rules cannot be read.
    """
    given = settings.dispatch.rules
    files = [Path(given)] if given else [CONFIG / "routing.toml", CONCEPT_RULES]
    rules = [rule for file in files for rule in read_toml(file)]
    own = of_administrations(register.values())
    return [*(rule for rule in rules if rule.administration in register), *own]


def router_of(settings: Settings, register: Mapping[str, Administration]) -> Router:
    """What chooses by rules alone; see :func:`rules_of`."""
    return Router(rules_of(settings, register), concepts=concepts())


def places_of(country: Country) -> Places:
    """The places of a country that texts may name; none where its profile has no gazetteer.

    Raises:
        BadPlaces: the file has errors, told by row.
        OSError: it cannot be read.
    """
    return _gazetteer(country.places, country.place_within_km)


@cache
def _gazetteer(file: Path | None, within_km: float) -> Places:
    return Places(read_places(file) if file else (), within_km=within_km)


def decider_of(
    settings: Settings,
    register: Mapping[str, Administration],
    model: Callable[[], Model | None] | None = None,
) -> Decider:
    """What decides on texts, by these settings.

    Args:
        settings: the settings.
        register: administrations by slug.
        model: gives the model in force; by default that of the store, looked up at each text.
    """
    places = places_of(countries.load(settings.country))
    return Decider(
        router_of(settings, register),
        model or _in_force(store_of(settings)),
        register.keys(),
        places=places,
        recipients=Recipients(register, places),
    )


def _in_force(store: ModelStore) -> Callable[[], Model | None]:
    """The model in force, or ``None``: rules alone still route, and a fault is told once."""
    told: list[str] = []

    def model() -> Model | None:
        try:
            return store.current()
        except NoModel:
            return None
        except ModelError as error:
            if str(error) not in told:
                told.append(str(error))
                logger.warning("the routing model cannot be used: %s", error)
            return None

    return model

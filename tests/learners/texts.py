"""Small rows whose answers are texts: what the tests of the learners that write train on."""

import json
import random
from dataclasses import replace
from pathlib import Path

import polars as pl

from windlass.predictors.table import load, replay
from windlass.predictors.writer import Writer
from windlass.records import Splits

NAMES = ["Anna", "Bob", "Carl", "Dora", "Emil", "Fay", "Gus", "Hana"]
TOWNS = ["Rome", "Oslo", "Bonn", "Lima", "Kyiv", "Cairo", "Quito", "Delhi"]
NAMES_ZH = ["小明", "小红", "老王", "阿强", "丽丽", "大伟"]
TOWNS_ZH = ["北京", "上海", "广州", "杭州", "成都", "西安"]
YEARS = range(1950, 2000)


def _english(chance: random.Random) -> dict[str, str]:
    names, towns = chance.sample(NAMES, 4), chance.sample(TOWNS, 4)
    told = [
        f"{name} was born in {chance.choice(YEARS)} and lives in {town}."
        for name, town in zip(names, towns, strict=True)
    ]
    place = chance.randrange(4)
    return {"context": " ".join(told), "question": f"Where does {names[place]} live?", "answer": towns[place]}


def _chinese(chance: random.Random) -> dict[str, str]:
    names, towns = chance.sample(NAMES_ZH, 4), chance.sample(TOWNS_ZH, 4)
    told = [f"{name}出生于{chance.choice(YEARS)}年，现在住在{town}。" for name, town in zip(names, towns, strict=True)]
    place = chance.randrange(4)
    return {"context": "".join(told), "question": f"{names[place]}住在哪里？", "answer": towns[place]}


def question_splits(root: Path, n_rows: int = 160, chinese: bool = False, n_validation: int = 40) -> Splits:
    """Four people, where they live, and a question after one of them: the answer stands in the context."""
    chance = random.Random(1)
    rows = pl.DataFrame([(_chinese if chinese else _english)(chance) for _ in range(n_rows + n_validation + 20)])
    return Splits(
        {"context": "text", "question": "text"},
        {"answer": "text"},
        rows.head(n_rows),
        rows[n_rows : n_rows + n_validation],
        rows.tail(20),
        root,
    )


def corpus_splits(root: Path, texts: list[str], validation: list[str]) -> Splits:
    """Texts that nothing is asked for."""
    frames = [pl.DataFrame({"title": [""] * len(part), "text": part}) for part in (texts, validation, validation)]
    return Splits({"title": "text"}, {"text": "text"}, *frames, root)


def without_validation(splits: Splits) -> Splits:
    return replace(splits, validation=splits.validation.clear())


def served(artifact: Path) -> Writer:
    """The predictor of the artifact, its golden rows replayed."""
    predictor = load(artifact)
    assert isinstance(predictor, Writer)
    assert replay(predictor, artifact) == 0
    return predictor


def settings_with(artifact: Path, **changes: object) -> Path:
    """The artifact with these settings changed in its manifest."""
    path = artifact / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["settings"].update(changes)
    path.write_text(json.dumps(manifest), encoding="utf-8")
    return artifact

"""Toy releases, small enough to be made in a moment, and a real server for them on a free loopback port."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from asking import Client
from postgres_server import new_place, place, postgres_server  # noqa: F401
from toy_writer import CHAT, RELEASE, Toy, writer_of

from windlass.database.backend import Database
from windlass.database.request_log import RequestLog
from windlass.kinds import table as kinds
from windlass.metrics.measures import Estimate
from windlass.predictors.artifact import write_golden, write_manifest
from windlass.predictors.table import load
from windlass.predictors.tables.linear import write_weights
from windlass.records import Column, Manifest, Release
from windlass.registry import releases
from windlass.serving.api.app import create_app
from windlass.serving.contract.settings import Settings
from windlass.serving.http.server import running
from windlass.serving.http.server_state import ServerState
from windlass.store.files import hash_folder, size_mb, write_text
from windlass.store.json_files import write_json
from windlass.store.store import Store

MESSAGES = (
    "my card is lost",
    "the card was stolen",
    "where is my refund",
    "refund the money",
    "change my address",
    "new address please",
)
LABELS = ("card", "card", "refund", "refund", "address", "address")


def columns_for(inputs: dict[str, str]) -> tuple[Column, ...]:
    """The inputs with states written by hand: the words of the toy messages, small grey pictures, and so on."""
    words = sorted({word for message in MESSAGES for word in message.split()})
    states: dict[str, dict[str, Any]] = {
        "text": {"form": "terms", "terms": words, "weights": [1.0] * len(words)},
        "image": {"form": "pixels", "size": 16, "channels": 1, "mean": [0.5], "deviation": [0.25]},
        "number": {"form": "scaled", "median": 2.0, "mean": 3.0, "deviation": 2.0, "edges": []},
        "category": {"form": "onehot", "levels": ["shop", "web"]},
    }
    return tuple(Column(name, kind, states[kind]) for name, kind in inputs.items())


def width(column: Column) -> int:
    return {
        "text": lambda: len(column.state["terms"]),
        "image": lambda: 256,
        "number": lambda: 2,
        "category": lambda: len(column.state["levels"]) + 2,
    }[column.kind]()


def make_release(
    store: Store, inputs: dict[str, str], golden: list[dict[str, Any]], id: str = "toy-1", bias: float = 0.0
) -> Release:
    """A linear release whose text terms vote for the label of the messages that hold them; it becomes the champion.

    bias: of the first label, so that two releases answer differently.
    """
    folder = releases.folder(store, id)
    model = folder / "model"
    columns = columns_for(inputs)
    output = Column("intent", "category", {"form": "label", "labels": sorted(set(LABELS)), "counts": [2, 2, 2]})
    random = np.random.default_rng(5)
    weights = [random.normal(0, 0.1, (width(column), 3)).astype(np.float32) for column in columns]
    for column, weight in zip(columns, weights, strict=True):
        if column.kind == "text":
            batch = kinds.encode_column(column, MESSAGES, None)
            for row, label in enumerate(LABELS):
                places = batch.places[batch.starts[row] : batch.starts[row + 1]]
                weight[places, output.state["labels"].index(label)] += 2
    write_weights(model, weights, np.array([bias, 0, 0], np.float32))
    write_manifest(model, Manifest("linear", "linear", columns, output))
    write_golden(model, [], np.zeros((0, 3)))
    write_golden(model, golden, load(model).probabilities(golden))
    write_text(folder / "card.md", "# toy\n")
    release = Release(
        id,
        "support-desk",
        "linear",
        "macro_f1",
        Estimate(0.91, 0.88, 0.94),
        "2026-01-01T00:00:00+00:00",
        "f" * 64,
        hash_folder(folder),
        size_mb(model),
    )
    write_json(folder / "release.json", asdict(release))
    releases.point_to(store, id)
    return release


GOLDEN = [{"message": message} for message in MESSAGES]


@pytest.fixture(scope="session")
def text_store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store whose champion reads a message. Not to be changed by a test."""
    store = Store(tmp_path_factory.mktemp("text"))
    make_release(store, {"message": "text"}, GOLDEN)
    return store


@pytest.fixture
def own_store(tmp_path: Path) -> Store:
    """The same, for a test that changes it."""
    store = Store(tmp_path)
    make_release(store, {"message": "text"}, GOLDEN)
    return store


@pytest.fixture(scope="session")
def release_maker() -> Callable[..., Release]:
    return make_release


@contextmanager
def serve_store(
    store: Store,
    path: Path | Database,
    settings: Settings | None = None,
    state: ServerState | None = None,
    **changes: Any,
) -> Iterator[Client]:
    """The champion of the store behind a real server. path: of its log. changes: fields of its service or replica."""
    release, predictor = releases.open_release(store, releases.champion_id(store))
    settings = settings or Settings()
    with RequestLog(path if isinstance(path, Database) else path / "requests.sqlite") as log:
        app = create_app(release, predictor, log, settings, server_state=state)
        service = app.state.service
        for name, value in changes.items():
            setattr(service if hasattr(service, name) else service.replica, name, value)
        with running(app, settings.deadline_s) as port:
            yield Client(port, app, log)


@pytest.fixture(scope="session")
def server_for() -> Callable[..., Any]:
    return serve_store


@pytest.fixture(scope="module")
def client(text_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A server that the tests of a module share."""
    with serve_store(text_store, tmp_path_factory.mktemp("log"), Settings(keep_inputs=True)) as client:
        yield client


@contextmanager
def serve_writer(
    engine: Any,
    path: Path,
    inputs: dict[str, str] = CHAT,
    settings: Settings | None = None,
    predictor: Any = None,
    state: ServerState | None = None,
) -> Iterator[Client]:
    """A writing engine, or another predictor, behind a real server."""
    settings = settings or Settings(keep_inputs=True)
    with RequestLog(path / "requests.sqlite") as log:
        app = create_app(RELEASE, predictor or writer_of(engine, inputs), log, settings, server_state=state)
        with running(app, settings.deadline_s) as port:
            yield Client(port, app, log)


@pytest.fixture(scope="session")
def writer_server() -> Callable[..., Any]:
    return serve_writer


@pytest.fixture(scope="module")
def toy() -> Toy:
    return Toy()


@pytest.fixture(scope="module")
def teller(toy: Toy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A product that reads a chat and writes at once, shared by the tests of a module."""
    with serve_writer(toy, tmp_path_factory.mktemp("teller")) as client:
        yield client

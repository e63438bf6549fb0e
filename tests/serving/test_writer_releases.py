"""Releases that write: swapped under load without a failed request, and tried on the routes of other forms, too."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from own_process import health_when, serving
from toy_writer import RELEASE, TEXT, Toy, writer_of

from windlass.learners.language.ngram import count
from windlass.predictors.artifact import write_golden, write_manifest
from windlass.predictors.language import ngram
from windlass.records import Column, Manifest
from windlass.registry import releases
from windlass.registry.canaries import CanaryTrial
from windlass.serving.contract.settings import Settings
from windlass.serving.runtime.canary import Canary
from windlass.serving.runtime.replica import Replica
from windlass.store.files import hash_folder, write_text
from windlass.store.json_files import write_json
from windlass.store.store import Store

SAYS = {"red-1": "red", "blue-1": "blue"}
N_SWAPS = 6


def release_writer(store: Store, id: str) -> None:
    """Always writes the one text that it was trained on; becomes the champion."""
    folder = releases.folder(store, id)
    model = folder / "model"
    model.mkdir(parents=True)
    counted = count([SAYS[id]] * 4, 3)
    ngram.write_model(model, counted)
    made = {"characters": counted.characters, "order": 3, "writing": {"temperature": 0.0, "max_tokens": 20}}
    columns = (Column("prompt", "text"),), Column("answer", "text")
    write_manifest(model, Manifest("ngram", "ngram", *columns, settings=made))
    write_golden(model, [{"prompt": ""}], [SAYS[id]])
    write_text(folder / "card.md", "# toy\n")
    write_json(folder / "release.json", asdict(replace(RELEASE, id=id, files=hash_folder(folder))))
    releases.point_to(store, id)


def asked(client: Any, number: int) -> tuple[int, str, str]:
    """Status, the text, and the release where the form names it: three forms in turn."""
    if number % 3 == 0:
        reply = client.ask("POST", "/v1/completions", {"model": "teller", "prompt": "say"})
        return reply.status, reply.json["choices"][0]["text"], reply.json["system_fingerprint"]
    if number % 3 == 1:
        reply = client.ask("POST", "/v1/completions", {"model": "teller", "prompt": "say", "stream": True})
        return reply.status, "".join(name for name in SAYS.values() if name in joined(reply.content)), ""
    reply = client.ask("POST", "/models/teller", {"inputs": "say", "parameters": {"return_full_text": False}})
    return reply.status, reply.json[0]["generated_text"], ""


def joined(content: bytes) -> str:
    """The pieces of a stream put together."""
    pieces = [line.split('"text":"')[1].split('"')[0] for line in content.decode().splitlines() if '"text":"' in line]
    return "".join(pieces)


def test_a_release_that_writes_is_swapped_under_load(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for id in SAYS:
        release_writer(store, id)
    given: list[tuple[int, str, str]] = []
    is_over = threading.Event()
    with serving(store) as (server, _, said):

        def ask() -> None:
            while not is_over.is_set():
                given.append(asked(server, len(given)))

        askers = [threading.Thread(target=ask) for _ in range(3)]
        for asker in askers:
            asker.start()
        for number in range(N_SWAPS):
            releases.point_to(store, list(SAYS)[number % 2])
            health_when(server, release=releases.champion_id(store))
        is_over.set()
        for asker in askers:
            asker.join()
    assert {status for status, _, _ in given} == {200}
    assert {text for _, text, _ in given} == set(SAYS.values())
    assert {(text, release) for _, text, release in given if release} == {(SAYS[id], id) for id in SAYS}
    assert sum("serves now" in line for line in said) == N_SWAPS


class Broken(Toy):
    def write(self, *order: Any) -> Any:
        raise RuntimeError("out of memory")


@contextmanager
def tried(
    writer_server: Callable[..., Any], path: Path, engine: Toy, is_shadow: bool = False
) -> Iterator[tuple[Any, Any]]:
    """A product that writes, with another release of it on trial for half of the requests."""
    with writer_server(Toy(), path, TEXT) as client:
        replica = Replica(replace(RELEASE, id="teller-2"), writer_of(engine, TEXT), Settings())
        service = client.app.state.service
        service.traffic.canary = Canary(CanaryTrial("teller-2", 0.5, is_shadow, "teller-1", "now"), replica)
        yield client, service
        replica.close()


ROUTES = {
    "openai": ("/v1/completions", {"model": "teller", "prompt": "hello"}),
    "stream": ("/v1/completions", {"model": "teller", "prompt": "hello", "stream": True}),
    "pipeline": ("/models/teller", {"inputs": "hello"}),
}


@pytest.mark.parametrize("route", ["openai", "pipeline"])
def test_a_writer_on_trial_that_fails_is_stopped_and_no_client_notices(
    writer_server: Callable[..., Any], tmp_path: Path, route: str
) -> None:
    path, body = ROUTES[route]
    with tried(writer_server, tmp_path, Broken()) as (client, service):
        for number in range(400):
            reply = client.ask("POST", path, body, x_windlass_session=str(number))
            assert reply.status == 200
            assert b"You said: hello" in reply.content
            if service.traffic.canary is None:
                break
        assert "requests failed" in service.traffic.failed_trial.why


@pytest.mark.parametrize("route", ROUTES)
def test_a_writer_on_trial_that_is_as_good_goes_on(
    writer_server: Callable[..., Any], tmp_path: Path, route: str
) -> None:
    """The control. Who names the champion gets the champion; a mistake of the client is nobody's error."""
    path, body = ROUTES[route]
    with tried(writer_server, tmp_path, Toy()) as (client, service):
        replies = [client.ask("POST", path, body, x_windlass_session=str(number)) for number in range(40)]
        assert {reply.status for reply in replies} == {200}
        assert client.ask("POST", path, {**body, "surprise": 1}).status in (400, 422)
        canary = service.traffic.canary
        assert canary.tried.answered > 5
        assert canary.champion.answered > 5
        assert canary.tried.failed == canary.champion.failed == 0
        if "model" in body:
            named = [client.ask("POST", path, {**body, "model": "teller-1"}) for _ in range(10)]
            assert all(reply.status == 200 and b"teller-1" in reply.content for reply in named)


def test_the_access_log_names_the_release_of_every_form(writer_server: Callable[..., Any], tmp_path: Path) -> None:
    lines: list[dict[str, Any]] = []
    with writer_server(Toy(), tmp_path, TEXT) as client:
        client.app.state.server_state.access = type("Lines", (), {"write": staticmethod(lines.append)})
        for path, body in ROUTES.values():
            assert client.ask("POST", path, body).status == 200
        assert client.predict({"row": {"prompt": "hello"}}).status == 200
        assert client.ask("GET", "/health").status == 200
    assert [line["release"] for line in lines] == ["teller-1"] * 4 + [None]

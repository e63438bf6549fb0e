"""What `/openapi.json` says of a release: a valid description, true examples, and a client that is made from it."""

import importlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate
from openapi_spec_validator.validation.exceptions import OpenAPIValidationError
from toy_writer import Toy

from windlass.store.store import Store

COLUMNS = {"message": "text", "size": "number", "place": "category", "picture": "image"}


@pytest.fixture(scope="module")
def mixed(
    tmp_path_factory: pytest.TempPathFactory, release_maker: Callable[..., Any], server_for: Callable[..., Any]
) -> Iterator[Any]:
    """A product with a column of each kind that the toy releases have."""
    store = Store(tmp_path_factory.mktemp("mixed"))
    release_maker(store, COLUMNS, [])
    with server_for(store, tmp_path_factory.mktemp("log")) as client:
        yield client


def described(client: Any) -> dict[str, Any]:
    return client.ask("GET", "/openapi.json").json


def operations(content: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for methods in content["paths"].values() for operation in methods.values()]


def test_the_description_is_valid_for_labels_and_for_texts(mixed: Any, teller: Any) -> None:
    for client in (mixed, teller):
        content = described(client)
        validate(content)
        ids = [operation["operationId"] for operation in operations(content)]
        assert len(ids) == len(set(ids))
        assert {"predict", "feedback", "health", "infer"} <= set(ids)
        assert all(operation["tags"] and operation["summary"] for operation in operations(content))
    with pytest.raises(OpenAPIValidationError):
        validate({"openapi": "3.1.0", "info": {"title": "no version"}, "paths": {}})


def test_every_route_of_the_application_but_its_pages_is_described(mixed: Any) -> None:
    owners = ("/watch", "/releases", "/roadmap", "/reports", "/reports/{id}", "/login", "/widget", "/widget.js")
    pages = {("GET", path) for path in ("/", "/docs", "/openapi.json", *owners)}
    routes = {(method, route.path) for route in mixed.app.routes for method in route.methods}
    told = {(method.upper(), path) for path, methods in described(mixed)["paths"].items() for method in methods}
    assert told == routes - pages


def test_requests_and_answers_have_the_products_own_columns_and_labels(mixed: Any) -> None:
    schemas = described(mixed)["components"]["schemas"]
    assert set(schemas["Row"]["properties"]) == set(schemas["Row"]["required"]) == set(COLUMNS)
    assert schemas["GivenAnswer"]["properties"]["value"]["enum"] == ["address", "card", "refund"]


def test_the_examples_are_answered(mixed: Any, toy: Toy, tmp_path: Path, writer_server: Callable[..., Any]) -> None:
    with writer_server(toy, tmp_path) as teller:
        for client in (mixed, teller):
            examples = described(client)["components"]["schemas"]["PredictRequest"]["examples"]
            assert [client.predict(example).status for example in examples] == [200, 200]


def test_an_error_is_described_as_it_comes(mixed: Any) -> None:
    response = described(mixed)["paths"]["/v1/predict"]["post"]["responses"]["400"]
    example = response["content"]["application/json"]["example"]["error"]
    error = mixed.predict(b"").error
    assert {name: error[name] for name in ("kind", "message")} == {name: example[name] for name in ("kind", "message")}
    assert set(error) == set(example)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_generated_client_asks_and_reads_typed_answers(
    mixed: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = shutil.which("openapi-python-client")
    if generator is None:
        pytest.skip("needs openapi-python-client on the path (it holds typer back, so it is not a part of [dev])")
    (tmp_path / "openapi.json").write_text(json.dumps(described(mixed)), encoding="utf-8")
    made = [generator, "generate", "--path", "openapi.json", "--meta", "none", "--output-path", "support_desk"]
    told = subprocess.run(made, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=120)
    assert "WARNING" not in told.stdout + told.stderr
    monkeypatch.syspath_prepend(str(tmp_path))
    try:
        _use(mixed)
    finally:
        for name in [name for name in sys.modules if name.startswith("support_desk")]:
            del sys.modules[name]


def _use(mixed: Any) -> None:
    models = importlib.import_module("support_desk.models")
    predict = importlib.import_module("support_desk.api.product.predict").sync
    feedback = importlib.import_module("support_desk.api.product.feedback").sync
    example = described(mixed)["components"]["schemas"]["Row"]["examples"][0]
    row = models.Row(**{**example, "message": "my card is lost", "size": 3.0})
    with importlib.import_module("support_desk").Client(f"http://127.0.0.1:{mixed.port}") as client:
        given = predict(client=client, body=models.Rows(rows=[row, row]))
        assert isinstance(given, models.Prediction)
        wanted = mixed.predict({"row": row.to_dict()}).json["answers"][0]["value"]
        assert [answer.value for answer in given.answers] == [models.GivenAnswerValue(wanted)] * 2
        stored = feedback(client=client, body=models.FeedbackRequest(id=given.answers[0].id, correct=wanted))
        assert (type(stored), stored.right) == (models.FeedbackStored, True)
        refused = feedback(client=client, body=models.FeedbackRequest(id="no-such-answer", correct="card"))
        assert isinstance(refused, models.Error)

"""The examples of the guide's "Calling it from programs", run against a service."""

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from toy_writer import RELEASE, TEXT, Toy, writer_of

from windlass.database.jobs import Jobs
from windlass.registry import releases
from windlass.serving.api.app import create_app
from windlass.serving.contract.settings import Settings
from windlass.serving.http.server import running
from windlass.store.store import Store

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide.md"
SECTION = re.search(r"## \d+\. Calling it from programs\n(.*?)\n## ", GUIDE.read_text(encoding="utf-8"), re.DOTALL)


def examples() -> list[str]:
    assert SECTION is not None
    return re.findall(r"```py\n(.*?)```", SECTION.group(1), re.DOTALL)


@pytest.fixture
def client(text_store: Store, tmp_path: Path, server_for: Callable[..., Any]) -> Iterator[Any]:
    with closing(Jobs(tmp_path / "requests.sqlite")) as jobs, server_for(text_store, tmp_path, jobs=jobs) as client:
        client.app.state.service.releases = lambda: releases.listing(text_store)
        yield client


@pytest.fixture
def online(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The whole suite keeps the hub offline; here its client speaks to a loopback port."""
    hub = pytest.importorskip("huggingface_hub", reason="needs huggingface_hub, which comes with windlass[train]")
    hub.close_session()
    monkeypatch.setattr(hub.constants, "HF_HUB_OFFLINE", False)
    yield
    hub.close_session()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("program", examples(), ids=lambda program: program.split()[1])
def test_an_example_of_the_guide_prints_the_answer(
    program: str, client: Any, online: None, capsys: pytest.CaptureFixture[str]
) -> None:
    if "tritonclient" in program:
        pytest.importorskip("tritonclient.http", reason="needs `pip install tritonclient[http]`")
    exec(compile(program.replace("127.0.0.1:8000", f"127.0.0.1:{client.port}"), "guide.md", "exec"), {})  # noqa: S102
    assert "card" in capsys.readouterr().out


def test_the_example_of_openais_client_runs(tmp_path: Path) -> None:
    """It stands where products that write are told of."""
    pytest.importorskip("openai")
    (program,) = re.findall(r"```py\n(from openai import.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    app = create_app(replace(RELEASE, product="translator"), writer_of(Toy(), TEXT), None, Settings())
    with running(app, 10) as port:
        place = f"127.0.0.1:{port}"
        exec(compile(program.replace("127.0.0.1:8000", place), "guide.md", "exec"), {})  # noqa: S102


def test_the_guide_has_an_example_for_each_client() -> None:
    assert [program.split()[1] for program in examples()] == ["windlass", "windlass", "huggingface_hub", "numpy"]

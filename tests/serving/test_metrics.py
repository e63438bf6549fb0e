"""What the service tells Prometheus, read by Prometheus's own parser, and the dashboard that asks for it."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from toy_writer import Toy

from windlass.serving.telemetry.metrics import Measures
from windlass.serving.telemetry.multiprocess import MultiprocessMetrics
from windlass.shipping.dashboard import dashboard
from windlass.store.store import Store

NAME = re.compile(r"\bwindlass_\w+")


def told(client: Any) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every sample of `/metrics`, by name and labels."""
    reply = client.ask("GET", "/metrics")
    assert reply.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = list(text_string_to_metric_families(reply.content.decode()))
    assert all(family.documentation and family.type != "unknown" for family in families)
    samples = [sample for family in families for sample in family.samples]
    values = {(sample.name, frozenset(sample.labels.items())): sample.value for sample in samples}
    assert len(values) == len(samples), "a sample is told twice"
    return values


@pytest.fixture
def fresh(own_store: Store, tmp_path: Path, server_for: Callable[..., Any]) -> Iterator[Any]:
    with server_for(own_store, tmp_path / "log") as client:
        yield client


def of(values: Any, name: str, **labels: str) -> float:
    return values[name, frozenset(labels.items())]


def test_answers_their_confidence_and_the_release_are_counted(fresh: Any) -> None:
    answers = [fresh.predict({"row": {"message": text}}).json["answers"][0] for text in ("card", "refund", "card")]
    values = told(fresh)
    assert of(values, "windlass_answers_total", label="card") == 2
    assert of(values, "windlass_answers_total", label="refund") == 1
    assert of(values, "windlass_answer_confidence_count") == 3
    total = sum(answer["confidence"] for answer in answers)
    assert of(values, "windlass_answer_confidence_sum") == pytest.approx(total, abs=1e-5)
    below = sum(answer["confidence"] <= 0.8 for answer in answers)
    assert of(values, "windlass_answer_confidence_bucket", le="0.8") == below
    release = {"product": "support-desk", "release": "toy-1", "candidate": "linear"}
    assert of(values, "windlass_release_info", **release) == 1


def test_requests_are_timed_by_route_and_errors_counted_by_kind(fresh: Any) -> None:
    fresh.predict({"row": {"message": "card"}})
    fresh.predict({"rows": []})
    fresh.predict(b"{")
    fresh.ask("GET", "/nothing")
    values = told(fresh)
    assert of(values, "windlass_request_seconds_count", route="/v1/predict") == 3
    assert of(values, "windlass_requests_total", route="/v1/predict", status="422") == 1
    kinds = {"data_error": 1, "bad_json": 1, "unknown_route": 1}
    assert {kind: of(values, "windlass_errors_total", kind=kind) for kind in kinds} == kinds


def test_the_edge_of_a_bucket_belongs_to_it() -> None:
    """Prometheus: a bucket counts what is at most `le`; the buckets are cumulated."""
    measures = Measures()
    for confidence in (0.1, 0.100001, 1.0, None):
        measures.answered('a "quoted"\nlabel', confidence)
    families = {family.name: family for family in text_string_to_metric_families(measures.text({}))}
    counts = {sample.labels.get("le"): sample.value for sample in families["windlass_answer_confidence"].samples}
    assert (counts["0.1"], counts["0.2"], counts["0.99"], counts["1.0"], counts["+Inf"]) == (1, 2, 2, 3, 3)
    assert families["windlass_answers"].samples[0].labels == {"label": 'a "quoted"\nlabel'}


HOSTILE = ["</script>", 'a "b" \\ c', "line\nbreak", "\r", "next\x85line", "para\u2029graph", "{x=1} 7",
           "# HELP a b", " ", "\\n"]  # fmt: skip


def test_the_sums_of_workers_are_read_whatever_an_answer_is_called(tmp_path: Path) -> None:
    """Each worker, one that has died among them, has answered each label once; two live, and tell of their gauges."""
    texts = []
    for _ in range(3):
        measures = Measures()
        for label in HOSTILE:
            measures.answered(label, 0.5)
            measures.request("/v1/predict", 200, 0.003)
        texts.append(measures.text({"windlass_memory_bytes": ("Resident memory.", 7.0)}))
    first, second, gone = (MultiprocessMetrics(tmp_path, name) for name in ("1", "2", "gone"))
    first.tell(texts[0])
    gone.retire_worker("1")
    first.tell(texts[1])
    families = {each.name: each for each in text_string_to_metric_families(second.together(texts[2]))}
    answers = {sample.labels["label"]: sample.value for sample in families["windlass_answers"].samples}
    assert answers == dict.fromkeys(HOSTILE, 3.0)
    buckets = {sample.labels.get("le"): sample.value for sample in families["windlass_request_seconds"].samples}
    assert (buckets["0.0025"], buckets["0.005"], buckets["+Inf"]) == (0, 3 * len(HOSTILE), 3 * len(HOSTILE))
    gauges = {sample.labels["worker"]: sample.value for sample in families["windlass_memory_bytes"].samples}
    assert gauges == {"1": 7.0, "2": 7.0}


def asked(board: Any) -> set[str]:
    """The metrics that the queries of a dashboard name."""
    queries = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    assert all(NAME.search(query) for query in queries)
    return {name for query in [*queries, json.dumps(board["templating"])] for name in NAME.findall(query)}


def existing(client: Any) -> set[str]:
    return {name for name, _ in told(client)}


def test_every_query_of_the_dashboard_names_a_metric_that_exists(
    fresh: Any, toy: Toy, tmp_path: Path, writer_server: Callable[..., Any]
) -> None:
    fresh.predict({"row": {"message": "card"}})
    fresh.predict(b"{")
    assert asked(dashboard("support-desk")) <= existing(fresh)
    assert not asked(dashboard("teller", writes=True)) <= existing(fresh), "control: this one writes nothing"
    with writer_server(toy, tmp_path) as teller:
        teller.predict({"row": {"messages": [{"role": "user", "content": "hello"}]}})
        teller.predict(b"{")
        assert asked(dashboard("teller", writes=True)) <= existing(teller)


def test_the_panels_of_the_dashboard_do_not_overlap_and_have_a_number_each() -> None:
    panels = dashboard("teller", writes=True)["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) >= 12
    cells = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24

"""Traces: one span a request for whoever asks for them, nothing for anybody else, and never what was asked."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from tests.listening import listening

from windlass.errors import SpecError
from windlass.serving.contract.settings import Settings
from windlass.serving.telemetry.traces import Traces, connected
from windlass.store.store import Store

pytest.importorskip("opentelemetry.sdk.trace", reason="needs windlass[otel]")
TOLD = "my secret card"
CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@contextmanager
def collector() -> Iterator[tuple[list[bytes], str]]:
    """A collector on a free port, and the bodies that it was sent."""
    sent: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            sent.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            """Says nothing."""

    with listening(Handler) as url:
        yield sent, url


def ask_several(client: Any) -> None:
    assert client.predict({"row": {"message": TOLD}}, traceparent=CALLER).status == 200
    assert client.predict({"row": {TOLD: ""}}).status == 422
    assert client.ask("GET", f"/{TOLD.replace(' ', '-')}").status == 404


def test_a_span_names_the_route_the_status_and_the_release(
    text_store: Store, tmp_path: Path, server_for: Callable[..., Any]
) -> None:
    """Kept in memory; the first one belongs to the trace of its caller."""
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    kept, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(kept))
    with server_for(text_store, tmp_path) as client:
        traced = Traces(client.app.middleware_stack, provider, lambda: client.app.state.service.release.id)
        client.app.middleware_stack = traced
        ask_several(client)
    spans = kept.get_finished_spans()
    assert [span.name for span in spans] == ["POST /v1/predict", "POST /v1/predict", "GET"]
    assert [dict(span.attributes) for span in spans[:2]] == [
        {
            "http.request.method": "POST",
            "http.route": "/v1/predict",
            "http.response.status_code": status,
            "windlass.release": "toy-1",
        }
        for status in (200, 422)
    ]
    assert format(spans[0].context.trace_id, "032x") == CALLER.split("-")[1]
    assert format(spans[0].parent.span_id, "016x") == CALLER.split("-")[2]
    assert not any("secret" in span.to_json() for span in spans)


def test_a_collector_gets_the_spans_and_no_word_of_a_user(
    text_store: Store, tmp_path: Path, server_for: Callable[..., Any]
) -> None:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    with collector() as (sent, url):
        with server_for(text_store, tmp_path, Settings(otel=url)) as client:
            ask_several(client)
        spans = [
            (group.resource, span)
            for body in sent
            for group in ExportTraceServiceRequest.FromString(body).resource_spans
            for scope in group.scope_spans
            for span in scope.spans
        ]
    assert [span.name for _, span in spans] == ["POST /v1/predict", "POST /v1/predict", "GET"]
    names = {item.key: item.value.string_value for item in spans[0][0].attributes}
    assert names["service.name"] == "support-desk"
    assert not any(b"secret" in body for body in sent)
    assert b"/v1/predict" in b"".join(sent), "control: text would be seen"


def test_nothing_is_sent_unless_it_was_asked_for(
    text_store: Store, tmp_path: Path, server_for: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even where the environment names a collector; with 'env' it is used."""
    with collector() as (sent, url):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
        for settings, is_told in ((Settings(), False), (Settings(otel="env"), True)):
            with server_for(text_store, tmp_path, settings) as client:
                ask_several(client)
            assert bool(sent) is is_told


def test_a_collector_that_is_no_url_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    for to in ("collector:4318", "env", "grpc://collector"):
        with pytest.raises(SpecError, match="expected the URL of a collector"):
            connected(to, "support-desk")

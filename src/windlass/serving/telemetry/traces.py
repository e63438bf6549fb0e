"""Traces for OpenTelemetry: one span a request, with its route and how it ended. Never what was asked or answered.

Off unless a collector is named; nothing in the environment switches it on.
Source: https://opentelemetry.io/docs/specs/semconv/http/http-spans/ (names of the attributes).
"""

import asyncio
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from windlass.errors import NotReady, SpecError, pip_install

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

FROM_ENVIRONMENT, ENDPOINT = "env", "OTEL_EXPORTER_OTLP_ENDPOINT"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
FAILED = 500


def connected(to: str, service: str) -> "TracerProvider":
    """What sends spans to a collector by OTLP over HTTP, in a thread of its own.

    Args:   to: the collector's URL, such as http://collector:4318; `env`: the one of OTEL_EXPORTER_OTLP_ENDPOINT.
    Raises: SpecError: not a URL. NotReady: the extra is not installed.
    """
    url = os.environ.get(ENDPOINT, "") if to == FROM_ENVIRONMENT else to
    if not url.startswith(("http://", "https://")):
        raise SpecError(
            f"otel is '{to[:80]}', expected the URL of a collector such as http://127.0.0.1:4318, or "
            f"'{FROM_ENVIRONMENT}' with {ENDPOINT} set"
        )
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise NotReady("OpenTelemetry is not installed, expected it for traces", pip_install("otel")) from None
    provider = TracerProvider(resource=Resource.create({"service.name": service}), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{url.rstrip('/')}/v1/traces")))
    return provider


class Traces:
    """ASGI middleware around the whole application. release: names what serves now."""

    def __init__(self, app: ASGIApp, provider: "TracerProvider", release: Callable[[], str]) -> None:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self.app = app
        self.provider = provider
        self.release = release
        self.tracer = provider.get_tracer("windlass")
        self.caller = TraceContextTextMapPropagator()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            if scope["type"] == "lifespan":
                await asyncio.to_thread(self.provider.shutdown)
            return
        await self._traced(scope, receive, send)

    async def _traced(self, scope: Scope, receive: Receive, send: Send) -> None:
        from opentelemetry.trace import SpanKind, StatusCode

        method = scope["method"] if scope["method"] in METHODS else "_OTHER"
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        about = {"http.request.method": method, "windlass.release": self.release()}
        parent = self.caller.extract(headers)
        statuses: list[int] = []

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])
            await send(message)

        with self.tracer.start_as_current_span(
            method, parent, SpanKind.SERVER, about, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                await self.app(scope, receive, told)
            finally:
                route = getattr(scope.get("route"), "path", "")
                if route:
                    span.update_name(f"{method} {route}")
                    span.set_attribute("http.route", route)
                if statuses:
                    span.set_attribute("http.response.status_code", statuses[0])
                if not statuses or statuses[0] >= FAILED:
                    span.set_status(StatusCode.ERROR)

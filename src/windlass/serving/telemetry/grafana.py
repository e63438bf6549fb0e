"""A Grafana dashboard over what `/metrics` tells: traffic, latency, errors, answers, feedback, queues, memory.

Source: the dashboard JSON model of Grafana, https://grafana.com/docs/grafana/latest/visualizations/dashboards/.
"""

from dataclasses import dataclass

from windlass.records import Json

SOURCE: Json = {"type": "prometheus", "uid": "${source}"}
HERE = '{instance=~"$instance"}'
"""Of the instances that are chosen on top of the dashboard."""
FAILED = '{instance=~"$instance",status=~"5.."}'
RATE = "[$__rate_interval]"
COLUMNS, HEIGHT = 24, 8


@dataclass(frozen=True)
class Panel:
    """A picture of the dashboard. queries: (PromQL, legend). unit: one of Grafana's. width: of 24 columns."""

    title: str
    description: str
    queries: tuple[tuple[str, str], ...]
    unit: str = "short"
    width: int = 12
    form: str = "timeseries"


def _per_second(counter: str, label: str) -> tuple[str, str]:
    return f"sum by ({label}) (rate({counter}{HERE}{RATE}))", f"{{{{{label}}}}}"


def _percentile(share: float) -> tuple[str, str]:
    buckets = f"sum by (le, route) (rate(windlass_request_seconds_bucket{HERE}{RATE}))"
    return f"histogram_quantile({share}, {buckets})", f"p{share * 100:g} {{{{route}}}}"


def _now(gauge: str, legend: str) -> tuple[str, str]:
    return f"sum({gauge}{HERE})", legend


PANELS = (
    Panel(
        "Release",
        "What is served, and by how many instances.",
        (("count by (product, release, candidate) (windlass_release_info" + HERE + ")", "{{product}} {{release}}"),),
        width=8,
        form="stat",
    ),
    Panel(
        "Failed requests",
        "Share of the requests that were answered with a 5xx.",
        (
            (
                f"(sum(rate(windlass_requests_total{FAILED}{RATE})) or vector(0))"
                f" / sum(rate(windlass_requests_total{HERE}{RATE}))",
                "5xx",
            ),
        ),
        unit="percentunit",
        width=8,
        form="stat",
    ),
    Panel(
        "Found right",
        "Share of the feedback that found the answer right.",
        (
            (
                'sum(increase(windlass_feedback_total{instance=~"$instance",right="true"}[$__range]))'
                f" / sum(increase(windlass_feedback_total{HERE}[$__range]))",
                "right",
            ),
        ),
        unit="percentunit",
        width=8,
        form="stat",
    ),
    Panel(
        "Requests",
        "Requests a second, by route.",
        (_per_second("windlass_requests_total", "route"),),
        unit="reqps",
    ),
    Panel(
        "Latency",
        "Seconds from the end of the headers to the answer: median, 95 and 99 of 100 requests.",
        (_percentile(0.5), _percentile(0.95), _percentile(0.99)),
        unit="s",
    ),
    Panel(
        "Errors",
        "Requests a second that were refused or failed, by kind of error.",
        (_per_second("windlass_errors_total", "kind"),),
        unit="reqps",
    ),
    Panel(
        "Waiting",
        "What waits: predictions for their turn, entries to be logged.",
        (_now("windlass_waiting_predictions", "predictions"), _now("windlass_log_waiting", "log entries")),
    ),
    Panel(
        "Answers",
        "Answers a second, by label: a shift shows that other things are asked.",
        (_per_second("windlass_answers_total", "label"),),
        unit="ops",
    ),
    Panel(
        "Confidence",
        "Median and lower decile of the confidence of the answers: a fall comes before the errors.",
        tuple(
            (
                f"histogram_quantile({share}, sum by (le) (rate(windlass_answer_confidence_bucket{HERE}{RATE})))",
                legend,
            )
            for share, legend in ((0.5, "median"), (0.1, "lowest tenth"))
        ),
        unit="percentunit",
    ),
    Panel(
        "Memory",
        "Resident memory of each instance.",
        (("windlass_memory_bytes" + HERE, "{{instance}}"),),
        unit="bytes",
    ),
    Panel(
        "Log",
        "Answers a second that could not be logged, and instances whose log is read-only.",
        (
            (f"sum(rate(windlass_unlogged_total{HERE}{RATE}))", "not logged"),
            _now("windlass_log_read_only", "read-only"),
        ),
    ),
)
WRITING = (
    Panel(
        "Tokens",
        "Tokens a second that were read and written.",
        (
            (f"sum(rate(windlass_prompt_tokens_total{HERE}{RATE}))", "read"),
            (f"sum(rate(windlass_tokens_written_total{HERE}{RATE}))", "written"),
        ),
    ),
    Panel(
        "Texts",
        "Texts that are being written and requests that wait.",
        (_now("windlass_writing_running", "written now"), _now("windlass_writing_waiting", "waiting")),
    ),
)


def dashboard(product: str, writes: bool = False) -> Json:
    """The dashboard, to be imported into Grafana or provisioned. writes: with the panels of a product that writes."""
    return {
        "title": f"Windlass: {product}",
        "uid": f"windlass-{product}"[:40],
        "tags": ["windlass"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": _variables()},
        "panels": _laid_out(PANELS + (WRITING if writes else ())),
    }


def _variables() -> list[Json]:
    instances = "label_values(windlass_release_info, instance)"
    return [
        {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"},
        {
            "name": "instance",
            "label": "Instance",
            "type": "query",
            "datasource": SOURCE,
            "query": {"query": instances, "refId": "instances"},
            "definition": instances,
            "refresh": 2,
            "multi": True,
            "includeAll": True,
            "allValue": ".*",
            "current": {"text": "All", "value": "$__all"},
        },
    ]


def _laid_out(panels: tuple[Panel, ...]) -> list[Json]:
    """The panels in rows, from left to right."""
    placed, x, y = [], 0, 0
    for number, panel in enumerate(panels, 1):
        if x + panel.width > COLUMNS:
            x, y = 0, y + HEIGHT
        placed.append(_panel(panel, number, {"x": x, "y": y, "w": panel.width, "h": HEIGHT}))
        x += panel.width
    return placed


def _panel(panel: Panel, number: int, place: Json) -> Json:
    defaults: Json = {"unit": panel.unit}
    if panel.unit == "percentunit":
        defaults |= {"min": 0, "max": 1}
    return {
        "id": number,
        "type": panel.form,
        "title": panel.title,
        "description": panel.description,
        "datasource": SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": {"textMode": "name"} if panel.title == "Release" else {},
        "targets": [
            {"refId": chr(ord("A") + letter), "datasource": SOURCE, "expr": expression, "legendFormat": legend}
            for letter, (expression, legend) in enumerate(panel.queries)
        ],
    }

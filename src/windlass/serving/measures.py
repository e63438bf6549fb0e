"""What the service counts about itself, as Prometheus text.

Source: Prometheus exposition format 0.0.4, https://prometheus.io/docs/instrumenting/exposition_formats/
"""

import os
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Measures:
    """Counts since the start. All of it is written by the event loop alone."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, int]] = Counter()
        self.answers: Counter[str] = Counter()
        self.feedback: Counter[bool] = Counter()
        self._seconds: dict[str, list[int]] = {}
        self._total_s: Counter[str] = Counter()

    def request(self, route: str, status: int, seconds: float) -> None:
        self.requests[route, status] += 1
        buckets = self._seconds.setdefault(route, [0] * (len(BUCKETS_S) + 1))
        buckets[bisect_left(BUCKETS_S, seconds)] += 1
        self._total_s[route] += seconds  # type: ignore[assignment]  # a Counter sums floats as well

    def text(self, gauges: dict[str, tuple[str, float]]) -> str:
        """All counts and these gauges (name -> (help, value)) as Prometheus text."""
        lines = [
            *_family(
                "windlass_requests_total",
                "counter",
                "Requests by route and status.",
                (
                    (f'{{route="{_quoted(route)}",status="{status}"}}', count)
                    for (route, status), count in sorted(self.requests.items())
                ),
            ),
            *self._latency(),
            *_family(
                "windlass_answers_total",
                "counter",
                "Answers by label.",
                ((f'{{label="{_quoted(label)}"}}', count) for label, count in sorted(self.answers.items())),
            ),
            *_family(
                "windlass_feedback_total",
                "counter",
                "Feedback by whether the answer was right.",
                ((f'{{right="{str(right).lower()}"}}', self.feedback[right]) for right in (True, False)),
            ),
        ]
        told = self.feedback.total()
        if told:
            gauges = {
                **gauges,
                "windlass_feedback_right_share": (
                    "Share of the feedback since the start that found the answer right.",
                    self.feedback[True] / told,
                ),
            }
        for name, (help_text, value) in gauges.items():
            kind = "counter" if name.endswith("_total") else "gauge"
            lines += _family(name, kind, help_text, [("", value)])
        return "\n".join(lines) + "\n"

    def _latency(self) -> list[str]:
        name = "windlass_request_seconds"
        samples: list[tuple[str, float]] = []
        for route, buckets in sorted(self._seconds.items()):
            label, total = f'route="{_quoted(route)}"', 0
            for bound, count in zip([*map(str, BUCKETS_S), "+Inf"], buckets, strict=True):
                total += count
                samples.append((f'_bucket{{{label},le="{bound}"}}', total))
            samples += [(f"_sum{{{label}}}", self._total_s[route]), (f"_count{{{label}}}", total)]
        return _family(name, "histogram", "Seconds from the end of the headers to the answer.", samples)


def memory_bytes() -> int:
    """Resident memory of this process."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _family(name: str, kind: str, help_text: str, samples: Iterable[tuple[str, float]]) -> list[str]:
    return [
        f"# HELP {name} {help_text}",
        f"# TYPE {name} {kind}",
        *(f"{name}{suffix} {value:.10g}" for suffix, value in samples),
    ]


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')

"""What the service counts about itself, as Prometheus text.

Source: Prometheus exposition format 0.0.4, https://prometheus.io/docs/instrumenting/exposition_formats/
"""

import os
import resource
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

from windlass.records import Release

NO_ANSWER = "Answers that say that there is none."
BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
BUCKETS_CONFIDENCE = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)


class _Histogram:
    """How many values lie in each bucket, and their sum."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def samples(self, label: str = "") -> list[tuple[str, float]]:
        """As Prometheus has them: cumulated counts with the bound `le`, sum and count. label: such as `route="/"`."""
        before, bare = (f"{label},", f"{{{label}}}") if label else ("", "")
        names = [f'_bucket{{{before}le="{bound}"}}' for bound in (*map(str, self.bounds), "+Inf")]
        counts = list(accumulate(self.counts))
        return [*zip(names, counts, strict=True), (f"_sum{bare}", self.total), (f"_count{bare}", counts[-1])]


class Gauge(NamedTuple):
    """A number as it is now, with what it says."""

    help_text: str
    value: float


class Measures:
    """Counts since the start. All of it is written by the event loop alone."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, int]] = Counter()
        self.answers: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.feedback: Counter[bool] = Counter()
        self.refusals: int | None = None
        """Answers that say that there is none; None: the product always answers."""
        self._confidence = _Histogram(BUCKETS_CONFIDENCE)
        self._seconds: dict[str, _Histogram] = {}

    def request(self, route: str, status: int, seconds: float) -> None:
        self.requests[route, status] += 1
        self._seconds.setdefault(route, _Histogram(BUCKETS_S)).add(seconds)

    def answered(self, label: str, confidence: float | None) -> None:
        """label: the answer, or one word for all of a product that writes. confidence: None where it is not known."""
        self.answers[label] += 1
        if confidence is not None:
            self._confidence.add(confidence)

    def text(self, gauges: Mapping[str, Gauge], release: Release | None = None) -> str:
        """All counts, these gauges by their names and what is served, as Prometheus text."""
        requests = [
            (f'{{route="{quoted(route)}",status="{status}"}}', float(count))
            for (route, status), count in sorted(self.requests.items())
        ]
        answers, errors = (_counted(*each) for each in (("label", self.answers), ("kind", self.errors)))
        right = [(f'{{right="{str(right).lower()}"}}', float(self.feedback[right])) for right in (True, False)]
        refused = "Requests that were refused or failed, by kind of error."
        lines = [
            *_release(release),
            *family("windlass_requests_total", "counter", "Requests by route and status.", requests),
            *self._latency(),
            *family("windlass_answers_total", "counter", "Answers by label.", answers),
            *family(
                "windlass_answer_confidence",
                "histogram",
                "Confidence of the answers, 0 to 1.",
                self._confidence.samples(),
            ),
            *family("windlass_errors_total", "counter", refused, errors),
            *family("windlass_feedback_total", "counter", "Feedback by whether the answer was right.", right),
        ]
        refusals = {} if self.refusals is None else {"windlass_refusals_total": Gauge(NO_ANSWER, float(self.refusals))}
        for name, (help_text, value) in {**gauges, **refusals, **self._right_share()}.items():
            kind = "counter" if name.endswith("_total") else "gauge"
            lines += family(name, kind, help_text, [("", value)])
        return "\n".join(lines) + "\n"

    def _right_share(self) -> dict[str, Gauge]:
        """As a gauge; nothing before there is feedback."""
        words = "Share of the feedback since the start that found the answer right."
        told = self.feedback.total()
        return {"windlass_feedback_right_share": Gauge(words, self.feedback[True] / told)} if told else {}

    def _latency(self) -> list[str]:
        samples = [
            sample
            for route, histogram in sorted(self._seconds.items())
            for sample in histogram.samples(f'route="{quoted(route)}"')
        ]
        return family(
            "windlass_request_seconds", "histogram", "Seconds from the end of the headers to the answer.", samples
        )


def memory_bytes() -> int:
    """Resident memory of this process; where there is no /proc, the most that it ever was (macOS tells it in bytes)."""
    told = Path("/proc/self/statm")
    if not told.is_file():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(told.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _counted(label: str, counts: Mapping[str, int]) -> list[tuple[str, float]]:
    """The samples of counts by one label, in its order."""
    return [(f'{{{label}="{quoted(name)}"}}', float(count)) for name, count in sorted(counts.items())]


def _release(release: Release | None) -> list[str]:
    if release is None:
        return []
    values = {"product": release.product, "release": release.id, "candidate": release.candidate}
    label = ",".join(f'{name}="{quoted(value)}"' for name, value in values.items())
    return family("windlass_release_info", "gauge", "1, with the release that is served.", [(f"{{{label}}}", 1.0)])


def family(name: str, kind: str, help_text: str, samples: Iterable[tuple[str, float]]) -> list[str]:
    """The lines of one metric: what it is, and its samples, each the labels in braces (or nothing) and the value."""
    return [
        f"# HELP {name} {help_text}",
        f"# TYPE {name} {kind}",
        *(f"{name}{suffix} {value:.10g}" for suffix, value in samples),
    ]


def quoted(text: str) -> str:
    """The value of a label."""
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')

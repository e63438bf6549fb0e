"""The figures of benchmarks/serving.py as a page: each server's best round, and the goals with what was reached."""

from collections.abc import Callable, Iterable

QUEUE = 64
"""Predictions that may wait (`windlass.serving.contract.settings`)."""
NAMES = {
    "bare": "bare engine, in process",
    "windlass": "**windlass**",
    "fastapi": "FastAPI + uvicorn",
    "mlflow": "MLflow `models serve`",
    "bentoml": "BentoML",
    "litserve": "LitServe",
    "ray": "Ray Serve",
}
TITLES = {
    "text": "MiniLM encoder with a classification head, float32 (peers: `transformers` pipeline)",
    "linear": "TF-IDF of words and characters with a linear SVM (peers: the scikit-learn pipeline)",
}
Rounds = list[dict]


def good(rounds: Rounds) -> Rounds:
    return [entry for entry in rounds if "failed" not in entry]


def best(rounds: Rounds, *path: str, of: Callable[[Iterable[float]], float] = min) -> float | None:
    """The best figure of all rounds; None when no round has it."""
    values = []
    for entry in good(rounds):
        for key in path:
            entry = entry.get(key) if isinstance(entry, dict) else None
        if entry is not None:
            values.append(entry)
    return of(values) if values else None


def report(result: dict) -> str:
    """Markdown."""
    lines = ["# One short text over HTTP", "", *_method(result)]
    for model, servers in result["rounds"].items():
        lines += ["", f"## {TITLES[model]}", "", *_table(servers), "", *_failures(servers)]
        if good(servers.get("windlass", [])) and good(servers.get("bare", [])):
            lines += [*_goals(servers)]
    return "\n".join(lines).rstrip() + "\n"


def _method(result: dict) -> list[str]:
    peers = ", ".join(f"{name} {version}" for name, version in result["peers"].items())
    n_rounds = max((len(rounds) for servers in result["rounds"].values() for rounds in servers.values()), default=0)
    return [
        f"`python benchmarks/serving.py`, {result['date']}, commit {result['commit']}, {result['machine']}. {peers}.",
        "Every server has one core and the settings of its own quick start, the load generator the other core; the "
        f"same 400 support messages for all; rounds in turns ({n_rounds} at most), bursts of {result['seconds']:g} s. "
        "Of each figure the best round is told (serving.json has all).",
        "idle: one client after the other. Open loop: Poisson arrivals, latency from the intended send time. Overload: "
        "an open loop at twice the answers a second that 32 clients got; p99 is of those that were answered, and who "
        "has no answer 5 s after its end is unanswered. Windlass logs every answer to disk, the peers log nothing.",
        *([result["note"]] if result["note"] else []),
    ]


def _table(servers: dict[str, Rounds]) -> list[str]:
    rates = sorted(
        {int(key[5:]) for rounds in servers.values() for entry in rounds for key in entry if key.startswith("open_")}
    )
    heads = [
        "server",
        "idle p50 / p95 / p99 ms",
        *(f"open loop {rate}/s p50 / p99 ms" for rate in rates),
        "answers/s, 32 clients",
        "CPU ms an answer",
        "overload: p99 s",
        "answered / refused / unanswered",
        "RSS MB (processes)",
        "first answer s",
    ]
    lines = [f"| {' | '.join(heads)} |", f"|---|{'---:|' * (len(heads) - 1)}"]
    for name, rounds in servers.items():
        if good(rounds):
            cells = _bare_cells(rounds, len(rates)) if name == "bare" else _cells(rounds, rates)
            lines.append(f"| {NAMES[name]} | {' | '.join(cells)} |")
    return lines


def _bare_cells(rounds: Rounds, n_rates: int) -> list[str]:
    alone = best(rounds, "answers_per_second", of=max)
    whole = best(rounds, "answers_per_second_batches", of=max)
    both = f"{alone:.0f}; in batches: {whole:.0f}"
    return [_trio(rounds), *["" for _ in range(n_rates)], both, f"{best(rounds, 'cpu_ms_per_answer'):.1f}", *[""] * 4]


def _cells(rounds: Rounds, rates: list[int]) -> list[str]:
    lasts = [entry["overload"] for entry in good(rounds)]
    calm = min(lasts, key=lambda entry: entry["p99_ms"] or float("inf"))
    refused = ", ".join(f"{count} × {status}" for status, count in calm.get("refused", {}).items()) or "0"
    answered = calm["requests"] - sum(calm.get("refused", {}).values()) - calm.get("unanswered", 0)
    return [
        _trio(rounds, "idle"),
        *(f"{_ms(rounds, f'open_{rate}', 'p50_ms')} / {_ms(rounds, f'open_{rate}', 'p99_ms')}" for rate in rates),
        f"{best(rounds, 'clients_32', 'answers_per_second', of=max):.0f}",
        f"{best(rounds, 'clients_32', 'cpu_ms_per_answer'):.1f}",
        "none" if calm["p99_ms"] is None else f"{calm['p99_ms'] / 1000:.2f}",
        f"{answered} / {refused} / {calm.get('unanswered', 0)}",
        f"{best(rounds, 'rss_mb'):.0f} ({best(rounds, 'processes'):.0f})",
        f"{best(rounds, 'seconds_to_first_answer'):.1f}",
    ]


def _trio(rounds: Rounds, *path: str) -> str:
    return " / ".join(_ms(rounds, *path, f"p{share}_ms") for share in (50, 95, 99))


def _ms(rounds: Rounds, *path: str) -> str:
    value = best(rounds, *path)
    return "none" if value is None else f"{value:.1f}" if value < 1000 else f"{value:,.0f}"


def _failures(servers: dict[str, Rounds]) -> list[str]:
    lines = []
    for name, rounds in servers.items():
        reasons = [entry["failed"] for entry in rounds if "failed" in entry]
        if reasons:
            lines.append(f"- {NAMES[name]}: {len(reasons)} of {len(rounds)} rounds failed: `{reasons[0]}`")
    return [*lines, ""] if lines else []


def _goals(servers: dict[str, Rounds]) -> list[str]:
    ours, engine = servers["windlass"], servers["bare"]
    peers = {name: rounds for name, rounds in servers.items() if name not in ("windlass", "bare") and good(rounds)}
    over = best(ours, "idle", "p50_ms") - best(engine, "p50_ms")
    rate = best(ours, "clients_32", "answers_per_second", of=max)
    engine_rate = max(best(engine, key, of=max) for key in ("answers_per_second", "answers_per_second_batches"))
    memory, first = best(ours, "rss_mb"), best(ours, "seconds_to_first_answer")
    return [
        "| goal | reached | |",
        "|---|---|---|",
        _goal("p50 of one answer <= 1 ms above the bare engine", f"{over:+.2f} ms", over <= 1),
        *(_against(ours, name, rounds) for name, rounds in peers.items()),
        _goal(
            "answers/s of 32 clients >= 0.9 of the bare engine at its best",
            f"{rate / engine_rate:.2f}",
            rate >= 0.9 * engine_rate,
        ),
        _goal("memory <= 250 MB", f"{memory:.0f} MB", memory <= 250),
        _goal("first answer <= 1.5 s", f"{first:.2f} s", first <= 1.5),
        *_overload_goals(ours),
        "",
    ]


def _against(ours: Rounds, name: str, rounds: Rounds) -> str:
    faster = best(rounds, "idle", "p50_ms") / best(ours, "idle", "p50_ms")
    more = best(ours, "clients_32", "answers_per_second", of=max) / best(
        rounds, "clients_32", "answers_per_second", of=max
    )
    return _goal(
        f"p50 >= 3 × faster than {NAMES[name]}; >= 5 × its answers/s",
        f"{faster:.1f} ×; {more:.1f} ×",
        faster >= 3 and more >= 5,
    )


def _overload_goals(ours: Rounds) -> list[str]:
    lines = []
    for number, entry in enumerate(good(ours), 1):
        over = entry["overload"]
        bound = 1250 * (QUEUE + 2) / entry["clients_32"]["answers_per_second"] + 1.25 * entry["idle"]["p99_ms"]
        others = {status: count for status, count in over.get("refused", {}).items() if status != "503"}
        told = over.get("refused_with_retry_after", 0) == over.get("refused", {}).get("503", 0)
        back = over["back_to_normal_s"]
        formula = f"1.25 × ((queue + 2) / capacity + idle p99) = {bound:.0f} ms"
        lines += [
            _goal(
                f"2 × overload, round {number}: accepted p99 <= {formula}",
                f"{over['p99_ms']:.0f} ms",
                over["p99_ms"] <= bound,
            ),
            _goal(
                f"round {number}: refusals only 503 + Retry-After; back to normal in 5 s",
                f"others {others or 'none'}, unanswered {over.get('unanswered', 0)}; {back} s",
                not others and told and not over.get("unanswered") and back is not None and back <= 5,
            ),
        ]
    return lines


def _goal(goal: str, reached: str, is_met: bool) -> str:
    return f"| {goal} | {reached} | {'yes' if is_met else '**no**'} |"

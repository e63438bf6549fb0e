"""Are the plan's forecasts true? Learning curves from a quarter of the rows, and capacity against a load test.

Usage: python benchmarks/planning.py curves [SET ...]          measures what is not in --cache yet (some 4 minutes)
       python benchmarks/planning.py load PROJECT              a project whose champion is a linear model
       python benchmarks/planning.py report                    writes results/planning.md from results/planning.json
Scores are those of the validation rows that a curve is measured on; "last value" is the naive forecast that more rows
change nothing. The prior of the curve (windlass.planning.evidence.curves) was chosen on the five sets marked
"tuned on", which do not count. Load is counted in processor seconds of the server, so that other programs on the
machine do not change it.
"""

import argparse
import http.client
import json
import os
import re
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from windlass.kinds import table as kinds
from windlass.planning.evidence import curves, probing
from windlass.planning.evidence.serving_trial import request_seconds
from windlass.planning.product import Product, load_prices
from windlass.records import Splits
from windlass.registry import releases
from windlass.serving.contract import codec
from windlass.sources.prepared import read_splits
from windlass.spec import Spec, load
from windlass.stages.evaluate import machine
from windlass.store.store import Store

DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
RESULTS = Path(__file__).parent / "results"
SHARES = (0.05, 0.08, 0.12, 0.18, 0.25)
COUNTED = {
    "intent-banking77": ("linear", "macro_f1"),
    "topics-agnews": ("linear", "macro_f1"),
    "sentiment-en-mr": ("linear", "macro_f1"),
    "sentiment-zh-shopping": ("linear", "macro_f1"),
    "tabular-adult": ("trees", "roc_auc"),
    "tabular-bank-marketing": ("trees", "roc_auc"),
}
TUNED_ON = {
    "finance-phrasebank": ("linear", "macro_f1"),
    "spam-sms": ("linear", "macro_f1"),
    "sentiment-en-domains": ("linear", "macro_f1"),
    "support-multidogo": ("linear", "macro_f1"),
    "education-oulad": ("trees", "macro_f1"),
}
NO_INPUT = frozenset({"agreement", "conversation", "turn", "slots", "id_student", "domain"})
SEED, MOST_ROWS, MOST_VALIDATION = 13, 12_000, 2_500


def splits_of(name: str) -> Splits:
    """The rows of train.csv: at most 12,000 for training, up to 2,500 held out to score on."""
    rows = pl.read_csv(DATA / name / "train.csv", infer_schema_length=50_000)
    output = "label" if "label" in rows.columns else rows.columns[-1]
    rows = rows.filter(pl.col(output).is_not_null()).with_columns(pl.col(output).cast(pl.String))
    inputs = {
        column: "text" if column == "text" else "number" if kind.is_numeric() else "category"
        for column, kind in rows.schema.items()
        if column != output and column not in NO_INPUT
    }
    rows = rows.sample(fraction=1.0, shuffle=True, seed=SEED)
    common = rows[output].value_counts().filter(pl.col("count") >= 30)[output].to_list()
    rows = rows.filter(pl.col(output).is_in(common)).head(MOST_ROWS + MOST_VALIDATION)
    held = min(MOST_VALIDATION, len(rows) // 5)
    return Splits(inputs, {output: "category"}, rows[held:], rows[:held], rows[:0], DATA / name)


def _spec(splits: Splits) -> Spec:
    return Spec(name="probe", data="rows", inputs=splits.inputs, output=splits.output, seed=SEED)


def curve_of(name: str, learner: str, metric: str) -> dict:
    """The scores at 5 to 25 % of the rows (three seeds each) and at all of them."""
    probe = probing.Probe(splits := splits_of(name), learner, metric, _spec(splits))
    started = time.process_time()
    measured = list(probing.learning_points(probe, SHARES, 1e9))
    whole = probing.fitted(probe, probe.splits.train)
    estimate = whole.score
    return {
        "set": name,
        "learner": learner,
        "metric": metric,
        "points": measured,
        "rows": whole.rows,
        "truth": estimate,
        "validation_rows": len(probe.splits.validation),
        "seconds": round(time.process_time() - started, 1),
        "seconds_at_all": round(whole.seconds, 2),
    }


def judged(found: dict) -> dict:
    """The forecast at all rows beside what came, in points (hundredths)."""
    curve = curves.fit(probing.points(found["points"]), SEED)
    forecast = curve.score(found["rows"])
    last = float(np.mean(found["points"][-1]["scores"]))
    return {
        "set": found["set"],
        "learner": found["learner"],
        "metric": found["metric"],
        "fitted_rows": found["points"][-1]["rows"],
        "rows": found["rows"],
        "forecast": round(forecast.value, 4),
        "low": round(forecast.low, 4),
        "high": round(forecast.high, 4),
        "came": round(found["truth"], 4),
        "error_points": round(100 * (forecast.value - found["truth"]), 2),
        "naive_error_points": round(100 * (last - found["truth"]), 2),
        "inside": forecast.low <= found["truth"] <= forecast.high,
    }


class Serving:
    """`windlass serve` of a project as a process of its own."""

    def __init__(self, project: Path) -> None:
        command = [sys.executable, "-m", "windlass.cli", "serve", "--project", str(project), "--port", "0"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self.process.stdout is not None
        found = re.search(r"http://[^:]+:([0-9]+)", self.process.stdout.readline())
        if not found:
            raise SystemExit("the server did not say where it is")
        self.port = int(found[1])

    def processor_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def asked(self, bodies: list[bytes], clients: int, each: int) -> float:
        """Processor seconds of the server for one of so many requests, sent by so many clients at once."""
        before = self.processor_seconds()
        threads = [threading.Thread(target=self._client, args=(bodies[place:] + bodies[:place], each))
                   for place in range(clients)]  # fmt: skip
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return (self.processor_seconds() - before) / (clients * each)

    def _client(self, bodies: list[bytes], each: int) -> None:
        wire = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        for number in range(each):
            wire.request("POST", "/v1/predict", bodies[number % len(bodies)], {"content-type": "application/json"})
            response = wire.getresponse()
            response.read()
            assert response.status == 200, response.status
        wire.close()


def load_test(project: Path) -> dict:
    """What the plan foretells for one core, and what the served model does under 1 and 16 clients."""
    spec, store = load(project), Store(project)
    release, predictor = releases.open_release(store, releases.champion_id(store))
    splits = read_splits(spec, store)
    rows = [
        {name: kinds.get(kind).portable(row[name], splits.root) for name, kind in spec.inputs.items()}
        for row in splits.test.head(100).to_dicts()
    ]
    foretold = request_seconds(release, predictor, rows)
    assert foretold is not None
    serving = Serving(project)
    bodies = [codec.dumps({"row": row}) for row in rows]
    serving.asked(bodies, 1, 100)
    alone, together = (serving.asked(bodies, clients, 1_600 // clients) for clients in (1, 16))
    serving.process.terminate()
    prices = load_prices(Product(), project)[0]

    def machine_cost(seconds: float) -> float:
        """Of a million answers at full use."""
        return seconds * 1e6 / 3600 * prices.machine_hour / prices.machine_cores

    return {
        "project": spec.name,
        "candidate": release.candidate,
        "foretold_ms": round(1000 * foretold, 3),
        "alone_ms": round(1000 * alone, 3),
        "together_ms": round(1000 * together, 3),
        "foretold_per_core": round(1 / foretold, 1),
        "measured_per_core": round(1 / together, 1),
        "error": round(together / foretold - 1, 3),
        "foretold_cost_of_a_million": round(machine_cost(foretold), 3),
        "measured_cost_of_a_million": round(machine_cost(together), 3),
    }


def report(results: dict) -> str:
    """The results as Markdown."""
    lines = ["# Are the plan's forecasts true?", "", f"{results['date']}, {results['machine']}.", ""]
    lines += ["## Learning curves: fitted on 25 % of the rows, forecast for all of them", ""]
    lines += [
        "| set | metric | rows | forecast | came | error, points | last value's error | inside |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for each in results["curves"]:
        mark = "" if each["counts"] else " (tuned on)"
        lines.append(
            f"| {each['set']}{mark} | {each['metric']}, {each['learner']} | {each['fitted_rows']:,} of "
            f"{each['rows']:,} | {each['forecast']:.3f} [{each['low']:.3f}, {each['high']:.3f}] | {each['came']:.3f} "
            f"| {each['error_points']:+.1f} | {each['naive_error_points']:+.1f} | "
            f"{'yes' if each['inside'] else 'no'} |"
        )
    counted = [each for each in results["curves"] if each["counts"]]
    near = sum(abs(each["error_points"]) <= 2 for each in counted)
    better = sum(abs(each["naive_error_points"]) < abs(each["error_points"]) for each in results["curves"])
    mean = [np.mean([abs(each[key]) for each in counted]) for key in ("error_points", "naive_error_points")]
    lines += [
        "",
        f"Of the {len(counted)} sets that count, {near} are within 2 points; mean error {mean[0]:.1f} points, of the "
        f"last value {mean[1]:.1f}. The last value is the better forecast on {better} of all "
        f"{len(results['curves'])} sets.",
        "",
        "## Capacity and cost: foretold from a short trial, against `windlass serve` under 16 clients",
        "",
        "| product | model | foretold | measured, 1 client | measured, 16 clients | answers a second and core | "
        "error | machine cost of a million answers |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for each in results["load"]:
        lines.append(
            f"| {each['project']} | {each['candidate']} | {each['foretold_ms']:.2f} ms | {each['alone_ms']:.2f} ms | "
            f"{each['together_ms']:.2f} ms | {each['foretold_per_core']:.0f} foretold, "
            f"{each['measured_per_core']:.0f} measured | {100 * each['error']:+.0f} % | EUR "
            f"{each['foretold_cost_of_a_million']:.3f} foretold, {each['measured_cost_of_a_million']:.3f} measured |"
        )
    note = "Times are processor time of the server for one request, on a machine that six people shared."
    return "\n".join([*lines, "", note, ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=["curves", "load", "report"])
    parser.add_argument("names", nargs="*", help="sets, or the folder of a project")
    parser.add_argument("--cache", type=Path, default=Path("/tmp/windlass-curves.json"), help="measured scores")
    options = parser.parse_args()
    path = RESULTS / "planning.json"
    results = json.loads(path.read_text()) if path.is_file() else {"curves": [], "load": []}
    if options.part == "curves":
        results["curves"] = all_curves(options.cache, options.names)
    if options.part == "load":
        found = load_test(Path(options.names[0]).resolve())
        results["load"] = [each for each in results["load"] if each["project"] != found["project"]] + [found]
    results |= {"date": str(datetime.now(UTC).date()), "machine": machine()}
    path.write_text(json.dumps(results, indent=1) + "\n")
    (RESULTS / "planning.md").write_text(report(results))
    print(report(results))


def all_curves(cache: Path, names: list[str]) -> list[dict]:
    """Forecasts and what came, of every set; scores that are in the cache are not measured again."""
    known = json.loads(cache.read_text()) if cache.is_file() else {}
    for name, (learner, metric) in {**TUNED_ON, **COUNTED}.items():
        if name not in known and (not names or name in names):
            known[name] = curve_of(name, learner, metric)
            cache.write_text(json.dumps(known))
            print(name, known[name]["truth"], known[name]["seconds"], flush=True)
    return [{**judged(found), "counts": name in COUNTED} for name, found in known.items()]


if __name__ == "__main__":
    main()

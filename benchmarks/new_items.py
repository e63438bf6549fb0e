"""How long a running service takes to recommend an item that was added to the table, and to leave out one sold out.

Usage: python benchmarks/new_items.py    (half a minute)
The blueprint shop-recommender is run with item-knn, which knows events alone, and served by `windlass serve`; then its
data/items.csv is written anew. Writes rows of results/goals.json.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import shop_days
from goals import Goal, record

import windlass
from windlass.sources.outgoing import as_csv
from windlass.store.files import write_text

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))
import make_shop_recommender as shops

ISSUE, MOST_S, NEW = "recommend", 60.0, shops.N_ITEMS - 1


def asked(url: str, history: list[str]) -> list[str]:
    body = json.dumps({"row": {"history": {"events": history, "k": 100}}}).encode()
    request = urllib.request.Request(f"{url}/v1/predict", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as response:
        return [each["item"] for each in json.loads(response.read())["answers"][0]["value"]]


def until(holds, most: float = 120.0) -> float:
    """Seconds until it does. Raises: TimeoutError."""
    began = time.monotonic()
    while time.monotonic() - began < most:
        try:
            if holds():
                return time.monotonic() - began
        except OSError:
            pass
        time.sleep(0.1)
    raise TimeoutError


def measured(folder: Path) -> list[Goal]:
    there = shops.world(shops.SEED)
    shop_days.files(folder, there)
    spec = folder / "windlass.yaml"
    write_text(spec, spec.read_text("utf-8").replace("goal: ndcg_at_10 >= 0.15", "learners: [popularity, item-knn]"))
    windlass.Project(folder).release()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url, log = f"http://127.0.0.1:{port}", (folder / "serve.log").open("w")
    command = [sys.executable, "-m", "windlass", "serve", "--project", str(folder), "--port", str(port)]
    serving = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ)
    try:
        alike = [shops.item_row(there, int(item))["item"] for item in range(shops.N_AT_FIRST)
                 if there.department[item] == there.department[NEW]][:3]  # fmt: skip
        until(lambda: bool(asked(url, alike)))
        time.sleep(3.0)  # the table as it was is known
        first, new = asked(url, alike)[0], there.ids[NEW]
        rows = [shops.item_row(there, int(item)) for item in arrived(there)]
        added = [*rows, {**shops.item_row(there, NEW), "available": "9"}]
        write_text(folder / "data" / "items.csv", as_csv(list(added[0]), added))
        shown = until(lambda: new in asked(url, alike))
        place = asked(url, alike).index(new) + 1
        gone = [{**row, "available": "0"} if row["item"] == first else row for row in added]
        write_text(folder / "data" / "items.csv", as_csv(list(gone[0]), gone))
        left = until(lambda: first not in asked(url, alike))
    finally:
        serving.terminate()
        serving.wait(30)
    note = f"item-knn, which knows events alone; place {place} of 100 for who had three of its department; no training"
    return [
        Goal(ISSUE, "a new item is recommended by a running service", f"<= {MOST_S:.0f} s", f"{shown:.1f} s",
             shown <= MOST_S, note),
        Goal(ISSUE, "an item that is sold out leaves the lists", f"<= {MOST_S:.0f} s", f"{left:.1f} s", left <= MOST_S,
             "the first of the list; `available: 0` in the table"),
    ]  # fmt: skip


def arrived(there: shops.World) -> list[int]:
    return [item for item in range(shops.N_ITEMS) if there.arrived[item] < shops.N_DAYS]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        record(*measured(Path(place) / "shop"))

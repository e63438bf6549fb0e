"""An honest client beside one that makes the service work: how long short questions wait while each attack goes on.

The server runs in a process of its own on one core; the attack, in another process, sends its requests again and again
over a few connections, each answer read before the next is asked (`hang-ups`: it leaves at once). Meanwhile one short
text or small picture after the other is asked in an open loop (load_generator.py), at a modest rate. `refused` attacks
are above a bound and cost little; `allowed` ones are as expensive as a request may be. Loopback only.

Usage: python benchmarks/hostile.py [--seconds 10] [--rate 40] [--only NAME ...] [--work FOLDER] [--against SRC]
                                    [--record]
SRC is the `src` folder of another build, the control: `git worktree add /tmp/old 710ebf3` gives the one from before
there were bounds, for `--against /tmp/old/src`. --record writes the rows of results/goals.json.
"""

import argparse
import base64
import io
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from goals import Goal, record
from load_generator import Outcome, Target, open_loop
from PIL import Image

from serving import GENERATOR_CORE, SERVER_CORE, free_port, on_core, product, running

HERE = Path(__file__).resolve().parent
N_CONNECTIONS, MOST_MS = 4, 50.0
PATIENCE_S = 60.0
TEXTS = ("my card is lost", "where is my refund", "please change my address", "I cannot log in", "the parcel is late")
WORDS = "my card is lost and the refund has gone somewhere else "


@dataclass(frozen=True)
class Attack:
    """rows: of one request, to the product's only input. leaves: its client hangs up when the request is sent."""

    rows: Callable[[], list[str]]
    of_pictures: bool = False
    path: str = "/v1/predict"
    leaves: bool = False
    escaped: bool = False


def grown(n_rows: int, length: int) -> Callable[[], list[str]]:
    """U+FDFA is 18 characters once it is normalised."""
    return lambda: ["\ufdfa" * length] * n_rows


def words(n_rows: int) -> Callable[[], list[str]]:
    return lambda: [(WORDS * 2_000)[:99_000]] * n_rows


def pictures(n_rows: int) -> Callable[[], list[str]]:
    """One grey PNG of 25 megapixels, of a few kilobytes."""

    def made() -> list[str]:
        file = io.BytesIO()
        Image.new("L", (5_000, 5_000), 200).save(file, "PNG")
        return [base64.b64encode(file.getvalue()).decode()] * n_rows

    return made


ATTACKS = {
    "nobody": Attack(list),
    "ligatures, refused": Attack(grown(5, 100_000)),
    "ligatures, allowed": Attack(grown(22, 5_000)),
    "words, refused": Attack(words(130)),
    "words, allowed": Attack(words(20)),
    "escapes, refused": Attack(lambda: ["卡丢了怎么办" * 15_000] * 25, escaped=True),
    "marks, allowed": Attack(lambda: ["a" + "\u0301\u0316" * 49_000] * 20),
    "points to explain, allowed": Attack(lambda: ["." * 99_000], path="/v1/explain"),
    "words to explain, allowed": Attack(words(8), path="/v1/explain"),
    "hang-ups": Attack(words(20), leaves=True),
    "pictures, refused": Attack(pictures(50), of_pictures=True),
    "pictures, allowed": Attack(pictures(7), of_pictures=True),
}


def body(attack: Attack) -> bytes:
    column = "picture" if attack.of_pictures else "message"
    return json.dumps({"rows": [{column: row} for row in attack.rows()]}, ensure_ascii=attack.escaped).encode()


def attacked(attack: Attack, port: int, seconds: float) -> Counter[int]:
    """Status -> how many answers the attack got; 0: hung up, or no answer."""
    content, until, found = body(attack), time.monotonic() + seconds, Counter[int]()

    def go_on() -> None:
        while time.monotonic() < until:
            with suppress(OSError, HTTPException):
                found[(hang_up if attack.leaves else ask)(port, attack.path, content)] += 1

    threads = [threading.Thread(target=go_on, daemon=True) for _ in range(N_CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds + PATIENCE_S)
    return found


def ask(port: int, path: str, content: bytes) -> int:
    with closing(HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)) as connection:
        connection.request("POST", path, content, {"content-type": "application/json"})
        response = connection.getresponse()
        response.read()
        return response.status


def hang_up(port: int, path: str, content: bytes) -> int:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with closing(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)) as wire:
        wire.sendall(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
        time.sleep(0.05)
    return 0


@contextmanager
def beside(name: str, port: int, seconds: float) -> Iterator[subprocess.Popen[bytes]]:
    """The attack in a process of its own."""
    order = ["--attack", name, "--port", str(port), "--seconds", str(seconds)]
    command = on_core(GENERATOR_CORE, [sys.executable, str(HERE / "hostile.py"), *order])
    child = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        yield child
    finally:
        child.kill()
        child.wait()


def measure(name: str, project: Path, target: Callable[[int], Target], plan: argparse.Namespace, source: Path) -> dict:
    """What the honest client saw beside this attack on this build; its first two seconds warm up and do not count."""
    at = target(free_port())
    serve = [sys.executable, "-m", "windlass.cli", "serve", "--project", str(project), "--port", str(at.port)]
    before = os.environ.get("PYTHONPATH", "")
    os.environ["PYTHONPATH"] = str(source)
    try:
        with running(on_core(SERVER_CORE, serve), at):
            os.environ["PYTHONPATH"] = before
            open_loop(at, plan.rate, 2.0, seed=1)
            if name == "nobody":
                return told(open_loop(at, plan.rate, plan.seconds, seed=2), {})
            with beside(name, at.port, plan.seconds + 1) as child:
                time.sleep(1.0)
                outcome = open_loop(at, plan.rate, plan.seconds, seed=2)
                with suppress(subprocess.TimeoutExpired):
                    child.wait(PATIENCE_S + plan.seconds)
                said = child.stdout.read() if child.stdout is not None and child.returncode == 0 else b""
            return told(outcome, json.loads(said or b"{}"))
    finally:
        os.environ["PYTHONPATH"] = before


def told(outcome: Outcome, attack: dict) -> dict:
    """Who got no answer has waited as long as was waited for him."""
    lost = outcome.refused.total() + outcome.unanswered
    outcome.latencies_s += [float("inf")] * lost
    figures = outcome.figures()
    return {"p50_ms": figures["p50_ms"], "p99_ms": figures["p99_ms"], "asked": figures["requests"] - lost,
            "lost": lost, "attack": attack}  # fmt: skip


def of_pictures(folder: Path) -> None:
    """A released product that tells light from dark pictures."""
    for label, shade in (("dark", 40), ("light", 200)):
        (folder / "data" / label).mkdir(parents=True)
        for number in range(60):
            Image.new("L", (32, 32), shade + number % 20).save(folder / "data" / label / f"{number}.png")
    spec = "name: shades\ndata: data\ninputs: {picture: image}\noutput: {label: category}\nlearners: [linear]\n"
    (folder / "windlass.yaml").write_text(spec, encoding="utf-8")
    command = [sys.executable, "-m", "windlass.cli", "release", "linear", "--project", str(folder)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def honest(port: int, with_pictures: bool) -> Target:
    values: list[Any] = list(TEXTS)
    if with_pictures:
        file = io.BytesIO()
        Image.new("L", (32, 32), 90).save(file, "PNG")
        values = [base64.b64encode(file.getvalue()).decode()]
    column = "picture" if with_pictures else "message"
    return Target(port, "/v1/predict", [json.dumps({"row": {column: value}}).encode() for value in values])


def goal(name: str, found: dict, control: dict | None) -> Goal:
    value = f"p99 {found['p99_ms']} ms, p50 {found['p50_ms']} ms, {found['lost']} of {found['asked']} without an answer"
    if control is not None:
        value += f"; without the bounds p99 {control['p99_ms']} ms, {control['lost']} without an answer"
    is_met = found["p99_ms"] <= MOST_MS and not found["lost"]
    note = f"the attack got {found['attack'] or 'nothing'}; server on one core, {N_CONNECTIONS} attacking connections"
    return Goal("mended", f"honest requests beside: {name}", f"p99 <= {MOST_MS:g} ms, none lost", value, is_met, note)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rate", type=float, default=40.0, help="honest requests a second")
    parser.add_argument("--only", nargs="+", default=list(ATTACKS), choices=list(ATTACKS))
    parser.add_argument("--work", type=Path, help="where the products are made, or lie already")
    parser.add_argument("--against", type=Path, help="`src` of the build that is the control")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--attack", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    plan = parser.parse_args()
    if plan.attack:
        print(json.dumps(attacked(ATTACKS[plan.attack], plan.port, plan.seconds)))
        return
    with tempfile.TemporaryDirectory() as folder:
        work = plan.work or Path(folder)
        for name, make in (("linear", lambda place: product(place, "linear")), ("shades", of_pictures)):
            if not (work / name / ".windlass" / "release" / "champion.json").is_file():
                make(work / name)
        for name in plan.only:
            is_of_pictures = ATTACKS[name].of_pictures
            project = work / ("shades" if is_of_pictures else "linear")

            def target(port: int, kind: bool = is_of_pictures) -> Target:
                return honest(port, kind)

            found = measure(name, project, target, plan, HERE.parent / "src")
            control = measure(name, project, target, plan, plan.against) if plan.against else None
            print(f"{name}: {json.dumps({'now': found, 'before': control})}", flush=True)
            if plan.record:
                record(goal(name, found, control))


if __name__ == "__main__":
    main()

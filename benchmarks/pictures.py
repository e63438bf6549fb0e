"""Memory of a serving process under hostile pictures, beside what `windlass ship` asks for it.

Usage: python benchmarks/pictures.py [--at-once 4]
Each picture is sent alone, then all of them at once. Control: the same server without the bound of kinds/decoding.py.
Writes results/goals.json.
"""

import argparse
import base64
import http.client
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from struct import pack

import numpy as np
from goals import Goal, record
from PIL import Image

from windlass.shipping import product, trial
from windlass.spec import load
from windlass.store.store import Store

GOAL_MIB = 64
BOUNDED = "from windlass.cli import main; main()"
UNBOUNDED = "from windlass.kinds import decoding; decoding.MAX_DECODED = decoding._free = 10**12; " + BOUNDED


def png(width: int, height: int, depth: int, colour: int, bits: int) -> bytes:
    """A black one; depth, colour: of its header; bits: of a pixel."""

    def chunk(word: bytes, content: bytes) -> bytes:
        return pack(">I", len(content)) + word + content + pack(">I", zlib.crc32(word + content))

    body = zlib.compress(bytes(height * (1 + -(-width * bits // 8))), 9)
    header = pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def black(mode: str, width: int, height: int, form: str, **options: object) -> bytes:
    file = io.BytesIO()
    Image.new(mode, (width, height)).save(file, form, **options)
    return file.getvalue()


PICTURES: dict[str, Callable[[], bytes]] = {
    "grey of 16 bits, 25 megapixels": lambda: png(5_000, 5_000, 16, 0, 16),
    "colour of 16 bits, 25 megapixels": lambda: png(5_000, 5_000, 16, 2, 48),
    "25,000,000 x 1": lambda: png(25_000_000, 1, 8, 2, 24),
    "float TIFF, 25 megapixels": lambda: black("F", 5_000, 5_000, "TIFF", compression="tiff_adobe_deflate"),
    "WebP, 25 megapixels": lambda: black("RGB", 5_000, 5_000, "WEBP", lossless=True, method=0),
    "alpha, 25 megapixels": lambda: png(5_000, 5_000, 8, 6, 32),
    "colour, 14.7 megapixels": lambda: png(5_120, 2_880, 8, 2, 24),
    "alpha, 12.8 megapixels": lambda: png(4_000, 3_200, 8, 6, 32),
    "float TIFF, 12.8 megapixels": lambda: black("F", 4_000, 3_200, "TIFF", compression="tiff_adobe_deflate"),
    "WebP, 4.2 megapixels": lambda: black("RGB", 2_048, 2_048, "WEBP", method=0),
    "JPEG in several passes, 8 megapixels": lambda: black("RGB", 4_000, 2_000, "JPEG", progressive=True, subsampling=0),
    "photograph, 50 megapixels": lambda: black("RGB", 8_160, 6_120, "JPEG"),
}
"""Six that the bound refuses, and about the largest that pass it."""


def run(*words: str, project: Path) -> None:
    subprocess.run([sys.executable, "-c", BOUNDED, *words, "--project", str(project)], check=True, stdout=sys.stderr)


def made(folder: Path) -> Path:
    """A product that tells a picture that darkens to the right from one that darkens downwards."""
    noise, slope = np.random.default_rng(0), np.tile(np.linspace(20, 220, 64), (64, 1))
    for label, picture in (("right", slope), ("down", slope.T)):
        (folder / "pictures" / label).mkdir(parents=True)
        for number in range(60):
            pixels = np.clip(picture + noise.normal(0, 9, picture.shape), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / "pictures" / label / f"{number}.jpg")
    run("init", str(folder / "pictures"), project=folder)
    with (folder / "windlass.yaml").open("a", encoding="utf-8") as file:
        file.write("\nlearners: [linear]\n")
    run("run", project=folder)
    return folder


@contextmanager
def serving(folder: Path, program: str) -> Iterator[tuple[int, int]]:
    """Port and process id of a server of the product."""
    command = [sys.executable, "-c", program, "serve", "--project", str(folder), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://[^:]+:(\d+)", process.stdout.readline())
            assert found is not None
            yield int(found[1]), process.pid
        finally:
            process.terminate()


def ask(port: int, content: bytes) -> int:
    """The status of the answer."""
    row = {"row": {"image": base64.b64encode(content).decode()}}
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=120)) as connection:
        connection.request("POST", "/v1/predict", json.dumps(row), {"content-type": "application/json"})
        response = connection.getresponse()
        response.read()
        return response.status


def held_mib(process: int, name: str) -> float:
    found = re.search(rf"{name}:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    assert found is not None
    return int(found[1]) / 1024


def measured(folder: Path, program: str, at_once: int) -> tuple[float, float, float, float]:
    """MiB more than before: by the worst picture, by all of them at once, and what stays; and the most in all.

    Before: after small pictures of each format, since their decoders are loaded when they are first met.
    """
    contents = {name: make() for name, make in PICTURES.items()}
    small = [black("RGB", 64, 64, form) for form in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")]
    with serving(folder, program) as (port, process):
        for content in small * 10:
            ask(port, content)
        before, peaks, most = held_mib(process, "VmRSS"), {}, 0.0
        for name, content in contents.items():
            Path(f"/proc/{process}/clear_refs").write_text("5")
            status = ask(port, content)
            peaks[name] = held_mib(process, "VmHWM") - before
            most = max(most, held_mib(process, "VmHWM"))
            print(
                f"  {name}: {len(content) / 1000:,.0f} kB, status {status}, {peaks[name]:.0f} MiB, "
                f"then {held_mib(process, 'VmRSS') - before:.0f}",
                flush=True,
            )
        Path(f"/proc/{process}/clear_refs").write_text("5")
        with ThreadPoolExecutor(at_once) as pool:
            list(pool.map(lambda content: ask(port, content), contents.values()))
        together = held_mib(process, "VmHWM") - before
        return max(peaks.values()), together, held_mib(process, "VmRSS") - before, max(most, held_mib(process, "VmHWM"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--at-once", type=int, default=4)
    at_once = parser.parse_args().at_once
    os.environ.pop("WINDLASS_DATABASE", None)
    with tempfile.TemporaryDirectory() as place:
        folder = made(Path(place))
        print("with the bound")
        worst, together, stays, most = measured(folder, BOUNDED, at_once)
        print("without it")
        control, control_together, control_stays, _ = measured(folder, UNBOUNDED, at_once)
        shipped = trial.measure(product.champion(load(folder), Store(folder), None))
    note = f"{len(PICTURES)} pictures; control without the bound: "
    record(
        Goal("mended", "hostile pictures: growth of a service", f"<= {GOAL_MIB} MiB", f"{worst:.0f} MiB",
             worst <= GOAL_MIB, f"{note}{control:.0f} MiB"),
        Goal("mended", "hostile pictures: growth, many at once", f"<= {GOAL_MIB} MiB", f"{together:.0f} MiB",
             together <= GOAL_MIB, f"{at_once} at once; {note}{control_together:.0f} MiB"),
        Goal("mended", "hostile pictures: memory that stays", "<= 16 MiB", f"{stays:.0f} MiB", stays <= 16,
             f"{note}{control_stays:.0f} MiB"),
        Goal("mended", "hostile pictures: inside what ship asks for", f"<= {shipped.limit_mib} MiB (its limit)",
             f"{most:.0f} MiB", most <= shipped.limit_mib, f"its request: {shipped.request_mib} MiB"),
    )  # fmt: skip


if __name__ == "__main__":
    main()

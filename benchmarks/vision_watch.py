"""How `watch` does where a row is a picture: blur, dark, JPEG-20 and noise, put into windows of 100 pictures.

The 159 validation and test pictures of blood cells (BCCD) are answered by a detector that was trained on the others, as
they are and as each change leaves them. Each trial deals them anew: 59 are what the release remembers
(`reference.json`), the other 100 are a window of the service, and `watch` compares the two as it does in use, by the
same code. The score of a window is the smallest p of what it calls large; a false alarm is an unchanged window of
which that speaks alone.

Usage: python benchmarks/vision_watch.py --data ../shared/data [--artifact FOLDER | --minutes 1] [--trials 200]
--artifact: of a run of `benchmarks/vision.py`, so that nothing is trained. Writes rows of results/goals.json.
"""

import argparse
import base64
import io
import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from goals import Goal, record
from PIL import Image, ImageFilter

import windlass
from windlass.outputs import reference_profile
from windlass.outputs import table as outputs
from windlass.predictors import table as predictors
from windlass.records import Json, Row
from windlass.registry import reference
from windlass.registry.reference import Reference
from windlass.sources.prepared import read_splits
from windlass.store.files import write_text
from windlass.watching.alarms import level, levels
from windlass.watching.evidence import Finding, Told, findings
from windlass.watching.windows import Part, seconds

ISSUE, SEED, WINDOW = "see", 13, 100
REACH, MOST_FALSE = 0.95, 0.05
SPEC = """name: cells
data: {{train: {home}/train.json, validation: {home}/val.json, test: {home}/test.json}}
inputs: {{image: image}}
output: {{cells: boxes}}
learners: [{{detector: any-side-up}}]
minutes: {minutes:g}
seed: 13
"""


def noisy(picture: Image.Image) -> Image.Image:
    pixels = np.asarray(picture, float)
    random = np.random.default_rng(int(pixels.sum()) % 2**32)
    return Image.fromarray(np.clip(pixels + random.normal(0, 10, pixels.shape), 0, 255).astype(np.uint8))


CHANGES: dict[str, tuple[str, Callable[[Image.Image], Image.Image], Json]] = {
    "blur": ("Gaussian, 2 pixels of 640", lambda picture: picture.filter(ImageFilter.GaussianBlur(2)), {}),
    "dark": ("at 60 % of the light", lambda picture: picture.point(lambda value: round(0.6 * value)), {}),
    "JPEG-20": ("saved at quality 20", lambda picture: picture, {"quality": 20}),
    "noise": ("deviation 10 of 255, PNG", noisy, {"format": "PNG"}),
}
"""Name -> words, what is done to a picture, and how it is saved: at JPEG's quality 95 where nothing else is said."""


def changed(path: str, how: tuple[str, Callable[[Image.Image], Image.Image], Json]) -> str:
    """The picture as a client would send it."""
    file = io.BytesIO()
    how[1](Image.open(path).convert("RGB")).save(file, **{"format": "JPEG", "quality": 95, **how[2]})
    return f"data:image/x;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"


def profiles(rows: Sequence[Row], predictor: Any, known: Reference) -> list[str]:
    """What the service's log remembers of each of these requests."""
    return [known.profile(row, answer) for row, answer in zip(rows, predictor.answer(rows), strict=True)]


def remembered(content: Json, places: Sequence[int]) -> Json:
    """The reference with these of its rows."""
    columns = [{**each, "profiles": [each["profiles"][n] for n in places]} for each in content["columns"]]
    written = {**content["written"], "profiles": [content["written"]["profiles"][n] for n in places]}
    return {**content, "columns": columns, "answers": {}, "written": written}


def opened(content: Json, folder: Path) -> Reference:
    reference.write(folder, content)
    found = reference.read(folder)
    assert found is not None
    return found


def looked_at(seen: Sequence[str], known: Reference) -> list[Finding]:
    """What `watch` finds in a window of these profiles."""
    part = Part()
    for number, profile in enumerate(seen):
        row = {"id": f"{number}", "at": float(number), "latency_ms": 1.0, "confidence": None, "profile": profile}
        part.add(row, "", 0.0)
    return findings([part], known, "cells", Told(0, 0), Told(0, 0))


def score(found: Sequence[Finding]) -> float:
    """The larger, the less likely by chance alone."""
    return -float(np.log10(max(1e-300, min((each.p for each in found if each.is_large), default=1.0))))


def auroc(usual: Sequence[float], shifted: Sequence[float]) -> float:
    one, other = np.array(usual)[None, :], np.array(shifted)[:, None]
    return float(((other > one) + 0.5 * (other == one)).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--artifact", type=Path)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--trials", type=int, default=200)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        home = args.data.resolve() / "detect-bccd"
        write_text(folder / "windlass.yaml", SPEC.format(home=home, minutes=args.minutes))
        project = windlass.Project(folder)
        artifact = args.artifact
        if artifact is None:
            project.run()
            artifact = project.store.run_folder(project.board.chosen) / "artifact"
        else:
            project.collect()
            project.prepare()
        measure(project, predictors.load(artifact), args.trials, folder)


def measure(project: windlass.Project, predictor: Any, trials: int, folder: Path) -> None:
    output, splits = outputs.of(project.spec), read_splits(project.spec, project.store)
    content = json.loads(json.dumps(reference_profile.make(output, splits, predictor)))
    whole = opened(content, folder)
    held = [row["image"] for row in reference_profile.held_rows(splits)]
    seen = {name: profiles([{"image": changed(path, how)} for path in held], predictor, whole)
            for name, how in CHANGES.items()}  # fmt: skip
    plain = [json.dumps([column["profiles"][n] for column in [*content["columns"], content["written"]]])
             for n in range(len(held))]  # fmt: skip
    spend = levels(project.spec.watch.false_alarms, *[seconds(project.spec.watch.window)] * 2)
    scores: dict[str, list[float]] = {name: [] for name in ("usual", *seen)}
    alarms: dict[str, list[bool]] = {name: [] for name in scores}
    traits: dict[str, list[str]] = {name: [] for name in scores}
    random = np.random.default_rng(SEED)
    for _ in range(trials):
        order = random.permutation(len(held)).tolist()
        known = opened(remembered(content, order[WINDOW:]), folder)
        for name, of in {"usual": plain, **seen}.items():
            found = looked_at([of[place] for place in order[:WINDOW]], known)
            scores[name].append(score(found))
            alarms[name].append(level(found, spend) == "strong")
            worst = min(found, key=lambda each: (not each.is_large, each.p))
            traits[name].append(f"{worst.subject} {worst.trait}")
    note = f"{trials} trials: {len(held) - WINDOW} pictures remembered, windows of {WINDOW}"
    for name, (words, *_) in CHANGES.items():
        value, often = auroc(scores["usual"], scores[name]), max(set(traits[name]), key=traits[name].count)
        said = f"{value:.3f}; {np.mean(alarms[name]):.0%} of windows raise it at once"
        record(Goal(ISSUE, f"watch, injected {name}, AUROC of the alarm", f">= {REACH}", said, value >= REACH,
                    f"{words}; {note}; told by '{often}' most often"))  # fmt: skip
    false = float(np.mean(alarms["usual"]))
    record(Goal(ISSUE, "watch, false alarms of a window", f"<= {MOST_FALSE:.0%}", f"{false:.1%}", false <= MOST_FALSE,
                note))  # fmt: skip


if __name__ == "__main__":
    main()

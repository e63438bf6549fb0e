"""Draws the sample data of the cell-counter blueprint: blood under a microscope, with the boxes of its cells.

Source: drawn for this project with Pillow, Apache-2.0.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SEED = 13
TARGET = Path(__file__).parents[1] / "src/windlass/blueprints/cell-counter/data"
WIDTH, HEIGHT = 160, 128
TIMES = 3  # drawn so many times as large, then reduced, so that edges are soft
N_PICTURES = {"train": 150, "test": 60}
EMPTY = 0.08
"""Share of pictures without a cell: a clean part of the slide, with dirt on it."""
NAMES = ("red cell", "white cell", "platelet")
SHARES = (0.72, 0.11, 0.17)
SIDES = {"red cell": (17, 24), "white cell": (27, 38), "platelet": (6, 9)}
MOST_COVERED = 0.25
Box = tuple[float, float, float, float]


def covered(box: Box, others: list[Box]) -> float:
    """The largest share of the box that one of the others covers, or it of that one."""
    worst = 0.0
    for other in others:
        wide, high = (min(box[n + 2], other[n + 2]) - max(box[n], other[n]) for n in (0, 1))
        smaller = min((each[2] - each[0]) * (each[3] - each[1]) for each in (box, other))
        worst = max(worst, max(wide, 0) * max(high, 0) / smaller)
    return worst


def scaled(box: Box, share: float = 1.0, off: tuple[float, float] = (0.0, 0.0)) -> list[float]:
    """The box on the large drawing, around its middle so much smaller, moved by pixels."""
    across, down = (box[0] + box[2]) / 2 + off[0], (box[1] + box[3]) / 2 + off[1]
    wide, high = (box[2] - box[0]) / 2 * share, (box[3] - box[1]) / 2 * share
    return [TIMES * side for side in (across - wide, down - high, across + wide, down + high)]


def draw_cell(pen: ImageDraw.ImageDraw, name: str, box: Box, rng: np.random.Generator) -> None:
    tone = int(rng.integers(-12, 13))
    if name == "red cell":
        pen.ellipse(scaled(box), fill=(214 + tone, 128 + tone, 128 + tone), outline=(178 + tone, 92, 98), width=TIMES)
        pen.ellipse(scaled(box, rng.uniform(0.25, 0.5)), fill=(232 + tone // 2, 170 + tone, 166 + tone))
    elif name == "white cell":
        pen.ellipse(scaled(box), fill=(208 + tone, 196 + tone, 222), outline=(160, 146, 186), width=TIMES)
        for _ in range(int(rng.integers(2, 4))):
            off = tuple(rng.uniform(-0.14, 0.14, 2) * (box[2] - box[0]))
            pen.ellipse(scaled(box, rng.uniform(0.4, 0.58), off), fill=(98 + tone, 62 + tone, 148 + tone))
    else:
        pen.ellipse(scaled(box), fill=(138 + tone, 92 + tone, 168 + tone))


def draw_dirt(pen: ImageDraw.ImageDraw, rng: np.random.Generator) -> None:
    """Scratches and grey specks, which are no cells."""
    for _ in range(int(rng.integers(0, 3))):
        start, off = rng.uniform(0, TIMES * WIDTH, 2), rng.uniform(-60, 60, 2)
        pen.line([*start, *(start + off)], fill=(190, 184, 180), width=int(rng.integers(1, 4)))
    for _ in range(int(rng.integers(0, 3))):
        place, side = rng.uniform(0, TIMES * HEIGHT, 2), rng.uniform(4, 10)
        pen.ellipse([*place, *(place + side)], fill=(150, 148, 144))


def draw(rng: np.random.Generator) -> tuple[Image.Image, list[tuple[str, Box]]]:
    """A picture, and its cells; the later ones lie over the earlier."""
    paper = tuple(int(side) for side in np.array([238, 228, 224]) + rng.integers(-9, 10, 3))
    large = Image.new("RGB", (TIMES * WIDTH, TIMES * HEIGHT), paper)
    pen, cells = ImageDraw.Draw(large), list[tuple[str, Box]]()
    draw_dirt(pen, rng)
    wanted = 0 if rng.random() < EMPTY else int(rng.integers(3, 19))
    for _ in range(4 * wanted):
        name = str(rng.choice(NAMES, p=SHARES))
        wide = rng.uniform(*SIDES[name])
        high = wide * rng.uniform(0.85, 1.15)
        left, top = rng.uniform(-wide / 4, WIDTH - 0.75 * wide), rng.uniform(-high / 4, HEIGHT - 0.75 * high)
        box = (left, top, left + wide, top + high)
        if len(cells) < wanted and covered(box, [each for _, each in cells]) < MOST_COVERED:
            draw_cell(pen, name, box, rng)
            cells.append((name, (max(0.0, left), max(0.0, top), min(WIDTH, left + wide), min(HEIGHT, top + high))))
    small = large.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    small = small.filter(ImageFilter.GaussianBlur(rng.uniform(0, 0.7)))
    noisy = np.asarray(small, float) * rng.uniform(0.88, 1.06) + rng.normal(0, 3, (HEIGHT, WIDTH, 1))
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)), cells


def coco(pictures: list[tuple[str, list[tuple[str, Box]]]]) -> dict[str, Any]:
    """The annotations as COCO has them."""
    found = [(number, name, box) for number, (_, cells) in enumerate(pictures, 1) for name, box in cells]
    return {
        "images": [{"id": number, "file_name": f"images/{name}", "width": WIDTH, "height": HEIGHT}
                   for number, (name, _) in enumerate(pictures, 1)],
        "annotations": [
            {"id": number, "image_id": picture, "category_id": NAMES.index(name) + 1, "iscrowd": 0,
             "bbox": [round(side, 1) for side in (box[0], box[1], box[2] - box[0], box[3] - box[1])]}
            for number, (picture, name, box) in enumerate(found, 1)],
        "categories": [{"id": number, "name": name} for number, name in enumerate(NAMES, 1)],
    }  # fmt: skip


def main(target: Path = TARGET) -> None:
    shutil.rmtree(target, ignore_errors=True)
    (target / "images").mkdir(parents=True)
    rng = np.random.default_rng(SEED)
    for split, count in N_PICTURES.items():
        pictures = []
        for number in range(count):
            picture, cells = draw(rng)
            name = f"{split}-{number:03}.jpg"
            picture.save(target / "images" / name, quality=88)
            pictures.append((name, cells))
        text = json.dumps(coco(pictures), separators=(",", ":"))
        (target / f"{split}.json").write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""Small products with a known truth, for the shipped checks: rows that tell their answer, made by chance."""

import base64
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from windlass.kinds import boxes, cited, masks
from windlass.records import Json, Passage, Row, Splits


def toys(folder: Path, seed: int = 13) -> Iterator[tuple[str, Splits]]:
    """Small problems that anything that learns can learn, by name: text, table, image, and text with a number.

    Each is made when it is asked for; pictures are written below `folder`.
    """
    import polars as pl

    random = np.random.default_rng(seed)
    sizes = {"train": 240, "validation": 60, "test": 60}
    labels = {name: random.permutation(np.arange(size) % 5 < 2) for name, size in sizes.items()}

    def splits(inputs: dict[str, str], row: Any) -> Splits:
        frames = {
            name: pl.DataFrame(
                [
                    {**row(bool(label), f"{name}-{number}"), "answer": "yes" if label else "no"}
                    for number, label in enumerate(labels[name])
                ]
            )
            for name in sizes
        }
        return Splits(inputs, {"answer": "category"}, frames["train"], frames["validation"], frames["test"], folder)

    yield "text", splits({"message": "text"}, lambda yes, name: {"message": _sentence(yes, random)})
    yield (
        "table",
        splits({"size": "number", "colour": "category", "day": "date"}, lambda yes, name: _table_row(yes, random)),
    )
    yield "image", splits({"picture": "image"}, lambda yes, name: {"picture": _picture(yes, random, folder, name)})
    yield (
        "text and number",
        splits(
            {"message": "text", "size": "number"},
            lambda yes, name: {"message": _sentence(yes, random), "size": float(random.normal(yes, 0.5))},
        ),
    )
    tried = splits({"history": "items", "exercise": "category"}, lambda yes, name: _attempts(yes, random))
    yield "attempts", replace(tried, written={"history": {"counts": {"yes": 1.0, "no": 0.0}}})


def _attempts(is_able: bool, random: np.random.Generator) -> Row:
    """What somebody tried who is mostly right, or mostly wrong, the oldest first; and what is tried now."""
    names = [f"e{each}" for each in random.integers(0, 4, 7)]
    right = (random.random(6) < (0.8 if is_able else 0.1)).astype(int).tolist()
    times = (1_700_000_000 + 86_400 * np.arange(7)).tolist()
    past = {"items": names[:6], "times": times[:6], "weights": right, "now": times[6], "whole": True}
    return {"history": json.dumps(past), "exercise": names[6]}


def number_toy(folder: Path, seed: int = 13) -> Splits:
    """A table that tells a number: it grows with the size, and blue ones cost more."""
    import polars as pl

    random = np.random.default_rng(seed)

    def row() -> Json:
        size, colour = float(random.uniform(0, 10)), str(random.choice(["red", "blue"]))
        return {"size": size, "colour": colour, "price": 3 * size + 4 * (colour == "blue") + float(random.normal())}

    train, validation, test = (pl.DataFrame([row() for _ in range(size)]) for size in (240, 60, 60))
    return Splits({"size": "number", "colour": "category"}, {"price": "number"}, train, validation, test, folder)


TAG_WORDS = {
    "refund": ["money back", "退款", "reimburse"],
    "late": ["still waiting", "没收到", "overdue"],
    "broken": ["cracked", "坏了", "in pieces"],
}


def tags_toy(folder: Path, seed: int = 13) -> Splits:
    """Texts that are about none, one or several of three things, with a number that tells one of them."""
    import polars as pl

    random = np.random.default_rng(seed)

    def row(number: int) -> Json:
        tags = [tag for tag in TAG_WORDS if random.random() < 0.4]
        words = [*random.choice(["my", "order", "please", "hello", "手机"], 3), f"n{number}"]
        words += [str(random.choice(TAG_WORDS[tag])) for tag in tags]
        days = float(random.normal(9 if "late" in tags else 2, 2))
        message = " ".join(str(word) for word in random.permutation(words))
        return {"message": message, "days": days, "tags": json.dumps(sorted(tags))}

    train, validation, test = (
        pl.DataFrame([row(1_000 * place + each) for each in range(size)]) for place, size in enumerate((240, 60, 60))
    )
    return Splits({"message": "text", "days": "number"}, {"tags": "tags"}, train, validation, test, folder)


def tags_table(folder: Path, seed: int = 13) -> Splits:
    """A table whose columns tell three tags."""
    import polars as pl

    random = np.random.default_rng(seed)

    def row() -> Json:
        size, colour = float(random.uniform(0, 10)), str(random.choice(["red", "blue"]))
        found = {"large": size > 6, "blue": colour == "blue", "heavy": size + 3 * (colour == "red") > 8}
        return {"size": size, "colour": colour, "tags": json.dumps([tag for tag, holds in found.items() if holds])}

    train, validation, test = (pl.DataFrame([row() for _ in range(size)]) for size in (240, 60, 60))
    return Splits({"size": "number", "colour": "category"}, {"tags": "tags"}, train, validation, test, folder)


def forecast_toy(folder: Path, seed: int = 13) -> Splits:
    """Three series of days with a week of their own and noise; a promotion, known beforehand, makes half more."""
    import polars as pl

    random = np.random.default_rng(seed)
    how = {"time": "day", "value": "sales", "known": ["promo"], "past": [], "every": "1d", "gather": "",
           "horizon": 7, "season": None}  # fmt: skip
    parts: dict[str, list[Json]] = {"train": [], "validation": [], "test": []}
    for place in range(3):
        week, days = random.uniform(6, 14, 7), np.arange(182)
        promo = (random.random(len(days)) < 0.04).astype(float)
        sales = (week[days % 7] + 4 * place) * (1 + 0.5 * promo) + random.normal(0, 0.5, len(days))
        for name, origins in (("train", [112]), ("validation", range(119, 147)), ("test", range(147, 176, 7))):
            for origin in origins:
                known = [float(value) for value in promo[: origin + 7]]
                columns = {"sales": [*sales[:origin].tolist(), *[None] * 7], "promo": known}
                kept = {"start": "2025-01-06T00:00:00", "every": "1d", "columns": columns}
                truth = json.dumps(sales[origin : origin + 7].tolist())
                parts[name].append({"history": json.dumps(kept), "shop": f"s{place}", "sales": truth})
    train, validation, test = (pl.DataFrame(rows) for rows in parts.values())
    inputs, written = {"history": "series", "shop": "category"}, {"history": how}
    return Splits(inputs, {"sales": "forecast"}, train, validation, test, folder, written=written)


def anomaly_toy(folder: Path, seed: int = 13) -> Splits:
    """Two machines, whose heat follows their load, each at its own level; in a fault it is four above that."""
    import polars as pl

    random = np.random.default_rng(seed)
    how = {"time": "time", "value": "heat", "past": [], "known": ["load"], "every": "6h", "gather": "",
           "horizon": 0, "season": None, "window": 24}  # fmt: skip

    def row(place: int, is_faulty: bool) -> Json:
        machine, load = "ab"[place % 2], random.uniform(0, 1, 24)
        heat = {"a": 20, "b": 50}[machine] + 10 * load + random.normal(0, 0.5, 24)
        heat[-4:] += 4.0 * is_faulty
        start = f"{date(2026, 1, 1) + timedelta(days=int(random.integers(300)))}T00:00:00"
        columns = {"heat": heat.round(2).tolist(), "load": load.round(3).tolist()}
        readings = json.dumps({"start": start, "every": "6h", "columns": columns})
        return {"machine": machine, "readings": readings, "state": "yes" if is_faulty else "no"}

    train, validation, test = (
        pl.DataFrame([row(place, size < 100 and place % 4 == 0) for place in range(size)]) for size in (120, 60, 60)
    )
    inputs = {"machine": "category", "readings": "series"}
    return Splits(inputs, {"state": "anomaly"}, train, validation, test, folder, written={"readings": how})


def _sentence(yes: bool, random: np.random.Generator) -> str:
    telling = ["refund", "money back", "退款", "charged twice"] if yes else ["thanks", "great", "谢谢", "works well"]
    filler = ["my", "order", "the", "parcel", "today", "please", "手机", "it", "was", "hello"]
    words = [*random.choice(filler, 4), random.choice(telling), *random.choice(filler, 3), random.choice(telling)]
    return " ".join(str(word) for word in random.permutation(words))


def _table_row(yes: bool, random: np.random.Generator) -> Json:
    size = None if random.random() < 0.1 else float(random.normal(2.0 if yes else -2.0))
    colours = ["red", "blue"] if yes else ["green", "blue"]
    colour = None if random.random() < 0.1 else str(random.choice(colours))
    return {"size": size, "colour": colour, "day": str(date(2025, 1, 1) + timedelta(days=int(random.integers(0, 400))))}


def _picture(yes: bool, random: np.random.Generator, folder: Path, name: str) -> str:
    from PIL import Image

    pixels = random.integers(0, 90, (16, 16))
    half = slice(0, 8) if yes else slice(8, 16)
    pixels[half] += 150
    path = folder / "pictures" / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels.astype(np.uint8)).save(path)
    return str(path)


def writing_toys(folder: Path, seed: int = 13) -> Iterator[tuple[str, Splits]]:
    """Small products that write: an answer that stands in a text, and a text that goes on."""
    import polars as pl

    random = np.random.default_rng(seed)
    names, things = ["Ann", "Bob", "Cleo", "Dan", "Eve", "小明"], ["red", "blue", "green", "black"]
    sizes = (120, 20, 20)

    def asked(number: int) -> Json:
        name, colour, day = random.choice(names), random.choice(things), random.integers(1, 29)
        context = f"Order {number}. {name} bought a {colour} coat on 3/{day}. It came in time."
        return {"context": context, "question": "Which colour was the coat?", "answer": str(colour)}

    def continued(number: int) -> Json:
        words = " ".join(f"{random.choice(names)} likes {random.choice(things)}." for _ in range(40))
        return {"before": "", "text": f"{number}. {words}"}

    for toy, inputs, output, row in (
        ("answers", {"context": "text", "question": "text"}, "answer", asked),
        ("continues", {"before": "text"}, "text", continued),
    ):
        train, validation, test = (
            pl.DataFrame([row(1_000 * place + each) for each in range(size)]) for place, size in enumerate(sizes)
        )
        yield toy, Splits(inputs, {output: "text"}, train, validation, test, folder)


def pictures() -> list[str]:
    """Small pictures as data: URIs: grey, colour, see-through, and one that is cut short."""
    from PIL import Image

    ramp = np.linspace(0, 255, 20 * 24).reshape(20, 24).astype(np.uint8)
    colour = np.stack([ramp, ramp[::-1], ramp.T.reshape(20, 24)], axis=2)
    clear = np.concatenate([colour, ramp[..., None]], axis=2)
    uris = []
    for array in (ramp, colour, clear):
        buffer = io.BytesIO()
        Image.fromarray(array).save(buffer, "PNG")
        uris.append("data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii"))
    return [*uris, uris[1][:200]]


THINGS = ("kettle", "lamp", "coat", "tent", "drill", "chair", "clock", "scarf", "水壶", "台灯", "外套", "帐篷")
FACTS = (
    ("weight", "weighs {} grams", "重量是{}克"),
    ("price", "costs {} euros", "价格是{}欧元"),
    ("guarantee", "is guaranteed for {} months", "保修{}个月"),
    ("colour", "comes in {} colours", "有{}种颜色"),
)


def cited_toy(folder: Path, seed: int = 13) -> Splits:
    """Documents of things, English and Chinese, and questions about them; of some, the documents tell nothing."""
    import polars as pl

    random, passages, rows = np.random.default_rng(seed), [], []
    for thing in THINGS:
        is_chinese, said = not thing.isascii(), []
        for name, english, chinese in FACTS:
            number = int(random.integers(2, 900))
            said.append(f"我们的{thing}{chinese.format(number)}。" if is_chinese else
                        f"Our {thing} {english.format(number)}.")  # fmt: skip
            asked = chinese.format("多少") if is_chinese else english.format("how many")
            question = f"{thing}{asked}？" if is_chinese else f"The {thing} {asked}?"
            right = {"text": str(number), "document": f"{thing}.md", "quote": said[-1]}
            rows += [(question, right), (f"{question} ({name})", right)]
        text = "".join(said) if is_chinese else " ".join(said)
        passages.append(Passage(f"{thing}.md", (thing,), 0, 0, len(text), text, title=thing))
    rows += [(f"Who painted the old bridge of {place} in winter?", {}) for place in "ABCDEFGHIJKLMNOPQRSTUVWX"]
    order = random.permutation(len(rows)).tolist()
    table = [{"question": rows[place][0], "answer": cited.kept(rows[place][1])} for place in order]
    parts = (table[:70], table[70:95], table[95:])
    train, validation, test = (pl.DataFrame(part) for part in parts)
    return Splits({"question": "text"}, {"answer": "cited"}, train, validation, test, folder, passages=passages)


def boxes_toy(folder: Path, seed: int = 13) -> Splits:
    """Pictures of up to three red discs and blue squares on grey, written below the folder; some hold nothing."""
    import polars as pl

    random, home = np.random.default_rng(seed), folder / "boxes"
    home.mkdir(exist_ok=True)
    parts = []
    for name, count in (("train", 48), ("validation", 16), ("test", 24)):
        rows = [_with_shapes(home / f"{name}-{number}.png", random, number % 6 == 5) for number in range(count)]
        parts.append(pl.DataFrame(rows))
    train, validation, test = parts
    return Splits({"picture": "image"}, {"things": "boxes"}, train, validation, test, folder)


def masks_toy(folder: Path, seed: int = 13) -> Splits:
    """The same pictures with the pixels of each disc and square."""
    import polars as pl

    def as_masks(rows: pl.DataFrame) -> pl.DataFrame:
        return rows.with_columns(pl.Series("things", [_as_masks(value) for value in rows["things"]]))

    found = boxes_toy(folder, seed)
    train, validation, test = (as_masks(rows) for rows in (found.train, found.validation, found.test))
    return Splits(found.inputs, {"things": "masks"}, train, validation, test, folder)


def _as_masks(value: str) -> str:
    """Of boxes on a picture of 96 x 64."""
    from PIL import Image, ImageDraw

    found = []
    for thing in boxes.truth(value):
        picture = Image.new("L", (96, 64))
        left, top, right, bottom = thing["box"]
        draw, box = ImageDraw.Draw(picture), (left, top, right - 1, bottom - 1)
        draw.ellipse(box, fill=1) if thing["label"] == "disc" else draw.rectangle(box, fill=1)
        found += masks.of_map(np.asarray(picture, int), {1: thing["label"]})
    return boxes.kept(found)


def _with_shapes(path: Path, random: np.random.Generator, is_empty: bool) -> dict[str, str]:
    """A picture of 96 x 64, and what is on it."""
    from PIL import Image, ImageDraw

    picture, things = Image.new("RGB", (96, 64), (int(random.integers(100, 140)),) * 3), []
    draw = ImageDraw.Draw(picture)
    for place in [] if is_empty else random.permutation(3)[: random.integers(1, 4)].tolist():
        side, is_disc = int(random.integers(14, 26)), bool(random.random() < 0.5)
        left, top = 32 * place + int(random.integers(0, 32 - side)), int(random.integers(0, 64 - side))
        box = (left, top, left + side - 1, top + side - 1)
        draw.ellipse(box, fill=(210, 50, 40)) if is_disc else draw.rectangle(box, fill=(40, 60, 200))
        label = "disc" if is_disc else "square"
        things.append({"label": label, "box": [float(left), float(top), float(left + side), float(top + side)]})
    picture.save(path)
    return {"picture": str(path), "things": boxes.kept(things)}


def items_toy(folder: Path, seed: int = 13, n_users: int = 150) -> Splits:
    """People with one of three tastes, each for ten of thirty things, who buy what they have not; and now and then what
    is asked for most, in the order of its number."""
    import polars as pl

    random = np.random.default_rng(seed)
    parts: dict[str, list[Json]] = {"train": [], "validation": [], "test": []}
    for number in range(n_users):
        taste = int(random.integers(3))
        own = [f"i{10 * taste + each}" for each in random.permutation(10).tolist()]
        own[2:2] = [f"i{int(each)}" for each in np.minimum(random.geometric(0.2, 2), 29)]
        bought = list(dict.fromkeys(own))
        times = (1_700_000_000 + 86_400 * np.arange(len(bought)) + 60 * number).tolist()
        name = "train" if number < 0.6 * n_users else "validation" if number < 0.8 * n_users else "test"
        cut = 5
        past = {"user": f"u{number}", "items": bought[:cut], "times": times[:cut], "now": times[cut], "whole": True}
        after = {"items": bought[cut:], "times": times[cut:]}
        parts[name].append({"history": json.dumps(past), "wanted": json.dumps(after)})
    train, validation, test = (pl.DataFrame(rows) for rows in parts.values())
    return Splits({"history": "items"}, {"wanted": "items"}, train, validation, test, folder)

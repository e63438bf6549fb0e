"""Label Studio's JSON of boxes: tasks with their results, or its short form; percent of the picture as it is shown.

A browser shows a picture upright, and what a person turned it by in the tool (`image_rotation`) is taken back before
coordinates are written, so that both are of the upright picture. A box may be turned, too, about its upper left corner.

Source: https://labelstud.io/tags/rectanglelabels, https://labelstud.io/guide/export (JSON and JSON_MIN).
"""

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import quoteattr

from windlass.errors import DataError
from windlass.kinds import image
from windlass.kinds.boxes import BOX, LABEL, is_pixel, name_of
from windlass.kinds.contract import shown
from windlass.records import Json
from windlass.sources.annotations.contract import Annotated, classes_of, rows
from windlass.sources.contract import RawRow, Source
from windlass.sources.readers.system_files import walk

MAX_BYTES, HEAD, N_LOOKED_AT = 500_000_000, 4_096, 200
MARKS = ('"annotations"', '"rectanglelabels"', '"polygonlabels"')
UPLOADED = re.compile(r"[0-9a-f]{8}-(?=.)")
"""What Label Studio puts before the name of a picture that was uploaded."""
SHAPES = ("rectanglelabels", "polygonlabels", "labels")
"""Where the name of a region may stand."""
LOCAL = "/data/local-files/?d="
TURNED = "boxes are turned: the upright box around each is taken"
OTHERS = "regions are neither boxes nor polygons: left out"
SEVERAL = "pictures were annotated several times: the last one counts"
ROTATED = "pictures were turned by hand in Label Studio: look whether their boxes lie right"


def is_label_studio(path: Path) -> bool:
    """The file holds tasks with regions of pictures, or pictures without any; others are not read to the end."""
    try:
        if path.stat().st_size > MAX_BYTES:
            return False
        with path.open(encoding="utf-8-sig") as file:
            head = file.read(HEAD)
            if head.lstrip()[:1] != "[" or not any(mark in head for mark in MARKS):
                return False
            found = json.loads(head + file.read())
    except (OSError, ValueError, RecursionError):
        return False
    tasks = [each for each in found if isinstance(each, dict)]
    looked_at = tasks[:: max(1, len(tasks) // N_LOOKED_AT)]
    results = [each for task in looked_at for each in _results(task) or ()]
    is_picture = all(Path(_path(_named(task))).suffix.lower() in image.SUFFIXES for task in looked_at)
    return any(map(_is_region, results)) if results else bool(looked_at) and is_picture


def read(source: Source) -> Iterator[RawRow]:
    """A row for each task; one that nobody has annotated has no answer yet."""
    tasks = json.loads(source.path.read_text(encoding="utf-8-sig"))
    return rows(_pictures(tasks, source), source)


def _pictures(tasks: Sequence[Any], source: Source) -> Iterator[Annotated]:
    places, notes = _Places(source.root), Counter[str]()
    for number, task in enumerate(tasks, 1):
        if not isinstance(task, dict):
            yield Annotated(number, "", fault=f"task is {shown(task)}, expected an object with a picture")
            continue
        name = _named(task)
        try:
            place = places.of(name)
            yield _picture(number, place, task, source.root, notes)
        except DataError as error:
            yield Annotated(number, name, fault=error.message)
    source.warnings += [f"{source.path.name}: {count:,} {words}" for words, count in notes.most_common() if count]


def _picture(number: int, place: str, task: Json, root: Path, notes: Counter[str]) -> Annotated:
    """Raises: DataError: a region cannot be read."""
    results = _results(task)
    if results is None:
        return Annotated(number, place, is_labelled=False)
    found = {each.get("id") or place: each for place, each in reversed([*enumerate(results)]) if _is_region(each)}
    regions = list(reversed(found.values()))  # a plain rectangle and its label are two results of one id
    names = [_name(each, results) for each in regions]
    others = [each for each in results if "original_width" in each and each.get("id") not in found]
    notes.update({SEVERAL: int(len(_whole(task)) > 1), OTHERS: len([each for each in others if not _is_region(each)]),
                  ROTATED: int(any(each.get("image_rotation") for each in regions))})  # fmt: skip
    sides = {(each["original_width"], each["original_height"]) for each in regions if _is_sized(each)}
    if len(sides) > 1:
        raise DataError("its regions are of pictures of several sizes, expected one picture a task")
    is_said = bool(sides) or not regions
    width, height = next(iter(sides), (0, 0)) if is_said else image.upright_size(place, root)
    things = [_thing(_value(each), name, (width, height), notes) for each, name in zip(regions, names, strict=True)]
    return Annotated(number, place, width, height, things)


def _whole(task: Json) -> list[Json]:
    """The annotations that were not cancelled."""
    found = task.get("annotations", task.get("completions"))
    return [each for each in found or () if isinstance(each, dict) and not each.get("was_cancelled")]


def _results(task: Json) -> list[Json] | None:
    """Of the last annotation; of the short form what stands under any name; None: nobody has annotated it."""
    if "annotations" in task or "completions" in task:
        whole = sorted(_whole(task), key=lambda each: str(each.get("updated_at") or each.get("created_at") or ""))
        found = whole[-1].get("result") if whole else None
        return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else None
    regions = [value for value in task.values() if isinstance(value, list) and value and isinstance(value[0], dict)]
    return [each for value in regions for each in value if isinstance(each, dict)] or None


def _value(result: Json) -> Json:
    """Of a region; in the short form it is the result itself."""
    found = result.get("value", result)
    return found if isinstance(found, dict) else {}


def _is_region(result: Json) -> bool:
    value = _value(result)
    is_box = all(is_pixel(value.get(name)) for name in ("x", "y", "width", "height"))
    return is_box or isinstance(value.get("points"), list)


def _is_sized(result: Json) -> bool:
    return all(is_pixel(result.get(name)) and result[name] > 0 for name in ("original_width", "original_height"))


def _labels(result: Json) -> list[str]:
    value = _value(result)
    found: list[Any] = next((value[name] for name in SHAPES if isinstance(value.get(name), list) and value[name]), [])
    return [name_of(each) for each in found if isinstance(each, str) and name_of(each)]


def _name(region: Json, results: Sequence[Json]) -> str:
    """The label of a region: its own, or that of another result with its id. Raises: DataError: it is not one."""
    same = [each for each in results if each.get("id") == region.get("id")] if region.get("id") else []
    found = _labels(region) or next(filter(None, map(_labels, same)), [])
    if len(found) != 1:
        raise DataError(f"a region has {shown(', '.join(found[:4])) if found else 'no'} as label, expected one name")
    return found[0]


def _thing(value: Json, name: str, size: tuple[float, float], notes: Counter[str]) -> dict[str, Any]:
    """Raises: DataError: a polygon that cannot be read."""
    width, height = size
    if "points" in value:
        points = [tuple(each) for each in value["points"] if isinstance(each, list) and len(each) == 2]
        if not points or not all(is_pixel(side) for point in points for side in point):
            raise DataError("a polygon has points that are no pairs of numbers, expected percent of the picture")
        corners = [(across * width / 100, down * height / 100) for across, down in points]
    else:
        corners = _corners(value, width, height)
        notes.update([TURNED] if value.get("rotation") else [])
    across, down = zip(*corners, strict=True)
    return {LABEL: name, BOX: [min(across), min(down), max(across), max(down)]}


def _corners(value: Json, width: float, height: float) -> list[tuple[float, float]]:
    """Of a box, in pixels, turned about its first one by as many degrees as it says, clockwise."""
    left, top = value["x"] * width / 100, value["y"] * height / 100
    wide, high = value["width"] * width / 100, value["height"] * height / 100
    turn = math.radians(value["rotation"] if is_pixel(value.get("rotation")) else 0)
    cosine, sine = math.cos(turn), math.sin(turn)
    places = ((0.0, 0.0), (wide, 0.0), (wide, high), (0.0, high))
    return [(left + x * cosine - y * sine, top + x * sine + y * cosine) for x, y in places]


def _named(task: Json) -> str:
    """What the task calls its picture: the first text of its data that ends as a picture does, else the first one."""
    data = task.get("data") if isinstance(task.get("data"), Mapping) else task
    texts = [str(value) for value in (data or {}).values() if isinstance(value, str) and value]
    ends = [text for text in texts if Path(_path(text)).suffix.lower() in image.SUFFIXES]
    return next(iter([*ends, *texts]), "")


def _path(name: str) -> str:
    """The path that an address or a name of Label Studio's stands for."""
    parts = urlsplit(name) if "://" in name or name.startswith("/data/") else None
    if parts is None:
        return name
    said = parse_qs(parts.query).get("d", [""])[0]
    return said or unquote(parts.path)


class _Places:
    """Where pictures lie below the root: by their whole path, the end of it, or their name alone."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.by_name: dict[str, list[str]] = {}
        for item in walk(root):
            if item.suffix.lower() in image.SUFFIXES:
                self.by_name.setdefault(item.name, []).append(item.relative_to(root).as_posix())

    def of(self, name: str) -> str:
        """Raises: DataError: there is no such picture, or there are several."""
        path = _path(name).lstrip("/")
        if not path:
            raise DataError("a task names no picture, expected one in its data")
        base = Path(path).name
        found = self.by_name.get(base) or self.by_name.get(UPLOADED.sub("", base, count=1)) or []
        exact = [each for each in found if path == each or path.endswith(f"/{each}")]
        if len(found) > 1 and len(exact) != 1:
            raise DataError(f"picture '{base}' lies in {found[0]} and {found[1]}, expected one of that name")
        if not found:
            raise DataError(f"picture '{base}' does not exist below {self.root}, expected it beside the annotations")
        return (exact or found)[0]


def written(pictures: Sequence[Annotated]) -> list[Json]:
    """Tasks to import, with their pictures as local files below the folder that Label Studio serves."""
    return [
        {
            "id": number,
            "data": {"image": f"{LOCAL}{each.place}"},
            "annotations": [{"result": [_result(f"{number}-{place}", thing, each) for place, thing in
                                        enumerate(each.things, 1)]}],
        }
        for number, each in enumerate(pictures, 1)
    ]  # fmt: skip


def _result(identity: str, thing: Mapping[str, Any], picture: Annotated) -> Json:
    left, top, right, bottom = thing[BOX]
    across, down = 100 / picture.width, 100 / picture.height
    value = {"x": left * across, "y": top * down, "width": (right - left) * across, "height": (bottom - top) * down}
    return {
        "id": identity, "type": "rectanglelabels", "from_name": "label", "to_name": "image",
        "original_width": picture.width, "original_height": picture.height, "image_rotation": 0,
        "value": {**value, "rotation": 0, "rectanglelabels": [thing[LABEL]]},
    }  # fmt: skip


def labelling(pictures: Sequence[Annotated]) -> str:
    """The labelling interface that the tasks are for, as Label Studio's XML."""
    labels = "".join(f"    <Label value={quoteattr(name)}/>\n" for name in classes_of(pictures))
    return (
        '<View>\n  <Image name="image" value="$image"/>\n  <RectangleLabels name="label" toName="image">\n'
        f"{labels}  </RectangleLabels>\n</View>\n"
    )

"""What is wrong with pictures of a set of boxes is refused by row and reason, or taken in and told."""

import json
import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

import windlass
from windlass.kinds import image
from windlass.records import Collected

SPEC = "name: toy\ndata: boxes.json\ninputs: {image: image}\noutput: {things: boxes}\n"


def chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width, height, depth, colour, rows=b""):
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def write(folder):
    """Name -> size as the annotations say it."""
    grey = np.linspace(0, 4_000, 40 * 30).reshape(30, 40)
    red = Image.new("RGB", (40, 30), (220, 30, 20))
    red.save(folder / "whole.jpg", quality=95)
    (folder / "truncated.jpg").write_bytes((folder / "whole.jpg").read_bytes()[:-300])
    (folder / "bomb.png").write_bytes(png(60_000, 60_000, 8, 2))
    (folder / "words.png").write_text("no picture at all")
    red.save(folder / "named.jpg", "PNG")
    red.convert("CMYK").save(folder / "cmyk.jpg", quality=95)
    clear = Image.new("P", (40, 30), 0)
    clear.putpalette([220, 30, 20, 9, 9, 9])
    clear.paste(1, (0, 0, 20, 30))
    clear.save(folder / "palette.png", transparency=1)
    red.save(folder / "moving.gif", save_all=True, append_images=[Image.new("RGB", (40, 30), "blue")] * 3)
    Image.fromarray(grey.astype(np.uint16)).save(folder / "deep.png")
    deep = (np.full((30, 40, 3), (220, 30, 20)) * 257).astype(">u2")
    (folder / "deep-colour.png").write_bytes(png(40, 30, 16, 2, b"".join(b"\0" + row.tobytes() for row in deep)))
    Image.new("RGB", (1, 1), "white").save(folder / "point.png")
    Image.new("RGB", (10_000, 10), "white").save(folder / "strip.png")
    names = ("truncated.jpg", "bomb.png", "words.png", "missing.png", "whole.jpg", "named.jpg", "cmyk.jpg",
             "palette.png", "moving.gif", "deep.png", "deep-colour.png")  # fmt: skip
    return dict.fromkeys(names, (40, 30)) | {"point.png": (1, 1), "strip.png": (10_000, 10)}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bad")
    sizes = write(folder)
    images = [{"id": n, "file_name": name, "width": size[0], "height": size[1]} for n, (name, size) in
              enumerate(sizes.items())]  # fmt: skip
    things = [{"id": n, "image_id": n, "category_id": 7, "bbox": [0, 0, *size]} for n, size in
              enumerate(sizes.values())]  # fmt: skip
    content = {"images": images, "annotations": things, "categories": [{"id": 7, "name": "cat"}]}
    (folder / "boxes.json").write_text(json.dumps(content))
    (folder / "windlass.yaml").write_text(SPEC)
    made = windlass.Project(folder)
    made.collect()
    return made


def test_what_cannot_be_read_is_refused_by_row_and_reason(project):
    rejects = [
        json.loads(line) for line in (project.store.folder / "collect" / "rejects.jsonl").read_text().splitlines()
    ]
    reasons = {each["row"]: each["reason"] for each in rejects}
    assert sorted(reasons) == [1, 2, 3, 4]
    for row, words in zip(sorted(reasons), ("truncated.jpg' is broken", "60000 x 60000 pixels", "not a picture",
                          "missing.png' does not exist"), strict=True):  # fmt: skip
        assert words in reasons[row]


def test_what_is_not_kept_of_a_picture_is_told(project):
    found = project.store.read("collect", Collected)
    assert found.accepted == 9
    told = "column 'image' holds in 1 rows a "
    assert sorted(each for each in found.warnings if each.startswith(told)) == [
        f"{told}animation or a stack: its first picture alone counts",
        f"{told}picture of 16 bits a colour: the upper 8 of each are kept",
        f"{told}picture of more than 8 bits: from its darkest to its brightest point it becomes 256 shades",
    ]


@pytest.mark.parametrize("name", ["whole.jpg", "named.jpg", "cmyk.jpg", "palette.png", "moving.gif", "deep-colour.png"])
def test_colours_are_what_they_are_whatever_the_file(project, name):
    """CMYK without a profile is no exact red; the clear half of the palette is white."""
    pixels = image.read(name, project.folder)
    assert pixels.shape == (30, 40, 3)
    assert pixels[15, 30].astype(int) == pytest.approx([220, 30, 20], abs=40 if name == "cmyk.jpg" else 6)
    assert name != "palette.png" or pixels[15, 5].tolist() == [255, 255, 255]


def test_the_shades_of_a_deep_picture_are_in_order_and_reach_from_black_to_white(project):
    shades = image.read("deep.png", project.folder)[..., 0].ravel()
    assert (np.diff(shades.astype(int)) >= 0).all()
    assert (len(np.unique(shades)), shades.min(), shades.max()) == (256, 0, 255)


def test_a_changed_picture_and_one_that_came_are_noticed_beside_the_same_annotations(project):
    """A second look is up to date; a picture of another size is refused by the third."""
    skipped = {}
    project.walk("collect", lambda word, is_skipped: skipped.update({word: is_skipped}))
    assert skipped == {"collect": True}
    Image.new("RGB", (40, 31)).save(project.folder / "whole.jpg")
    os.utime(project.folder / "whole.jpg", (1, 1))
    assert project.collect().accepted == 8
    Image.new("RGB", (40, 30)).save(project.folder / "missing.png")
    assert project.collect().accepted == 9

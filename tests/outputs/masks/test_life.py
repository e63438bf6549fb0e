"""Masks walk the whole life, from files to a champion that learned from corrections; by a segmenter whose weights are
written by hand, so that nothing has to be trained."""

import base64
import io
import json
import shutil
from urllib.error import HTTPError

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from torch import nn
from torch.nn import functional

import windlass
from tests.tables import with_line
from windlass.database.location import log_path
from windlass.database.request_log import feedback_rows
from windlass.kinds import image, masks
from windlass.kinds.boxes import CLASSES
from windlass.kinds.masks import APART
from windlass.learners import table as learners
from windlass.learners.contract import Fitted, Learner
from windlass.learners.networks.export import export
from windlass.learners.vision.segmenter import answers
from windlass.predictors.artifact import write_golden, write_manifest
from windlass.predictors.segmentation.segmenter import Segmenter
from windlass.predictors.segmentation.tiles import Tiling
from windlass.records import Column, Manifest
from windlass.sources.guess import write_guess
from windlass.store.files import write_text
from windlass.testing.toys import masks_toy

from ...test_lifecycle import ask, running
from ..boxes.test_life import queued

COLOURS = {"disc": (1.0, -0.5, -0.5), "square": (-0.5, -0.5, 1.0), "leaf": (-0.5, 1.0, -0.5)}
TILING = Tiling(64, 16, 512)


class ByColour(nn.Module):
    """A pixel is of the class whose colour outweighs the two others; what hangs together is a thing."""

    def __init__(self, classes):
        super().__init__()
        weights = torch.tensor(
            [(0.0, 0.0, 0.0), *(COLOURS[name] for name in classes), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)]
        )
        self.register_buffer("weights", 8 * weights[:, :, None, None])
        self.register_buffer("bias", torch.tensor([0.0, *[-8.0] * len(classes), -9.0, 9.0]))

    def forward(self, tiles):
        return functional.conv2d(tiles, self.weights, self.bias)


def fit(splits, options, budget, progress):
    state = masks.fit(map(masks.truth, splits.train[splits.output_column]), "", {})
    network = ByColour(state[CLASSES]).eval()
    options.artifact.mkdir(parents=True, exist_ok=True)
    export(network, [np.random.default_rng(1).normal(0, 1, (2, 3, 64, 64)).astype(np.float32)], options.artifact)
    name, output = next(iter(splits.inputs)), Column(splits.output_column, "masks", {**state, APART: True})
    settings = {"side": 64, "overlap": 16, "longest": 512, "views": 1}
    manifest = Manifest("segmentation", "by-colour", (Column(name, "image"),), output, settings=settings)
    write_manifest(options.artifact, manifest)
    rows = [{name: image.portable(value, splits.root)} for value in splits.validation[name].head(4)]
    model = Segmenter(manifest, lambda batch: answers(network, batch), TILING)
    write_golden(options.artifact, rows, model.golden(rows))
    return Fitted(options.artifact, 0.5)


BY_COLOUR = Learner("by-colour", "by colour", frozenset({"image"}), frozenset({"masks"}), fit, cost=1)


@pytest.fixture(scope="module", autouse=True)
def learner():
    with with_line(learners.LEARNERS, "by-colour", BY_COLOUR):
        yield


def product(folder, rows) -> windlass.Project:
    """The rows as pictures beside pictures of classes and of things."""
    home = folder / "shapes"
    for each in ("masks", "instances"):
        (home / each).mkdir(parents=True)
    (home / "images").mkdir()
    (home / "classes.txt").write_text("disc\nsquare\n")
    for row in rows:
        name, things = str(row["picture"]).rsplit("/", 1)[-1], masks.truth(row["things"])
        shutil.copy(row["picture"], home / "images" / name)
        numbers = masks.map_of(things, (64, 96))
        classes = np.array([0, *(["disc", "square"].index(thing["label"]) + 1 for thing in things)])
        Image.fromarray(classes[numbers].astype(np.uint8)).save(home / "masks" / name)
        Image.fromarray(numbers.astype(np.uint16)).save(home / "instances" / name)
    found, target = write_guess(home, folder)
    assert (found.inputs, found.output_kind) == ({"image": "image"}, "masks")
    said = "learners: [by-colour]\nminutes: 1\nkeep_inputs: true\nimprove: {rows: 10, new_labels: 5}\n"
    write_text(target, target.read_text().replace("minutes: 10\n", said))
    return windlass.Project(folder)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shapes")
    toy = masks_toy(folder)
    made = product(folder, [*toy.train.to_dicts(), *toy.validation.to_dicts(), *toy.test.to_dicts()])
    made.run()
    return made


def uri(picture, form="PNG", **how):
    file = io.BytesIO()
    picture.save(file, form, **how)
    return f"data:image/{form.lower()};base64,{base64.b64encode(file.getvalue()).decode()}"


def test_masks_are_measured_and_drawn_in_the_report(project):
    best = project.board.candidate("by-colour")
    assert best.metrics["mask_dice"].value > 0.95
    assert best.metrics["instance_ap"].value > 0.9
    assert best.worthless == ""
    page = project.report.read_text()
    assert "Pictures with their masks" in page
    assert page.count('<svg class="seen"') >= 16


def scene(turn=1, mode="RGB", size=(96, 64)):
    """A disc at 20, 30 of the upright picture, stored as the orientation says."""
    upright = Image.new("RGB", size, (120, 120, 120))
    ImageDraw.Draw(upright).ellipse((10, 20, 30, 40), fill=(210, 50, 40))
    back = {1: None, 2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}[turn]
    stored = upright if back is None else upright.transpose(Image.Transpose(back))
    exif = Image.Exif()
    exif[274] = turn
    return uri(stored.convert(mode), exif=exif)


def test_it_is_served_as_it_was_released_whatever_the_picture(project):
    """Over HTTP, alone and together: the same masks; all eight orientations, alpha, odd and large sizes, and pictures
    of another kind."""
    release = project.release()
    pictures = sorted((project.folder / "shapes" / "images").iterdir())[:8]
    rows = [{"image": uri(Image.open(each))} for each in pictures]
    turned = [{"image": scene(turn)} for turn in range(1, 9)]
    odd = [{"image": scene(mode="RGBA")}, {"image": scene(size=(97, 61))}, {"image": scene(size=(64, 400))},
           {"image": scene(size=(1_100, 300))},
           {"image": uri(Image.new("L", (50, 50), 90))}, {"image": uri(Image.new("RGB", (1, 1)))},
           {"image": uri(Image.fromarray(np.full((40, 60), 900, np.uint16)))}]  # fmt: skip
    every = [*rows, *turned, *odd]
    wanted = [answer.value for answer in release.predict(every)]
    assert [answer.value for row in every for answer in release.predict([row])] == wanted, "alone as together"
    with running(project) as url:
        served = [each["value"] for each in ask(url, "/v1/predict", {"rows": every})["answers"]]
    assert served == wanted
    for value, near in zip(wanted[8:20], [1.5] * 11 + [4], strict=True):
        assert [each["label"] for each in value] == ["disc"]
        assert value[0]["box"] == pytest.approx([10, 20, 31, 41], abs=near)
    assert masks.size_of(wanted[19][0]) == (300, 1_100)
    assert wanted[20:] == [[], [], []]


def as_masks(label, left, top, side=20):
    marked = np.zeros((64, 96), int)
    marked[top : top + side, left : left + side] = 1
    return masks.of_map(marked, {1: label})


def test_corrections_are_kept_believed_and_learned(project):
    """A class that training did not know is painted; the champion that learned it finds it. A correction of another
    size is refused."""
    release = project.release()
    random = np.random.default_rng(5)
    leaves = []
    for _ in range(24):
        left, top = int(random.integers(0, 76)), int(random.integers(0, 44))
        picture = Image.new("RGB", (96, 64), (int(random.integers(100, 140)),) * 3)
        ImageDraw.Draw(picture).rectangle((left, top, left + 19, top + 19), fill=(40, 190, 60))
        leaves.append(({"image": uri(picture)}, as_masks("leaf", left, top)))
    with running(project) as url:
        answer = ask(url, "/v1/predict", {"row": {"image": scene()}})["answers"][0]
        small = [{"label": "disc", "mask": {"size": [2, 2], "counts": [1, 3]}}]
        with pytest.raises(HTTPError) as refused:
            ask(url, "/v1/feedback", {"id": answer["id"], "correct": small})
        assert "masks are of 2 x 2 pixels, expected the picture's 96 x 64" in refused.value.read().decode()
        typo = ask(url, "/v1/feedback", {"id": answer["id"], "correct": as_masks("dics", 3, 4)})
        assert (typo["new_label"], typo["teaches"], typo["hint"]) == (True, True, "did you mean 'disc'?")
        right = ask(url, "/v1/feedback", {"id": answer["id"], "right": True})
        assert right["right"] is True
        for row, correct in leaves:
            told = ask(url, "/v1/predict", {"row": row})["answers"][0]
            stored = ask(url, "/v1/feedback", {"id": told["id"], "correct": correct})
            assert (stored["right"], stored["correct"]) == (False, correct)
    made = project.improve()
    assert made.verdict == "promoted", made.why
    found = project.champion.predict([leaves[0][0]])[0].value
    assert found[0]["label"] == "leaf"
    assert np.array_equal(masks.map_of(found, (64, 96)), masks.map_of(leaves[0][1], (64, 96)))
    assert release.predict([leaves[0][0]])[0].value == []


@pytest.fixture
def page():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is missing: `pip install playwright`")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("chromium is missing: `apt-get install chromium`")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        found = browser.new_context(viewport={"width": 360, "height": 740}).new_page()
        found.set_default_timeout(20_000)
        yield found
        browser.close()


def test_a_mask_is_painted_erased_and_stored_on_a_phone(project, page):
    """A stroke paints a second disc; the first is erased by keys; what is stored is in the picture's own pixels."""
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    project.release()
    content = scene().partition(",")[2]
    file = {"name": "a.png", "mimeType": "image/png", "buffer": base64.b64decode(content)}
    with running(project) as url:
        page.goto(url)
        page.set_input_files("input[type=file]", file)
        page.click("#find")
        page.wait_for_selector("#answer .over-picture canvas")
        assert page.inner_text("#answer h2") == "1 disc"
        page.click(".verdict button:nth-of-type(2)")
        page.wait_for_selector("canvas.edited")
        page.locator("canvas.edited").scroll_into_view_if_needed()
        page.wait_for_selector("canvas.edited[width='96']", state="attached")
        area = page.locator("canvas.edited").bounding_box()
        ends = [
            (area["x"] + area["width"] * x / 96, area["y"] + area["height"] * y / 64) for x, y in ((60, 40), (70, 40))
        ]
        page.mouse.move(*ends[0])
        page.mouse.down()
        page.mouse.move(*ends[1], steps=3)
        page.mouse.up()
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        page.click(".right-boxes .actions:last-child button")
        page.wait_for_selector(".verdict.stored")
        told = page.inner_text(".verdict.stored")
        # What others asked waits to be judged, with its masks over the picture.
        ask(url, "/v1/predict", {"row": {"image": scene()}})
        assert queued(url)
        page.click("[data-word=queue]")
        # Which one is shown first is the least sure of what all tests of this file have asked: of any size.
        page.wait_for_selector("#answer .verdict:not(.stored) canvas.edited[width]")
        page.click(".right-boxes .actions:last-child button")
        page.wait_for_selector("#answer .verdict.stored")
    assert "2 disc" in told
    assert said == []
    stored = json.loads(list(feedback_rows(log_path(project.store)))[-2]["correct"])
    painted = masks.map_of(stored, (64, 96))
    assert painted[40, 60] == painted[40, 70] != painted[30, 20] > 0
    assert painted[40, 90] == painted[10, 65] == 0

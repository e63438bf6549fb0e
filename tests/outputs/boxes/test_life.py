"""Boxes walk the whole life, from annotation files to a champion that learned from corrections; by a detector whose
weights are written by hand, so that nothing has to be trained."""

import base64
import io
import json
import shutil
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from torch import nn
from torch.nn import functional

try:
    from playwright.sync_api import sync_playwright
except ImportError:
    sync_playwright = None

import windlass
from tests.tables import with_line
from windlass.database.location import log_path
from windlass.database.request_log import feedback_rows
from windlass.errors import DataError, GateRefused
from windlass.improving.training_feedback import from_file
from windlass.kinds import boxes, image
from windlass.kinds.boxes import CLASSES
from windlass.learners import table as learners
from windlass.learners.contract import Fitted, Learner
from windlass.learners.networks.export import export
from windlass.learners.vision.detector import answers
from windlass.metrics.detection_errors import MISTAKES
from windlass.predictors.artifact import write_golden, write_manifest
from windlass.predictors.detection.canvas import Canvas
from windlass.predictors.detection.heatmap import Detector
from windlass.records import Column, Manifest
from windlass.sources.annotations import coco
from windlass.sources.annotations.contract import Annotated
from windlass.sources.guess import write_guess
from windlass.store.files import write_text
from windlass.testing.toys import boxes_toy

from ...test_lifecycle import ask, running

COLOURS = {"disc": (1.0, -0.5, -0.5), "square": (-0.5, -0.5, 1.0), "leaf": (-0.5, 1.0, -0.5)}


class ByColour(nn.Module):
    """Heat where a colour outweighs the two others, blurred; every box is of 20 pixels."""

    def __init__(self, classes):
        super().__init__()
        weights = torch.tensor([COLOURS[name] for name in classes])[:, :, None, None]
        self.register_buffer("colours", weights / 255)
        blur = torch.exp(-((torch.arange(-4.0, 5.0) + 0.13) ** 2) / 6)  # aslant: no two places are as hot as each other
        kernel = (blur[:, None] * blur[None, :]) / blur.sum() ** 2
        self.register_buffer("blur", kernel.expand(len(classes), 1, 9, 9).contiguous())

    def forward(self, pixels):
        heat = functional.conv2d(pixels, self.colours)
        coarse = functional.avg_pool2d(heat.clamp(min=0), 4)
        warm = functional.conv2d(coarse, self.blur, padding=4, groups=len(self.blur))
        return torch.cat([warm * 16 - 3, torch.full_like(warm[:, :1], 2.5).expand(-1, 4, -1, -1)], dim=1)


def fit(splits, options, budget, progress):
    classes = boxes.fit(map(boxes.truth, splits.train[splits.output_column]), "", {})[CLASSES]
    network, canvas = ByColour(classes).eval(), Canvas(96, 64)
    options.artifact.mkdir(parents=True, exist_ok=True)
    export(network, [np.random.default_rng(1).uniform(0, 255, (2, 3, 64, 96)).astype(np.float32)], options.artifact)
    name, output = next(iter(splits.inputs)), Column(splits.output_column, "boxes", {CLASSES: classes})
    manifest = Manifest("heatmap", "by-colour", (Column(name, "image"),), output, settings={"width": 96, "height": 64})
    write_manifest(options.artifact, manifest)
    rows = [{name: image.portable(value, splits.root)} for value in splits.validation[name].head(4)]
    detector = Detector(manifest, lambda batch: answers(network, batch), canvas)
    write_golden(options.artifact, rows, detector.golden(rows))
    return Fitted(options.artifact, 0.5)


BY_COLOUR = Learner("by-colour", "by colour", frozenset({"image"}), frozenset({"boxes"}), fit, cost=1)


@pytest.fixture(scope="module", autouse=True)
def learner():
    with with_line(learners.LEARNERS, "by-colour", BY_COLOUR):
        yield


def product(folder, rows) -> windlass.Project:
    """The rows as COCO's files."""
    pictures = [Annotated(n, str(row["picture"]).rsplit("/", 1)[-1], 96, 64, boxes.truth(row["things"]))
                for n, row in enumerate(rows, 1)]  # fmt: skip
    write_text(folder / "boxes" / "all.json", json.dumps(coco.written(pictures)))
    found, target = write_guess(folder / "boxes", folder)
    assert (found.inputs, found.output_kind) == ({"image": "image"}, "boxes")
    said = "learners: [by-colour]\nminutes: 1\nkeep_inputs: true\nimprove: {rows: 10, new_labels: 5}\n"
    said += "watch: {window: 1h, rows: 50}\n"
    write_text(target, target.read_text().replace("minutes: 10\n", said))
    return windlass.Project(folder)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shapes")
    toy = boxes_toy(folder)
    made = product(folder, [*toy.train.to_dicts(), *toy.validation.to_dicts(), *toy.test.to_dicts()])
    made.run()
    return made


def uri(picture, form="PNG", **how):
    file = io.BytesIO()
    picture.save(file, form, **how)
    return f"data:image/{form.lower()};base64,{base64.b64encode(file.getvalue()).decode()}"


def test_boxes_are_measured_and_drawn_in_the_report(project):
    best = project.board.candidate("by-colour")
    assert best.metrics["map50"].value > 0.6
    assert best.worthless == ""
    page = project.report.read_text()
    assert "Pictures with their boxes" in page
    assert "What sort of mistakes" in page
    assert project.board.details["mistakes"].keys() == set(MISTAKES)
    assert "lies in its interval" in page
    assert page.count('<svg class="seen"') >= 16
    assert "stroke-dasharray" in page


def test_prices_choose_thresholds_and_what_is_handed_over(project, tmp_path):
    """With `costs:` the cost stands on the board beside AP, which stays, and the report says what goes where."""
    folder = tmp_path / "priced"
    shutil.copytree(project.folder, folder)
    spec = folder / "windlass.yaml"
    spec.write_text(spec.read_text() + "costs: {miss: 5, false_alarm: 1, review: 0.2, unit: EUR}\n")
    made = windlass.Project(folder)
    made.run()
    best = made.board.candidate("by-colour")
    assert made.board.units == {"cost": "EUR"}
    assert best.metrics["map50"].value == pytest.approx(project.board.candidate("by-colour").metrics["map50"].value)
    assert best.metrics["cost"].value >= 0
    assert set(made.board.details["classes"]) == {"disc", "square"}
    page = made.report.read_text()
    for words in ("What mistakes cost", "EUR", "to a person between", "maxDets 100"):
        assert words in page


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
    """All test pictures over HTTP, one by one and together: the same boxes to half a pixel; all eight orientations,
    alpha, odd sizes, and pictures of another kind."""
    release = project.release()
    rows = [json.loads(line) for line in (project.folder / "boxes" / "all.json").read_text().splitlines()]
    rows = [{"image": uri(Image.open(project.folder / "boxes" / each["file_name"]))} for each in rows[0]["images"][:16]]
    turned = [{"image": scene(turn)} for turn in range(1, 9)]
    odd = [{"image": scene(mode="RGBA")}, {"image": scene(size=(97, 61))}, {"image": scene(size=(64, 400))},
           {"image": uri(Image.new("L", (50, 50), 90))}, {"image": uri(Image.new("RGB", (1, 1)))},
           {"image": uri(Image.fromarray(np.full((40, 60), 900, np.uint16)))}]  # fmt: skip
    every = [*rows, *turned, *odd]
    wanted = [answer.value for answer in release.predict(every)]
    assert [answer.value for row in every for answer in release.predict([row])] == wanted, "alone as together"
    with running(project) as url:
        served = [each["value"] for each in ask(url, "/v1/predict", {"rows": every})["answers"]]
    assert served == wanted
    for value in wanted[16:25]:
        assert [each["label"] for each in value] == ["disc"]
        assert value[0]["box"] == pytest.approx([10, 20, 30, 40], abs=3)
    assert wanted[27:30] == [[], [], []]


def leaf(random):
    """A picture with a leaf, and its right boxes."""
    left, top = int(random.integers(0, 76)), int(random.integers(0, 44))
    picture = Image.new("RGB", (96, 64), (int(random.integers(100, 140)),) * 3)
    ImageDraw.Draw(picture).rectangle((left, top, left + 19, top + 19), fill=(40, 190, 60))
    return {"image": uri(picture)}, [{"label": "leaf", "box": [left, top, left + 20, top + 20]}]


def queued(url, least=1):
    """Ids of what waits, once the log has so many."""
    until = time.monotonic() + 20
    while True:
        with urllib.request.urlopen(f"{url}/v1/queue", timeout=60) as response:
            found = [each["id"] for each in json.loads(response.read())["answers"]]
        if len(found) >= least or time.monotonic() > until:
            return found
        time.sleep(0.05)


def drawn_on_page(page, url, row, correct):
    """Says so on the page, as a person does: drops the picture, draws the box from its lower right, names its class."""
    content = base64.b64decode(row["image"].partition(",")[2])
    page.goto(url)
    page.set_input_files("input[type=file]", {"name": "a.png", "mimeType": "image/png", "buffer": content})
    page.click("#find")
    page.wait_for_selector("#answer .over-picture")
    page.click(".verdict button:nth-of-type(2)")
    svg = page.locator("svg.edited")
    svg.scroll_into_view_if_needed()
    left, top, right, bottom = correct[0]["box"]
    pull(page, svg, (right, bottom), (left, top))
    page.select_option(".right-boxes select", index=page.locator(".right-boxes select option").count() - 1)
    page.fill(".right-boxes input", "leaf")
    page.keyboard.press("Enter")
    page.click(".right-boxes .actions:last-child button")
    page.wait_for_selector(".verdict.stored")
    return page.inner_text(".verdict.stored")


def pull(page, svg, start, end):
    """With the pointer, from one place of the picture to another."""
    area = svg.bounding_box()
    (x, y), (to_x, to_y) = ((area["x"] + area["width"] * x / 96, area["y"] + area["height"] * y / 64) for x, y in
                            (start, end))  # fmt: skip
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(to_x, to_y, steps=3)
    page.mouse.up()


def test_corrections_are_kept_believed_and_learned(project, browser_page):
    """A class that training did not know is drawn by two callers' hands, the first on the page; what nobody judged
    waits in the queue; the champion that learned the class finds it."""
    release = project.release()
    random = np.random.default_rng(5)
    leaves, judged = [leaf(random) for _ in range(24)], set()
    with running(project) as url:
        answer = ask(url, "/v1/predict", {"row": {"image": scene()}})["answers"][0]
        right = ask(url, "/v1/feedback", {"id": answer["id"], "right": True})
        assert right["right"] is True
        if browser_page is not None:
            assert "1 leaf" in drawn_on_page(browser_page, url, *leaves[0])
        for row, correct in leaves[browser_page is not None :]:
            told = ask(url, "/v1/predict", {"row": row})["answers"][0]
            stored = ask(url, "/v1/feedback", {"id": told["id"], "correct": correct})
            assert (stored["right"], stored["correct"]) == (False, correct)
            judged.add(told["id"])
        ask(url, "/v1/predict", {"row": {"image": scene(size=(97, 61))}})
        assert set(queued(url)) - judged == set(queued(url)) != set()
    file = project.ask(1)
    asked = from_file(file, project.spec, project.store, time.time())
    assert [Path(row.values["image"]).parent for row in asked] == [file.parent / "images"]
    health = project.watch(now=time.time() + 7_200)
    assert health.feedback == 25
    stored = [json.loads(row["correct"]) for row in feedback_rows(log_path(project.store))]
    drawn = next(each[0] for each in stored if each[0]["label"] == "leaf")
    assert drawn["box"] == pytest.approx(leaves[0][1][0]["box"], abs=1)
    made = project.improve()
    assert made.verdict == "promoted", made.why
    found = project.champion.predict([leaves[0][0]])[0].value
    assert found[0]["label"] == "leaf"
    assert found[0]["box"] == pytest.approx(leaves[0][1][0]["box"], abs=3)
    assert release.predict([leaves[0][0]])[0].value == []
    written = project.export(project.folder / "leaves", "coco")
    assert (written["corrected"], written["things"]["leaf"]) == (25, 24), "what was said to be right is a label, too"
    content = json.loads((project.folder / "leaves" / "annotations" / "train.json").read_text())
    sides = [each["bbox"] for each in content["annotations"] if each["category_id"] == 2]
    assert leaves[0][1][0]["box"][:2] in [each[:2] for each in sides]


def test_it_shows_where_it_is_hot(project):
    """All classes together, and one; a class that it does not know is refused."""
    release = project.release()
    row = {"image": scene()}
    found = release.explain([row])[0]
    assert found.label == "1 disc"
    left, top, right, bottom = max(found.parts, key=lambda part: part.weight).box
    assert left - 0.02 <= 20 / 96 <= right + 0.02
    assert top - 0.02 <= 30 / 64 <= bottom + 0.02
    cold = release.explain([row], None, "square")[0]
    assert cold.total < 0.5 < found.total
    with pytest.raises(DataError, match="label is 'cat'"):
        release.explain([row], None, "cat")


def test_a_detector_that_finds_less_than_the_usual_boxes_is_refused(tmp_path):
    """Control: boxes that always lie in the same place, whatever is on the picture."""
    toy = boxes_toy(tmp_path)
    middle = boxes.kept([{"label": "disc", "box": [32, 20, 56, 44]}])
    moved = [{**row, "things": middle} for row in toy.train.to_dicts()]
    made = product(tmp_path, moved)
    made.run()
    with pytest.raises(GateRefused, match="the usual boxes on every picture"):
        made.release()


@pytest.fixture
def browser_page():
    """On a phone; None where there is no browser."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    playwright = sync_playwright() if chromium and sync_playwright else None
    if playwright is None:
        yield None
        return
    with playwright as started:
        browser = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        found = browser.new_context(viewport={"width": 360, "height": 740}).new_page()
        found.set_default_timeout(10_000)
        yield found
        browser.close()


@pytest.fixture
def page(browser_page):
    if browser_page is None:
        pytest.skip("chromium or playwright is missing: `pip install playwright`, `apt-get install chromium`")
    return browser_page


def test_boxes_are_drawn_moved_undone_and_stored_on_a_phone(project, page):
    """A second box is drawn from its lower right, moved by a key, given another class by a digit, and back; a third one
    is taken back; Tab goes through them. What is stored is in the picture's own pixels."""
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    release = project.release()
    content = scene().partition(",")[2]
    file = {"name": "a.png", "mimeType": "image/png", "buffer": base64.b64decode(content)}
    with running(project) as url:
        page.goto(url)
        page.set_input_files("input[type=file]", file)
        page.click("#find")
        page.wait_for_selector("#answer .over-picture g")
        assert page.inner_text("#answer h2") == "1 disc"
        assert "1 in all" in page.inner_text("#answer .sure")
        page.click(".why button")
        page.wait_for_selector(".why.explained .heat i")
        page.click(".verdict button:nth-of-type(2)")
        page.wait_for_selector("svg.edited g")
        svg = page.locator("svg.edited")
        svg.scroll_into_view_if_needed()
        pull(page, svg, (72, 40), (48, 16))
        page.keyboard.press("ArrowRight")
        chosen = "svg.edited g[aria-pressed=true]"
        first = page.get_attribute(chosen, "aria-label")
        page.keyboard.press("1" if "square" in first else "2")
        other = page.get_attribute(chosen, "aria-label")
        assert {first.split(",")[0], other.split(",")[0]} == {"disc", "square"}
        page.keyboard.press("Control+z")
        pull(page, svg, (5, 5), (9, 9))
        assert page.locator("svg.edited g").count() == 3
        page.keyboard.press("Delete")
        page.keyboard.press("Control+z")
        page.keyboard.press("Control+z")
        assert page.locator("svg.edited g").count() == 2
        page.locator("svg.edited g[tabindex='0']").focus()
        places = [page.get_attribute("svg.edited g:focus", "data-place")]
        page.keyboard.press("Tab")
        assert [*places, page.get_attribute("svg.edited g:focus", "data-place")] == ["0", "1"]
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        page.click(".right-boxes .actions:last-child button")
        page.wait_for_selector(".verdict.stored")
    assert said == []
    stored = json.loads(list(feedback_rows(log_path(project.store)))[-1]["correct"])
    assert stored[0]["box"] == release.predict([{"image": scene()}])[0].value[0]["box"]
    assert stored[1]["box"] == pytest.approx([49, 16, 73, 40], abs=0.6)
    assert stored[1]["label"] == first.split(",")[0]


def test_what_waits_is_shown_one_by_one_in_chinese(project, page):
    """The control: once all is judged, nothing waits. A crowded picture has room in a correction, too."""
    project.release()
    with running(project) as url:
        for turn in (1, 3):
            last = ask(url, "/v1/predict", {"row": {"image": scene(turn, size=(90, 60))}})["answers"][0]["id"]
        assert len(queued(url, 2)) >= 2
        page.goto(url)
        page.click("#language")
        page.click("[data-word=queue]")
        for _ in range(2):
            page.wait_for_selector("svg.edited")
            page.click(".right-boxes .actions:last-child button")
            page.wait_for_selector(".verdict.stored")
            page.click("text=下一张")
        while found := queued(url, 0):
            for id in found:
                ask(url, "/v1/feedback", {"id": id, "right": True})
        crowded = [{"label": "disc", "box": [n % 80 + 0.25, n // 80 + 0.25, n % 80 + 9.75, n // 80 + 9.75]}
                   for n in range(2_000)]  # fmt: skip
        assert ask(url, "/v1/feedback", {"id": last, "correct": crowded})["right"] is False
        page.reload()
        page.click("[data-word=queue]")
        page.wait_for_selector(".trouble")
        assert page.inner_text(".trouble") == "没有待复核的内容：都已评判。"

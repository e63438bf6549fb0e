"""The blueprint price-estimate: from a new folder to a page that asks for words, photo and numbers, and its answer."""

import base64
import re

import pytest

import windlass
from windlass.blueprints import catalogue


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A quarter of the offers and the two cheapest learners, so that it takes seconds; without its goal, which is for
    all offers (the README tells the figures of a whole run)."""
    folder = catalogue.copy("price-estimate", tmp_path_factory.mktemp("shop") / "my-prices")
    table = folder / "data" / "offers.csv"
    table.write_text("".join(table.read_text(encoding="utf-8").splitlines(keepends=True)[:151]), encoding="utf-8")
    words = (folder / "windlass.yaml").read_text(encoding="utf-8")
    words = re.sub(r"goal: .*", "goal: mae", words) + "learners: [median, linear]\n"
    (folder / "windlass.yaml").write_text(words, encoding="utf-8")
    return windlass.Project(folder)


@pytest.fixture(scope="module")
def client(project, server_for, tmp_path_factory):
    project.release()
    with server_for(project.store, tmp_path_factory.mktemp("log")) as client:
        yield client


def sent(project, **changed):
    photo = (project.folder / "data" / "photos" / "001.png").read_bytes()
    offer = {
        "title": "Hansen sofa, solid wood", "description": "Nothing is broken.", "item": "sofa", "age_years": 2,
        "width_cm": 200, "photo": "data:image/png;base64," + base64.b64encode(photo).decode(),
    }  # fmt: skip
    return {**offer, **changed}


def priced(client, row):
    return client.predict({"row": row}).json["answers"][0]["value"]


def test_even_a_quarter_of_the_offers_beats_the_median(project):
    board = project.run()
    assert board.candidate("linear").metrics["mae"].value < 0.9 * board.candidate("median").metrics["mae"].value


def test_the_page_asks_for_all_three_sources(client):
    page = client.ask("GET", "/").content.decode()
    for column in ("title", "description", "photo", "item", "age_years", "width_cm"):
        assert f'"{column}"' in page, column
    assert 'type="file"' in page


def test_a_good_new_sofa_is_dearer_than_a_broken_old_chair_in_both_languages(client, project):
    good, worse = sent(project), sent(project, title="BoxHome chair, chipboard", item="chair", age_years=19)
    assert priced(client, good) > priced(client, worse)
    chinese = {"title": "汉森实木沙发", "description": "没有损坏。"}
    broken = {"title": "盒家刨花板椅子", "description": "配件不全。"}
    assert priced(client, {**good, **chinese}) > priced(client, {**worse, **broken})


def test_the_readme_says_how_to_run_and_replace_it_and_what_the_goal_is():
    readme = (catalogue.HOME / "price-estimate" / "README.md").read_text(encoding="utf-8")
    assert "windlass new price-estimate " in readme
    assert "## Make it yours" in readme
    assert f"`{windlass.spec.load(catalogue.HOME / 'price-estimate').goal} EUR`" in readme

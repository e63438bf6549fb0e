"""`windlass forget DOC`: out of the store, the log and the releases, while a server runs; killed, it goes on."""

import json
import shutil
import time
import urllib.error
from dataclasses import replace

import pytest
from typer.testing import CliRunner

import windlass
from windlass import lifecycle
from windlass.cli import app
from windlass.database.request_log import answer_rows, feedback_rows
from windlass.errors import DataError, NotReady
from windlass.forgetting import documents
from windlass.forgetting.documents import names_document
from windlass.registry import releases
from windlass.sources.prepared import read_collected
from windlass.testing.toys import cited_toy

from ..outputs.cited.test_life import product
from ..test_lifecycle import ask, running

QUESTION = {"question": "The kettle weighs how many grams?"}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Few questions, so that little is learned from them."""
    folder = tmp_path_factory.mktemp("forgotten")
    toy = cited_toy(folder)
    product(folder, replace(toy, train=toy.train[:12], validation=toy.validation[:12], test=toy.test[:12]))
    with (folder / "windlass.yaml").open("a", encoding="utf-8") as file:
        file.write("access: {chair.md: [hr]}\n")
    made = windlass.Project(folder)
    made.run()
    made.release(anyway=True)
    return made


def eventually(holds, within_s=60.0):
    until = time.monotonic() + within_s
    while not holds() and time.monotonic() < until:
        time.sleep(0.1)
    assert holds()


def test_in_a_terminal_one_asks_as_one_of_a_group(project):
    """What is not for everybody is not in the cards either: strangers read them on the page."""
    order = ["ask", "The chair weighs how many grams?", "--json", "--project", str(project.folder)]
    assert "chair.md" not in CliRunner().invoke(app, order).stdout
    known, slip = (CliRunner().invoke(app, [*order, "--as", group]) for group in ("HR", "hrr"))
    assert ("chair.md" in known.stdout, known.stderr) == (True, "")
    assert "chair.md" not in slip.stdout
    assert "group 'hrr' is named by no document and no key" in slip.stderr
    assert "did you mean 'hr'?" in slip.stderr
    assert "1 of 12 documents are not for everybody" in " ".join(project.store.read_record("collect")["warnings"])
    assert [each["examples"] for each in project.store.read_record("prepare")["columns"]] == [[], []]


def test_a_running_service_forgets_a_document(project):
    """Nothing of it answers, is cached or logged; who goes back is told why not; copies of the file are not read."""
    first, kettle = releases.champion_id(project.store), project.folder / "docs" / "kettle.md"
    n_rights = sum("kettle" in right for right in read_collected(project.store)["answer"].to_list())
    shutil.copy(kettle, project.folder / "docs" / "copy.md")
    with running(project) as url:
        given = ask(url, "/v1/predict", {"row": QUESTION})["answers"][0]
        assert given["value"]["passages"][0]["document"] == "kettle.md"
        ask(url, "/v1/feedback", {"id": given["id"], "right": True})
        lamp = ask(url, "/v1/predict", {"row": {"question": "The lamp weighs how many grams?"}})["answers"][0]
        (project.folder / ".windlass" / "plan").mkdir()
        (project.folder / ".windlass" / "plan" / "page.html").write_text(given["value"]["passages"][0]["text"])
        receipt = project.forget_document("kettle.md")
        eventually(lambda: ask(url, "/v1/predict", {"row": QUESTION})["release"] == receipt.release)
        again = ask(url, "/v1/predict", {"row": QUESTION})["answers"][0]["value"]
        assert "kettle.md" not in json.dumps(again)
    assert (receipt.probes.hits, receipt.fault, receipt.destroyed) == (0, "", (first,))
    assert (receipt.passages, receipt.emptied, receipt.feedback) == (1, n_rights, 1)
    assert n_rights
    assert receipt.answers >= 1
    assert receipt.removed == ("plan/page.html",)
    assert receipt.still_there == ("docs/copy.md", "docs/kettle.md", "questions.jsonl")
    assert "0 hits" in str(receipt)
    assert f"note       kept: {n_rights} questions without their answer, 0 answers of people" in str(receipt)
    text = kettle.read_text().split("\n\n")[1].strip()
    assert text.split(". ")[0] not in json.dumps(windlass.records.as_json(receipt))
    memory = lifecycle.memory(project.store)
    ids = [row["id"] for row in answer_rows(memory)]
    assert given["id"] not in ids
    assert lamp["id"] in ids
    assert not list(feedback_rows(memory))
    rights = read_collected(project.store)["answer"].to_list()
    assert sum("kettle" in right for right in rights) == 0
    with pytest.raises(NotReady, match=f"'{first}' was destroyed because 'kettle.md' was forgotten on 20"):
        releases.rollback(project.store)
    with pytest.raises(NotReady, match=r"was destroyed because 'kettle\.md'"):
        releases.open_release(project.store, first)


def test_it_never_comes_back_and_a_new_version_does(project):
    """The same words in another format are refused by their text; other words under the old name are a new document."""
    kettle = project.folder / "docs" / "kettle.md"
    (project.folder / "docs" / "kettle.txt").write_text(kettle.read_text().replace("# ", ""))
    kettle.write_text("# kettle\n\nOur kettle is red now.\n")
    collected = project.collect()
    assert collected.documents["rejected"] == 2
    assert any("kettle.txt was forgotten on 20" in words for words in collected.warnings)
    assert names_document(project.spec, project.store, "docs/kettle.md") == "kettle.md"
    assert names_document(project.spec, project.store, "nowhere.md") == ""


def test_what_looks_like_a_document_and_is_none_is_said(project):
    """And an id of an answer, which has neither a dot nor a slash, is looked for in the log."""
    for word, hint in (("LAMP.md", "did you mean 'lamp.md'?"), ("hr/lamp.md", "did you mean 'lamp.md'?"), ("", "")):
        said = CliRunner().invoke(app, ["forget", word, "--project", str(project.folder)])
        assert isinstance(said.exception, NotReady)
        assert said.exception.message.startswith(f"there is no document '{word}', expected one of docs")
        assert said.exception.hint == hint
    said = CliRunner().invoke(app, ["forget", "docs/hr", "--project", str(project.folder)])
    assert "there is no document 'docs/hr', expected one of docs" in str(said.exception)
    said = CliRunner().invoke(app, ["forget", "0123abc", "--project", str(project.folder)])
    assert "the log knows none of the 1 ids" in str(said.exception)


def test_killed_before_the_releases_were_gone_it_goes_on(project, monkeypatch):
    destroy = releases.destroy

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(releases, "destroy", killed)
    with pytest.raises(KeyboardInterrupt):
        project.forget_document("lamp.md")
    before = releases.lineage(project.store)
    assert len(before) == 2
    asked = ["ask", "What does the lamp weigh?", "--project", str(project.folder)]
    assert "'lamp.md' is not forgotten yet" in CliRunner().invoke(app, asked).stderr
    monkeypatch.setattr(releases, "destroy", destroy)
    receipt = project.forget_document("lamp.md")
    assert (receipt.destroyed, receipt.release, receipt.probes.hits) == ((before[1],), before[0], 0)
    assert releases.lineage(project.store) == [before[0]]
    assert CliRunner().invoke(app, asked).stderr == ""
    with pytest.raises(NotReady, match=r"'lamp\.md' was forgotten on 20"):
        project.forget_document("lamp.md")


def test_killed_at_the_end_the_receipt_tells_of_all(project, monkeypatch):
    """What was destroyed and deleted before the kill is counted after it; what `watch` shows is made anew."""
    watched = project.store.stage("watch") / "watch.html"
    watched.write_text("0 refused", encoding="utf-8")
    champion = releases.champion_id(project.store)

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(documents, "probe", killed)
        deleted = iter([2])  # a server that runs is waited for, and nothing more is found
        patch.setattr(documents.erasure, "erase", lambda *_: (dict.fromkeys(documents.GONE, next(deleted, 0)), []))
        with pytest.raises(KeyboardInterrupt):
            project.forget_document("scarf.md")
    receipt = project.forget_document("scarf.md")
    assert (receipt.destroyed, receipt.answers, receipt.jobs) == ((champion,), 2, 2)
    assert receipt.removed == ("watch/watch.html",)
    assert not watched.exists()


def test_what_is_still_found_is_said_with_its_place(project):
    text = json.dumps({"document": "水壶.md"}, ensure_ascii=False)
    place = project.folder / ".windlass" / "release" / "note.json"
    place.write_text(text)
    with pytest.raises(DataError, match=r"'水壶.md' is not forgotten: found in .windlass/release/note.json"):
        project.forget_document("水壶.md")
    place.unlink()
    said = CliRunner().invoke(app, ["forget", "docs/水壶.md", "--json", "--project", str(project.folder)])
    assert (said.exit_code, json.loads(said.stdout)["probes"]["traces"]) == (0, [])


def test_where_nothing_can_be_made_without_it_nothing_is_served(project, monkeypatch):
    """To forget goes before to answer: the champion is destroyed, and a server that runs closes."""

    def fails(*_):
        raise DataError("docs has no document with text")

    monkeypatch.setattr(lifecycle, "run", fails)
    champion = releases.champion_id(project.store)
    with running(project) as url:
        said = CliRunner().invoke(app, ["forget", "coat.md", "--project", str(project.folder)])
        assert isinstance(said.exception, NotReady)
        assert f"destroyed: {champion}" in said.stdout

        def is_closed():
            try:
                ask(url, "/v1/predict", {"row": QUESTION})
            except urllib.error.HTTPError as error:
                return error.code == 503
            return False

        eventually(is_closed)
    assert releases.lineage(project.store) == []

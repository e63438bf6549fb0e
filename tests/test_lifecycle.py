"""The whole life of a product in one file: from rows to an HTTP answer, feedback, a second release and back."""

import json
import threading
import urllib.request

import pytest

import windlass
from windlass.blueprints import catalogue
from windlass.registry import releases
from windlass.stages.serve import serve


def ask(url, path, body):
    request = urllib.request.Request(url + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.loads(response.read())


def test_a_blueprint_becomes_a_service_that_answers_as_it_was_trained_and_learns_of_its_mistakes(tmp_path):
    folder = catalogue.copy("support-desk", tmp_path / "desk")
    with (folder / "windlass.yaml").open("a", encoding="utf-8") as file:
        file.write("learners: [majority, linear]\n")
    project = windlass.Project(folder)
    board = project.run()
    assert board.candidate("linear").metrics["macro_f1"].low > board.candidate("majority").metrics["macro_f1"].high

    first = project.release()
    row = {"message": "my parcel still has not arrived"}
    wanted = first.predict([row])[0]
    assert isinstance(board, windlass.Board)
    assert wanted.value in str(first.explain([row])[0])
    assert all(shown._repr_html_() for shown in (board, first.explain([row])[0]))

    with running(project) as url:
        answer = ask(url, "/v1/predict", {"row": row})
        assert answer["release"] == first.id
        assert answer["answers"][0]["value"] == wanted.value
        assert answer["answers"][0]["confidence"] == pytest.approx(wanted.confidence, abs=1e-5)
        feedback = ask(url, "/v1/feedback", {"id": answer["answers"][0]["id"], "correct": "late_delivery"})
        assert feedback

    second = project.release("majority") if not board.candidate("majority").misses else None
    assert second is None, "the goal must keep a baseline from being released"
    assert releases.champion_id(project.store) == first.id


class running:
    """Serves the project in a thread for as long as the block lasts."""

    def __init__(self, project):
        self.project = project
        self.ready = threading.Event()

    def __enter__(self):
        def ready(url):
            self.url = url[url.index("http") :].split()[0]
            self.ready.set()

        self.thread = threading.Thread(
            target=serve, args=(self.project.spec, self.project.store), kwargs={"port": 0, "ready": ready}, daemon=True
        )
        self.thread.start()
        assert self.ready.wait(60)
        return self.url

    def __exit__(self, *_):
        return None


@pytest.mark.parametrize("name", catalogue.names())
def test_every_blueprint_is_whole(name):
    from windlass.testing.checks import check_blueprint

    check_blueprint(catalogue.HOME / name)

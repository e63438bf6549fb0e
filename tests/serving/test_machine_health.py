"""The blueprint machine-health: good weeks teach what is usual; a fault is said on the page; its cause is told, too."""

import csv
import re

import pytest

import windlass
from windlass.blueprints import catalogue

CAUSE = """output: {cause: category}
goal: macro_f1
series: {time: time, window: 12, stride: 6, past: [vibration, temperature], known: [load]}
learners: [majority, linear]
"""
MACHINES = ("m1", "m2", "m3")


def copied(folder, change=lambda words: words):
    """Three machines of eight, so that it takes seconds; without its goals, which are for all (the README tells the
    figures of a whole run)."""
    catalogue.copy("machine-health", folder)
    table = folder / "data" / "readings.csv"
    lines = table.read_text(encoding="utf-8").splitlines(keepends=True)
    table.write_text("".join([lines[0], *(line for line in lines if line.split(",")[1] in MACHINES)]), encoding="utf-8")
    words = (folder / "windlass.yaml").read_text(encoding="utf-8")
    words = re.sub(r"goal: .*\nlimits: .*\n", "", words)
    (folder / "windlass.yaml").write_text(change(words), encoding="utf-8")
    return windlass.Project(folder)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return copied(
        tmp_path_factory.mktemp("plant") / "my-machines",
        lambda words: words.replace("stride: 3", "stride: 6") + "learners: [deviation]\n",
    )


@pytest.fixture(scope="module")
def client(project, server_for, tmp_path_factory):
    project.release()
    with server_for(project.store, tmp_path_factory.mktemp("log")) as client:
        yield client


def points(project, until, n_points=168):
    """The readings of the first machine up to a moment, as a client sends them."""
    with (project.folder / "data" / "readings.csv").open(encoding="utf-8", newline="") as file:
        found = [row for row in csv.DictReader(file) if row["machine"] == "m1" and row["time"] <= until]
    names = ("time", "vibration", "temperature", "load")
    return [{name: row[name] if name == "time" else float(row[name]) for name in names} for row in found[-n_points:]]


def test_faults_are_found_and_the_board_tells_delay_and_false_alarms(project):
    metrics = project.run().candidate("deviation").metrics
    assert metrics["found_within_a_day"].value >= 0.6
    assert metrics["false_alarms_a_month"].value <= 2
    assert metrics["delay_hours"].value <= 24
    page = project.report.read_text()
    assert "false alarms a month" in page


def test_a_sound_day_raises_no_alarm_and_a_bearing_that_wears_does(project, client):
    sound = points(project, "2025-01-26T12:00")
    worn = [*sound[:-12], *({**each, "vibration": each["vibration"] + 0.8} for each in sound[-12:])]
    said = [client.predict({"row": {"machine": "m1", "readings": each}}).json["answers"][0] for each in (sound, worn)]
    assert [answer["value"] for answer in said] == ["no", "yes"]
    page = client.ask("GET", "/").content.decode()
    assert '"readings"' in page
    assert "<textarea" in page


def test_the_same_readings_tell_the_cause(tmp_path):
    project = copied(
        tmp_path / "causes", lambda words: re.sub(r"output: .*\n", "", re.sub(r"series:\n(  .*\n)+", "", words)) + CAUSE
    )
    board = project.run()
    assert (
        board.candidate("linear").metrics["macro_f1"].value > 2 * board.candidate("majority").metrics["macro_f1"].value
    )


def test_the_readme_says_how_to_run_and_replace_it_and_what_the_goal_is():
    readme = (catalogue.HOME / "machine-health" / "README.md").read_text(encoding="utf-8")
    spec = windlass.spec.load(catalogue.HOME / "machine-health")
    assert "windlass new machine-health " in readme
    assert "## Make it yours" in readme
    assert f"`{spec.goal}`" in readme
    assert f"`false_alarms_a_month: {spec.limits.false_alarms_a_month:g}`" in readme
    assert CAUSE.partition("learners")[0].replace("goal: macro_f1\n", "") in readme

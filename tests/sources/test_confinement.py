"""A stranger's table names pictures of the machine: they are rejected unless the user allows their folder."""

import base64
import json

import numpy as np
import pytest
from PIL import Image

from windlass.errors import DataError
from windlass.kinds import table as kinds
from windlass.sources.confinement import allowed_folders, check_files
from windlass.spec import parse
from windlass.stages.collect import collect
from windlass.store.store import Store

KINDS = {"image": kinds.get("image"), "note": kinds.get("text")}


@pytest.fixture
def machine(tmp_path):
    """A data folder with a picture of its own, beside a private one that a link leads to."""
    for place in ("data/own.png", "data/deep/own.png", "private/secret.png"):
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(path)
    (tmp_path / "data/link.png").symlink_to(tmp_path / "private/secret.png")
    (tmp_path / "data/inside.png").symlink_to(tmp_path / "data/own.png")
    (tmp_path / "data/door").symlink_to(tmp_path / "private")
    return tmp_path


OUTSIDE = [
    "../private/secret.png", "{machine}/private/secret.png", "link.png", "door/secret.png", "deep/../../private/x",
]  # fmt: skip
INSIDE = ["own.png", "deep/../own.png", "inside.png", "{machine}/data/own.png", "absent.png", "\0", "x" * 5_000]


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_file_outside_is_refused_with_the_way_to_allow_it(machine, name):
    with pytest.raises(DataError, match=r"outside .*data.*`files: \[.*private\]` in windlass.yaml"):
        check_files({"image": name.format(machine=machine)}, KINDS, machine / "data", ())


@pytest.mark.parametrize("name", INSIDE)
def test_a_file_inside_is_not_and_neither_is_text(machine, name):
    check_files({"image": name.format(machine=machine), "note": "../private"}, KINDS, machine / "data", ())


def test_a_data_folder_that_is_a_link_itself_is_the_users_own_choice(machine):
    (machine / "shortcut").symlink_to(machine / "data")
    check_files({"image": "own.png"}, KINDS, machine / "shortcut", ())


@pytest.mark.parametrize("allowed", ["private", "{machine}/private", ".."])
def test_a_folder_that_the_spec_allows_may_be_named(machine, allowed):
    folders = allowed_folders([allowed.format(machine=machine)], machine)
    for name in OUTSIDE:
        check_files({"image": name.format(machine=machine)}, KINDS, machine / "data", folders)


@pytest.mark.parametrize(("files", "accepted"), [([], 2), (["private"], 4)])
def test_collect_takes_none_of_them_in_and_says_why(machine, files, accepted):
    """Its control: with the folder allowed, the same rows are accepted."""
    names = ["own.png", "deep/own.png", "../private/secret.png", "link.png"]
    lines = [json.dumps({"image": name, "label": "ab"[number % 2]}) for number, name in enumerate(names)]
    (machine / "data/rows.jsonl").write_text("\n".join(lines))
    values = {"name": "p", "data": "data/rows.jsonl", "inputs": {"image": "image"}, "output": {"label": "category"}}
    spec = parse(json.dumps({**values, "files": files}))
    record = collect(spec, Store(machine))
    assert (record.rows_in, record.accepted, record.rejected) == (4, accepted, 4 - accepted)
    rejects = (machine / ".windlass/collect/rejects.jsonl").read_text().splitlines()
    assert all("outside" in json.loads(line)["reason"] and "files: [" in json.loads(line)["reason"] for line in rejects)


def test_a_link_in_a_folder_of_labels_is_rejected_like_a_name(machine):
    for label in ("cat", "dog"):
        (machine / "pics" / label).mkdir(parents=True)
        Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(machine / "pics" / label / "1.png")
    (machine / "pics/cat/2.png").symlink_to(machine / "private/secret.png")
    (machine / "pics/bird").symlink_to(machine / "private")
    values = {"name": "p", "data": "pics", "inputs": {"image": "image"}, "output": {"label": "category"}}
    record = collect(parse(json.dumps(values)), Store(machine))
    assert (record.rows_in, record.accepted, record.rejected) == (4, 2, 2)


def test_what_a_client_sent_is_kept_as_its_bytes_and_read_as_no_path_later(machine):
    content = base64.b64encode((machine / "data/own.png").read_bytes()).decode()
    kind = kinds.get("image")
    for sent in (content, f"data:image/png;base64,{content}"):
        kept = kind.clean(sent, None)
        assert kind.file_of(kept) == ""
        assert np.array_equal(kind.read(kept, machine), np.zeros((8, 8, 3), np.uint8))

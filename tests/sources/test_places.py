"""What a path in `data:` means."""

import numpy as np
import polars as pl
import pytest
from PIL import Image

from windlass.errors import DataError
from windlass.sources.contract import Names
from windlass.sources.places import find
from windlass.sources.readers.tables import read_parquet


def sources(path, project, data=None):
    return find(data or path.name, project, Names("image", "label"), project / "scratch")


def picture(path, colour=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((8, 8, 3), colour, np.uint8)).save(path)


def test_files_named_train_and_test_are_the_splits(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    for name in ("train.csv", "dev.csv", "test.csv", "README.md"):
        (folder / name).write_text("text,label\na,b\n")
    assert {(item.path.name, item.split) for item in sources(folder, tmp_path)} == {
        ("train.csv", "train"),
        ("dev.csv", "validation"),
        ("test.csv", "test"),
    }


def test_a_folder_of_pictures_a_label_gives_relative_paths_and_faults_for_the_rest(tmp_path):
    picture(tmp_path / "data/cat/1.png")
    picture(tmp_path / "data/dog/1.png")
    (tmp_path / "data/dog/notes.txt").write_text("x")
    picture(tmp_path / "data/loose.png")
    rows = list(sources(tmp_path / "data", tmp_path)[0].rows())
    assert [row.values for row in rows if row.values] == [
        {"image": "cat/1.png", "label": "cat"},
        {"image": "dog/1.png", "label": "dog"},
    ]
    assert sorted(row.shown for row in rows if row.fault) == ["dog/notes.txt", "loose.png"]


def test_picture_folders_below_train_and_test_are_the_splits(tmp_path):
    picture(tmp_path / "data/train/cat/1.png")
    picture(tmp_path / "data/test/cat/1.png")
    assert sorted(item.split for item in sources(tmp_path / "data", tmp_path)) == ["test", "train"]


def test_arrays_become_pictures_with_their_labels(tmp_path):
    random = np.random.default_rng(0)
    pixels = random.integers(0, 255, (4, 8, 8), dtype=np.uint8)
    np.savez(
        tmp_path / "a.npz",
        x_train=pixels,
        y_train=np.array([0, 1, 0, 1], np.uint8),
        x_test=pixels[:1],
        y_test=np.array([1], np.uint8),
    )
    found = {item.split: list(item.rows()) for item in sources(tmp_path / "a.npz", tmp_path)}
    assert [len(found["train"]), len(found["test"])] == [4, 1]
    assert np.array_equal(np.asarray(Image.open(found["train"][2].values["image"])), pixels[2])
    assert found["test"][0].values["label"] == 1


def test_an_archive_with_objects_inside_is_refused_not_unpickled(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.array([{"a": 1}], dtype=object), y=np.array([0]))
    with pytest.raises(DataError, match="plain arrays"):
        list(sources(tmp_path / "a.npz", tmp_path)[0].rows())


def test_parquet_rows_are_read_with_their_types(tmp_path):
    pl.DataFrame({"age": [31, None], "label": ["a", "b"]}).write_parquet(tmp_path / "a.parquet")
    rows = list(sources(tmp_path / "a.parquet", tmp_path)[0].rows())
    assert [row.values for row in rows] == [{"age": 31, "label": "a"}, {"age": None, "label": "b"}]


def test_a_parquet_file_that_claims_too_many_cells_is_refused_before_it_is_read(tmp_path):
    pl.DataFrame({"a": [0] * 5_000}).write_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match="5,000 rows x 1 columns"):
        list(read_parquet(sources(tmp_path / "a.parquet", tmp_path)[0], 1_000))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.parquet", b"PAR1 nonsense", "cannot be read"),
        ("a.npz", b"nonsense", "cannot be read"),
        ("a.xlsx", b"PK", "expected a whole .xlsx file"),
    ],
)
def test_damaged_or_unknown_files_are_refused_in_words(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=words):
        list(sources(tmp_path / name, tmp_path)[0].rows())


def test_a_folder_that_could_mean_two_things_asks_which(tmp_path):
    folder = tmp_path / "data"
    picture(folder / "train/cat/1.png")
    np.savez(folder / "a.npz", x=np.zeros((1, 2, 2), np.uint8), y=np.zeros(1))
    with pytest.raises(DataError, match="not clear which"):
        sources(folder, tmp_path)


def test_a_path_that_does_not_exist_tells_what_is_beside_it(tmp_path):
    (tmp_path / "tickets.csv").write_text("a,b\n")
    with pytest.raises(DataError, match=r"beside it: tickets\.csv"):
        sources(tmp_path / "ticket.csv", tmp_path)

"""What a stage left is read again, whatever its folder is called."""

from pathlib import Path

import polars as pl

from windlass.sources.prepared import read_frame, write_frame


def test_rows_in_a_folder_with_brackets_are_read(tmp_path: Path) -> None:
    path = tmp_path / "shop[1] *?" / "rows.parquet"
    path.parent.mkdir()
    write_frame(path, pl.DataFrame({"x": [1, 2]}))
    assert read_frame(path, "collect")["x"].to_list() == [1, 2]

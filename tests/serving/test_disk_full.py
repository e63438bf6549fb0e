"""The disk is full at the k-th write of a running server: predictions go on, writes are refused by their type.

SQLite itself says that it is full: its file may grow by so many pages and no more, until there is room again.
"""

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from windlass.database.backend import Connection, Schema
from windlass.database.jobs import Jobs
from windlass.database.request_log import answer_rows, feedback_rows
from windlass.database.sqlite import Sqlite
from windlass.serving.contract.settings import Settings
from windlass.store.store import Store

ROW = {"row": {"message": "my card is lost " * 200}}
NOTE = "x" * 2_000
RECOVERY_S = 60.0
PLENTY = 10**6


class Bounded(Sqlite):
    """A file on a disk with room for so many pages; connections that are open feel it too."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.most, self.open = PLENTY, list[Connection]()

    def connect(self, *schemas: Schema) -> Connection:
        connection = super().connect(*schemas)
        self.open.append(connection)
        connection.execute(f"pragma max_page_count = {self.most}")
        return connection

    def leave(self, pages: int) -> None:
        """From now on so many pages are left."""
        with closing(super().connect()) as connection:
            ((used,),) = connection.execute("pragma page_count")
        self.most = min(PLENTY, used + pages)
        for connection in self.open:
            try:
                connection.execute(f"pragma max_page_count = {self.most}")
            except Exception:  # noqa: BLE001  it was closed meanwhile
                continue


def tell(client: Any) -> tuple[int, str]:
    """Status and id of feedback on a new answer, which is given whatever the disk does."""
    reply = client.predict(ROW)
    assert reply.status == 200
    id = reply.json["answers"][0]["id"]
    said = client.feedback({"id": id, "correct": "card", "note": NOTE})
    assert said.status == 200 or (said.status, said.error["kind"]) in REFUSALS, said
    return said.status, id


REFUSALS = {(507, "disk_full"), (404, "unknown_answer")}
"""404: its answer was one that could not be logged."""


@pytest.mark.parametrize("pages", [0, 1, 2, 3, 5, 8, 13])
def test_a_disk_that_is_full_at_the_kth_write_costs_writes_and_nothing_else(
    own_store: Store, tmp_path: Path, server_for: Callable[..., Any], pages: int
) -> None:
    """The control is the part before and after it: with room, the same requests are all stored."""
    place = Bounded(tmp_path / "requests.sqlite")
    with closing(Jobs(place)) as jobs, server_for(own_store, place, Settings(keep_inputs=True)) as client:
        client.app.state.service.jobs = jobs
        kept = [id for status, id in (tell(client) for _ in range(5)) if status == 200]
        assert len(kept) == 5
        place.leave(pages)
        refused = 0
        while refused < 5:
            status, id = tell(client)
            refused += status == 507
            kept += [id] if status == 200 else []
            assert len(kept) < 100, "the disk is not full"
        job = client.ask("POST", "/v1/jobs", {"rows": [ROW["row"]] * 50})
        assert (job.status, job.error["kind"]) == (507, "disk_full")
        assert client.ask("GET", "/health").json["log"] == "read-only"
        assert client.ask("GET", "/health/ready").status == 200

        place.leave(PLENTY)
        begun = time.monotonic()
        while tell(client)[0] != 200:
            assert time.monotonic() - begun < RECOVERY_S
        kept += [id for _, id in (tell(client) for _ in range(3))]
        assert client.ask("GET", "/health").json["log"] == "writing"
        assert client.ask("POST", "/v1/jobs", {"rows": [ROW["row"]]}).status == 202
    known = {row["id"] for row in answer_rows(place)}
    assert known >= set(kept)
    assert {row["id"] for row in feedback_rows(place)} >= set(kept), "what was acknowledged is on disk"

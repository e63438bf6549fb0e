"""How often lists of a release came to something, as the log has it: what an experiment between two releases counts."""

import math

from windlass.database.backend import Database
from windlass.database.request_log import answer_rows, feedback_counts
from windlass.metrics.proportions import Proportion
from windlass.outputs.items.measures import wanted


def clicked(place: Database, release: str, since: float = 0.0, until: float = math.inf) -> Proportion:
    """Lists that the release gave from `since` to `until` (s since 1970), and those with an item that was liked; also
    lists count of which nobody said a word. Raises: DataError: the log cannot be read."""
    liked = {
        said["id"]
        for said in feedback_counts(place)
        if said["release"] == release and said["correct"] and wanted(said["correct"]).liked
    }
    given = [row["id"] for row in answer_rows(place, since) if row["release"] == release and row["at"] < until]
    return Proportion(sum(id in liked for id in given), len(given))

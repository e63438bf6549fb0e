"""Feedback and new rows -> a challenger, judged against the champion, and promoted or not, with the reasons."""

from windlass.improving import cycle
from windlass.improving.cycle import ImproveRequest, ProjectAccess
from windlass.records import Improvement, Progress, silent
from windlass.spec import Spec
from windlass.store.store import Store


def improve(
    spec: Spec, store: Store, access: ProjectAccess, order: ImproveRequest | None = None, progress: Progress = silent
) -> Improvement:
    """One attempt, or the rest of one that was killed. Raises: SpecError, NotReady, DataError: as `cycle.improve`."""
    return cycle.improve(spec, store, access, order or ImproveRequest(), progress)

"""How the champion does by feedback, against the one before it; one that does worse is rolled back.

Two questions are asked, and both must speak against it. Is its share of wrong answers larger than the former's was, by
more than chance (three standard errors, as of a canary)? And where what was asked is kept: does the former do better on
the very same rows? Otherwise the world has changed, and going back would not help. No caller counts for more than his
share, so that one of them cannot bring a champion down.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from windlass.database.backend import Database
from windlass.errors import NotReady
from windlass.improving.training_feedback import AGAIN, from_log
from windlass.improving.trust import cap
from windlass.improving.verdict import LEVEL
from windlass.metrics.proportions import Proportion
from windlass.outputs import table as outputs
from windlass.outputs.comparison import Paired
from windlass.outputs.labelled_row import LabelledRow
from windlass.pages.text.words import percent
from windlass.records import Json
from windlass.registry import reference, releases
from windlass.registry.audit_log import Why
from windlass.serving.runtime.canary import LEAST_FEEDBACK, is_more
from windlass.spec import Spec
from windlass.store.store import Store


@dataclass(frozen=True)
class Live:
    """What feedback says of two releases. told: how many answers; wrong: of them. same: both on the newer rows."""

    champion: str
    former: str
    told: int
    wrong: int
    told_former: int
    wrong_former: int
    same: Paired | None = None

    @property
    def is_worse(self) -> bool:
        if min(self.told, self.told_former) < LEAST_FEEDBACK:
            return False
        return is_more(Proportion(self.wrong, self.told), Proportion(self.wrong_former, self.told_former))

    @property
    def has_fallen(self) -> bool:
        return self.is_worse and (self.same is None or self.same.loses(LEVEL))

    @property
    def words(self) -> str:
        told = (
            f"{self.wrong} of {self.told} answers were wrong by feedback ({percent(self.wrong / max(1, self.told))}), "
            f"of the champion before it {self.wrong_former} of {self.told_former}"
        )
        if self.same is None:
            return told
        return f"{told}; on the same rows {self.same}"

    def as_json(self) -> Json:
        counts = {"told": self.told, "wrong": self.wrong, "told_former": self.told_former}
        same = {} if self.same is None else {"same": self.same.as_json()}
        return {**counts, "wrong_former": self.wrong_former, **same}


def feedback_on(spec: Spec, store: Store, place: Database, champion: str, former: str) -> Live:
    """What feedback says of two releases, no caller counting beyond his share. Raises: DataError: the log."""
    return _counted(spec, store, _said(spec, place, (champion, former)), champion, former)


def _counted(spec: Spec, store: Store, said: Sequence[LabelledRow], champion: str, former: str) -> Live:
    now, before = (_of(said, id, spec) for id in (champion, former))
    wrong, wrong_before = (_wrong(rows, spec, store) for rows in (now, before))
    return Live(champion, former, len(now), wrong, len(before), wrong_before)


def look(spec: Spec, store: Store, place: Database) -> Live | None:
    """How a champion that `improve` promoted does; None for any other one. Raises: DataError: the log, or a release."""
    try:
        champion, former = releases.champion_id(store), next(iter(releases.history(store)), "")
    except NotReady:
        return None
    if not former or not releases.improvement(store, champion):
        return None
    said = _said(spec, place, (champion, former))
    live = _counted(spec, store, said, champion, former)
    kept = [row for row in _of(said, champion, spec) if row.values and row.label != ""]
    if not live.is_worse or len(kept) < LEAST_FEEDBACK:
        return live
    opened = [releases.open_release(store, id)[1] for id in (former, champion)]
    pairs = [(row.values, row.label) for row in kept]
    sheet = outputs.of(spec).compare((opened[0], opened[1]), pairs, outputs.goal(spec).metric, store.project)
    return replace(live, same=sheet.paired("same rows", np.ones(len(pairs), bool)))


def _said(spec: Spec, place: Database, of: Sequence[str]) -> list[LabelledRow]:
    """The last word on each answer of these releases."""
    return [row.becomes("") for row in from_log(place, spec, of) if row.reason != AGAIN]


def _of(rows: Sequence[LabelledRow], release: str, spec: Spec) -> list[LabelledRow]:
    """Feedback on this release, no caller beyond his share."""
    own = [row for row in rows if row.release == release]
    return [row for row in cap(own, spec.improve.caller_share) if not row.fate]


def _wrong(rows: Sequence[LabelledRow], spec: Spec, store: Store) -> int:
    """How many answers were wrong, as the output says; of those of which nobody said what is right, all."""
    if not rows:
        return 0
    known = reference.opened(releases.folder(store, rows[0].release), lambda words: None)
    answers: Json = known.answers if known is not None else {}
    is_right = outputs.of(spec).is_right
    return sum(row.label == "" or row.said == "" or not is_right(row.said, row.label, answers) for row in rows)


def guard(spec: Spec, store: Store, place: Database, command: str) -> str:
    """Rolls a champion back that has fallen, and says so; empty while it stays. Raises: as `look` and `go_back`."""
    found = look(spec, store, place)
    if found is None or not found.has_fallen:
        return ""
    return f"champion: {go_back(store, found, command)}, since {found.words}"


def go_back(store: Store, live: Live, command: str) -> str:
    """Rolls the champion back, and says why in the trail; gives the id of the champion now. Raises: as `rollback`."""
    why = Why("rollback", command, f"live quality has fallen: {live.words}", {"live": live.as_json()})
    return releases.rollback(store, why, live.champion)

"""The table of the items as it is now, given to the releases that serve: what is new there needs no training.

It is looked at as often as the pointer to the champion (`look_s`), and read when it has changed and stands still. One
that cannot be read, or has lost most of its items, such as a file that is being written, changes nothing, and that is
said.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field

from windlass.errors import DataError
from windlass.outputs import table as outputs
from windlass.predictors.contract import Predictor
from windlass.records import Catalogue
from windlass.serving.runtime.replica import Replica
from windlass.spec import Spec
from windlass.store.store import Store

LEAST_KEPT = 0.5
"""Of the items that the table had when it was last read: one that has lost more is taken for damaged."""
Stamp = list[tuple[str, int, int]]


@dataclass
class LiveItems:
    """applied: the table that was read last. trained: of each release that serves, what it was opened as."""

    spec: Spec
    store: Store
    applied: Catalogue | None = None
    stamp: Stamp = field(default_factory=list)
    seen: Stamp = field(default_factory=list)
    trained: dict[int, tuple[Predictor, Catalogue | None]] = field(default_factory=dict)

    def look(self, replicas: list[Replica], seat: Callable[[Replica, Predictor], None]) -> None:
        """Renews those that do not know the table as it is. seat(replica, predictor): has it answer from now on."""
        from windlass.sources.events.catalogue import stamp

        now = stamp(self.spec, self.store)
        if now and now == self.seen and now != self.stamp:
            self._read(now)
        self.seen = now
        self.trained = {id(each): self.trained.get(id(each), (each.predictor, None)) for each in replicas}
        for replica in replicas:
            predictor, known = self.trained[id(replica)]
            renewed = outputs.get(predictor.manifest.output.kind).renewed
            if self.applied is None or renewed is None or known is self.applied:
                continue
            self.trained[id(replica)] = predictor, self.applied
            seat(replica, renewed(predictor, self.applied))

    def _read(self, now: Stamp) -> None:
        from windlass.sources.events import catalogue

        self.stamp = now
        try:
            source = catalogue.source_of(self.spec, self.store)
            if source is None or self.spec.items is None:
                return
            found, _ = catalogue.read_table(source, self.spec.items.item, ())
            self._check(found)
        except DataError as error:
            print(f"the table of the items stays as it was: {error.message}", file=sys.stderr, flush=True)
            return
        if self.applied is not None:
            new = sum(item not in self.applied.places for item in found.ids)
            print(f"the table of the items was read: {len(found):,} items, {new:,} of them new", file=sys.stderr,
                  flush=True)  # fmt: skip
        self.applied = found

    def _check(self, found: Catalogue) -> None:
        before = self.applied
        if before is None or not len(before):
            return
        kept = sum(item in found.places for item in before.ids)
        if kept < LEAST_KEPT * len(before):
            raise DataError(f"it has {kept:,} of {len(before):,} items that it had, expected most of them")

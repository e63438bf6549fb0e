"""A service that protects itself: a champion that does worse in use than the one before it is rolled back.

A thread asks what `windlass improve --every` asks (`live`), at most once a minute, when a tenth more feedback has
come. A challenger on trial is promoted or refused by its feedback, too. What computes is imported when it is
needed: most services never do.
"""

import sys
import threading
from types import TracebackType

from windlass.database.backend import Database
from windlass.database.request_log import feedback_count
from windlass.errors import NotReady, WindlassError
from windlass.registry import canaries as trials
from windlass.registry import releases
from windlass.serving.runtime.canary import LEAST_FEEDBACK
from windlass.spec import Spec
from windlass.store.store import Store

COMMAND = "windlass serve"
LOOK_S = 60.0
MORE = 1.1
"""Times the feedback of the last look that are worth another: it may open two models beside the one that serves."""


class Protection:
    """The thread. What it does is in the audit trail, and told on stderr."""

    def __init__(self, spec: Spec, store: Store, place: Database) -> None:
        self._spec, self._store, self._place = spec, store, place
        self._champion, self._enough = "", 0.0
        self._said = ""
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="windlass-protection", daemon=True)

    def __enter__(self) -> "Protection":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._is_over.wait(LOOK_S):
            try:
                self.look()
            except (WindlassError, OSError) as error:
                self._say(f"feedback on the champion is not looked at: {error}")

    def look(self) -> None:
        """Acts on what feedback says. Raises: WindlassError, OSError: log, a release or the store."""
        if trials.running(self._store) is not None:
            self._settle()
        champion = releases.champion_id(self._store)
        if not releases.improvement(self._store, champion):
            return
        count = feedback_count(self._place, champion)
        if count < (self._enough if champion == self._champion else LEAST_FEEDBACK):
            return
        from windlass.improving import live

        self._say(live.guard(self._spec, self._store, self._place, COMMAND))
        self._champion, self._enough = champion, count * MORE

    def _settle(self) -> None:
        from windlass.improving import attempts
        from windlass.improving.probation import CANARY, conclude_trial

        try:
            with attempts.locked(self._store):
                made = conclude_trial(self._spec, self._store, self._place)
        except NotReady:  # `windlass improve` is at work, and settles it
            return
        if made is not None and made.verdict != CANARY:
            self._say(f"release '{made.challenger}' is {made.verdict}: {made.why}")

    def _say(self, words: str) -> None:
        if words and words != self._said:
            print(words, file=sys.stderr, flush=True)
        self._said = words or self._said

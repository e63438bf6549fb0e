"""Watches which release is the champion, and opens another one in its place without a request that fails.

A new champion is opened beside the one that serves: its files are verified, its golden rows answered by the bare model
and then through the server itself, by requests that carry a secret. Only then does it serve, at once; requests that
were begun end where they began. One that does not prove itself is refused, and the old one serves on.
"""

import asyncio
import logging
import secrets
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

from windlass.errors import GateRefused, SpecError, WindlassError
from windlass.predictors.artifact import TOLERANCE
from windlass.registry import canaries as trials
from windlass.registry import destroyed, releases
from windlass.registry.reference import Reference, opened
from windlass.serving.runtime.canary import Canary
from windlass.serving.runtime.golden_probe import Golden, replay_over_http
from windlass.serving.runtime.live_items import LiveItems
from windlass.serving.runtime.replica import Replica, is_same_product
from windlass.serving.runtime.service import Service
from windlass.serving.telemetry.watch_status import Watched
from windlass.store.store import Store

logger = logging.getLogger("windlass.serving")
Mark = tuple[int, int, int]


@dataclass
class HotSwap:
    """A thread that looks at the pointer to the champion.

    host, port: of this very process. seen: what the pointer's mark was before the release was opened. items: the table
    of what is recommended, where the product has one.
    """

    service: Service
    store: Store
    host: str
    port: int
    seen: Mark | None = None
    swaps: int = 0
    retired: list[Replica] = field(default_factory=list)
    items: LiveItems | None = None

    def __post_init__(self) -> None:
        self._is_over = threading.Event()
        self._idle: set[int] = set()
        self._given_up: trials.CanaryTrial | None = None
        self.service.replica.reference = self._reference(self.service.release.id)
        self.service.watched = Watched(self.store.record("watch"))
        self._thread = threading.Thread(target=self._run, name="windlass-hot-swap", daemon=True)

    def _reference(self, id: str) -> Reference | None:
        """What rows of the release were like; none of one that is older than `watch`, or whose reference is damaged."""
        return opened(releases.folder(self.store, id), lambda fault: print(fault, file=sys.stderr, flush=True))

    def start(self) -> None:
        """To be called in the server's loop."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread and the releases that have left. To be called when the server has stopped."""
        self._is_over.set()
        if self._thread.ident is not None:
            self._thread.join()
        for replica in self.retired:
            replica.close()

    def _run(self) -> None:
        while not self._is_over.wait(self.service.settings.look_s):
            self.look()
            self.look_at_items()

    def look_at_items(self) -> None:
        """Has the releases that serve know the table of the items as it is."""
        if self.items is None:
            return
        canary = self.service.traffic.canary
        replicas = [self.service.replica, *([canary.replica] if canary is not None else [])]
        try:
            self.items.look(replicas, lambda replica, predictor: self._in_loop(lambda: replica.renew(predictor)))
        except Exception as error:
            logger.error("the table of the items cannot be used", exc_info=error)
            print(f"the table of the items cannot be used: {type(error).__name__}", file=sys.stderr, flush=True)

    def look(self) -> None:
        """Seats the champion when it is another one than before; closes releases on which nobody waits any more."""
        self._close_retired()
        self._look_at_trial()
        mark = releases.pointer_mark(self.store)
        if mark == self.seen:
            return
        self.seen = mark
        id = "of the store"
        try:
            id = releases.champion_id(self.store)
            if id == self.service.release.id:
                self._say("")
                return
            replica = self._proven(id)
            self._in_loop(lambda: self._sit(replica))
            print(f"release '{id}' serves now", file=sys.stderr, flush=True)
        except WindlassError as error:
            logger.warning("release '%s' is refused", id, exc_info=error)
            self._say(f"release '{id}' is refused: {error.message}")
        except Exception as error:
            logger.error("release '%s' cannot be opened", id, exc_info=error)
            self._say(f"release '{id}' is refused: it cannot be opened ({type(error).__name__})")
        if self.service.release.id != id:
            self._close_destroyed()

    def _close_destroyed(self) -> None:
        """Answers nobody from a release that was destroyed since a document in it was forgotten, where the champion
        cannot take its place."""
        service, id = self.service, self.service.release.id
        if service.proof or not (why := destroyed.why(self.store, id)):
            return
        service.proof = secrets.token_urlsafe(32)
        print(f"release '{id}' {why}: nothing is answered until another one serves", file=sys.stderr, flush=True)

    def _look_at_trial(self) -> None:
        """Seats the release that the store has on trial, or takes it away; tells the store of one that failed."""
        try:
            self._tell_failed()
            trial = trials.running(self.store)
            present = self.service.traffic.canary
            if trial in (present.trial if present is not None else None, self._given_up):
                return
            self._given_up = trial
            canary = Canary(trial, self._proven(trial.release)) if trial is not None else None
            self._in_loop(lambda: self._try(canary))
            self._given_up = None
            print(f"on trial: {trial or 'no release'}", file=sys.stderr, flush=True)
        except (WindlassError, OSError) as error:
            logger.warning("trial is refused", exc_info=error)
            print(f"trial is refused: {error}", file=sys.stderr, flush=True)
        except Exception as error:
            logger.error("trial is refused", exc_info=error)
            print(f"trial is refused: {type(error).__name__}", file=sys.stderr, flush=True)

    def _tell_failed(self) -> None:
        traffic = self.service.traffic
        if traffic.failed_trial is None:
            return
        canary, why = traffic.failed_trial
        traffic.failed_trial = None
        self._given_up = canary.trial
        self.retired.append(canary.replica)
        print(f"{canary.trial} is stopped: {why}", file=sys.stderr, flush=True)
        if trials.running(self.store) == canary.trial:
            trials.stop(self.store, "windlass serve", why)

    def _try(self, canary: Canary | None) -> None:
        traffic = self.service.traffic
        if traffic.canary is not None:
            self.retired.append(traffic.canary.replica)
        traffic.canary = canary

    def _in_loop(self, work: Callable[[], None]) -> None:
        """Does the work between two steps of any request, and waits until it is done."""
        done: Future[None] = Future()

        def run() -> None:
            work()
            done.set_result(None)

        self._loop.call_soon_threadsafe(run)
        done.result(10)

    def _proven(self, id: str) -> Replica:
        """Raises: WindlassError: it is not what was released, or not what clients of this service can ask."""
        release, predictor = releases.open_release(self.store, id, replays=False)
        if not is_same_product(self.service.predictor.manifest, predictor.manifest):
            raise SpecError("its columns are others than those that are served", "start `windlass serve` again")
        replica = Replica(release, predictor, self.service.settings, self._reference(id))
        try:
            self._prove(replica, releases.golden(self.store, id))
        except BaseException:
            replica.close()
            raise
        return replica

    def _prove(self, replica: Replica, golden: Golden) -> None:
        proof = secrets.token_urlsafe(32)
        self.service.entrants = {**self.service.entrants, proof: replica}
        try:
            difference = replay_over_http(self.port, replica.release.id, replica.predictor, golden, proof, self.host)
        finally:
            self.service.entrants = {
                other: entrant for other, entrant in self.service.entrants.items() if other != proof
            }
        if not difference <= TOLERANCE:
            raise GateRefused(
                f"it answers its golden rows behind the server with a difference of {difference:.2g}, expected at most "
                f"{TOLERANCE:g}"
            )

    def _sit(self, replica: Replica) -> None:
        self.retired.append(self.service.replica)
        self.service.replica = replica
        self.service.proof = ""
        self.swaps += 1
        self.service.refused = ""

    def _close_retired(self) -> None:
        """A release must be idle at two looks: a request may have taken its place and not yet begun."""
        for replica in [replica for replica in self.retired if replica.is_idle and id(replica) in self._idle]:
            self.retired.remove(replica)
            replica.close()
        self._idle = {id(replica) for replica in self.retired if replica.is_idle}

    def _say(self, refusal: str) -> None:
        if refusal != self.service.refused and refusal:
            print(f"{refusal}; release '{self.service.release.id}' serves on", file=sys.stderr, flush=True)
        self.service.refused = refusal

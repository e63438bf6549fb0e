"""A challenger on trial: promoted when feedback on it is no worse than on the champion, refused when it was stopped."""

from dataclasses import replace

from windlass.database.backend import Database
from windlass.improving import attempts, experiment
from windlass.improving.attempts import WORD, Attempt
from windlass.improving.experiment import Experiment
from windlass.improving.live import Live, feedback_on
from windlass.metrics.proportions import Proportion
from windlass.records import Improvement, as_json
from windlass.registry import canaries as trials
from windlass.registry import releases
from windlass.registry.audit_log import Why
from windlass.serving.runtime.canary import LEAST_FEEDBACK, is_more
from windlass.spec import Spec
from windlass.store.json_files import read_as, write_json
from windlass.store.store import Store

RECORD = "improvement.json"
PROMOTED, CANARY, REFUSED = "promoted", "canary", "refused"


def conclude_trial(spec: Spec, store: Store, place: Database) -> Improvement | None:
    """What became of the challenger that the last attempt put on trial; None: there was none, or it is settled.

    While too little feedback has come it stays on trial. Raises: DataError, NotReady: as the log, the trial.
    """
    ended = [attempt for attempt in attempts.attempts(store) if (attempt.folder / RECORD).is_file()]
    if not ended:
        return None
    last = ended[-1]
    improvement = read_as(last.folder / RECORD, Improvement, "remove its folder")
    if improvement.verdict != CANARY:
        return None
    trial = trials.running(store)
    if trial is None or trial.release != improvement.challenger:
        if _is_champion(store, improvement):
            return _settled(last, improvement, PROMOTED, improvement.why)
        return _settled(last, improvement, REFUSED, "its trial was stopped")
    counted = experiment.of(spec, place, trial)
    if counted is not None:
        return _by_clicks(store, last, improvement, counted)
    live = feedback_on(spec, store, place, trial.release, trial.against)
    if min(live.told, live.told_former) < LEAST_FEEDBACK:
        least = min(live.told, live.told_former)
        return replace(improvement, why=f"on trial: feedback on {least} answers of each, expected {LEAST_FEEDBACK}")
    if is_more(Proportion(live.wrong, live.told), Proportion(live.wrong_former, live.told_former)):
        trials.stop(store, improvement.trigger, live.words)
        return _settled(last, improvement, REFUSED, live.words)
    return _promoted(store, last, improvement, live)


def _by_clicks(store: Store, last: Attempt, improvement: Improvement, counted: Experiment) -> Improvement:
    """It is refused when it is worse, at whatever look; promoted when it is better, or when all answers that are needed
    came and nothing speaks against it."""
    if counted.verdict == "worse":
        trials.stop(store, improvement.trigger, counted.words)
        return _settled(last, improvement, REFUSED, counted.words)
    if counted.verdict == "better" or counted.is_complete:
        return _promoted(store, last, improvement, counted)
    return replace(improvement, why=f"on trial: {counted.words}")


def _is_champion(store: Store, improvement: Improvement) -> bool:
    """It was promoted, and nobody wrote that down."""
    return releases.champion_id(store) == improvement.challenger


def _promoted(store: Store, attempt: Attempt, improvement: Improvement, live: Live | Experiment) -> Improvement:
    evidence = {"improvement": attempt.id, "live": live.as_json()}
    why = f"{improvement.why}; on trial {live.words}"
    releases.point_to(store, improvement.challenger, Why("promote", improvement.trigger, why, evidence))
    return _settled(attempt, improvement, PROMOTED, why)


def _settled(attempt: Attempt, improvement: Improvement, verdict: str, why: str) -> Improvement:
    if verdict == PROMOTED:
        attempt.note("promote", {"release": improvement.challenger})
    settled = replace(improvement, verdict=verdict, why=why)
    write_json(attempt.folder / RECORD, as_json(settled))
    write_json(attempt.store.record(WORD), as_json(settled))
    return settled

"""Run -> immutable release and model card: refused unless goal, limits and golden-answer parity hold."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import windlass
from windlass.errors import DataError, GateRefused, did_you_mean, expected
from windlass.learners.table import LEARNERS
from windlass.outputs import reference_profile
from windlass.outputs import table as outputs
from windlass.pages.text.card import Card, model_card
from windlass.predictors import table as predictors
from windlass.predictors.artifact import TOLERANCE, read_golden
from windlass.records import Board, Candidate, Json, Prepared, Progress, Release, as_json, silent
from windlass.registry import checkpoints as weights
from windlass.registry import reference, releases
from windlass.registry.audit_log import Why
from windlass.registry.model_cards import BOARD, CARD, CARD_ZH
from windlass.serving.runtime.golden_probe import probe
from windlass.sources.prepared import read_recent, read_splits
from windlass.spec import Spec, dump
from windlass.store.files import hash_folder, publish, size_mb, write_text
from windlass.store.json_files import fingerprint, write_json
from windlass.store.stage_keys import release_key
from windlass.store.store import Store

N_STEPS = 4


@dataclass(frozen=True)
class Content:
    """What a release is made of. source: the artifact; prepared: of the rows that it was trained on.

    reference: what rows were like that it was not trained on. insisted: what spoke against it.
    """

    spec: Spec
    board: Board
    candidate: str
    prepared: Prepared
    source: Path
    reference: Json
    insisted: list[str]

    def card(self, created: str) -> Card:
        return Card(
            product=self.spec.name,
            candidate=self.candidate,
            board=self.board,
            prepared=self.prepared,
            spec_text=dump(self.spec),
            windlass_version=windlass.__version__,
            created=created,
            insisted=tuple(self.insisted),
            data_licence=self.spec.data_licence,
            is_begun=_is_begun(self.board, self.candidate),
        )

    def record(self, identity: str, created: str, folder: Path) -> Release:
        """folder: where all of its files are by now."""
        return Release(
            id=identity,
            product=self.spec.name,
            candidate=self.candidate,
            headline=self.board.headline,
            score=self.board.candidate(self.candidate).metrics[self.board.headline],
            created=created,
            fingerprint=self.prepared.fingerprint,
            files=hash_folder(folder),
            size_mb=size_mb(folder / "model"),
            insisted=self.insisted,
        )


def _is_begun(board: Board, candidate: str) -> bool:
    """Others may have made weights that it began with; one that is made of other candidates may hold those of any."""
    made = LEARNERS.get(board.candidate(candidate).learner)
    parts = board.candidates if made is not None and made.of_runs else [board.candidate(candidate)]
    return any(learner.may_begin for each in parts if (learner := LEARNERS.get(each.learner)) is not None)


@dataclass(frozen=True)
class ReleaseRequest:
    """What the user asks to release. candidate: empty for the chosen one. anyway: although it misses goal or limits, or
    is worth nothing; that is recorded."""

    candidate: str = ""
    anyway: bool = False


NO_WISH = ReleaseRequest()


def release(
    spec: Spec, store: Store, board: Board, progress: Progress = silent, candidate: str = "", anyway: bool = False
) -> Release:
    """Publishes the chosen candidate (or the named one) and makes it the champion.

    Args:   anyway: see `ReleaseRequest`.
    Raises: GateRefused: goal, limits or parity do not hold, or it is no better than the baseline; the message says
            which and by how much.
    """
    record = publish_release(spec, store, store, board, progress, ReleaseRequest(candidate, anyway))
    releases.point_to(store, record.id, _insisted(record) if record.insisted else releases.PROMOTED)
    progress("release", N_STEPS, N_STEPS, record.id)
    write_json(store.record("release"), {"key": release_key(spec, store), "id": record.id})
    return record


def _insisted(record: Release) -> Why:
    against = "; ".join(record.insisted)
    return Why("promote", "windlass release --anyway", f"the user insisted, although {against}", {"insisted": against})


def publish_release(
    spec: Spec, store: Store, made_in: Store, board: Board, progress: Progress = silent, wish: ReleaseRequest = NO_WISH
) -> Release:
    """Makes a release of what was trained in `made_in`, through the gate; it is not the champion yet.

    Raises: GateRefused: as `release`.
    """
    names = [entry.name for entry in board.candidates]
    wanted = _known(wish.candidate, names) if wish.candidate else board.chosen
    measured = board.candidate(wanted)
    against = [*measured.misses, *filter(None, [measured.worthless])]
    if against and not wish.anyway:
        raise GateRefused(f"release refused: {'; '.join(against)}", _what_helps(measured, board))
    source = made_in.run_folder(wanted) / "artifact"
    progress("release", 1, N_STEPS, "golden answers from the artifact")
    predictors.replay(predictors.load(source), source)

    progress("release", 2, N_STEPS, "writing")
    prepared = made_in.read("prepare", Prepared)
    splits, predictor = read_splits(spec, made_in), predictors.load(source)
    seen = reference_profile.make(outputs.of(spec), splits, predictor, read_recent(made_in))
    record = _publish(Content(spec, board, wanted, prepared, source, seen, against), store)
    progress("release", 3, N_STEPS, "golden answers behind the server")
    _, predictor = releases.open_release(store, record.id)
    difference = probe(predictor, record, read_golden(releases.folder(store, record.id) / releases.MODEL))
    if not difference <= TOLERANCE:
        raise GateRefused(
            f"release refused: answers behind the server differ by {difference:.2g} from the trained model, "
            f"expected at most {TOLERANCE:g}"
        )
    weights.keep(store, record, made_in.stage("train"))
    return record


def _what_helps(refused: Candidate, board: Board) -> str:
    limited = _kept_out(refused, board)
    if limited is not None:
        return (
            f"'{limited.name}' reaches the goal and was left out, as its {'; '.join(limited.misses)}: a busy machine "
            "measures slower answers, and `limits:` can be changed"
        )
    if not refused.worthless:
        return "the report shows where it is wrong: more or cleaner rows, more `minutes`, or another goal"
    return (
        "`windlass run` with more or other rows, inputs, `learners` or `minutes`; `windlass release --anyway` insists, "
        "and the audit trail says so"
    )


def _kept_out(refused: Candidate, board: Board) -> Candidate | None:
    """The first candidate that would do but for a limit, where the goal is what was missed."""
    missed = f"{board.headline} is "
    if not any(each.startswith(missed) for each in refused.misses):
        return None
    return next((each for each in board.candidates if each.misses and not each.worthless
                 and not any(miss.startswith(missed) for miss in each.misses)), None)  # fmt: skip


def _known(name: str, names: Sequence[str]) -> str:
    if name not in names:
        raise DataError(f"candidate is '{name}', expected {expected(names)}", did_you_mean(name, names))
    return name


def _publish(content: Content, store: Store) -> Release:
    """The release folder; its name is the hash of what is in it, so that the same model is released once."""
    hashes = {f"model/{name}": digest for name, digest in hash_folder(content.source).items()}
    identity = fingerprint([content.spec.name, hashes])[:16]
    folder = releases.folder(store, identity)
    if folder.is_dir():
        return releases.open_release(store, identity)[0]
    created = datetime.now(UTC).isoformat(timespec="seconds")

    def build(aside: Path) -> None:
        shutil.copytree(content.source, aside / "model")
        card = content.card(created)
        write_text(aside / CARD, model_card(card))
        write_text(aside / CARD_ZH, model_card(replace(card, language="zh")))
        write_json(aside / BOARD, as_json(content.board))
        reference.write(aside, content.reference)
        write_json(aside / "release.json", as_json(content.record(identity, created, aside)))

    publish(folder, build)
    return releases.open_release(store, identity)[0]

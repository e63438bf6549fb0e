"""What was taught becomes rows that are learned, or not, each with its reason; those that are make a workspace."""

import tempfile
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from windlass.database.backend import Database
from windlass.database.people_answers import DOCUMENT, PersonAnswer, people_answers
from windlass.database.request_log import feedback_total, latest_inputs
from windlass.improving import attempts, people, selection, training_feedback
from windlass.improving.attempts import Attempt
from windlass.learners.contract import Budget, Options
from windlass.learners.table import LEARNERS
from windlass.outputs import table as outputs
from windlass.outputs.labelled_row import ASIDE, JUDGING, LEARNED, LabelledRow, learned_frame
from windlass.outputs.labelled_row import REFUSED as BY_HAND
from windlass.outputs.splitting import Cleaning
from windlass.outputs.trust import Known
from windlass.predictors import table as predictors
from windlass.predictors.contract import Predictor
from windlass.records import Collected, Json, Prepared, Row, Splits, as_json, silent
from windlass.registry import checkpoints as weights
from windlass.sources.prepared import (
    read_collected,
    read_splits,
    write_catalogue,
    write_learned,
    write_passages,
    write_recent,
    write_splits,
    write_starts,
)
from windlass.spec import Spec
from windlass.store.json_files import fingerprint, write_json
from windlass.store.store import Store

CHEAP_S = 60.0
"""Seconds that a linear model may take for a second opinion."""
MOST_ASKED = 500
"""Rows that were asked last, which tell how often each label is asked for now."""


MOST_AGAIN = 3
"""Attempts on the same rows after one whose challenger was better and was not released, as it missed a limit."""


def was_better(attempt: Attempt) -> bool:
    """Its challenger was better, and the gate did not let it through."""
    return bool((attempt.done("judge") or {}).get("is_better")) and attempt.done("publish") is None


@dataclass(frozen=True)
class Gathering:
    """The first step of an attempt. log: of feedback; its last `most_read` rows are read. predictor: the champion's."""

    spec: Spec
    store: Store
    log: Database
    attempt: Attempt
    predictor: Predictor
    most_read: int = training_feedback.MOST_READ

    @property
    def champion(self) -> str:
        return str(self.attempt.journal["champion"])

    def gather(self) -> Json:
        """Decides about each row, and lays out the splits of the workspace."""
        # 1. Under the lock: `collect` and `prepare` may be run meanwhile, and the three must belong together.
        with self.store.lock():
            splits = read_splits(self.spec, self.store, with_learned=False)
            collected, prepared = self.store.read("collect", Collected), self.store.read("prepare", Prepared)
        answers = self._people()
        splits, notes = people.with_people(splits, answers, self.spec, self.store)
        rows = self._taught({id for each in answers for id in each.asked})
        pool = attempts.learned(self.store)
        judging = [row for rows in attempts.judging(self.store).values() for row in rows]
        # 2. What is known on both sides: nothing is learned twice, and nothing that judges is learned at all.
        known = Known(
            train=[*labelled_pairs(splits.train, self.spec), *((row.values, row.label) for row in pool)],
            held=[*_rows(splits.test), *_rows(splits.validation), *(row.values for row in judging)],
            learned={row.answer: row for row in [*pool, *judging]},
            root=splits.root,
            tested=labelled_pairs(splits.test, self.spec),
            cheap=partial(_cheap, splits, self.spec),
        )
        decided = selection.decide(rows, known, self.predictor, self.spec)
        # 3. Only what is believed makes a batch. The key knows it again, so that a refused batch is not tried twice.
        fresh = [row for row in decided if row.fate in (LEARNED, JUDGING)]
        said = [[each.inputs, each.answer] for each in answers]
        taught = sorted([row.answer, row.label] for row in fresh)
        key = fingerprint([self.champion, prepared.fingerprint, taught, *([said] if said else [])])
        documents = self._changed_documents(splits)
        why = self._too_little(fresh, key, self._failing(answers) + len(documents))
        enough = not why
        if not enough:
            decided = selection.back_to_waiting(decided, "too few new rows for a batch")
        self.attempt.write_rows(decided)
        if enough:
            # 4. A challenger learns on all rows, by their newest labels: the new ones alone would have it forget.
            new = {row.answer: row for row in decided if row.fate == LEARNED}
            old = [row for row in pool if row.answer not in new]
            self._lay_out(splits, [*old, *new.values()], collected, prepared, notes)
            held = [*judging, *(row for row in decided if row.fate == JUDGING)]
            asked = latest_inputs(self.log, MOST_ASKED)
            write_recent(self.attempt.space, learned_frame(held, splits.train, self.spec), asked)
            write_starts(self.attempt.space, weights.starts(self.store, self.champion, len(new)))
        unread = max(0, feedback_total(self.log) - self.most_read)
        counts = {**selection.counts(decided), "learned_before": len(pool), "unread": unread}
        return {"enough": enough, "why": why, "key": key, "rows": counts, "documents": documents}

    def _people(self) -> list[PersonAnswer]:
        """What people answered to refused questions, where answers are taken from documents."""
        return people_answers(self.log) if outputs.of(self.spec).cites else []

    def _changed_documents(self, splits: Splits) -> list[str]:
        """Documents that are other ones than the champion answers from. What people answered is not among them: tests
        ask for it."""
        found = outputs.of(self.spec).changed_documents(self.predictor, splits)
        return [path for path in found if path != DOCUMENT]

    def _failing(self, answers: Sequence[PersonAnswer]) -> int:
        """How many of them the champion does not answer so."""
        output = outputs.of(self.spec)
        return people.passing(self.predictor, people.tests_of(answers, self.spec, output), output).count(False)

    def _too_little(self, fresh: Sequence[LabelledRow], key: str, n_others: int) -> str:
        """Why these rows are not worth an attempt; empty when they are. n_others: tests that an attempt may mend, and
        documents that have changed."""
        least = self.spec.improve.rows
        if not n_others and (len(fresh) < least or not any(row.fate == LEARNED for row in fresh)):
            missing = max(least - len(fresh), 1)
            return f"{len(fresh):,} new rows to learn from, expected at least {least:,}: {missing:,} are missing"
        before = [other for other in attempts.attempts(self.store) if other.id != self.attempt.id]
        same = [other for other in before if (other.done("gather") or {}).get("key") == key]
        if len(same) <= MOST_AGAIN and all(map(was_better, same)):  # a busy machine is slow, and the next one is not
            return ""
        return f"nothing new since attempt {same[-1].id} was refused" if same else ""

    def _taught(self, vouched: Collection[str]) -> list[LabelledRow]:
        """The feedback, the rows of files that wait, and those of the file that is given now.

        vouched: answers on which the owner has said what is right.
        """
        back, decided = attempts.withdrawn(self.store), attempts.decided(self.store)
        rows = [
            _by_hand(replace(row, is_vouched=row.answer in vouched), decided.get(row.answer), row.answer in back)
            for row in training_feedback.from_log(self.log, self.spec, most=self.most_read)
        ]
        given = {row.answer: row for row in attempts.waiting(self.store)}
        if self.attempt.journal["file"]:
            found = training_feedback.from_file(Path(self.attempt.journal["file"]), self.spec, self.store, time.time())
            given |= {row.answer: row for row in found}
        return [*rows, *given.values()]

    def _lay_out(
        self,
        splits: Splits,
        learned: Sequence[LabelledRow],
        collected: Collected,
        prepared: Prepared,
        notes: Sequence[str],
    ) -> None:
        """The workspace as a project whose stages `collect` and `prepare` have run. Test and validation stay, but of a
        log that goes on."""
        space, go_on, cleaning = self.attempt.space, outputs.of(self.spec).continued, Cleaning()
        frame = learned_frame(learned, splits.train, self.spec)
        if go_on is not None:
            parts = go_on(read_collected(self.store), learned, self.spec, cleaning)
            said, n_beside = cleaning.warnings, 0
        else:
            parts = {"train": splits.train, "validation": splits.validation, "test": splits.test}
            note = f"{len(frame):,} of the train rows were learned from feedback and new files"
            said, n_beside = [*prepared.warnings, note], len(frame)
        write_splits(space, parts)
        write_learned(space, frame if n_beside else None)
        found = [passage.as_json() for passage in splits.passages or ()]
        if splits.passages is not None:
            write_passages(space, splits.passages)
        if splits.catalogue is not None:
            write_catalogue(space, splits.catalogue)
        data = fingerprint([prepared.fingerprint, frame.rows(), *([found] if found else [])])
        counts = {name: len(part) for name, part in parts.items()}
        counts["train"] += n_beside
        record = replace(prepared, rows={**prepared.rows, **counts}, fingerprint=data, warnings=[*said, *notes])
        write_json(space.record("collect"), as_json(collected))
        write_json(space.record("prepare"), as_json(record))


def labelled_pairs(frame: pl.DataFrame, spec: Spec) -> list[tuple[Row, str]]:
    """Each row with its label."""
    return [(row, row[spec.output_column]) for row in _rows(frame)]


def _rows(frame: pl.DataFrame) -> list[dict[str, Any]]:
    return frame.to_dicts()


def _by_hand(row: LabelledRow, decision: Json | None, is_back: bool) -> LabelledRow:
    """The row as a person decided about it, unless it was labelled anew since then; else one that a release had learned
    which was rolled back is set aside."""
    if row.fate:
        return row
    if decision is not None and decision["at"] >= row.at:
        return replace(row, is_vouched=True) if decision["is_accepted"] else row.becomes(ASIDE, BY_HAND)
    return row.becomes(ASIDE, "a release that was rolled back had learned it") if is_back else row


def _cheap(splits: Splits, spec: Spec, pairs: Sequence[tuple[Row, str]], rows: Sequence[Row], label: str) -> np.ndarray:
    """(n,) probability of the label for each row, by a linear model that has learned the pairs. Raises: DataError."""
    taught_rows = [LabelledRow(dict(row), right) for row, right in pairs]
    frame = learned_frame(taught_rows, splits.train, spec)
    few = replace(splits, train=frame, validation=frame.head(0), test=frame.head(0))
    with tempfile.TemporaryDirectory(prefix="windlass-") as folder:
        fitted = LEARNERS["linear"].fit(few, Options(Path(folder), seed=spec.seed), Budget(CHEAP_S), silent)
        model = predictors.load_labeller(fitted.artifact)
        return model.probabilities(rows, splits.root)[:, model.labels.index(label)]

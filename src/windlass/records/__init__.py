"""What passes between stages: plain records that turn into JSON and back, a file a stage. No logic of a stage here."""

from windlass.records.answer import INTERVAL, Answer
from windlass.records.catalogue import Catalogue
from windlass.records.collect import Collected
from windlass.records.contract import Json, Progress, Row, as_json, silent
from windlass.records.evaluate import Board, Candidate
from windlass.records.explain import Explanation, Part
from windlass.records.improve import Improvement
from windlass.records.manifest import Column, Manifest
from windlass.records.passage import IndexedDocument, Passage
from windlass.records.plan import Item, Risk, Roadmap
from windlass.records.prepare import Prepared, Recent, Splits
from windlass.records.release import Release
from windlass.records.train import Run, Trained, WarmStart
from windlass.records.watch import Alarm, Health

__all__ = [
    "INTERVAL",
    "Alarm",
    "Answer",
    "Board",
    "Candidate",
    "Catalogue",
    "Collected",
    "Column",
    "Explanation",
    "Health",
    "Improvement",
    "IndexedDocument",
    "Item",
    "Json",
    "Manifest",
    "Part",
    "Passage",
    "Prepared",
    "Progress",
    "Recent",
    "Release",
    "Risk",
    "Roadmap",
    "Row",
    "Run",
    "Splits",
    "Trained",
    "WarmStart",
    "as_json",
    "silent",
]

"""How quickly an index answers, how much a changed folder of documents costs, and whether serving finds what was built.

Usage: python benchmarks/index.py --data ../shared/data [--parts answer rebuild million] [--passages 10000]
answer: a project of 10,000 passages, made of the shared sets (Wikipedia in English and Chinese, novels, papers), is
collected, trained with `hybrid` and released; test questions of xquad and cmrc are asked one at a time,
of the predictor and over HTTP, and 200 probes are asked of the built engine and of the release.
rebuild: 1 % of its documents are changed; `collect` and the index are made again, with what was trained kept. A whole
build is reading all documents and making their index: what learns from questions is not counted on either side.
million: BM25 and vectors of 10^6 synthetic passages, beside usearch alone. Writes rows of results/goals.json.
"""

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from goals import Goal, record

from windlass.learners.passages.encoders import learn_lsa
from windlass.learners.passages.rebuilding import rebuild
from windlass.predictors.artifact import read_manifest
from windlass.predictors.passages import bm25, index
from windlass.predictors.passages.engine import load_engine
from windlass.project import Project
from windlass.sources.documents.collected import collect_documents
from windlass.sources.prepared import read_passages
from windlass.store.files import write_text
from windlass.store.store import Store

ISSUE = "ask"
N_DOCUMENTS, N_QUESTIONS, N_ASKED, N_PROBES, CHANGED = 1_000, 150, 200, 200, 0.01
SPEC = """name: archive
documents: docs
data: questions.jsonl
inputs: {question: text}
output: {answer: cited}
learners: [hybrid]
minutes: 10
"""


def paragraphs(data: Path) -> Iterator[str]:
    """Paragraphs of the shared sets: contexts of questions first, then papers and novels."""
    for name in ("qa-en-xquad", "qa-zh-cmrc2018"):
        rows = [json.loads(line) for part in ("train", "test") for line in (data / name / f"{part}.jsonl").open("rb")]
        yield from dict.fromkeys(row["context"] for row in rows)
    for line in (data / "summary-scitldr" / "train.jsonl").open("rb"):
        yield json.loads(line)["source"]
    for novel in sorted((data / "corpus-en-novels" / "texts").iterdir()):
        yield from (part.strip() for part in novel.read_text("utf-8").split("\n") if len(part) > 250)


def write_product(folder: Path, data: Path, n_passages: int) -> None:
    """A project with so many passages in `N_DOCUMENTS` documents, and questions of both sets."""
    wanted, each = [], n_passages // N_DOCUMENTS
    for text in paragraphs(data):
        wanted.append(text[:900])
        if len(wanted) >= n_passages * 1.1:
            break
    order = np.random.default_rng(13).permutation(len(wanted)).tolist()
    for number in range(N_DOCUMENTS):
        parts = [f"## Part {place}\n\n{wanted[place]}\n" for place in order[number * each : (number + 1) * each]]
        write_text(folder / "docs" / f"{number // 100}" / f"{number:04}.md", f"# File {number}\n\n" + "\n".join(parts))
    rows = []
    for name, n in (("qa-en-xquad", N_QUESTIONS), ("qa-zh-cmrc2018", N_QUESTIONS)):
        for line in list((data / name / "train.jsonl").open("rb"))[:n]:
            row = json.loads(line)
            text = row["answers"][0]["text"]
            quote = next((part for part in row["context"].replace("。", "。\n").split("\n") if text in part), text)
            rows.append({"question": row["question"], "answer": {"text": text, "quote": quote[:300]}})
    write_text(folder / "questions.jsonl", "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    write_text(folder / "windlass.yaml", SPEC)


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Of the clock and of this process's processor: others use these cores, too."""
    began, used = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began, time.process_time() - used


def whole_index(project: Project, folder: Path) -> None:
    """The index of `hybrid` without what is learned from questions, written."""
    passages = read_passages(project.spec, project.store) or []
    texts = [passage.searched for passage in passages]
    words = bm25.build(texts)
    index.build(texts, {"lsa": ("lsa", learn_lsa(words, texts))}, words).save(folder)


def measured_rebuild(project: Project) -> list[Goal]:
    artifact = project.store.run_folder("hybrid") / "artifact"
    with tempfile.TemporaryDirectory() as place:
        apart = Store(project.folder, Path(place) / "store")
        collected = seconds(lambda: collect_documents(project.spec, apart))
        indexed = seconds(lambda: whole_index(project, Path(place) / "index"))
        files = sorted((project.folder / "docs").rglob("*.md"))
        for number in np.random.default_rng(13).permutation(len(files))[: int(CHANGED * len(files))].tolist():
            write_text(files[number], files[number].read_text("utf-8").replace("the ", "that very "))
        again = seconds(lambda: collect_documents(project.spec, apart))
        passages = read_passages(project.spec, apart) or []
        renewed = seconds(lambda: rebuild(artifact, passages, Path(place) / "rebuilt"))
    whole, less = (
        (sum(each) for each in zip(collected, indexed, strict=True)),
        (sum(each) for each in zip(again, renewed, strict=True)),
    )
    (clock, processor), (less_clock, less_processor) = tuple(whole), tuple(less)
    share = less_processor / processor
    return [
        Goal(ISSUE, "rebuild after 1 % of documents changed", "<= 5 % of a whole build",
             f"{share:.1%} by processor time ({less_processor:.2f} s of {processor:.2f} s), "
             f"{less_clock / clock:.1%} by the clock", share <= 0.05,
             f"{len(passages):,} passages, {len(files):,} Markdown files, `hybrid`; collect {again[1]:.2f} s of "
             f"{collected[1]:.2f} s, index {renewed[1]:.2f} s of {indexed[1]:.2f} s; questions are not learned from on "
             "either side; both cores busy with other work")
    ]  # fmt: skip

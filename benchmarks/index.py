"""How quickly an index answers, how much a changed folder of documents costs, and whether serving finds what was built.

Usage: python benchmarks/index.py --data ../shared/data [--parts answer rebuild million] [--folder DIR]
answer: a project of 10,000 passages, made of the shared sets (Wikipedia in English and Chinese, novels, papers), is
collected, trained with `hybrid` and released; test questions of xquad and cmrc are asked one at a time,
of the predictor and over HTTP, and 200 probes are asked of the built engine and of the release.
rebuild: 1 % of its documents are changed; `collect` and the index are made again, with what was trained kept. A whole
build is reading all documents and making their index: what learns from questions is not counted on either side.
million: BM25 and vectors of 10^6 synthetic passages, beside usearch alone. Writes rows of results/goals.json.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from goals import Goal, record

from windlass.learners.passages.encoders import learn_lsa
from windlass.learners.passages.rebuilding import rebuild
from windlass.predictors import table as predictors
from windlass.predictors.passages import bm25, index, vectors
from windlass.predictors.passages.candidates import N_SCALED, gather
from windlass.predictors.passages.engine import load_engine
from windlass.project import Project
from windlass.sources.documents.collected import collect_documents
from windlass.sources.prepared import read_documents, read_passages
from windlass.store.files import write_text
from windlass.store.store import Store

ISSUE = "ask"
N_DOCUMENTS, N_QUESTIONS, N_ASKED, N_PROBES, CHANGED = 1_000, 150, 200, 200, 0.01
N_WARM, N_PASSAGES, P95_MS = 10, 10_000, 60
MILLION, N_TERMS, WIDTH, EXPANSION = 1_000_000, 200_000, 32, 400
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
        copy = Path(place) / "project"
        shutil.copytree(project.folder, copy, ignore=shutil.ignore_patterns(".windlass"))
        apart = Store(copy)
        collected = seconds(lambda: collect_documents(project.spec, apart))
        indexed = seconds(lambda: whole_index(project, Path(place) / "index"))
        files = sorted((copy / "docs").rglob("*.md"))
        for number in np.random.default_rng(13).permutation(len(files))[: int(CHANGED * len(files))].tolist():
            write_text(files[number], files[number].read_text("utf-8").replace("## Part", "## Section"))
        again = seconds(lambda: collect_documents(project.spec, apart))
        passages, documents = read_passages(project.spec, apart) or [], read_documents(project.spec, apart)
        renewed = seconds(lambda: rebuild(artifact, passages, Path(place) / "rebuilt", documents))
    clock, processor = (sum(each) for each in zip(collected, indexed, strict=True))
    less_clock, less_processor = (sum(each) for each in zip(again, renewed, strict=True))
    share = less_processor / processor
    return [
        Goal(ISSUE, "rebuild after 1 % of documents changed", "<= 5 % of a whole build",
             f"{share:.1%} by processor time ({less_processor:.2f} s of {processor:.2f} s), "
             f"{less_clock / clock:.1%} by the clock", bool(share <= 0.05),
             f"{len(passages):,} passages, {len(files):,} Markdown files, `hybrid`; collect {again[1]:.2f} s of "
             f"{collected[1]:.2f} s, index {renewed[1]:.2f} s of {indexed[1]:.2f} s; questions are not learned from on "
             "either side; both cores busy with other work")
    ]  # fmt: skip


def measured_answer(project: Project, data: Path) -> list[Goal]:
    """One question at a time, those of the test sets, none of which was learned from."""
    rows = [
        json.loads(line)
        for name in ("qa-en-xquad", "qa-zh-cmrc2018")
        for line in list((data / name / "test.jsonl").open("rb"))[: N_ASKED // 2 + N_WARM]
    ]
    questions = [row["question"] for row in rows]
    folder = project.store.run_folder("hybrid") / "artifact"
    predictor = predictors.load(folder)
    for question in questions[:N_WARM]:
        predictor.answer([{"question": question}])
    took = np.array([seconds(lambda text=text: predictor.answer([{"question": text}])) for text in questions[N_WARM:]])
    (clock_50, clock), (processor_50, processor) = np.percentile(took * 1e3, [50, 95], axis=0).T
    engine = load_engine(folder, predictor.manifest)
    return [
        Goal(ISSUE, "retrieve + answer p95, 10,000 passages", f"<= {P95_MS} ms",
             f"{processor:.1f} ms by processor time (median {processor_50:.1f}), {clock:.1f} ms by the clock (median "
             f"{clock_50:.1f})", bool(clock <= P95_MS),
             f"{len(engine.passages):,} passages, {len(took)} questions in both languages, legs "
             f"{', '.join(engine.index.legs)}, ranked by {engine.index.ranker.way}, "
             f"{'read by trees' if engine.reader else 'no reader'}; load of the machine {os.getloadavg()[0]:.1f} on "
             f"{os.cpu_count()} cores"),
        _parity(project, questions[:N_PROBES]),
    ]  # fmt: skip


def _parity(project: Project, probes: list[str]) -> Goal:
    """What is built of the passages now, against what is loaded after it was written."""
    texts = [passage.searched for passage in read_passages(project.spec, project.store) or []]
    words = bm25.build(texts)
    artifact = index.load(project.store.run_folder("hybrid") / "artifact")
    lsa = artifact.dense["lsa"].encoder
    built = index.build(texts, {"lsa": ("lsa", lsa)}, words)
    built = built.with_ranker(artifact.ranker, artifact.refusal)
    with tempfile.TemporaryDirectory() as place:
        built.save(Path(place))
        loaded = index.load(Path(place))
        equal = [np.array_equal(built.search(text).places, loaded.search(text).places) for text in probes]
        served = [np.array_equal(built.search(text).places, artifact.search(text).places) for text in probes]
    return Goal(
        ISSUE, "parity of top-10, 200 probes", "the builder's, all of them",
        f"{sum(equal)} of {len(equal)} after loading, {sum(served)} of {len(served)} in the trained artifact",
        bool(all(equal) and all(served)), f"{len(texts):,} passages, ranked by {artifact.ranker.way}",
    )  # fmt: skip


def drawn_words(random: np.random.Generator) -> np.ndarray:
    """(MILLION, 40) int64: the words of passages, as frequent as in texts (Zipf)."""
    shares = 1 / (np.arange(N_TERMS) + 2.7)
    bounds = np.cumsum(shares / shares.sum())
    return np.minimum(np.searchsorted(bounds, random.random(MILLION * 40)), N_TERMS - 1).reshape(MILLION, 40)


def make_million(folder: Path) -> None:
    """40 words a passage, and vectors in clusters, with usearch's graph of them."""
    from usearch.index import Index

    random = np.random.default_rng(13)
    drawn = drawn_words(random).ravel()
    keys, often = np.unique(drawn * MILLION + np.repeat(np.arange(MILLION), 40), return_counts=True)
    found = bm25.Postings(keys // MILLION, keys % MILLION, often.astype(np.uint16), np.full(MILLION, 40, np.int32))
    replace(bm25.weigh([f"w{number}" for number in range(N_TERMS)], found), counts=None).save(folder)
    if not (folder / vectors.GRAPH).is_file():
        centres = np.random.default_rng(13).normal(size=(5_000, WIDTH)).astype(np.float32)
        near = centres[random.integers(0, len(centres), MILLION)]
        rows = vectors.unit(near + 0.7 * random.normal(size=near.shape).astype(np.float32))
        graph = Index(ndim=WIDTH, metric="ip", dtype="f32", connectivity=8, expansion_add=40)
        graph.add(np.arange(MILLION), rows)
        vectors.Vectors(rows, graph).save(folder)


def questions_of(rows: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """(N_ASKED, WIDTH) float32 and as many texts of eight words: what both sides are asked."""
    random = np.random.default_rng(14)
    asked, texts = [], []
    for _ in range(N_ASKED):
        place = int(random.integers(0, MILLION))
        asked.append(vectors.unit(rows[place][None] + 0.2 * random.normal(size=(1, WIDTH)))[0].astype(np.float32))
        texts.append(" ".join(f"w{int(rank)}" for rank in np.exp(random.uniform(0, np.log(N_TERMS), 8))))
    return np.array(asked), texts


def lance(folder: Path, packages: Path, rows: np.ndarray) -> dict[str, Any]:
    """What `lance_peer.py` took of the same passages and questions, in a process of its own."""
    asked, texts = questions_of(rows)
    np.save(folder / "rows.npy", rows)
    np.save(folder / "asked.npy", asked)
    write_text(folder / "asked.txt", "\n".join(texts))
    if not (folder / "texts.txt").is_file():
        lines = (" ".join(map("w{}".format, words)) for words in drawn_words(np.random.default_rng(13)).tolist())
        write_text(folder / "texts.txt", "\n".join(lines))
    peer = [sys.executable, str(Path(__file__).with_name("lance_peer.py")), str(folder)]
    printed = subprocess.run(peer, env={**os.environ, "PYTHONPATH": str(packages)}, check=True, capture_output=True)
    return dict(json.loads(printed.stdout))


def memory_mb() -> tuple[float, float]:
    """Of this process: what is its own, and what it reads of files that lie on disk."""
    lines = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
    own, files = (float(lines[name].split()[0]) / 1e3 for name in ("RssAnon", "RssFile"))
    return own, files


def measured_million(folder: Path, packages: Path | None) -> list[Goal]:
    """The 50 best by words, the 50 nearest and candidates of both, beside the graph alone and beside LanceDB."""
    if not (folder / bm25.FILE).is_file():
        make_million(folder)
    before = memory_mb()
    loading = seconds(lambda: (bm25.load(folder), vectors.load(folder)))
    words, near = bm25.load(folder), vectors.load(folder)
    near.graph.expansion_search = EXPANSION
    own, files = (after - first for after, first in zip(memory_mb(), before, strict=True))
    alone, both, recalls, legs = [], [], [], []
    for number, (asked, question) in enumerate(zip(*questions_of(near.rows), strict=True)):
        lone = seconds(lambda asked=asked: near.graph.search(asked, N_SCALED))
        alone.append(lone)
        both.append(seconds(lambda asked=asked, text=question: gather([words.asked(text), near.scores(asked)])))
        legs.append(seconds(lambda text=question: words.asked(text).best(N_SCALED)))
        if number < 20:
            exact = vectors.best_of(np.arange(MILLION), near.rows @ asked, N_SCALED)
            recalls.append(np.isin(exact, near.scores(asked).best(N_SCALED)).mean())
    one, two, word = (np.array(each)[N_WARM:] * 1e3 for each in (alone, both, legs))
    ratio = two[:, 1].mean() / one[:, 1].mean()
    note = (
        f"the same graph (expansion {EXPANSION}), {N_SCALED} nearest, recall {np.mean(recalls):.3f} of exact "
        f"search in both; of ours the words take {word[:, 1].mean():.2f} ms; synthetic: {N_TERMS:,} words, "
        f"40 a passage, {WIDTH} dimensions; loaded in {loading[1]:.1f} s of the processor, {own:,.0f} MB of memory of "
        f"its own and {files:,.0f} MB of files on disk; load of the machine {os.getloadavg()[0]:.1f}"
    )
    rows = [
        Goal(ISSUE, "10^6 passages against usearch alone", "<= 1.3 x",
             f"{ratio:.2f} x by processor time ({two[:, 1].mean():.2f} ms against {one[:, 1].mean():.2f} ms; "
             f"medians by the clock {np.median(two[:, 0]):.2f} against {np.median(one[:, 0]):.2f} ms)",
             bool(ratio <= 1.3), note)
    ]  # fmt: skip
    if packages is None:
        return rows
    peer = lance(folder, packages, near.rows)
    theirs, vector, text = (np.array(peer["took"][name]) for name in ("both", "near", "said"))
    clock, processor = (two.mean(axis=0) / theirs.mean(axis=0)).tolist()
    said = (
        f"{clock:.2f} x by the clock ({two[:, 0].mean():.2f} ms against {theirs[:, 0].mean():.2f} ms, medians "
        f"{np.median(two[:, 0]):.2f} against {np.median(theirs[:, 0]):.2f}), {processor:.2f} x by processor time"
    )
    note = (
        f"both sides: {N_SCALED} best by words (BM25) and {N_SCALED} nearest vectors of the same {MILLION:,} passages; "
        f"LanceDB 0.40 full text and IVF_HNSW_SQ, recall {peer['recall']:.3f} (ours {np.mean(recalls):.3f}), vectors "
        f"{vector[:, 0].mean():.2f} ms, words {text[:, 0].mean():.2f} ms; load of the machine {os.getloadavg()[0]:.1f}"
    )
    name = "10^6 passages: words and vectors against LanceDB's"
    return [*rows, Goal(ISSUE, name, "<= 1.3 x", said, bool(max(clock, processor) <= 1.3), note)]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, default=Path("../shared/data"))
    options.add_argument("--parts", nargs="*", default=["answer", "rebuild", "million"])
    options.add_argument("--folder", type=Path, default=Path("/tmp/windlass-index"))
    options.add_argument("--lance", type=Path, help="a folder that `pip install --target` put lancedb into")
    chosen = options.parse_args()
    if {"answer", "rebuild"} & set(chosen.parts):
        if not (chosen.folder / "windlass.yaml").is_file():
            write_product(chosen.folder, chosen.data, N_PASSAGES)
        project = Project(chosen.folder)
        project.train()
        if "answer" in chosen.parts:
            record(*measured_answer(project, chosen.data))
        if "rebuild" in chosen.parts:
            record(*measured_rebuild(project))
    if "million" in chosen.parts:
        record(*measured_million(chosen.folder / "million", chosen.lance))


if __name__ == "__main__":
    main()

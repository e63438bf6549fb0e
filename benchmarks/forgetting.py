"""A document is forgotten among 10,000 passages, with proof; and a thousand users ask for documents of others.

Usage: python benchmarks/forgetting.py --data ../shared/data [--learner bm25 | hybrid] [--parts forget access]
The documents: contexts of xquad and cmrc2018 (real questions on them) among paragraphs of a novel, twenty a document.
The one that is forgotten has questions on it; the log holds answers out of it, questions that quote it and feedback;
there are two releases. Access: every document has a list of none to three of twelve groups, every user is in none to
four; each asks a question whose answer stands in a document that is not for them. Writes rows of results/goals.json.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np
from goals import Goal, record

import windlass
from windlass import lifecycle
from windlass.database.request_log import Feedback, Logged, RequestLog
from windlass.predictors.contract import seen_by
from windlass.predictors.passages import index
from windlass.predictors.passages.access import AccessLists
from windlass.predictors.passages.answerer import Answerer
from windlass.predictors.passages.engine import PassageEngine
from windlass.records import Column, Manifest, Passage
from windlass.registry import releases
from windlass.store.files import write_text

ISSUE, N_PASSAGES, A_DOCUMENT, N_QUESTIONS, SECONDS = "ask", 10_000, 20, 200, 60.0
N_USERS, GROUPS = 1_000, [f"group-{number}" for number in range(12)]
GONE = "en-000.txt"


def questions_of(data: Path, name: str) -> list[dict]:
    return [json.loads(line) for line in (data / name / "train.jsonl").open(encoding="utf-8")]


def texts_of(data: Path) -> dict[str, list[str]]:
    """Name of a document -> its paragraphs; 10,000 in all, the real ones first."""
    real = {
        "en": list(dict.fromkeys(row["context"] for row in questions_of(data, "qa-en-xquad"))),
        "zh": list(dict.fromkeys(row["context"] for row in questions_of(data, "qa-zh-cmrc2018"))),
    }
    novels = "".join(path.read_text("utf-8") for path in sorted((data / "corpus-en-novels" / "texts").iterdir()))
    size = 700
    filling = [" ".join(novels[start : start + size].split()) for start in range(0, len(novels), size)]
    real["novel"] = [f"Part {number}. {text}." for number, text in enumerate(filling)]
    found: dict[str, list[str]] = {}
    left = N_PASSAGES
    for part, paragraphs in real.items():
        for start in range(0, min(len(paragraphs), left), A_DOCUMENT):
            found[f"{part}-{start // A_DOCUMENT:03}.txt"] = paragraphs[start : start + A_DOCUMENT][:left]
        left -= min(len(paragraphs), left)
    return found


def product(folder: Path, data: Path, learner: str) -> windlass.Project:
    """A project of these documents and their questions."""
    texts = texts_of(data)
    place = {text: name for name, paragraphs in texts.items() for text in paragraphs}
    for name, paragraphs in texts.items():
        write_text(folder / "docs" / name, "\n\n".join(paragraphs) + "\n")
    asked = [
        {"question": row["question"], "answer": {"text": row["answers"][0]["text"], "document": place[row["context"]]}}
        for row in questions_of(data, "qa-en-xquad")[:N_QUESTIONS] if row["context"] in place
    ]  # fmt: skip
    write_text(folder / "questions.jsonl", "\n".join(json.dumps(row, ensure_ascii=False) for row in asked))
    write_text(
        folder / "windlass.yaml",
        f"name: forgetting\ndata: questions.jsonl\ndocuments: docs\ninputs: {{question: text}}\n"
        f"output: {{answer: cited}}\nkeep_inputs: true\nlearners: [{learner}]\n",
    )
    return windlass.Project(folder)


def logged(project: windlass.Project, paragraphs: list[str]) -> None:
    """What a service would have kept: answers out of the document, a question that quotes it, feedback."""
    sentence = paragraphs[0].split(". ")[0]
    cited = json.dumps({"text": sentence, "sentences": [{"text": sentence, "citations": [{"document": GONE}]}]})
    old, id = time.time() - 86_400, project.champion.id
    with RequestLog(lifecycle.memory(project.store)) as log:
        rows = [(cited, "Where?"), ('{"text": "other"}', f"Is it true that {sentence}?"), ('{"text": "other"}', "Why?")]
        for number, (value, question) in enumerate(rows * 50):
            log.record([Logged(f"a{number}", old, id, value, 0.5, 1.0, {"question": question})], 200)
        log.feedback(Feedback("a2", json.dumps({"text": sentence}), None, "")).result()


def forget(data: Path, learner: str) -> Goal:
    with tempfile.TemporaryDirectory() as folder:
        project = product(Path(folder), data, learner)
        project.run()
        project.release(anyway=True)
        with (Path(folder) / "docs" / "novel-000.txt").open("a", encoding="utf-8") as file:
            file.write("\n\nThe house was sold in the spring of that year.\n")
        project.run()
        project.release(anyway=True)
        logged(project, texts_of(data)[GONE])
        n_releases, n_passages = len(releases.listing(project.store)), len(project.champion.predictor.engine.passages)
        began = time.process_time()
        receipt = project.forget_document(GONE)
        busy = time.process_time() - began
        print(receipt, flush=True)
        probes = receipt.probes
        return Goal(
            ISSUE, f"a document is forgotten at 10,000 passages, {learner}", "0 hits, at most 60 s",
            f"{probes.hits} hits, {receipt.seconds:.1f} s", probes.hits == 0 and receipt.seconds <= SECONDS,
            f"{n_passages:,} passages; {probes.asked} questions to the new index, {probes.files} files, log and "
            f"feedback read; {len(receipt.destroyed)} of {n_releases} releases destroyed; {receipt.answers} answers, "
            f"{receipt.feedback} feedback deleted; taught anew on {N_QUESTIONS} questions; {busy:.0f} s of processor",
        )  # fmt: skip


def access(data: Path) -> Goal:
    """Whole answers, citations and the passages beside them; control: the owner's eyes."""
    random = np.random.default_rng(13)
    rows = questions_of(data, "qa-en-xquad")
    contexts = list(dict.fromkeys(row["context"] for row in rows))
    passages = []
    for number, text in enumerate(contexts):
        groups = tuple(random.choice(GROUPS, random.integers(0, 4), replace=False).tolist())
        named = None if random.random() < 0.1 else groups
        passages.append(Passage(f"{number}.md", (), 0, 0, len(text), text, access=named))
    lists = AccessLists.of([None if each.access is None else frozenset(each.access) for each in passages])
    manifest = Manifest("passages", "bm25", (Column("question", "text"),), Column("answer", "cited"))
    answerer = Answerer(manifest, PassageEngine(passages, index.build(contexts)), lists)
    readers = {each.document: each.access for each in passages}
    n_leaks = n_control = n_told = 0
    for _ in range(N_USERS):
        names = frozenset(random.choice(GROUPS, random.integers(0, 5), replace=False).tolist())
        hidden = [row for row in (rows[place] for place in random.integers(0, len(rows), 20))
                  if not _may(readers[f"{contexts.index(row['context'])}.md"], names)]  # fmt: skip
        row = {"question": (hidden or rows)[0]["question"]}
        told = _documents(seen_by(answerer, names).answer([row])[0].value)
        n_told += len(told)
        n_leaks += any(not _may(readers[name], names) for name in told)
        seen = _documents(seen_by(answerer, None).answer([row])[0].value)
        n_control += any(not _may(readers[name], names) for name in seen)
    return Goal(
        ISSUE, "documents of others, 1,000 random users", "0 leaks", f"{n_leaks} of {N_USERS:,} users", n_leaks == 0,
        f"{len(contexts)} documents, lists of 0 to 3 of 12 groups; {n_told:,} passages told; without lists "
        f"{n_control:,} users would have been told of documents of others",
    )  # fmt: skip


def _may(readers: tuple[str, ...] | None, names: frozenset[str]) -> bool:
    return readers is None or not names.isdisjoint(readers)


def _documents(value: dict) -> list[str]:
    cited = [each["document"] for sentence in value["sentences"] for each in sentence["citations"]]
    return [*cited, *(each["document"] for each in value["passages"])]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--learner", default="hybrid", choices=("bm25", "hybrid"))
    parser.add_argument("--parts", nargs="+", default=["access", "forget"], choices=("access", "forget"))
    asked = parser.parse_args()
    parts = {"access": lambda: access(asked.data), "forget": lambda: forget(asked.data, asked.learner)}
    for part in asked.parts:
        record(parts[part]())


if __name__ == "__main__":
    main()

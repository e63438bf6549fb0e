"""Answers that a language model writes out of passages: what is supported is said and cited, all else is not."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.learners import writers
from tests.learners.passages.chat_stub import chat_stub
from windlass.learners.contract import Budget, Options
from windlass.learners.passages import generating
from windlass.learners.reading.support import fit
from windlass.learners.reading.written import judged
from windlass.learners.table import LEARNERS
from windlass.outputs.cited.injection import N_WHERE_WRITTEN, attacks
from windlass.predictors import table as predictors
from windlass.predictors.artifact import write_manifest
from windlass.predictors.passages.answerer import LEAST, Answerer
from windlass.predictors.passages.engine import WRITER
from windlass.predictors.reading.synonyms import table
from windlass.predictors.table import replay
from windlass.records import Passage, Splits, silent
from windlass.shipping.needs import of_artifact
from windlass.spec import Language
from windlass.testing.toys import cited_toy

MADE_UP = "It was invented in 1822 by Ada Stone"


def obedient(prompt: str) -> str:
    """Retells the first sentence of the first passage that the question names, and makes something up."""
    asked = prompt.split("\n")[2].split(": ", 1)[-1]
    for number, passage in re.findall(r"^\[(\d+)\] (.*)$", prompt, re.MULTILINE):
        name = passage.split(":")[0]
        if name in asked:
            first = re.split(r"(?<=[.。])\s*", passage.split(": ", 1)[-1])[0]
            retold = first.replace("Our", "The").replace("我们的", "")
            return f"{retold} [{number}] {MADE_UP} [{number}]. {first}[99]"
    return "No passage answers."


@pytest.fixture(scope="module")
def splits(tmp_path_factory: pytest.TempPathFactory) -> Splits:
    whole = cited_toy(tmp_path_factory.mktemp("things"))
    return replace(whole, train=whole.train.head(40), validation=whole.validation.head(6), test=whole.test.head(12))


@pytest.fixture(scope="module", autouse=True)
def quick_support() -> Iterator[None]:
    """What judges sentences learns from a part of the written ones: quick, and good enough for plain cases."""
    found = fit(judged()[::4], table(), rounds=30)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generating, "fit_support", lambda passages, seed: found)
        yield


@pytest.fixture(scope="module")
def learned(splits: Splits, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("far")
    with pytest.MonkeyPatch.context() as patch, chat_stub(obedient) as url:
        patch.setenv("WINDLASS_ALLOW_URLS", url)
        options = Options(folder, "answer_accuracy", variant=url, language=Language(model="stub"))
        yield LEARNERS["elsewhere"].fit(splits, options, Budget(60), silent).artifact


@pytest.fixture(scope="module")
def written(learned: Path) -> Answerer:
    found = predictors.load(learned)
    assert isinstance(found, Answerer)
    assert found.manifest.learner == "elsewhere"
    assert replay(found, learned) == 0
    assert "httpx" in of_artifact(learned)
    return found


def test_what_a_passage_supports_is_said_in_other_words_and_all_else_is_counted(written: Answerer) -> None:
    answer = written.answer([{"question": "The kettle weighs how many grams?"}])[0]
    (said,) = answer.value["sentences"]
    assert said["text"].startswith("The kettle")
    (citation,) = said["citations"]
    assert citation["document"] == "kettle.md"
    assert citation["quote"].startswith("Our kettle")
    text = next(each.text for each in written.engine.passages if each.document == "kettle.md")
    assert text[citation["start"] : citation["end"]] == citation["quote"]
    assert MADE_UP not in answer.value["text"]
    assert answer.evidence[0].startswith("2 sentences of the language model left out: ")
    assert "1822" in answer.evidence[0]
    assert "[99]" in answer.evidence[0]


def test_a_new_document_is_written_from_beside_the_same_model(learned: Path, splits: Splits, tmp_path: Path) -> None:
    """The index is made anew, what writes stays; a model that was taught from a passage that is gone is taught anew."""
    elsewhere, text, options = LEARNERS["elsewhere"], "Our samovar weighs 4321 grams.", Options(tmp_path)
    shutil.copytree(learned, options.artifact)
    more = [*(splits.passages or ()), Passage("samovar.md", (), 0, 0, len(text), text)]
    assert elsewhere.refresh is not None
    assert elsewhere.refresh(replace(splits, passages=more, documents=()), options, Budget(0), silent) is not None
    found = predictors.load(options.artifact)
    assert isinstance(found, Answerer)
    answer = found.answer([{"question": "The samovar weighs how many grams?"}])[0].value
    assert answer["passages"][0]["document"] == "samovar.md"
    assert found.reader is not None
    write_manifest(options.artifact, replace(found.manifest, learner="llm"))
    assert elsewhere.refresh(splits, options, Budget(0), silent) is None


def test_where_nothing_is_left_the_sentence_that_was_found_answers_or_it_is_refused(written: Answerer) -> None:
    with chat_stub(lambda _: f"{MADE_UP} [1].") as url:
        writer = written.reader.writer
        far = replace(
            writer, engine=type(writer.engine)(type(writer.engine.remote)(url, "x"), writer.engine.columns, [])
        )
        liar = replace(written, reader=replace(written.reader, writer=far))
        question = {"question": "The kettle weighs how many grams?"}
        answer = liar.answer([question])[0]
        assert answer.value["text"].startswith("Our kettle weighs")
        assert answer.evidence[0].startswith("1 sentence of the language model left out")
        state = replace(liar.manifest.output, state={LEAST: 2.0})
        refused = replace(liar, manifest=replace(liar.manifest, output=state)).answer([question])[0]
        assert (refused.value["refused"], refused.value["sentences"], refused.evidence) == (True, [], ())


def test_what_was_left_out_is_measured_and_orders_do_not_reach_what_is_written(written: Answerer) -> None:
    """Of three sentences each the one that retells is kept."""
    rows = [{"question": "The kettle weighs how many grams?"}]
    marks = written.marks(rows, [{"document": "kettle.md", "quote": "Our kettle weighs"}])
    assert (marks.n_generated.tolist(), marks.n_dropped.tolist()) == ([3], [2])
    assert marks.value("unsupported") == pytest.approx(2 / 3)
    assert (marks.value("citation_precision"), marks.value("citation_recall")) == (1, 1)
    found = attacks(written, rows, marks.given)
    assert len(found) == N_WHERE_WRITTEN
    assert [each.order for each in found if each.succeeded] == []
    assert {each.language for each in found} == {"en", "zh"}


def test_a_model_that_does_not_answer_is_told_and_the_documents_answer(written: Answerer) -> None:
    writer = written.reader.writer
    gone = type(writer.engine.remote)("http://127.0.0.1:9/v1", "x", attempts=1)
    silenced = replace(writer, engine=type(writer.engine)(gone, writer.engine.columns, []))
    answer = replace(written, reader=replace(written.reader, writer=silenced)).answer(
        [{"question": "The kettle weighs how many grams?"}]
    )[0]
    assert answer.value["text"].startswith("Our kettle weighs")
    assert "does not answer" in answer.evidence[0]


def test_a_language_model_is_taught_delivered_and_loaded_inside_the_index(splits: Splits, tmp_path: Path) -> None:
    """Of random weights: it writes nothing that a passage supports, and the sentences that were found are given."""
    model = writers.decoder(tmp_path / "model", "llama", "chatml", length=256)
    options = Options(tmp_path / "run", "answer_accuracy", variant=str(model), language=Language(max_tokens=8))
    fitted = LEARNERS["llm"].fit(splits, options, Budget(60, 2), silent)
    assert (fitted.artifact / WRITER / "manifest.json").is_file()
    found = predictors.load(fitted.artifact)
    assert replay(found, fitted.artifact) == 0
    answer = found.answer([{"question": "The kettle weighs how many grams?"}])[0]
    assert answer.value["sentences"][0]["citations"][0]["document"] == "kettle.md"

"""The documents of a product: what makes them be read again, and what of the project is none of them."""

import json

from windlass.sources.documents import collected, collection
from windlass.spec import from_values
from windlass.store.store import Store

VALUES = {"name": "a", "data": "q.jsonl", "inputs": {"question": "text"}, "output": {"answer": "cited"}}


def test_questions_beside_documents_are_no_documents_and_another_reader_reads_again(tmp_path, monkeypatch):
    """Answers among the documents would answer the questions that test them."""
    (tmp_path / "a.md").write_text("# A\n\nThe kettle weighs 900 grams.\n", encoding="utf-8")
    (tmp_path / "q.jsonl").write_text('{"question": "What does it weigh?", "answer": "800 grams"}\n', encoding="utf-8")
    (tmp_path / "windlass.yaml").write_text("name: a\n", encoding="utf-8")
    store, spec = Store(tmp_path), from_values({**VALUES, "documents": "."}, "a")
    store.stage("collect")
    counts, told = collected.collect_documents(spec, store)
    assert (counts["documents"], counts["rejected"], told) == (1, 0, [])
    before = collected.stamps(spec, store)
    assert before == collected.stamps(spec, store)
    assert ".windlass" not in json.dumps(before)
    assert "q.jsonl" not in json.dumps(before)
    monkeypatch.setattr(collection, "READER_VERSION", 99)
    assert collected.stamps(spec, store) != before

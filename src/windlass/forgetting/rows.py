"""Questions that rest on a document: those whose right answer it holds, and those that quote it."""

import json
from collections.abc import Sequence

from windlass.forgetting.words import ENDS, Words
from windlass.kinds import cited
from windlass.records import Json, Passage
from windlass.sources.documents.forgotten import plain, row_digest
from windlass.sources.prepared import read_collected, read_passages
from windlass.spec import Spec
from windlass.store.json_files import fingerprint
from windlass.store.store import Store


def affected(spec: Spec, store: Store, words: Words, gone: Sequence[Passage]) -> tuple[list[str], list[str]]:
    """Fingerprints of collected rows that are emptied, and of rows and rejects that are left out (`Forgotten`)."""
    if not store.record("collect").is_file():
        return [], []
    held = "\n".join(plain(each.text) for each in gone)
    others = "\n".join(plain(each.text) for each in read_passages(spec, store) or ()
                       if each.document != words.document)  # fmt: skip
    emptied, dropped = [], []
    for row in read_collected(store).to_dicts():
        inputs, right = {name: row[name] for name in spec.inputs}, row[spec.output_column]
        parts = cited.read(right, None) or {}
        is_of = _rests(parts, words, held, others)
        if any(words.quote(str(value)) for value in inputs.values()) or (is_of and parts.get(cited.SYNTHETIC)):
            dropped.append(row_digest(inputs, right))
        elif is_of:
            emptied.append(row_digest(inputs, right))
    return emptied, [*dropped, *_rejects(store, words)]


def _rests(parts: Json, words: Words, held: str, others: str) -> bool:
    """The right answer names the document, or says what stands there alone."""
    if parts.get("document"):
        return bool(parts["document"] == words.document)
    said = [plain(str(parts[name])).rstrip(ENDS) for name in ("quote", "text") if parts.get(name)]
    return any(words.quote(each) or (each in held and each not in others) for each in said if each)


def _rejects(store: Store, words: Words) -> list[str]:
    """Of what is shown of rejected rows."""
    path = store.folder / "collect" / "rejects.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    shown = [str(json.loads(line).get("shown", "")) for line in lines]
    return [fingerprint(each) for each in shown if words.in_record(each)]

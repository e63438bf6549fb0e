"""LanceDB on the passages that `index.py` made, run by an interpreter that has it; what it took is printed as JSON.

Usage: python benchmarks/lance_peer.py FOLDER
FOLDER holds texts.txt (a passage a line), rows.npy (their vectors), asked.npy and asked.txt (questions, both ways).
Its own full-text index (BM25, words parted at blanks) and its own graph (IVF_HNSW_SQ); of each question the 50 best by
words and the 50 nearest, as two searches, and then as its hybrid search, which fuses them.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

N_BEST, N_WARM, EXPANSION, PROBES = 50, 10, 400, 20


def spent(work: Callable[[], object]) -> tuple[float, float]:
    """ms of the clock, and of all threads of this process on the processors."""
    began, used = time.perf_counter(), time.process_time()
    work()
    return (time.perf_counter() - began) * 1e3, (time.process_time() - used) * 1e3


def main() -> None:
    # it does not install beside our ranges: it is imported where it runs alone
    import lancedb
    import numpy as np
    import pyarrow as pa

    folder = Path(sys.argv[1])
    rows, asked = np.load(folder / "rows.npy"), np.load(folder / "asked.npy")
    questions = (folder / "asked.txt").read_text("utf-8").splitlines()
    database = lancedb.connect(folder / "lance")
    if "passages" not in database.table_names():
        texts = (folder / "texts.txt").read_text("utf-8").splitlines()
        vectors = pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel()), rows.shape[1])
        database.create_table("passages", pa.table({"id": range(len(texts)), "text": texts, "vector": vectors}))
    table = database.open_table("passages")
    indexed = {column for each in table.list_indices() for column in each.columns}
    if "text" not in indexed:
        table.create_fts_index("text", base_tokenizer="whitespace", stem=False, remove_stop_words=False)
    if "vector" not in indexed:
        table.create_index(metric="dot", index_type="IVF_HNSW_SQ", num_partitions=1, m=16, ef_construction=40)

    def near(vector: np.ndarray) -> list[int]:
        query = table.search(vector).distance_type("dot").ef(EXPANSION).nprobes(PROBES).select(["id"])
        return list(query.limit(N_BEST).to_arrow()["id"].to_pylist())

    def said(text: str) -> list[int]:
        return list(table.search(text, query_type="fts").select(["id"]).limit(N_BEST).to_arrow()["id"].to_pylist())

    took: dict[str, list[tuple[float, float]]] = {"near": [], "said": [], "both": []}
    recalls = []
    for number, (vector, text) in enumerate(zip(asked, questions, strict=True)):
        took["near"].append(spent(lambda vector=vector: near(vector)))
        took["said"].append(spent(lambda text=text: said(text)))
        took["both"].append(spent(lambda vector=vector, text=text: (near(vector), said(text))))
        if number < 20:
            exact = np.argsort(-(rows @ vector))[:N_BEST]
            recalls.append(np.isin(exact, near(vector)).mean())
    print(json.dumps({"took": {name: each[N_WARM:] for name, each in took.items()}, "recall": float(np.mean(recalls))}))


if __name__ == "__main__":
    main()

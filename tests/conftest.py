"""What all tests share: nothing they write, and nothing they read, lies outside their own folder."""

import os

import pytest

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
"""Before numpy is loaded: `make test` has a process a core, and more threads spin while they wait for each other."""
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ["WINDLASS_ALLOW_URLS"] = "http://127.0.0.1:*#* smtp://127.0.0.1:*#*"
"""Toy servers are asked without a question; tests/test_consent.py takes this away."""


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    """A test that forgets to say where writes into its own folder, and not into the repository."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def log_in():
    """Has this process log in a folder until the test ends."""
    from windlass.store import diagnostics

    before = diagnostics.STORE_LOG.folder
    yield diagnostics.keep_in
    diagnostics.keep_in(before)

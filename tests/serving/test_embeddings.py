"""A product that writes with a language model gives embeddings, too, and OpenAI's own client reads them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openai
import pytest
from tests.learners import writers

from windlass.learners.language import tokens
from windlass.predictors.artifact import write_golden, write_manifest
from windlass.predictors.contract import Embeds
from windlass.predictors.language.engine import MODEL
from windlass.predictors.language.prompts import Template
from windlass.predictors.table import load
from windlass.records import Column, Manifest


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("artifact")
    writers.decoder(folder / MODEL)
    end = writers.tokenizer().token_to_id(tokens.END)
    template = Template(start=[end], roles={"user": ([], [])}, answer=[end], end=[end], most=40)
    columns = (Column("prompt", "text"),), Column("answer", "text")
    write_manifest(folder, Manifest("language", "llm", *columns, settings={"template": template.as_json()}))
    write_golden(folder, [], [])
    return folder


def test_openais_client_reads_the_embeddings_of_a_language_model(
    writer_server: Callable[..., Any], artifact: Path, tmp_path: Path
) -> None:
    predictor = load(artifact)
    assert isinstance(predictor, Embeds)
    with writer_server(None, tmp_path, predictor=predictor) as server:
        client = openai.OpenAI(base_url=f"http://127.0.0.1:{server.port}/v1", api_key="none", max_retries=0)
        found = client.embeddings.create(model="teller", input=["ab cd", "Who are you?", "ab cd", "x" * 2_000])
        client.close()
    vectors = np.array([each.embedding for each in found.data])
    assert vectors.shape == (4, 32)
    assert vectors == pytest.approx(predictor.embed(["ab cd", "Who are you?", "ab cd", "x" * 2_000]), abs=1e-5)
    assert vectors[0] == pytest.approx(vectors[2], abs=1e-6)
    assert np.abs(vectors[0] - vectors[1]).max() > 0.01

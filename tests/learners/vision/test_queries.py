"""Pretrained detectors of transformers, tiny and by chance: fine-tuned, exported, released, loaded again and served."""

import json

import numpy as np
import pytest
import torch

import windlass
from windlass.learners.contract import Budget, Options
from windlass.learners.vision import queries
from windlass.predictors.table import load, replay
from windlass.records import silent
from windlass.testing.toys import boxes_toy

transformers = pytest.importorskip("transformers", reason="transformers is missing: `pip install 'windlass[train]'`")
RESNET = {"embedding_size": 8, "hidden_sizes": [8, 8, 8, 8], "depths": [1, 1, 1, 1]}
SMALL = {"d_model": 16, "encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 16,
         "decoder_ffn_dim": 16, "decoder_layers": 1, "num_queries": 12}  # fmt: skip


def detr():
    network = transformers.ResNetConfig(**RESNET, out_features=["stage4"])
    how = {"use_timm_backbone": False, "backbone": None, "use_pretrained_backbone": False}
    return transformers.DetrConfig(**how, backbone_config=network, encoder_layers=1, **SMALL)


def rt_detr():
    network = transformers.RTDetrResNetConfig(**RESNET, layer_type="basic", out_features=["stage2", "stage3", "stage4"])
    how = {"encoder_hidden_dim": 16, "encoder_in_channels": [8, 8, 8], "decoder_in_channels": [16, 16, 16]}
    return transformers.RTDetrConfig(backbone_config=network, decoder_n_points=2, num_denoising=4, **how, **SMALL)


def yolos():
    return transformers.YolosConfig(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16,
                                    image_size=[64, 64], patch_size=16, num_detection_tokens=12)  # fmt: skip


TINY = {"detr": detr, "rt_detr": rt_detr, "yolos": yolos}


def written(folder, name):
    """A model folder, as the hub would give it, with weights by chance."""
    torch.manual_seed(3)
    model = transformers.AutoModelForObjectDetection.from_config(TINY[name]())
    with torch.no_grad():
        for value in model.parameters():  # RT-DETR takes the likeliest places, and at its start all are as likely
            value.add_(0.2 * torch.randn_like(value))
    model.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("name", TINY)
def test_a_detector_by_path_is_taught_exported_and_gives_the_same(tmp_path, name):
    toy = boxes_toy(tmp_path)
    model = written(tmp_path / "model", name)
    options = Options(tmp_path / "run", "map50", variant=str(model))
    options.folder.mkdir()
    fitted = queries.fit(toy, options, Budget(60.0, steps=2), silent)
    assert np.isfinite(fitted.curve[-1]["train_loss"])
    predictor = load(fitted.artifact)
    assert replay(predictor, fitted.artifact) <= 1e-3
    rows = [{"picture": value} for value in toy.test["picture"].head(3)]
    together = predictor.found(rows, toy.root)
    assert all(len(each.classes) for each in together)
    for row, wanted in zip(rows, together, strict=True):
        alone = predictor.found([row], toy.root)[0]
        assert alone.boxes == pytest.approx(wanted.boxes, abs=0.5)
        assert alone.scores == pytest.approx(wanted.scores, abs=1e-3)


def test_each_is_released_behind_a_server_and_answers_as_its_artifact(tmp_path):
    """A release is made only when its golden answers hold over HTTP; then it answers what the trained artifact does."""
    toy = boxes_toy(tmp_path)
    rows = [{**row, "things": json.loads(row["things"])} for part in (toy.train, toy.validation, toy.test)
            for row in part.to_dicts()]  # fmt: skip
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    listed = ", ".join(f"{{pretrained-detector: {written(tmp_path / name, name)}}}" for name in TINY)
    (tmp_path / "windlass.yaml").write_text(
        "name: shapes\ndata: rows.jsonl\ninputs: {picture: image}\noutput: {things: boxes}\nminutes: 0.1\n"
        f"learners: [{listed}]\n"
    )
    project = windlass.Project(tmp_path)
    runs = project.train().runs
    assert [run.status for run in runs] == ["done"] * 3, [run.reason for run in runs]
    for run in runs:
        release = project.release(run.name, anyway=True)
        kept = load(project.store.run_folder(run.name) / "artifact")
        asked = [{"picture": row["picture"]} for row in rows[-4:]]
        assert [answer.value for answer in release.predict(asked)] == [answer.value for answer in kept.answer(asked)]

"""Pretrained detectors of transformers, tiny and by chance: fine-tuned, exported, released, loaded again and served."""

import json
from dataclasses import replace

import pytest
import torch

import windlass
from tests.tables import with_line
from windlass.errors import NotReady, SpecError
from windlass.kinds import image
from windlass.learners import table as learners
from windlass.learners.contract import Budget
from windlass.learners.networks.encoders import locate
from windlass.learners.vision import queries
from windlass.predictors.table import load
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


def few_steps(splits, options, budget, progress):
    """Two, whatever the pace of this machine."""
    return queries.fit(splits, options, Budget(60.0, steps=2), progress)


@pytest.mark.slow
def test_each_is_taught_by_its_path_released_behind_a_server_and_answers_as_its_artifact(tmp_path):
    """A release is made only when its golden answers hold over HTTP; then it answers what the trained artifact does,
    and one picture alone as among others."""
    toy = boxes_toy(tmp_path)
    rows = [{**row, "things": json.loads(row["things"])} for part in (toy.train, toy.validation, toy.test)
            for row in part.to_dicts()]  # fmt: skip
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    listed = ", ".join(f"{{pretrained-detector: {written(tmp_path / name, name)}}}" for name in TINY)
    (tmp_path / "windlass.yaml").write_text(
        "name: shapes\ndata: rows.jsonl\ninputs: {picture: image}\noutput: {things: boxes}\nminutes: 5\n"
        f"learners: [{listed}]\n"
    )
    project = windlass.Project(tmp_path)
    name = "pretrained-detector"
    with with_line(learners.LEARNERS, name, replace(learners.get(name), fit=few_steps)):
        runs = project.train()
    assert [run.status for run in runs] == ["done"] * 3, [run.reason for run in runs]
    asked = [{"picture": image.portable(row["picture"], tmp_path)} for row in rows[-4:]]
    for run in runs:
        release = project.release(run.name, anyway=True)
        kept = load(project.store.run_folder(run.name) / "artifact")
        assert [answer.value for answer in release.predict(asked)] == [answer.value for answer in kept.answer(asked)]
        for row, wanted in zip(asked, kept.found(asked), strict=True):
            alone = kept.found([row])[0]
            assert alone.boxes == pytest.approx(wanted.boxes, abs=0.5)
            assert alone.scores == pytest.approx(wanted.scores, abs=1e-3)


@pytest.mark.parametrize(("change", "words"), [
    ({"model_type": "bert", "architectures": ["BertModel"]}, "is a 'bert' model, expected a detector"),
    ({"use_timm_backbone": True, "backbone": "resnet50", "backbone_config": None}, "timm"),
    (None, "cannot be loaded"),
])  # fmt: skip
def test_what_is_no_detector_of_ours_is_refused(tmp_path, change, words):
    folder = written(tmp_path, "detr")
    if change is None:
        (folder / "model.safetensors").unlink()
    else:
        said = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**said, **change}))
    with pytest.raises((SpecError, NotReady)) as found:
        queries.network(locate(str(folder)), ("cat",))
    assert words in str(found.value)

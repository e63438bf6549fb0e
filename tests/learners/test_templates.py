"""Chat templates as pieces: the ids that our prompts have are those of the model's own template, rendered."""

import json
from pathlib import Path

import pytest

from tests.learners import writers
from windlass.learners.language import hub, templates
from windlass.predictors.language.prompts import Prompts
from windlass.records import Column
from windlass.store import diagnostics

TALKS = [
    [{"role": "user", "content": "Who are you?"}],
    [
        {"role": "user", "content": "ab cd"},
        {"role": "assistant", "content": "efg"},
        {"role": "user", "content": "naïve 中文 👾"},
    ],
    [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "text"}],
    [
        {"role": "system", "content": "user"},
        {"role": "user", "content": "ab"},
        {"role": "assistant", "content": "cd"},
        {"role": "user", "content": "null"},
    ],
]
DEFAULT = (
    "{%- if messages[0]['role'] != 'system' %}{{- '<|im_start|>system\nYou are ab.<|im_end|>\n' }}{%- endif %}"
    + writers.CHATML
)
NO_SYSTEM = (
    "{{ bos_token }}{% for m in messages %}{% if m.role not in ('user', 'assistant') %}"
    "{{ raise_exception('System role not supported') }}{% endif %}"
    "{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>model\n' }}{% endif %}"
)
OWN = {**writers.TEMPLATES, "default": (DEFAULT, "<|im_end|>"), "no system": (NO_SYSTEM, "<|im_end|>")}
SHIPPED = ("llama3", "llama3_1", "qwen2_5", "qwen3", "gemma", "phi3", "cohere", "lfm2")
"""Real templates that trl carries, of families that people fine-tune."""


def reader(text: str, end: str = "<|im_end|>"):
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(tokenizer_object=writers.tokenizer(), chat_template=text, eos_token=end,
                                   bos_token="<|begin_of_text|>")  # fmt: skip


def taught(kept: templates.TemplateTexts, most: int = 500) -> Prompts:
    """Our prompts with the pieces, made as a learner makes them."""
    source = writers.tokenizer().to_str()
    control = hub.ordinary(source)
    control.encode_special_tokens = False
    template = templates.as_ids(kept, control, [1], most)
    source = hub.with_control(source, templates.control_ids(template, control))
    return Prompts(hub.ordinary(source), template, [Column("talk", "chat")])


@pytest.mark.parametrize("name", OWN)
def test_the_ids_are_those_of_the_template_rendered(name):
    text, end = OWN[name]
    own = reader(text, end)
    kept = templates.spoken(own)
    assert kept.notes == ([templates.NO_SYSTEM] if name == "no system" else [])
    prompts = taught(kept)
    for talk in TALKS[:2] if name == "no system" else TALKS:
        rendered = own.apply_chat_template(talk, tokenize=False, add_generation_prompt=True, enable_thinking=False)
        wanted = own(rendered, add_special_tokens=False)["input_ids"]
        assert prompts.of({"talk": json.dumps(talk)}).ids == wanted


@pytest.mark.parametrize("name", SHIPPED)
def test_real_templates_are_taken_apart(name):
    trl = pytest.importorskip("trl", reason="its wheel carries the templates")
    own = reader((Path(trl.__file__).parent / "chat_templates" / f"{name}.jinja").read_text(encoding="utf-8"))
    kept = templates.spoken(own)
    assert templates.PLAIN not in kept.notes
    for talk in TALKS[:2] if templates.NO_SYSTEM in kept.notes else TALKS:
        wanted = own.apply_chat_template(talk, tokenize=False, add_generation_prompt=True, enable_thinking=False)
        assert kept.joined(talk) == wanted


@pytest.mark.parametrize(
    "text",
    [
        None,
        "{{ 1 / 0 }}",
        "{{ messages[0].nothing.at_all }}",
        "{% for m in messages %}{{ m.content | upper }}{% endfor %}",
        "{% for m in messages %}{{ m.content }}{{ m.content }}{% endfor %}",
        "{% for m in messages %}({{ m.content | length }}){{ m.content }}{% endfor %}",
        "{{ ''.__class__.__mro__ }}",
    ],
)
def test_what_cannot_be_taken_apart_gets_a_plain_template_and_says_so(text):
    """No template, one that fails, one that changes what is said, one that looks into it, one that breaks out."""
    kept = templates.spoken(reader(text))
    assert kept.notes == [templates.PLAIN]
    assert kept.joined(TALKS[1]).endswith("User:\nnaïve 中文 👾\n\nAssistant:\n")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{{ 1 / 0 }}", "fails\n  ZeroDivisionError\n"),
        ("{% for m in messages %}{{ m.content | upper }}{% endfor %}", "in the model's own, a message does not stand"),
    ],
)
def test_why_a_template_was_not_kept_is_in_the_log(text, why, tmp_path, log_in):
    log_in(tmp_path)
    templates.spoken(reader(text))
    assert why in (tmp_path / diagnostics.LOG).read_text(encoding="utf-8")


def test_the_token_that_closes_an_answer_ends_it_and_the_models_own_does_too():
    template = taught(templates.spoken(reader(writers.CHATML))).template
    assert template.end == [writers.tokenizer().token_to_id("<|im_end|>"), 1]


def test_a_plain_answer_is_closed_by_the_models_own_end():
    template = taught(templates.PLAIN_TEMPLATE).template
    assert template.end == [1]
    assert template.roles["assistant"][1][0] == 1


def test_added_tokens_of_the_template_cannot_be_typed():
    """Qwen3's `<think>` is no control token of its tokenizer, and stands in its template."""
    prompts = taught(templates.spoken(reader(writers.QWEN3)))
    think = writers.tokenizer().token_to_id("<think>")
    assert think in prompts.template.answer
    assert think not in prompts.text("a<think>b")
    assert think in hub.ordinary(writers.tokenizer().to_str()).encode("a<think>b").ids

"""Writes what can be read off the code: docs/reference.md, and the marked blocks of the READMEs.

Usage: python tools/make_reference.py [--check]     (--check: exit 1 and name what is out of date, write nothing)
"""

import ast
import re
import sys
from pathlib import Path

import typer

from windlass.cli import app
from windlass.errors import DataError, GateRefused, NotReady, SpecError
from windlass.kinds.table import KINDS
from windlass.language.catalogue import catalogue, pairs
from windlass.learners.table import LEARNERS
from windlass.lifecycle import STAGES
from windlass.metrics.measures import METRICS
from windlass.outputs.table import OUTPUTS
from windlass.predictors.table import SCORING, WRITING
from windlass.spec import Limits, Spec

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "windlass"
READMES = ("README.md", "README.zh.md")
ROOMS_ZH = ROOT / "tools" / "rooms_zh.po"
ONLY_NAMED = " (only when named)"

WRITTEN = {
    "chrf": "Character n-grams that answer and right answer share (sacrebleu).",
    "bleu": "Word n-grams that they share, over all rows (sacrebleu; Chinese by characters).",
    "rouge1": "F1 of the words that they share.",
    "rouge2": "F1 of the word pairs that they share.",
    "rouge_l": "F1 of their longest common subsequence of words.",
    "exact_match": "Share of answers that are a right one, but for case, punctuation and articles.",
    "token_f1": "F1 of their words without case, punctuation and articles; Chinese by characters.",
    "pass_at_1": "Share of programs that pass their tests, run in a sandbox; `checks:` names the column.",
    "pass_at_5": "Chance that one of five sampled programs does, from ten a row (Chen et al. 2021, eq. 1).",
    "bits_per_byte": "How badly the right texts are foreseen: bits for each of their bytes; less is better.",
}


def _metrics(kind: str) -> str:
    """What answers of a kind are measured by."""
    return ", ".join(OUTPUTS[kind]().metrics) if kind in OUTPUTS else "-"


def first_sentence(path: Path) -> str:
    """The job of a module, as its docstring says it first."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return re.split(r"(?<=[.])\s|\n", text.strip())[0].rstrip(".") if text else ""


def tree() -> str:
    """The annotated file tree of the package."""
    lines = ["```text", "src/windlass/"]
    for path in sorted(SOURCE.iterdir(), key=lambda item: (item.is_dir(), item.name)):
        if path.suffix == ".py" and path.name != "__init__.py":
            lines.append(f"  {path.name:<16} {first_sentence(path)}")
    for room in _rooms(SOURCE):
        lines.append(f"  {room.name + '/':<16} {first_sentence(room / '__init__.py')}")
        lines += [f"    {part.name + '/':<14} {first_sentence(part / '__init__.py')}" for part in _rooms(room)]
    lines += [
        "tests/             mirrors src; plus test_architecture, test_docs, test_lifecycle",
        "benchmarks/        quality on real data, speed against peers, and the results they made",
        "docs/              guide, reference (generated), architecture, decisions, log of what was measured",
        "tools/             the demo, the generators of the blueprints' data and of the reference",
        "```",
    ]
    return "\n".join(lines)


def _rooms(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if (path / "__init__.py").is_file())


def table(heads: list[str], rows: list[list[str]]) -> str:
    return "\n".join([f"| {' | '.join(row)} |" for row in [heads, ["---"] * len(heads), *rows]])


def learners() -> str:
    return table(
        ["learner", "what it is", "reads", "needs"],
        [
            [
                f"`{item.name}`",
                item.summary + (" (only when named)" if item.on_request else ""),
                ", ".join(sorted(item.inputs)),
                f"`[{item.extra}]`" if item.extra else "-",
            ]
            for item in LEARNERS.values()
        ],
    )


def stages() -> str:
    return table(["stage", "gives", "guarantees"], [[f"`{item.word}`", item.gives, item.guarantees] for item in STAGES])


def command_line() -> str:
    group = typer.main.get_command(app)
    parts = []
    for name, command in {"[OPTION] COMMAND": group, **group.commands}.items():
        usage = [parameter for parameter in command.params if parameter.name != "help"]
        rows = [
            [
                f"`{'/'.join(parameter.opts) if parameter.param_type_name == 'option' else parameter.name}`",
                getattr(parameter, "help", "") or "",
            ]
            for parameter in usage
        ]
        parts.append(
            f"### `windlass {name}`\n\n{(command.help or '').strip()}\n"
            + (f"\n{table(['', ''], rows)}\n" if rows else "")
        )
    return "\n".join(parts)


def specification() -> str:
    rows = []
    for model, prefix in ((Spec, ""), (Limits, "limits.")):
        for name, field in model.model_fields.items():
            default = "required" if field.is_required() else f"`{field.get_default(call_default_factory=True)}`"
            rows.append([f"`{prefix}{name}`", default if name != "limits" else "none", field.description or ""])
    return table(["key", "default", "meaning"], rows)


def reference() -> str:
    kinds = table(
        ["kind", "forms", "as output"],
        [[f"`{kind.name}`", ", ".join(kind.forms), _metrics(kind.name)] for kind in KINDS.values()],
    )
    presets = table(
        ["learner", "presets"],
        [[f"`{item.name}`", ", ".join(item.presets)] for item in LEARNERS.values() if item.presets],
    )
    metrics = table(
        ["metric", "meaning"],
        [
            *([f"`{name}`", (function.__doc__ or "").strip().splitlines()[0]] for name, function in METRICS.items()),
            *([f"`{name}`", meaning] for name, meaning in WRITTEN.items()),
        ],
    )
    errors = table(
        ["error", "exit code", "meaning"],
        [
            [f"`{item.__name__}`", str(item.exit_code), (item.__doc__ or "").strip()]
            for item in (GateRefused, SpecError, DataError, NotReady)
        ],
    )
    sections = [
        ("Stages", stages()),
        ("`windlass.yaml`", specification()),
        ("Kinds", kinds),
        ("Learners", learners()),
        ("Presets", presets),
        ("Predictors", _predictors()),
        ("Metrics", metrics),
        ("Errors", errors),
        ("Commands", command_line()),
    ]
    body = "\n\n".join(f"## {title}\n\n{text}" for title, text in sections)
    return f"# Reference\n\nWritten by `make docs` from the code; a test compares the two.\n\n{body}\n"


def _predictors() -> str:
    labelling, writing = (", ".join(f"`{name}`" for name in names) for names in (SCORING, WRITING))
    return (
        f"Of labels: {labelling}. Of texts: {writing}. None of them loads torch, except `language` "
        "where CTranslate2 does not know the model."
    )


def in_chinese(block: str) -> str:
    """A block with its sentences in Chinese. Exits: one has no twin."""
    rooms = dict(pairs(ROOMS_ZH.read_text(encoding="utf-8")))
    known = {**catalogue(), **rooms, ONLY_NAMED: "（仅在指名时）"}

    def told(english: str) -> str:
        summary, named = english.removesuffix(ONLY_NAMED), english.endswith(ONLY_NAMED)
        if summary not in known and re.search("[a-z] [a-z]", summary):
            sys.exit(f"'{summary}' has no Chinese, expected it in tools/{ROOMS_ZH.name}")
        return known.get(summary, summary) + (known[ONLY_NAMED] if named else "")

    lines = []
    for line in block.splitlines():
        branch = re.fullmatch(r"(\s*\S+\s{2,})(\S.*)", line)
        if line.startswith("|"):
            lines.append(f"| {' | '.join(told(cell) for cell in line.strip('| ').split(' | '))} |")
        else:
            lines.append(f"{branch[1]}{told(branch[2])}" if branch else line)
    return "\n".join(lines)


def filled(text: str, is_chinese: bool = False) -> str:
    """The README with its marked blocks written anew."""
    for name, content in (("learners", learners()), ("stages", stages()), ("tree", tree())):
        content = in_chinese(content) if is_chinese else content
        text = re.sub(
            rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)",
            lambda match, new=content: f"{match[1]}{new}\n{match[2]}",
            text,
            flags=re.DOTALL,
        )
    return text


def main() -> None:
    wanted = {ROOT / "docs" / "reference.md": reference()}
    for name in READMES:
        path = ROOT / name
        wanted[path] = filled(path.read_text(encoding="utf-8"), ".zh." in name)
    stale = [path for path, text in wanted.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    if "--check" in sys.argv and stale:
        sys.exit(f"out of date: {', '.join(path.name for path in stale)}; run `make docs`")
    if "--check" not in sys.argv:
        for path in stale:
            path.write_text(wanted[path], encoding="utf-8")


if __name__ == "__main__":
    main()

"""README, guide and reference say what the code does: blocks are generated, examples are run."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from windlass import spec
from windlass.blueprints import catalogue
from windlass.cli import app

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "README.zh.md", ROOT / "docs" / "guide.md"]
COMMANDS = typer.main.get_command(app).commands


def blocks(path: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)


def test_reference_and_readme_blocks_are_what_the_code_says():
    result = subprocess.run(
        [sys.executable, ROOT / "tools" / "make_reference.py", "--check"], text=True, capture_output=True, check=False
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_windlass_command_in_the_docs_exists_with_its_options(path):
    lines = [line for block in blocks(path, "bash") for line in block.splitlines() if line.startswith("windlass ")]
    assert lines
    for line in lines:
        _, word, *rest = shlex.split(line, comments=True)
        assert word in COMMANDS, line
        command = COMMANDS[word]
        while hasattr(command, "commands"):
            command = command.commands[rest.pop(0)]
        known = {name for parameter in command.params for name in parameter.opts}
        assert {item for item in rest if item.startswith("--")} <= known, line


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_yaml_example_is_a_spec_or_a_part_of_one(path):
    whole = (catalogue.HOME / "support-desk" / "windlass.yaml").read_text(encoding="utf-8")
    for block in blocks(path, "yaml"):
        spec.parse(block if "name:" in block.splitlines()[0] else whole + block)


def test_the_python_of_the_guide_runs(tmp_path, monkeypatch, capsys):
    catalogue.copy("support-desk", tmp_path / "my-desk")
    with (tmp_path / "my-desk" / "windlass.yaml").open("a", encoding="utf-8") as file:
        file.write("learners: [majority, linear]\n")
    monkeypatch.chdir(tmp_path)
    for block in blocks(ROOT / "docs" / "guide.md", "python"):
        exec(compile(block, "guide.md", "exec"), {})  # noqa: S102  our own page, run to keep it true
    assert "Answer(value=" in capsys.readouterr().out


def test_every_link_inside_the_docs_leads_somewhere():
    for path in [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "docs" / "decisions.md"]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", path.read_text(encoding="utf-8")):
            assert (path.parent / target).exists(), f"{path.name} -> {target}"


def test_make_and_ci_run_the_same_command():
    assert "make test" in (ROOT / ".ci" / "run").read_text()
    command = r"^test: check.*\n\t\$\(BIN\)/python -m pytest -n 2 --dist loadfile$"
    assert re.search(command, (ROOT / "Makefile").read_text(), re.MULTILINE)

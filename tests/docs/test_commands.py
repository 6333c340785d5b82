"""Every command, option and setting that a page names exists, and every setting is on a page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs import documents
from tests.docs.documents import Command

SETTING = re.compile(r"\bFLAWDESK_[A-Z_]+\b")


# A first word in capitals, as in "python -m triage_core COMMAND --help", stands for any command.
@pytest.mark.parametrize(
    "command",
    [c for c in documents.commands(r"python -m triage_core\b") if not c.words[:1] or c.words[0].islower()],
    ids=str,
)
def test_product_command_exists(command: Command) -> None:
    from typer.main import get_command

    from triage_core.cli import app

    words, step = list(command.words), get_command(app)
    options = {option for parameter in step.params for option in parameter.opts}
    while words and words[0] in getattr(step, "commands", {}):
        step = step.commands[words.pop(0)]
        options |= {
            option for parameter in step.params for option in [*parameter.opts, *parameter.secondary_opts]
        }
    assert not command.words or not getattr(step, "commands", {}), f"{words} is no command"
    assert {word.partition("=")[0] for word in words if word.startswith("--")} <= options


def test_every_command_takes_the_two_options_of_all() -> None:
    from typer.main import get_command

    from triage_core.cli import app

    lacking, waiting = {}, [("", get_command(app))]
    while waiting:
        name, step = waiting.pop()
        if below := getattr(step, "commands", {}):
            waiting += [(f"{name} {word}".strip(), one) for word, one in below.items()]
            continue
        options = {option for parameter in step.params for option in parameter.opts}
        if lacks := {"--store", "--json"} - options:
            lacking[name] = lacks
    assert lacking == {"serve": {"--json"}}


@pytest.mark.parametrize("command", documents.commands(r"make\b"), ids=str)
def test_make_target_exists(command: Command) -> None:
    makefile = (documents.REPOSITORY / "Makefile").read_text()
    targets = set(re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1].split())
    assert {word for word in command.words if "=" not in word} <= targets


@pytest.mark.parametrize(
    "command", [c for c in documents.commands(r"python -m benchmarks\.") if c.words[0].islower()], ids=str
)
def test_benchmark_exists(command: Command) -> None:
    assert (documents.REPOSITORY / "benchmarks" / f"{command.words[0]}.py").is_file()


def test_settings_are_real_and_documented() -> None:
    def named(paths: list[Path]) -> set[str]:
        return {setting for path in paths for setting in SETTING.findall(path.read_text())}

    read_by_tests = named([documents.REPOSITORY / "tests" / "browser.py"])
    read_by_product = named(sorted((documents.REPOSITORY / "triage_core").rglob("*.py")))
    written = named(documents.PAGES)
    assert written - read_by_product - read_by_tests == set()
    assert read_by_product - written == set()

import ast
import json
import re
from datetime import date
from pathlib import Path
from typing import get_args

import pytest

from docs import generate
from ratchet.config.settings import Settings
from ratchet.prompting import load_prompts, load_rules
from ratchet.tasks import Criterion, load_cases, load_task

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
COMMANDS = list(generate.commands())
VARIABLES = [
    name.upper() if name.startswith("openai_") else f"RATCHET_{name.upper()}" for name in Settings.model_fields
]
CRITERIA = {get_args(model.model_fields["kind"].annotation)[0]: model for model in get_args(get_args(Criterion)[0])}
"""The models of all criteria by kind."""
FOLDERS = ("prompts", "ratchet", "nodes", "graph", "service", "ratchet_agents", "docs", "benchmarks", "tests")
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_PATH = re.compile(rf"`((?:pytest -s )?(?:{'|'.join(FOLDERS)})/[\w./-]*)`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def snippets(file: Path, language: str) -> list[str]:
    """The fenced blocks of a page in one language."""
    return [text for found, text in _FENCE.findall(file.read_text(encoding="utf-8")) if found == language]


def anchors(file: Path) -> set[str]:
    """Headings as a Markdown viewer links to them."""
    headings = _HEADING.findall(file.read_text(encoding="utf-8"))
    return {generate.anchor(heading) for heading in headings}


def readme_json(key: str) -> list[str]:
    return [text for text in snippets(README, "json") if key in json.loads(text)]


@pytest.mark.parametrize("name", COMMANDS)
def test_command_is_documented(name: str) -> None:
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")

    assert f"\n## {name}\n" in page
    assert f"Usage: ratchet {name} " in page


def test_decisions_are_numbered_and_dated_with_the_newest_last() -> None:
    headings = re.findall(r"^## (.*)$", (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8"), re.MULTILINE)
    told = [re.fullmatch(r"(\d+)\. \S.*\S \((\d{4}-\d\d-\d\d)\)", heading) for heading in headings]

    assert [heading for heading, parts in zip(headings, told, strict=True) if not parts] == []
    assert [int(parts[1]) for parts in told if parts] == list(range(1, len(headings) + 1))
    dates = [date.fromisoformat(parts[2]) for parts in told if parts]
    assert dates == sorted(dates)


@pytest.mark.parametrize("name", VARIABLES)
@pytest.mark.parametrize("file", ["README.md", ".env.example"])
def test_setting_is_documented(name: str, file: str) -> None:
    assert re.search(rf"\b{name}\b", (ROOT / file).read_text(encoding="utf-8"))


def test_documented_defaults_are_the_real_ones() -> None:
    rows = re.findall(r"^\| (`RATCHET_[^|]+) \| ([^|]+) \|", README.read_text(encoding="utf-8"), re.MULTILINE)
    told = {name.lower(): default.strip("`") for names, default in rows for name in re.findall(r"RATCHET_(\w+)", names)}
    real = {name: field.default for name, field in Settings.model_fields.items() if not name.startswith("openai_")}
    assert told.keys() == real.keys()

    for name, default in real.items():
        if default is None:
            assert " " in told[name], name  # told in words
        else:
            assert told[name] == (
                f"{default:g}" if isinstance(default, float) else "none" if default == () else str(default)
            ), name


@pytest.mark.parametrize("kind", CRITERIA)
def test_criterion_kind_is_documented(kind: str) -> None:
    assert f"\n| `{kind}` |" in README.read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", CRITERIA)
def test_keys_of_a_criterion_are_documented(kind: str) -> None:
    fields = {field.alias or name for name, field in CRITERIA[kind].model_fields.items()}
    row = re.search(rf"^\| `{kind}` \|[^|]*\|([^|]*)\|$", README.read_text(encoding="utf-8"), re.MULTILINE)

    assert row
    assert set(re.findall(r"`(\w+)`", row[1])) == fields - {"name", "kind", "weight", "required", "requirement"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_resolve(page: Path) -> None:
    for link in _LINK.findall(_FENCE.sub("", page.read_text(encoding="utf-8"))):
        if re.match(r"\w+:", link):
            continue
        target, _, anchor = link.partition("#")
        file = page.parent / target if target else page
        assert file.exists(), link
        assert not anchor or anchor in anchors(file), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_paths_in_pages_exist(page: Path) -> None:
    told = [path.split()[-1] for path in _PATH.findall(_FENCE.sub("", page.read_text(encoding="utf-8")))]

    assert [path for path in told if not re.search("[A-Z]", path) and not (ROOT / path).exists()] == []


def test_task_of_the_readme_loads(tmp_path: Path) -> None:
    (toml,) = snippets(README, "toml")
    (lines,) = snippets(README, "jsonl")
    folder = tmp_path / "tasks" / "helpdesk"
    folder.mkdir(parents=True)
    (folder / "task.toml").write_text(toml, encoding="utf-8")
    (folder / "cases.jsonl").write_text(lines, encoding="utf-8")

    task = load_task(tmp_path / "tasks", "helpdesk")
    cases = load_cases(task)

    assert {case.split for case in cases} == {"train", "holdout"}
    (prompts,) = readme_json(task.components[0])
    (tmp_path / "task_prompts.json").write_text(prompts, encoding="utf-8")
    prompt = load_prompts(tmp_path / "task_prompts.json")[task.components[0]]
    assert [step.source for step in prompt.context] == [source.name for source in task.context_sources]


def test_rules_of_the_readme_load(tmp_path: Path) -> None:
    (text,) = readme_json("rules")
    (tmp_path / "behavior_rules.json").write_text(text, encoding="utf-8")

    assert load_rules(tmp_path / "behavior_rules.json").rules


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_python_snippets_compile(page: Path) -> None:
    for text in snippets(page, "python"):
        compile(text, str(page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def test_readme_has_python_snippets() -> None:
    assert len(snippets(README, "python")) >= 3


@pytest.mark.parametrize("target", ["demo", "test", "check", "dev", "install", "docs"])
def test_make_targets_that_are_told_of_exist(target: str) -> None:
    assert f"make {target}" in "".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def test_commands_in_the_readme_exist() -> None:
    told = re.findall(r"(?:^|`|&& )ratchet ([a-z]+)\b", README.read_text(encoding="utf-8"), re.MULTILINE)

    assert told
    assert set(told) <= {name.split()[0] for name in COMMANDS}

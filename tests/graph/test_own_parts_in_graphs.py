"""What a user adds by the architecture page, taken out of the page and run in whole cycles."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from shop import TASK, Project, item_of, needs_context, shop_items

pytestmark = pytest.mark.anyio
PAGE = Path(__file__).parents[2] / "docs" / "architecture.md"


@pytest.fixture
def add_from_page(project: Project) -> Iterator[Any]:
    """Puts the example of a section into the project: its module, saved as the page says, and its table."""
    added: list[str] = []

    def add(heading: str) -> None:
        section = PAGE.read_text(encoding="utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
        (code,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
        (table,) = re.findall(r"```toml\n(.*?)```", section, re.DOTALL)
        (file,) = re.findall(r"Saved as `(\w+\.py)`", section)
        Path(file).write_text(code, encoding="utf-8")
        added.append(file.removesuffix(".py"))
        project.write_task(
            toml=f"{TASK}\n{table}",
            cases=shop_items(),
            documents={
                f"{case['id']}.md": f"The item{case['id'][1:]} is in {case['expected']}." for case in shop_items()
            },
        )

    yield add
    for module in added:
        sys.modules.pop(module, None)


async def fail(invoke: Any, *numbers: int) -> None:
    for number in numbers:
        case = shop_items()[number]
        run = {"task": "shop", "input": case["input"], "expected": case["expected"]}
        await invoke("serve", run, thread=f"run-{number}")


async def test_proposer_of_the_page_wins_a_cycle(project: Project, invoke: Any, add_from_page: Any) -> None:
    def terse_where_asked(messages: list[dict[str, Any]], request: Any) -> str:
        told, answer = messages[0]["content"], f"bin{item_of(messages)}x"
        return answer if "Be terse." in told or "at most 5 words" in told else f"As far as I know it is in {answer}"

    add_from_page("Adding a proposer")
    project.script("agent", terse_where_asked)
    await fail(invoke, 0, 2, 4)
    review = (await invoke("improve", {"task": "shop"}))["__interrupt__"][0].value["review"]
    assert (review["strategy"], review["validation"]["proven"]) == ("house_style", True)
    assert review["after"]["prompt"] == "Answer the question. Be terse."
    assert "requirements" in {candidate["strategy"] for candidate in review["candidates"]}


async def test_proposer_of_the_page_is_asked_whatever_the_cause(
    project: Project, invoke: Any, add_from_page: Any
) -> None:
    add_from_page("Adding a proposer")
    project.script("agent", needs_context)
    await fail(invoke, 0, 2, 4)
    review = (await invoke("improve", {"task": "shop"}))["__interrupt__"][0].value["review"]
    assert review["diagnosis"]["category"] == "context"
    assert {candidate["strategy"] for candidate in review["candidates"]} == {"retrieval", "house_style"}


@pytest.mark.parametrize(("own", "rounds"), [(False, {1, 2}), (True, {1})])
async def test_race_of_the_page_ends_after_its_first_round(
    project: Project, invoke: Any, add_from_page: Any, own: bool, rounds: set[int]
) -> None:
    def never_for_item_04(messages: list[dict[str, Any]], request: Any) -> str:
        return "no" if item_of(messages) == "04" else needs_context(messages, request)

    if own:
        add_from_page("Another race")
    project.script("agent", never_for_item_04)
    project.script("optimizer", "Be brief.")
    await fail(invoke, 0, 2, 4)
    review = (await invoke("improve", {"task": "shop"}))["__interrupt__"][0].value["review"]
    assert {candidate["round"] for candidate in review["candidates"]} == rounds

from typing import Any

import pytest
from proposed import validation
from shop import Project

from ratchet.engine import Engine
from ratchet.gate.yardstick import new_yardstick, yardstick

pytestmark = pytest.mark.anyio


async def test_nothing_is_measured_otherwise_while_rules_and_criteria_stay(project: Project, engine: Engine) -> None:
    bench = await engine.workbench("shop")
    rules, criteria = yardstick(bench)
    assert new_yardstick(bench, validation(rules_hash=rules, criteria_hash=criteria)) is None
    assert new_yardstick(bench, validation()) is None  # of an earlier release


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda project: project.write_rules(["Be brief.", "Be polite."]), "the pinned rules have changed"),
        (lambda project: edit(project, "threshold = 0.9\n"), "the criteria or the threshold of shop have changed"),
        (
            lambda project: edit(project, "", '[[criteria]]\nname = "brief"\nkind = "max_words"\nlimit = 3\n'),
            "the criteria or the threshold of shop have changed",
        ),
        (lambda project: edit(project, "", "[limits]\ntokens_factor = 2\n"), None),
    ],
)
async def test_what_decides_whether_a_run_passes_is_compared(
    project: Project, engine: Engine, change: Any, said: str | None
) -> None:
    rules, criteria = yardstick(await engine.workbench("shop"))
    change(project)
    bench = await engine.workbench("shop")
    assert new_yardstick(bench, validation(rules_hash=rules, criteria_hash=criteria)) == said


def edit(project: Project, before: str, after: str = "") -> None:
    """Put lines at the beginning and the end of the task's file."""
    file = project.settings().tasks_dir / "shop" / "task.toml"
    file.write_text(f"{before}{file.read_text()}\n{after}")

import pytest
from shop import TASK, Project

from ratchet.errors import ConfigurationError
from ratchet.tasks import Task, load_task


def load(project: Project, table: str) -> Task:
    project.write_task(toml=f"{TASK}\n{table}\n")
    return load_task(project.folder / "tasks", "shop")


def test_task_may_name_proposers_and_a_race(project: Project) -> None:
    task = load(project, '[proposers]\nuse = ["ideas:One", "more.ideas:two"]\n[race]\nuse = "races:short"')
    assert (task.proposers.use, task.race.use) == (["ideas:One", "more.ideas:two"], "races:short")


def test_task_needs_neither(project: Project) -> None:
    task = load(project, "")
    assert (task.proposers.use, task.race.use) == ([], None)


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ('[proposers]\nuse = "ideas:One"', "proposers.use: Input should be a valid list"),
        ('[proposers]\nuse = ["ideas.One"]', r"proposers\.use\[0\]: String should match pattern"),
        ('[proposers]\nwith = ["ideas:One"]', "unknown key proposers.with"),
        ('[race]\nuse = "short"', "race.use: String should match pattern"),
        ("[race]\nrounds = 1", "unknown key race.rounds"),
    ],
)
def test_table_that_is_wrong_is_told_with_its_key(project: Project, table: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"task\.toml: {problem}"):
        load(project, table)

import pytest
from shop import TASK, Project

from ratchet.errors import ConfigurationError
from ratchet.tasks import Limits, load_task


def limits(project: Project, *lines: str) -> Limits:
    project.write_task(toml="\n".join([TASK, "[limits]", *lines]))
    return load_task(project.folder / "tasks", "shop").limits


def test_task_without_limits_has_those_that_the_readme_names(project: Project) -> None:
    found = limits(project)

    assert (found.prompt_chars, found.tokens_factor, found.seconds_factor) == (6000, 4, 5)
    assert (found.tokens, found.seconds) == (None, None)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("prompt_chars = 1", 1),
        ("tokens_factor = 1", 1),
        ("seconds_factor = 1.0", 1),
        ("tokens = 0.5", 0.5),
        ("seconds = 2", 2),
        ("tokens_factor = 1e9", 1e9),
    ],
)
def test_limit_may_be_as_tight_or_as_loose_as_it_makes_sense(project: Project, line: str, value: float) -> None:
    assert getattr(limits(project, line), line.partition(" ")[0]) == value


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("prompt_chars = 0", "limits.prompt_chars: Input should be greater than or equal to 1 (got 0)"),
        ("prompt_chars = 99.5", "limits.prompt_chars"),
        ("tokens_factor = 0.9", "limits.tokens_factor: Input should be greater than or equal to 1 (got 0.9)"),
        ("seconds_factor = -2", "limits.seconds_factor: Input should be greater than or equal to 1"),
        ("tokens_factor = nan", "limits.tokens_factor"),
        ("tokens = 0", "limits.tokens: Input should be greater than 0 (got 0)"),
        ("seconds = -1", "limits.seconds: Input should be greater than 0"),
        ('seconds = "fast"', "limits.seconds: Input should be a valid number"),
        ("token_factor = 2", "unknown key limits.token_factor"),
    ],
)
def test_limit_that_nothing_could_meet_is_refused_by_its_key(project: Project, line: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        limits(project, line)
    assert f"tasks/shop/task.toml: {said}" in str(caught.value)
    assert "\n" not in str(caught.value)

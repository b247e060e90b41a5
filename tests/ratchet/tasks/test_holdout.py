import pytest
from shop import TASK, Project

from ratchet.errors import ConfigurationError
from ratchet.tasks import load_task
from ratchet.tasks.holdout import MOST_FROM_PRODUCTION


def production(project: Project, *lines: str) -> int:
    project.write_task(toml="\n".join([TASK, "[holdout]", *lines]))
    return load_task(project.folder / "tasks", "shop").holdout.production


@pytest.mark.parametrize(
    ("lines", "count"),
    [([], 20), (["production = 0"], 0), (["production = 1"], 1), ([f"production = {MOST_FROM_PRODUCTION}"], 500)],
)
def test_inputs_from_production_take_part_up_to_a_number(project: Project, lines: list[str], count: int) -> None:
    assert production(project, *lines) == count


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("production = -1", "holdout.production: Input should be greater than or equal to 0 (got -1)"),
        ("production = 501", "holdout.production: Input should be less than or equal to 500 (got 501)"),
        ("production = 2.5", "holdout.production"),
        ('production = "off"', "holdout.production: Input should be a valid integer"),
        ("share = 0.5", "unknown key holdout.share"),
    ],
)
def test_number_that_makes_no_sense_is_refused_by_its_key(project: Project, line: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        production(project, line)
    assert f"tasks/shop/task.toml: {said}" in str(caught.value)

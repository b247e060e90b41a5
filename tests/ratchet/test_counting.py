import pytest

from ratchet.counting import duration, quantity


@pytest.mark.parametrize(("number", "told"), [(0, "0 cases"), (1, "1 case"), (2, "2 cases"), (1200, "1,200 cases")])
def test_numbers_of_things_are_written_as_people_do(number: int, told: str) -> None:
    assert quantity(number, "case") == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(1.2, "1 second"), (119, "119 seconds"), (300, "5 minutes"), (86400, "24 hours"), (259200, "3 days")],
)
def test_durations_are_told_in_the_unit_that_suits(seconds: float, told: str) -> None:
    assert duration(seconds) == told

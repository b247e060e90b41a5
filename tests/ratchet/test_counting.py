import pytest

from ratchet.counting import quantity


@pytest.mark.parametrize(("number", "told"), [(0, "0 cases"), (1, "1 case"), (2, "2 cases"), (1200, "1,200 cases")])
def test_numbers_of_things_are_written_as_people_do(number: int, told: str) -> None:
    assert quantity(number, "case") == told

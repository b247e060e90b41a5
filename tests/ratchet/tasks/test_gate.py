import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ratchet.tasks.gate import MOST_CASE_REPEATS, GateConfig


def test_repeats_are_decided_by_evidence_where_the_task_says_nothing() -> None:
    assert GateConfig().repeats == "auto"
    assert GateConfig.model_validate({"repeats": "auto"}).repeats == "auto"


@given(st.integers(-5, 20))
def test_repeats_are_few(repeats: int) -> None:
    if 1 <= repeats <= MOST_CASE_REPEATS:
        assert GateConfig.model_validate({"repeats": repeats}).repeats == repeats
    else:
        with pytest.raises(ValidationError, match="has to be 'auto' or a whole number from 1 to 9"):
            GateConfig.model_validate({"repeats": repeats})


@pytest.mark.parametrize("repeats", [True, 1.0, "3", "many", [3], None])
def test_repeats_of_another_form_are_refused(repeats: object) -> None:
    with pytest.raises(ValidationError, match="has to be 'auto' or a whole number from 1 to 9"):
        GateConfig.model_validate({"repeats": repeats})


def test_unknown_key_is_refused() -> None:
    with pytest.raises(ValidationError, match="times"):
        GateConfig.model_validate({"times": 3})

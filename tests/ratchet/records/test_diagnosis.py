import pytest
from pydantic import ValidationError

from ratchet.records import Attempt, Diagnosis, Experiment


@pytest.mark.parametrize(("passed", "total", "rate"), [(0, 0, 0.0), (0, 4, 0.0), (3, 4, 0.75), (4, 4, 1.0)])
def test_rate_of_an_experiment_is_the_share_that_passes_under_it(passed: int, total: int, rate: float) -> None:
    assert Experiment(treatment="repeat", passed=passed, total=total).rate == rate


@pytest.mark.parametrize("category", ["wording", "Prompt", "", None])
def test_diagnosis_names_one_of_the_four_causes(category: str | None) -> None:
    with pytest.raises(ValidationError, match="category"):
        Diagnosis.model_validate({"category": category, "component": "shop", "failures": [], "explanation": "e"})


def test_attempt_that_could_not_be_made_is_neither_passed_nor_failed() -> None:
    attempt = Attempt(treatment="repeat", component="shop", output="", passed=None, calls=1, error="no answer")

    assert Attempt.model_validate_json(attempt.model_dump_json()).passed is None


def test_diagnoses_share_no_list_with_each_other() -> None:
    one, other = (Diagnosis(category="prompt", component="c", failures=[], explanation="e") for _ in range(2))

    one.evidence.append(Experiment(treatment="repeat", passed=0, total=1))
    one.causes["F-0"] = "prompt"

    assert (other.evidence, other.causes) == ([], {})

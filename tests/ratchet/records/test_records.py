"""What holds for every record: it survives JSON, and a document of another shape is noticed."""

import json
from typing import Any

import pytest
from any_record import any_record
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ratchet import records
from ratchet.records import Record

RECORDS: list[type[Record]] = [
    value
    for name in records.__all__
    if isinstance(value := getattr(records, name), type) and issubclass(value, Record) and value is not Record
]
REQUIRED = {
    "AgentRun": "output trace",
    "Attempt": "treatment component output passed calls",
    "Candidate": "strategy rationale prompt",
    "CandidateResult": "strategy rationale status",
    "CaseDifference": "case_id input expected before after",
    "Cost": "tokens seconds",
    "CriterionMeasure": "before after n",
    "CriterionResult": "name outcome passed score",
    "Decision": "type",
    "Diagnosis": "category component failures explanation",
    "Evaluation": "criteria score passed problems",
    "Experiment": "treatment passed total",
    "FailureBundle": "id run_id task component input output expected evaluation prompts version rules_hash model trace "
    "source thread_id created_at",
    "FailureCause": "failure category component treatment source missing calls attempts",
    "Fetched": "source text",
    "Measure": "passed n rate low high",
    "Opinion": "category",
    "Proposal": "id cycle_id task component strategy rationale before after base_version change_hash",
    "Repeats": "",
    "RuleViolation": "rule text where input output why already_broken",
    "Spent": "",
    "Step": "kind component input output",
    "Validation": "verdict proven e_value needed level before after criteria wins losses vetoes fixed triggering "
    "reason",
}
"""Keys without a default. Documents of the first release have these and no more: a new one has to have a default."""
each_record = pytest.mark.parametrize("model", RECORDS, ids=lambda model: model.__name__)


def as_stored(record: Record) -> Any:
    return json.loads(json.dumps(record.model_dump(mode="json"), allow_nan=False))


@each_record
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_record_survives_json(model: type[Record], data: st.DataObject) -> None:
    record = data.draw(any_record(model))

    assert model.model_validate(as_stored(record)) == record


@each_record
@settings(max_examples=2, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_document_of_another_shape_is_refused(model: type[Record], data: st.DataObject) -> None:
    document = as_stored(data.draw(any_record(model)))

    with pytest.raises(ValidationError, match=r"colour\n  Extra inputs are not permitted"):
        model.model_validate(document | {"colour": 1})
    for name in REQUIRED[model.__name__].split():
        with pytest.raises(ValidationError, match=rf"{name}\n  Field required"):
            model.model_validate({key: value for key, value in document.items() if key != name})


@each_record
def test_document_of_the_first_release_has_all_keys_that_are_needed(model: type[Record]) -> None:
    needed = [name for name, field in model.model_fields.items() if field.is_required()]

    assert needed == REQUIRED[model.__name__].split()

from typing import Any

import pytest
from proposed import AFTER, BEFORE, proposal
from pydantic import ValidationError

from ratchet.prompting import change_hash
from ratchet.records import CandidateResult, Decision, Proposal


def test_proposal_keeps_both_prompts_whole() -> None:
    stored = Proposal.model_validate(proposal().model_dump(mode="json"))

    assert (stored.before, stored.after) == (BEFORE, AFTER)
    assert stored.change_hash == change_hash(stored.before, stored.after)


def test_first_proposal_of_a_cycle_is_its_first_round() -> None:
    assert proposal().round == 1


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"after": {"prompt": ""}}, "after.prompt"),
        ({"after": {"prompt": "x", "model": "m"}}, "after.model"),
        ({"base_version": "first"}, "base_version"),
        ({"candidates": [{"strategy": "s", "rationale": "r", "status": "won"}]}, "candidates.0.status"),
    ],
)
def test_stored_proposal_that_no_file_could_hold_is_refused(changes: dict[str, Any], key: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Proposal.model_validate(proposal().model_dump() | changes)
    assert [".".join(map(str, error["loc"])) for error in caught.value.errors()] == [key]


def test_candidate_that_was_not_tried_has_no_results() -> None:
    candidate = CandidateResult(strategy="s", rationale="r", status="not_tried")

    assert (candidate.passed, candidate.total, candidate.round) == (0, 0, 1)


@pytest.mark.parametrize("kind", ["Approve", "yes", "", None, True])
def test_decision_of_another_kind_is_refused(kind: Any) -> None:
    with pytest.raises(ValidationError, match="type"):
        Decision.model_validate({"type": kind})


def test_decision_without_a_name_is_of_an_unknown_reviewer() -> None:
    assert Decision(type="approve") == Decision(type="approve", reviewer="unknown", reason="", feedback="", prompt=None)

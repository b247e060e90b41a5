"""What waits for a person."""

import asyncio
from collections.abc import Callable

import pytest
from command import Done
from cycle_states import Reach

from service.inbox import InboxItem, waiting_items

Ratchet = Callable[..., Done]


def waiting() -> list[InboxItem]:
    return asyncio.run(waiting_items())


def test_change_to_approve_is_listed_with_its_numbers(reach: Reach) -> None:
    cycle_id = reach("awaiting_approval")
    (item,) = waiting()
    assert (item["id"], item["what"], item["task"], item["category"]) == (cycle_id, "approve", "desk", "context")
    assert (item["verdict"], item["before"], item["after"]) == ("better", 0, 1)
    assert "12 cases won" in item["message"]


def test_change_that_was_not_proven_is_listed_for_review(reach: Reach) -> None:
    cycle_id = reach("inconclusive")
    (item,) = waiting()
    assert (item["id"], item["what"], item["before"], item["after"]) == (cycle_id, "review", 0, 1)


@pytest.mark.parametrize("state", ["capability", "evaluator", "budget", "budget_in_validation", "proposed_again"])
def test_no_success_is_told_where_no_held_out_case_was_looked_at(reach: Reach, state: str) -> None:
    reach(state)
    (item,) = waiting()
    assert (item["what"], item["before"], item["after"]) == ("review", None, None)
    assert item["message"]


@pytest.mark.parametrize("state", ["applied", "rejected", "stale", "gave_way", "running", "dismissed", "forced"])
def test_nothing_waits_after_an_answer_or_during_a_cycle(reach: Reach, state: str) -> None:
    reach(state)
    assert waiting() == []


def test_changes_to_approve_come_before_what_is_to_review(reach: Reach) -> None:
    older = reach("capability")
    reach.desk.fail()
    newer = reach.desk.improve()
    assert [(item["id"], item["what"]) for item in waiting()] == [(newer, "approve"), (older, "review")]


def test_item_whose_failures_a_later_cycle_has_taken_up_waits_for_nobody(reach: Reach, ratchet: Ratchet) -> None:
    older = reach("budget")
    newer = reach.desk.improve()
    assert [item["id"] for item in waiting()] == [newer]
    reach.desk.done("approve", newer)
    assert waiting() == []
    shown = ratchet("show", older).out
    assert f"ratchet resolve {older} dismiss" in shown
    assert ("correct" in shown.split("next:")[1], "retry" in shown) == (False, False)


def test_item_whose_last_failure_became_a_case_waits_for_nobody(reach: Reach, ratchet: Ratchet) -> None:
    (failure,) = ratchet("show", reach("capability"), "--json").json["failures"]
    reach.desk.done("cases", "add", "desk", "--from", failure["id"], "--expected", "8 coins")
    assert waiting() == []

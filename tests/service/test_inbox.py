"""What waits for a person, and a cycle as it is shown."""

import asyncio
from collections.abc import Callable

import pytest
from command import Done
from cycle_states import NO_CYCLE, REPAIR, Reach

from ratchet.errors import ConfigurationError
from service.inbox import InboxItem, WholeCycle, waiting_items, whole_cycle
from service.session import open_session

Ratchet = Callable[..., Done]


def waiting() -> list[InboxItem]:
    return asyncio.run(waiting_items())


def whole(cycle_id: str) -> WholeCycle:
    async def load() -> WholeCycle:
        async with open_session() as session:
            return await whole_cycle(session, cycle_id)

    return asyncio.run(load())


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


def test_item_whose_last_failure_became_a_case_waits_for_nobody(reach: Reach) -> None:
    (failure,) = whole(reach("capability")).failures
    reach.desk.done("cases", "add", "desk", "--from", failure["id"], "--expected", "8 coins")
    assert waiting() == []


@pytest.mark.parametrize("state", ["stopped", "awaiting_approval", "applied", "gave_way"])
def test_cycle_without_a_review_item_is_whole(reach: Reach, state: str) -> None:
    cycle = whole(reach(state))
    assert (cycle.id, cycle.review) == (cycle.row["id"], None)
    assert [failure["bundle"]["output"] for failure in cycle.failures] == ["I do not know."]
    assert cycle.spent.calls > 0 or state in ("stopped", "gave_way")  # these may end before a reply is there


def test_cycle_is_found_by_the_id_of_its_review_item_too(reach: Reach) -> None:
    cycle_id = reach("capability")
    assert whole(f"V-{cycle_id}") == whole(cycle_id)
    review = whole(cycle_id).review
    assert review == {"id": f"V-{cycle_id}", "kind": "capability", "status": "open", "answer": None, "answers": []}


def test_cycle_holds_what_its_review_item_keeps_besides(reach: Reach) -> None:
    document = whole(reach("inconclusive")).document
    assert document.keys() >= {"diagnosis", "proposal", "validation", "refused", "proposed", "failures"}


def test_answer_that_closed_the_item_is_told_apart_from_earlier_ones(reach: Reach) -> None:
    cycle_id = reach("dismissed")
    review = whole(cycle_id).review
    assert review
    assert review["answer"] == review["answers"][-1]
    assert (review["status"], review["answers"][-1]["reason"]) == ("dismissed", "we repair nothing")


def test_whole_cycle_is_one_json_object(reach: Reach) -> None:
    cycle = whole(reach("capability"))
    shown = cycle.as_json()
    assert shown.keys() == cycle.row.keys() | {"failures", "spent", "review"}
    assert (shown["spent"]["calls"], shown["failures"][0]["bundle"]["input"]) == (cycle.spent.calls, REPAIR)


def test_unknown_cycle_is_one_line(reach: Reach) -> None:
    reach("no_failures")
    with pytest.raises(ConfigurationError, match=r"no cycle 'C-0'; `ratchet inbox` lists what waits"):
        whole(NO_CYCLE)

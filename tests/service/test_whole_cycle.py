"""A cycle as it is shown, with all that belongs to it."""

import asyncio

import pytest
from cycle_states import NO_CYCLE, REPAIR, Reach

from ratchet.errors import ConfigurationError
from service.session import open_session
from service.whole_cycle import WholeCycle, whole_cycle


def whole(cycle_id: str) -> WholeCycle:
    async def load() -> WholeCycle:
        async with open_session() as session:
            return await whole_cycle(session, cycle_id)

    return asyncio.run(load())


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


def test_answer_names_the_proposal_that_is_shown(reach: Reach) -> None:
    cycle = whole(reach("awaiting_approval"))
    assert cycle.answer_id == cycle.id
    second = cycle._replace(document={**cycle.document, "proposal": {"id": f"{cycle.id}-P2"}})
    assert second.answer_id == f"{cycle.id}-P2"
    assert cycle._replace(document={}).answer_id == cycle.id

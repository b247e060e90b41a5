"""`ratchet show`: a cycle, a run and a failure."""

from collections.abc import Callable

import pytest
from command import Done
from cycle_states import PRICE, Reach

Ratchet = Callable[..., Done]


def test_show_has_all_that_a_reviewer_needs(reach: Reach, ratchet: Ratchet) -> None:
    cycle_id = reach("awaiting_approval")
    page = ratchet("show", cycle_id).out
    for words in (
        "Cause: context", "+[context] handbook", "Candidates", "Held-out cases", "12 won", "Spent: ", "Failures: 1",
        "ratchet approve", "ratchet reject",
    ):  # fmt: skip
        assert words in page


def test_show_prints_the_next_commands_unbroken(reach: Reach, ratchet: Ratchet) -> None:
    cycle_id = reach("capability")
    reach.desk.environment.setenv("COLUMNS", "40")
    assert f"  ratchet resolve {cycle_id} correct --expected '...'\n" in ratchet("show", cycle_id).out


@pytest.mark.parametrize("state", ["awaiting_approval", "inconclusive"])
def test_change_and_cause_stand_on_the_last_screen(reach: Reach, ratchet: Ratchet, state: str) -> None:
    cycle_id = reach(state)
    reach.desk.environment.setenv("COLUMNS", "80")
    screen = "\n".join(ratchet("show", cycle_id).out.splitlines()[-24:])
    for words in ("+[context] handbook", "Cause: context", "Held-out cases", "Spent: ", "next:"):
        assert words in screen


def test_run_is_shown_with_its_trace(reach: Reach, ratchet: Ratchet) -> None:
    reach("applied")
    run = ratchet("run", "desk", PRICE, "--expected", "101 coins", "--json").json
    page = " ".join(ratchet("show", run["run_id"]).out.split())
    for words in ("Step 1: retrieval of desk", "Step 2: model of desk", "system", PRICE, "output 101 coins", "passed"):
        assert words in page
    assert ratchet("show", run["run_id"][:8], "--json").json["document"]["output"] == "101 coins"


def test_failure_is_shown_with_its_run_and_its_cycle(reach: Reach, ratchet: Ratchet) -> None:
    cycle_id = reach("capability")
    (row,) = ratchet("show", cycle_id, "--json").json["failures"]
    page = " ".join(ratchet("show", row["id"]).out.split())
    assert f"stored as failure {row['id']}, escalated; ratchet show {cycle_id}" in page
    shown = ratchet("show", row["id"], "--json").json
    assert (shown["id"], shown["failure"]["id"]) == (row["run_id"], row["id"])


@pytest.mark.parametrize("given", ["R-0123456789ab", "F-0123456789ab"])
def test_run_that_there_is_not_is_one_line(reach: Reach, ratchet: Ratchet, given: str) -> None:
    reach("no_failures")
    done = ratchet("show", given)
    assert (done.code, done.out) == (2, "")
    assert done.err == f"error: no run or failure {given!r}; `ratchet failures TASK` lists what failed\n"


def test_run_says_how_its_trace_is_shown(reach: Reach, ratchet: Ratchet) -> None:
    reach("no_failures")
    told = ratchet("run", "desk", PRICE).out.splitlines()[-1]
    assert told.startswith("its trace: ratchet show R-")
    assert ratchet("show", told.split()[-1]).code == 0

"""`ratchet inbox`: what waits for a person, in a terminal."""

from collections.abc import Callable

import pytest
from command import Done
from cycle_states import Reach

from service import console

Ratchet = Callable[..., Done]


def test_empty_inbox_is_one_line(reach: Reach, ratchet: Ratchet) -> None:
    reach("failures_open")
    assert ratchet("inbox").out == "nothing waits\n"
    assert ratchet("inbox", "--json").json == {"items": []}


@pytest.mark.parametrize("width", [40, 60, 80, 160])
def test_inbox_gives_the_whole_id_however_narrow_the_terminal(reach: Reach, ratchet: Ratchet, width: int) -> None:
    cycle_id = reach("awaiting_approval")
    reach.desk.environment.setattr(console.out, "_width", width)
    printed = ratchet("inbox").out
    assert cycle_id in printed.split()
    assert "…" not in printed
    table = [line for line in printed.splitlines() if not line.startswith(f"{cycle_id}: ")]
    assert max(len(line.rstrip()) for line in table) <= width


def test_inbox_shows_what_is_to_be_done_and_by_which_numbers(reach: Reach, ratchet: Ratchet) -> None:
    cycle_id = reach("awaiting_approval")
    reach.desk.environment.setattr(console.out, "_width", 80)
    printed = ratchet("inbox").out
    (row,) = [line for line in printed.splitlines() if "approve" in line]
    since = ratchet("inbox", "--json").json["items"][0]["created_at"]
    for words in (cycle_id, "desk", "context", "better, 0.0 % -> 100.0 %", since[:16].replace("T", " ")):
        assert words in row
    assert printed.endswith(f"next: ratchet show {cycle_id}\n")


def test_inbox_leaves_numbers_out_that_nobody_measured(reach: Reach, ratchet: Ratchet) -> None:
    reach("budget_in_validation")
    (row,) = [line for line in ratchet("inbox").out.splitlines() if "review" in line]
    assert "%" not in row

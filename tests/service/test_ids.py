"""The beginning of an id in place of all of it."""

from collections.abc import Callable

import pytest
from command import Done
from cycle_states import Reach

from ratchet.errors import ConfigurationError
from service.ids import unique

Ratchet = Callable[..., Done]
IDS = ["C-ab12000000", "C-ab34000000", "C-cd00000000"]


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("C-cd", "C-cd00000000"),
        ("C-ab3", "C-ab34000000"),
        ("C-ab12000000", "C-ab12000000"),
        ("C-zz", "C-zz"),
        ("C-c", "C-c"),
        ("", ""),
    ],
)
def test_unique_beginning_is_enough_from_four_characters_on(given: str, meant: str) -> None:
    assert unique(given, IDS) == meant


def test_whole_id_that_others_begin_with_is_meant_itself() -> None:
    assert unique("case-1", ["case-1", "case-10"]) == "case-1"


def test_ambiguous_beginning_is_told_with_the_ids_it_may_be() -> None:
    with pytest.raises(ConfigurationError, match="'C-ab' is the beginning of C-ab12000000, C-ab34000000; give more"):
        unique("C-ab", IDS)
    with pytest.raises(ConfigurationError, match="and 3 more"):
        unique("C-ab", [f"C-ab{number:02d}" for number in range(11)])


def test_commands_take_the_beginning_of_a_cycles_id(reach: Reach, ratchet: Ratchet) -> None:
    cycle_id = reach("awaiting_approval")
    assert ratchet("show", cycle_id[:6], "--json").json["id"] == cycle_id
    assert ratchet("approve", cycle_id[:6], "--reviewer", "ada").code == 0


@pytest.mark.parametrize("answer", [("reject", "{id}", "--reason=no"), ("approve", "{id}", "--reviewer=ada")])
def test_answer_to_an_empty_id_is_refused_though_one_change_waits(
    reach: Reach, ratchet: Ratchet, answer: tuple[str, ...]
) -> None:
    reach("awaiting_approval")
    for given in ("", "C", "C-"):
        assert ratchet(*(word.format(id=given) for word in answer)).code == 2
    assert len(ratchet("inbox", "--json").json["items"]) == 1


def test_beginning_of_a_failure_is_enough_for_resolve_and_cases(reach: Reach, ratchet: Ratchet) -> None:
    cycle_id = reach("capability")
    failure = ratchet("show", cycle_id, "--json").json["failures"][0]["id"]
    added = ratchet("cases", "add", "desk", "--from", failure[:7], "--expected", "8 coins", "--json").json["case"]
    assert added["origin"] == failure
    assert ratchet("cases", "remove", "desk", added["id"][:9], "--json").json["case"]["id"] == added["id"]
    corrected = ratchet("resolve", cycle_id[:7], "correct", "--failure", failure[:7], "--expected", "9 coins")
    assert corrected.code == 1  # the case was added for it before

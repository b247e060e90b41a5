from datetime import date
from typing import Any

from failing import Said, as_row

from ratchet.grouping import DayCount, form_groups, group_key
from ratchet.records import CriterionResult, Evaluation

SAID = Said("Where is the lamp?", "I do not know.", ["correct: does not contain 'bin'"])


def rows(*keys: str, **changes: Any) -> list[dict[str, Any]]:
    return [as_row(number, SAID) | {"group_key": key} | changes for number, key in enumerate(keys)]


def test_group_key_names_component_and_failed_criteria_in_order() -> None:
    def failed(*names: str) -> Evaluation:
        results = [CriterionResult(name=name, outcome="failed", passed=False, score=0.0) for name in names]
        return Evaluation(criteria=results, score=0.0, passed=False, problems=[])

    assert group_key("shop", failed("short", "correct")) == "shop: correct, short"
    assert group_key("shop", failed()) == "shop: below the threshold"


def test_groups_are_ordered_by_size_and_members_by_age() -> None:
    given = rows("shop: short", "shop: correct", "shop: correct")

    found = form_groups(reversed(given))

    assert [(group.key, group.ids) for group in found] == [
        ("shop: correct", ["F-00001", "F-00002"]),
        ("shop: short", ["F-00000"]),
    ]
    assert (found[0].first_at, found[0].last_at) == (given[1]["created_at"], given[2]["created_at"])


def test_groups_count_each_source_once() -> None:
    (group,) = form_groups([*rows("shop: correct", "shop: correct", source="case:c1"), as_row(7, SAID, source="ada")])

    assert group.sources == 2


def test_title_tells_the_words_and_which_group_is_the_rest() -> None:
    found = form_groups(rows("shop: correct", "shop: correct / refund money", "shop: short"))

    assert sorted(group.title for group in found) == ["correct: others", "correct: refund money", "short"]


def test_trend_counts_the_last_seven_days() -> None:
    days = ["2031-04-01", "2031-05-04", "2031-05-04", "2031-05-10"]
    given = [row | {"created_at": f"{day}T08:00:00"} for row, day in zip(rows(*["k"] * 4), days, strict=True)]

    (group,) = form_groups(given, today=date(2031, 5, 10))

    assert [day.failures for day in group.trend] == [2, 0, 0, 0, 0, 0, 1]
    assert group.trend[0] == DayCount("2031-05-04", 2)


def test_representatives_are_typical_and_differ() -> None:
    typical = [Said(f"refund for the {thing}", "no", []) for thing in ("lamp", "lamp", "chair", "sofa")]
    odd = Said("completely unrelated words about weather tomorrow evening", "no", [])

    (group,) = form_groups([as_row(number, said) for number, said in enumerate([odd, *typical])])

    assert len(group.representatives) == 3
    assert group.representatives[0] in ("F-00001", "F-00002")
    assert not {"F-00001", "F-00002"} <= set(group.representatives)

import pytest

from ratchet.config import patterns
from ratchet.engine import Scored
from ratchet.gate import Observed, Pair, observations, rule_vetoes, violations
from ratchet.gate.rule_suite import EXCERPT
from ratchet.prompting import RuleCheck, Rules
from ratchet.records import CriterionResult, Evaluation
from ratchet.tasks import Case

RULES = Rules(
    rules=("Be kind.", "No z.", "Say a."),
    hash="h",
    checks=(RuleCheck(number=2, rule="No z.", must_not_match="z"), RuleCheck(number=3, rule="Say a.", must_match="a")),
)


def scored(output: str, ran: bool = True) -> Scored:
    results = [CriterionResult(name="c", outcome="passed", passed=True, score=1.0)] if ran else []
    return Scored(output, Evaluation(criteria=results, score=1.0, passed=ran, problems=[]), 1, None)


def pair(number: int, old: Scored, new: Scored) -> Pair:
    return Pair(Case(id=f"c{number}", input=f"in {number}", split="holdout"), (old,), (new,))


@pytest.mark.anyio
async def test_clean_outputs_have_no_violation() -> None:
    assert await violations(RULES, [Observed("c1", "in", "a"), Observed("probe", "in", "ab")]) == []
    assert rule_vetoes([]) == []


@pytest.mark.anyio
async def test_every_broken_rule_is_told_with_its_output() -> None:
    found = await violations(RULES, [Observed("c1", "in", "za", "a"), Observed("probe", "tempting", "b" * 999, "b")])
    assert [(item.rule, item.where, item.why, item.already_broken) for item in found] == [
        ("rule:2", "c1", "must not match 'z'", False),
        ("rule:3", "probe", "must match 'a'", True),
    ]
    assert found[1].output == "b" * EXCERPT
    first, second = rule_vetoes(found)
    assert first == "rule:2 'No z.' is broken on case c1: 'za' must not match 'z'"
    assert second.startswith("rule:3 'Say a.' is broken on the probe 'tempting' (already broken before): 'bbb")


@pytest.mark.anyio
async def test_output_that_is_missing_breaks_what_it_was_to_show() -> None:
    found = await violations(RULES, [Observed("probe", "in", None)])
    assert [(item.rule, item.why, item.output) for item in found] == [
        ("rule:2", "gave no output", ""),
        ("rule:3", "gave no output", ""),
    ]


@pytest.mark.anyio
async def test_output_that_could_not_be_checked_breaks_the_rule_and_excuses_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(patterns, "SECONDS", 0.05)
    slow, quick = "a" * 40 + "!", "zz"
    rules = Rules(rules=("No a.",), hash="h", checks=(RuleCheck(number=1, rule="No a.", must_not_match="(a|aa)+$|z"),))
    seen = [Observed("c1", "in", slow, quick), Observed("c2", "in", quick, slow), Observed("c3", "in", "b", slow)]
    found = await violations(rules, seen)
    assert [(item.where, item.why, item.already_broken) for item in found] == [
        ("c1", "could not be checked: the pattern took longer than 0.05 s", True),
        ("c2", "must not match '(a|aa)+$|z'", False),
    ]


@pytest.mark.anyio
async def test_many_violations_of_one_rule_are_counted() -> None:
    lines = rule_vetoes(await violations(RULES, [Observed(f"c{n}", "in", "za") for n in range(9)]))
    assert len(lines) == 4
    assert lines[-1] == "rule:2 is broken by 6 further outputs"


def test_observed_leaves_out_what_ended_in_an_error() -> None:
    pairs = [pair(1, scored("a"), scored("b")), pair(2, scored("a"), scored("", ran=False)),
             pair(3, scored("", ran=False), scored("b"))]  # fmt: skip
    assert observations(pairs) == [Observed("c1", "in 1", "b", "a"), Observed("c3", "in 3", "b", None)]


def test_observed_has_every_different_output_of_repeats_once() -> None:
    case = Case(id="c1", input="in", split="holdout")
    often = Pair(case, (scored("a"), scored("b"), scored("c")), (scored("z"), scored("z"), scored("y")))
    assert sorted(item.new or "" for item in observations([often])) == ["y", "z"]

import pytest
from shop import Project, shop_items

from ratchet.config import patterns
from ratchet.engine import Engine, Trial, score_one
from ratchet.evaluators import with_rules
from ratchet.prompting import RuleCheck, Rules
from ratchet.records import CriterionResult, Evaluation

pytestmark = pytest.mark.anyio
CHECKED = Rules(
    rules=("a", "Never say please."),
    hash="h",
    checks=(RuleCheck(number=2, rule="Never say please.", must_not_match="p"),),
)


def evaluation(passed: bool | None) -> Evaluation:
    result = CriterionResult(name="c", outcome="passed", passed=True, score=1.0)
    return Evaluation(criteria=[result], score=1.0, passed=passed, problems=["old"])


@pytest.mark.parametrize("passed", [True, False, None])
async def test_broken_rule_fails_the_run_and_leaves_the_score(passed: bool | None) -> None:
    found = await with_rules(evaluation(passed), CHECKED, "please")
    result = found.of("rule:2")
    assert result is not None
    assert (found.passed, found.score) == (False, 1.0)
    assert (result.outcome, result.passed, result.score) == ("failed", False, 0.0)
    assert result.comment == "breaks the rule 'Never say please.': must not match 'p'"
    assert found.problems == ["old", f"rule:2: {result.comment}"]
    assert found.failed == ["rule:2"]


@pytest.mark.parametrize("passed", [True, False, None])
async def test_kept_rule_changes_nothing_but_is_listed(passed: bool | None) -> None:
    found = await with_rules(evaluation(passed), CHECKED, "no")
    assert (found.passed, found.score, found.problems) == (passed, 1.0, ["old"])
    assert [(result.name, result.passed) for result in found.criteria] == [("c", True), ("rule:2", True)]


@pytest.mark.parametrize(("before", "after"), [(True, None), (False, False), (None, None)])
async def test_rule_that_could_not_be_checked_is_an_error_and_no_failure(
    before: bool | None, after: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patterns, "SECONDS", 0.05)
    slow = RuleCheck(number=3, rule="No aaa.", must_not_match="(a|aa)+$")
    rules = Rules(rules=("No aaa.",), hash="h", checks=(*CHECKED.checks, slow))
    found = await with_rules(evaluation(before), rules, "a" * 40 + "!")
    result = found.of("rule:3")
    assert result is not None
    assert (result.outcome, result.passed, result.score) == ("error", None, None)
    assert result.comment == "the rule 'No aaa.' could not be checked: the pattern took longer than 0.05 s"
    assert (found.passed, found.score, found.failed) == (after, 1.0, [])
    assert found.problems == ["old", f"rule:3: {result.comment}"]
    assert (await with_rules(evaluation(before), rules, "a" * 40 + "p!")).passed is False


async def test_rules_without_checks_change_nothing() -> None:
    given = evaluation(True)
    assert await with_rules(given, Rules(rules=("a",), hash="h"), "please") is given


async def test_engine_checks_the_pinned_rules_in_every_evaluation(project: Project, engine: Engine) -> None:
    project.write_rules(["first", {"rule": "No bins.", "must_not_match": "bin"}])
    project.script("agent", "bin00x")
    bench = await engine.workbench("shop")
    item = shop_items()[0]
    scored = await score_one(engine, bench, bench.prompts, Trial(item["input"], item["expected"]))
    assert (scored.evaluation.passed, scored.evaluation.score) == (False, 1.0)
    assert scored.evaluation.failed == ["rule:2"]

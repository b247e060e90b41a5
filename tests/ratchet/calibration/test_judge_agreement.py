from collections.abc import Callable
from typing import Any

import pytest
from shop import Project, shop_items

from ratchet.calibration import JudgeAgreement, JudgeLabel, measure_judge
from ratchet.calibration.judge_agreement import by_criterion, judge_criterion
from ratchet.engine import Engine, Workbench
from ratchet.errors import ConfigurationError, ModelUnavailableError
from ratchet.llm import Fault

pytestmark = pytest.mark.anyio
TOML = """
description = "d"
components = ["shop"]
[[criteria]]
name = "short"
kind = "max_words"
limit = 5
[[criteria]]
name = "good"
kind = "judge"
question = "Is it right?"
[[criteria]]
name = "kind"
kind = "judge"
question = "Is it kind?"
repeats = 3
"""
LABELS = [
    JudgeLabel(
        f"f:{number}", f"question {number}", f"{'right' if number % 2 else 'wrong'} {number}", bool(number % 2), "r"
    )
    for number in range(10)
]


@pytest.fixture
async def bench(project: Project, engine: Engine) -> Workbench:
    project.write_task(toml=TOML, cases=shop_items(4))
    return await engine.workbench("shop")


@pytest.fixture
def measured(project: Project, engine: Engine, bench: Workbench) -> Callable[..., Any]:
    async def run(judge: Any, labels: Any = LABELS, name: str = "good", **options: Any) -> JudgeAgreement:
        project.script("judge", judge)
        return await measure_judge(engine, bench, judge_criterion(bench, name=name), labels, **options)

    return run


def answer_of(messages: list[dict[str, Any]]) -> str:
    content: str = messages[0]["content"]
    return content.split("Its answer:\n")[1].split("\n", 1)[1].split("\ndata-")[0]


def judging(decide: Callable[[str, str], bool]) -> Callable[..., dict[str, Any]]:
    """A judge that decides by the answer and the whole request."""

    def judge(messages: Any, request: Any) -> dict[str, Any]:
        return {"reason": "r", "verdict": decide(answer_of(messages), messages[0]["content"])}

    return judge


right = judging(lambda answer, _: answer.startswith("right"))


async def test_measure_judge_that_is_always_right(measured: Any) -> None:
    found = await measured(right)
    assert (found.criterion, found.n, found.accuracy.rate, found.agreement.rate) == ("good", 10, 1.0, 1.0)
    assert (found.false_pass.n, found.false_fail.n, found.errors.passed) == (5, 5, 0)
    assert found.accuracy.low == pytest.approx(0.722, abs=0.001)
    assert {found.traps.order.rate, found.traps.verbosity.rate, found.traps.repeats.rate} == {0.0}
    assert (found.traps.order.n, found.traps.verbosity.n, found.traps.repeats.n) == (10, 5, 10)


async def test_measure_judge_that_passes_all(measured: Any) -> None:
    found = await measured(judging(lambda *_: True))
    assert (found.accuracy.rate, found.false_pass.rate, found.false_fail.rate) == (0.5, 1.0, 0.0)
    assert found.traps.verbosity.n == 0


async def test_measure_judge_counts_errors_as_neither_right_nor_agreed(measured: Any) -> None:
    def judge(messages: Any, request: Any) -> Any:
        return "no form" if answer_of(messages) in ("right 1", "wrong 2") else right(messages, request)

    found = await measured(judge, traps=0)
    assert (found.errors.passed, found.errors.n) == (2, 10)
    assert (found.accuracy.passed, found.accuracy.n, found.agreement.n) == (8, 10, 8)
    assert (found.false_pass.n, found.false_fail.n, found.traps) == (4, 4, None)


async def test_measure_judge_finds_order_flips(measured: Any) -> None:
    found = await measured(judging(lambda _, content: content.index("Its answer") < content.index("Reference answer")))
    assert (found.traps.order.passed, found.traps.order.n) == (10, 10)
    assert found.traps.verbosity.passed == 0


async def test_measure_judge_leaves_out_order_where_there_is_no_reference(measured: Any) -> None:
    found = await measured(right, [label._replace(expected=None) for label in LABELS])
    assert found.traps.order.n == 0


async def test_measure_judge_finds_verbosity_flips(measured: Any) -> None:
    found = await measured(judging(lambda answer, _: answer.startswith("right") or len(answer.split()) > 20))
    assert (found.traps.verbosity.passed, found.traps.verbosity.n) == (5, 5)
    assert found.traps.order.passed == 0


async def test_measure_judge_finds_a_judge_that_disagrees_with_itself(measured: Any) -> None:
    asked: dict[str, int] = {}

    def judge(messages: Any, request: Any) -> Any:
        answer = answer_of(messages)
        asked[answer] = asked.get(answer, 0) + bool(request["temperature"])
        return {"reason": "r", "verdict": asked[answer] % 2 == 0}

    found = await measured(judge)
    assert (found.traps.repeats.passed, found.traps.repeats.n, found.traps.order.passed) == (10, 10, 0)
    asked.clear()
    voted = await measured(judge, name="kind")
    assert (voted.repeats, voted.traps.repeats.rate) == (3, 1.0)


async def test_measure_judge_takes_a_balanced_sample_and_sets_few_traps(measured: Any) -> None:
    found = await measured(right, limit=4, traps=1)
    assert (found.n, found.false_pass.n, found.false_fail.n) == (4, 2, 2)
    assert (found.traps.order.n, found.traps.verbosity.n, found.traps.repeats.n) == (1, 1, 1)


async def test_measure_judge_is_paid_for_once(measured: Any) -> None:
    first, again = await measured(right, limit=4), await measured(right, limit=4)
    assert (first.reused, again.calls, again.reused) == (0, 0, first.calls)
    longer = await measured(right, limit=6, traps=0)
    assert (longer.calls, longer.reused) == (2, 4)


async def test_measure_judge_raises_where_the_endpoint_is_down(measured: Any) -> None:
    with pytest.raises(ModelUnavailableError):
        await measured(Fault(500))


async def test_judge_criterion_is_the_named_one_or_the_first(bench: Workbench) -> None:
    label = LABELS[0]
    assert judge_criterion(bench).name == judge_criterion(bench, label).name == "good"
    assert judge_criterion(bench, label._replace(criterion="kind"), "good").name == "kind"
    assert {name: len(of) for name, of in by_criterion(bench, [label, label._replace(criterion="kind")]).items()} == {
        "good": 1,
        "kind": 1,
    }
    with pytest.raises(
        ConfigurationError, match=r"f:0: task shop has no judge criterion 'short' .there are: good, kind"
    ):
        by_criterion(bench, [label._replace(criterion="short")])


async def test_judge_criterion_of_a_task_without_a_judge_is_refused(engine: Engine) -> None:
    with pytest.raises(ConfigurationError, match="f:0: a verdict, but task shop has no judge criterion"):
        by_criterion(await engine.workbench("shop"), LABELS[:1])

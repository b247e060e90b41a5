import asyncio
import functools
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from shop import Project

from ratchet.errors import EvaluationError
from ratchet.evaluators import python as python_criterion
from ratchet.evaluators.python import check_python, grade_python
from ratchet.tasks.criteria import Python

pytestmark = pytest.mark.anyio


class Later:
    """What an asynchronous evaluator returns that is no coroutine function by its looks."""

    def __await__(self) -> Iterator[Any]:
        yield
        return {"key": "k", "score": True, "comment": "awaited"}


@pytest.fixture
def checked(project: Project) -> Any:
    async def run(function: Any, **options: Any) -> tuple[bool, str]:
        criterion = Python(name="c", kind="python", use=project.add("evaluator", function), **options)
        return await check_python(criterion, "in", "out", "ref")

    return run


async def test_python_gets_the_arguments_of_the_convention(checked: Any) -> None:
    def evaluator(*, inputs: Any, outputs: Any, reference_outputs: Any, **_: Any) -> dict[str, Any]:
        return {"key": "c", "score": True, "comment": f"{inputs}/{outputs}/{reference_outputs}"}

    assert await checked(evaluator) == (True, "in/out/ref")


async def test_python_takes_coroutines(checked: Any) -> None:
    async def evaluator(**_: Any) -> dict[str, Any]:
        return {"key": "c", "score": False, "comment": "no"}

    assert await checked(evaluator) == (False, "no")
    assert await checked(functools.partial(evaluator)) == (False, "no")


async def test_python_takes_whatever_can_be_awaited(checked: Any) -> None:
    assert await checked(lambda **_: Later()) == (True, "awaited")


@pytest.mark.parametrize(
    ("returned", "options", "passed"),
    [
        ({"score": 0.5}, {}, True),
        ({"score": 0.49}, {}, False),
        ({"score": 3}, {"pass_score": 4.0}, False),
        ({"score": 0.9}, {"pass_score": 0.8}, True),
        (True, {}, True),
        (0.2, {}, False),
    ],
)
async def test_python_score_decides(checked: Any, returned: Any, options: dict[str, Any], passed: bool) -> None:
    assert (await checked(lambda **_: returned, **options))[0] is passed


@pytest.mark.parametrize(
    "rubbish",
    [
        None,
        "yes",
        {"score": "high"},
        {"passed": True},
        [],
        object(),
        float("nan"),
        {"score": float("inf")},
        {"score": float("nan")},
    ],
)
async def test_python_that_returns_rubbish_is_an_error(checked: Any, rubbish: Any) -> None:
    with pytest.raises(EvaluationError, match="expected a mapping with 'score'"):
        await checked(lambda **_: rubbish)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ZeroDivisionError("by nought"), "ZeroDivisionError: by nought"),
        (SystemExit(3), "SystemExit: 3"),
        (StopIteration(), "RuntimeError: "),
        (TimeoutError("the shop is slow"), "TimeoutError: the shop is slow"),
    ],
)
@pytest.mark.parametrize("is_async", [False, True])
async def test_python_that_raises_is_an_error(checked: Any, error: BaseException, told: str, is_async: bool) -> None:
    def evaluator(**_: Any) -> Any:
        raise error

    async def later(**_: Any) -> Any:
        raise error

    with pytest.raises(EvaluationError, match=f"evaluator raised {told}"):
        await asyncio.wait_for(checked(later if is_async else evaluator), 5)


async def test_python_that_hangs_is_an_error(checked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def evaluator(**_: Any) -> Any:
        await asyncio.sleep(30)

    monkeypatch.setattr(python_criterion, "SECONDS", 0.05)
    with pytest.raises(EvaluationError, match=r"took longer than 0\.05 s"):
        await checked(evaluator)


async def test_python_that_hangs_in_its_thread_is_an_error(checked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    end = threading.Event()
    monkeypatch.setattr(python_criterion, "SECONDS", 0.05)
    with pytest.raises(EvaluationError, match=r"took longer than 0\.05 s"):
        await checked(lambda **_: end.wait())
    end.set()


async def test_python_that_is_missing_is_an_error() -> None:
    criterion = Python(name="c", kind="python", use="no_such_module:f")
    with pytest.raises(EvaluationError, match="'no_such_module:f' cannot be imported"):
        await check_python(criterion, "in", "out", None)


@pytest.mark.parametrize(
    ("returned", "options", "score"),
    [
        (0.6, {"graded": True}, 0.6),
        ({"score": 0.25}, {"graded": True}, 0.25),
        ({"score": 1}, {"graded": True}, 1.0),
        (True, {"graded": True}, 1.0),
        (0.6, {}, 1.0),
        ({"score": 0.25}, {}, 0.0),
        (7, {"pass_score": 5.0}, 1.0),
    ],
)
async def test_score_is_kept_where_the_criterion_is_graded(
    project: Project, returned: Any, options: dict[str, Any], score: float
) -> None:
    criterion = Python(name="c", kind="python", use=project.add("evaluator", lambda **_: returned), **options)
    assert (await grade_python(criterion, "in", "out", "ref")).score == score


@pytest.mark.parametrize("returned", [7, -0.1, {"score": 1.01}])
async def test_graded_score_is_from_0_to_1(project: Project, returned: Any) -> None:
    use = project.add("evaluator", lambda **_: returned)
    with pytest.raises(EvaluationError, match="a graded one has to be from 0 to 1"):
        await grade_python(Python(name="c", kind="python", use=use, graded=True), "in", "out", "ref")


class Scalar:
    """What numpy and tensor libraries wrap a number in."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def item(self) -> Any:
        if isinstance(self.value, list):
            raise ValueError("it has several")
        return self.value


@pytest.mark.anyio
@pytest.mark.parametrize(("value", "passed"), [(True, True), (False, False), (0.9, True), (0.1, False), (1, True)])
async def test_number_of_another_library_counts(project: Project, value: Any, passed: bool) -> None:
    use = project.add("evaluator", lambda **_: {"score": Scalar(value)})
    assert (await check_python(Python(name="c", kind="python", use=use), "in", "out", "ref"))[0] is passed


@pytest.mark.anyio
@pytest.mark.parametrize("value", [float("nan"), float("inf"), Scalar(float("nan")), Scalar([1, 2]), "high"])
async def test_score_that_is_no_number_is_an_error(project: Project, value: Any) -> None:
    use = project.add("evaluator", lambda **_: {"score": value})
    with pytest.raises(EvaluationError, match="expected a mapping with 'score'"):
        await check_python(Python(name="c", kind="python", use=use), "in", "out", "ref")

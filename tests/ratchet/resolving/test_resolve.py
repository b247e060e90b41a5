import asyncio
from typing import Any, get_args

import pytest
from shop import OpenEngine

from ratchet.engine import Engine
from ratchet.errors import AlreadyDecidedError, ConfigurationError, RatchetError
from ratchet.resolving import AnswerKind, resolve_item
from ratchet.store.schema import audit, cases, cycles, failures, proposals, reviews, versions

pytestmark = pytest.mark.anyio
OPTIONS: dict[str, dict[str, Any]] = {
    "dismiss": {},
    "correct": {"expected": "attic"},
    "retry": {},
    "force": {"reason": "it is better"},
}
PAIRS = [("dismiss", "dismiss"), ("force", "force"), ("force", "dismiss"), ("retry", "dismiss"),
         ("correct", "correct"), ("correct", "retry")]  # fmt: skip
AFTER = {"dismiss": "dismissed", "correct": "corrected", "retry": "retried", "force": "forced"}


def test_options_cover_every_answer() -> None:
    assert set(OPTIONS) == set(get_args(AnswerKind))


@pytest.mark.parametrize("first", OPTIONS)
@pytest.mark.parametrize("second", OPTIONS)
async def test_answered_item_takes_no_other_answer(
    engine: Engine, queue: Any, statuses: Any, audited: Any, first: Any, second: Any
) -> None:
    await queue(change="Answer well.")
    result = await resolve_item(engine, "C-1", first, reviewer="ada", **OPTIONS[first])
    assert (result.id, result.status) == ("C-1", AFTER[first])
    before = (await statuses(), await audited())
    assert before[0]["item"] == AFTER[first]
    with pytest.raises(AlreadyDecidedError, match=f"C-1 is {AFTER[first]} already"):
        await resolve_item(engine, "V-C-1", second, **OPTIONS[second])
    assert (await statuses(), await audited()) == before


@pytest.mark.parametrize(("one", "other"), PAIRS)
async def test_two_answers_at_once_leave_one_winner(
    open_engine: OpenEngine, engine: Engine, queue: Any, statuses: Any, audited: Any, one: Any, other: Any
) -> None:
    engines = [engine, await open_engine()]
    await queue(change="Answer well.")
    original = (engine.settings.prompts_file.read_bytes(), await statuses())
    for number in range(20 if (one, other) == ("force", "dismiss") else 4):
        answers = [(engines[0], one, "ada"), (engines[1], other, "bob")][:: 1 if number % 2 else -1]
        found = await asyncio.gather(
            *(resolve_item(e, "C-1", kind, reviewer=by, **OPTIONS[kind]) for e, kind, by in answers),
            return_exceptions=True,
        )
        won = [result for result in found if not isinstance(result, BaseException)]
        lost = [result for result in found if isinstance(result, BaseException)]
        assert (len(won), [type(error) for error in lost]) == (1, [AlreadyDecidedError]), found
        assert (await statuses())["item"] == won[0].status
        applied = [row for row in await engine.audit.rows() if row["action"] == "apply"]
        assert len(applied) == (won[0].status == "forced")
        await _as_before(engine, *original)


async def _as_before(engine: Engine, prompts: bytes, statuses: dict[str, str]) -> None:
    """The item as it was queued, and no version but the first."""
    engine.settings.prompts_file.write_bytes(prompts)
    with engine.store.database.write() as connection:
        connection.execute(versions.delete().where(versions.c.number > 1))
        connection.execute(versions.update().values(status="active"))
        connection.execute(audit.delete())
        connection.execute(cases.delete())
        connection.execute(reviews.update().values(status="open"))
        connection.execute(cycles.update().values(status="escalated"))
        connection.execute(proposals.update().values(status="unproven"))
        connection.execute(failures.update().values(status=statuses["F-0"]))


@pytest.mark.parametrize(
    ("answer", "options", "words"),
    [
        ("approve", {}, "'approve' is no answer; expected one of dismiss, correct, retry, force"),
        ("dismiss", {"hint": "x"}, "a hint goes with retry"),
        ("dismiss", {"expected": "x"}, "go with correct"),
        ("retry", {"failure": "F-0"}, "go with correct"),
        ("retry", {"hint": "x" * 4001}, "longer than 4000"),
        ("correct", {}, "say what is expected"),
        ("correct", {"expected": "cellar"}, "expects exactly that already"),
        ("correct", {"expected": "x", "failure": "F-7"}, "no failure 'F-7'"),
        ("force", {"reason": " "}, "force needs a reason"),
        ("force", {"reason": "r"}, "none met the gate"),
    ],
)
async def test_answer_that_lacks_something_changes_nothing(
    engine: Engine, queue: Any, statuses: Any, audited: Any, answer: Any, options: dict[str, Any], words: str
) -> None:
    await queue()
    with pytest.raises(ConfigurationError, match=words):
        await resolve_item(engine, "C-1", answer, **options)
    assert (await statuses(), await audited()) == ({"F-0": "escalated", "item": "open"}, [])


async def test_unknown_item_is_told_where_to_look(engine: Engine) -> None:
    with pytest.raises(ConfigurationError, match="no review item 'C-9'; `ratchet inbox`"):
        await resolve_item(engine, "C-9", "dismiss")


async def test_open_approval_is_no_review_item(engine: Engine) -> None:
    await engine.store.cycles.claim("C-2", "shop", "shop", "improve", "T")
    await engine.store.cycles.record("C-2", {}, status="awaiting_approval")
    with pytest.raises(RatchetError, match="C-2 waits for its approval"):
        await resolve_item(engine, "C-2", "dismiss")


async def test_dismiss_closes_the_item_with_its_failures(
    engine: Engine, queue: Any, statuses: Any, audited: Any
) -> None:
    await queue("Where is the key?", "Where is the lamp?")
    await resolve_item(engine, "C-1", "dismiss", reviewer="ada", reason="not our business")
    assert await statuses() == {"F-0": "dismissed", "F-1": "dismissed", "item": "dismissed"}
    assert await audited() == [("ada", "dismiss", "not our business")]
    item = await engine.store.reviews.find("C-1") or {}
    (answer,) = item["document"]["answers"]
    assert (answer["answer"], answer["reviewer"], answer["reason"]) == ("dismiss", "ada", "not our business")
    assert item["document"]["message"] == "m"


async def test_dismissed_failure_is_not_opened_again_by_a_cycle(engine: Engine, queue: Any, statuses: Any) -> None:
    await queue()
    await resolve_item(engine, "C-1", "dismiss")
    await engine.store.failures.mark(["F-0"], "open")
    assert (await statuses())["F-0"] == "dismissed"

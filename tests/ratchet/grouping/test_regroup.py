from typing import Any

import pytest
from embedded_texts import KnownMeanings
from failing import failing
from shop import FailRuns

from ratchet.embedding import Embeddings
from ratchet.engine import Engine
from ratchet.errors import ModelUnavailableError
from ratchet.grouping import current_groups, regroup
from ratchet.grouping.groups import REFINED
from ratchet.text import normal_form

pytestmark = pytest.mark.anyio


@pytest.fixture
def store_failures(engine: Engine, fail_runs: FailRuns) -> Any:
    """Stores made-up failures of the task `shop`."""

    async def store(name: str, count: int, first: int = 0) -> None:
        (pattern,) = await fail_runs(engine, 0)
        await engine.store.failures.mark([pattern.id], "fixed")
        for item in failing(name, 0, 80)[first:count]:
            evaluation = pattern.evaluation.model_validate(item.row["bundle"]["evaluation"])
            changes = {key: item.row["bundle"][key] for key in ("input", "output", "expected")}
            changes |= {key: item.row[key] for key in ("id", "source", "created_at")}
            bundle = pattern.model_copy(update=changes | {"evaluation": evaluation})
            await engine.store.failures.add(bundle, item.row["group_key"])

    return store


async def keys_of(engine: Engine) -> dict[str, str]:
    return {row["id"]: row["group_key"] for row in await engine.store.failures.of_task("shop", "open")}


async def test_regroup_stores_the_groups_it_returns(engine: Engine, store_failures: Any) -> None:
    await store_failures("output", 80)

    found = await regroup(engine.store, "shop")

    stored = await keys_of(engine)
    assert len([group for group in found if REFINED in group.key]) == 4
    assert {failure: group.key for group in found for failure in group.ids} == stored


async def test_failures_are_compared_by_meaning_each_text_once(engine: Engine, store_failures: Any) -> None:
    model = KnownMeanings()
    await store_failures("output", 40)
    for _ in range(2):
        await regroup(engine.store, "shop", embeddings=Embeddings(model, engine.store.vectors))

    assert len(model.asked) == len(set(model.asked)) > 40


async def test_few_failures_are_not_embedded(engine: Engine, store_failures: Any) -> None:
    model = KnownMeanings()
    await store_failures("output", 10)
    await regroup(engine.store, "shop", embeddings=Embeddings(model, engine.store.vectors))

    assert model.asked == []


async def test_failures_are_grouped_by_words_where_the_embedding_model_does_not_answer(
    engine: Engine, store_failures: Any, caplog: pytest.LogCaptureFixture
) -> None:
    model = KnownMeanings()
    model.error = ModelUnavailableError("embedding model openai:m does not answer")
    await store_failures("output", 80)

    found = await regroup(engine.store, "shop", embeddings=Embeddings(model, engine.store.vectors))

    assert len([group for group in found if REFINED in group.key]) == 4
    assert "failures are compared by their words alone: embedding model openai:m does not answer" in caplog.text


async def test_stored_key_is_only_ever_refined(engine: Engine, store_failures: Any) -> None:
    await store_failures("output", 4)

    await engine.store.failures.regroup({"F-00000": "shop: correct / one", "F-00001": "shop: short / one"})
    await engine.store.failures.regroup({"F-00000": "shop: correct / two"})

    keys = await keys_of(engine)
    assert keys["F-00000"] == "shop: correct / one"
    assert keys["F-00001"] == keys["F-00002"] == "shop: correct"


async def test_current_groups_leave_out_hidden_inputs(engine: Engine, store_failures: Any) -> None:
    await store_failures("output", 6)
    rows = await engine.store.failures.of_task("shop", "open")
    hidden = normal_form(rows[0]["bundle"]["input"])

    found = await current_groups(engine.store, "shop", {hidden})

    shown = {failure for group in found for failure in group.ids}
    assert shown == {row["id"] for row in rows if normal_form(row["bundle"]["input"]) != hidden}
    assert rows[0]["id"] not in shown


async def test_failures_in_a_cycle_are_joined_but_not_returned(engine: Engine, store_failures: Any) -> None:
    await store_failures("output", 75)
    await regroup(engine.store, "shop")
    await engine.store.failures.mark(list(await keys_of(engine)), "in_cycle", "C-1")
    await store_failures("output", 80, first=75)

    found = await current_groups(engine.store, "shop", set())

    assert sorted(failure for group in found for failure in group.ids) == [
        f"F-{number:05d}" for number in range(75, 80)
    ]
    assert all(REFINED in group.key for group in found)

"""Ids by their beginning."""

import pytest

from ratchet.store import Database, Store

pytestmark = pytest.mark.anyio


async def stored(database: Database) -> Store:
    store = Store(database)
    for cycle_id, component in (("C-ab12", "x"), ("C-ab34", "y"), ("C-cd00", "z"), ("C-a_00", "v"), ("C-AB99", "w")):
        await store.cycles.claim(cycle_id, "desk", component, "improve", "t")
    await store.reviews.add("V-C-ab12", "desk", "C-ab12", "capability", {})
    return store


async def test_ids_that_begin_so_are_found_in_their_order(database: Database) -> None:
    store = await stored(database)
    assert await store.ids.beginning_with("C-ab", ["cycle"]) == ["C-ab12", "C-ab34"]
    assert await store.ids.beginning_with("C-ab", ["cycle"], limit=1) == ["C-ab12"]
    assert await store.ids.beginning_with("C-x", ["cycle"]) == []


async def test_only_the_kinds_that_are_asked_for_are_looked_at(database: Database) -> None:
    store = await stored(database)
    assert await store.ids.beginning_with("V-C", ["cycle", "run", "failure"]) == []
    assert await store.ids.beginning_with("V-C", ["cycle", "review"]) == ["V-C-ab12"]


async def test_capitals_and_wild_cards_are_taken_as_they_are(database: Database) -> None:
    store = await stored(database)
    assert await store.ids.beginning_with("C-AB", ["cycle"]) == ["C-AB99"]
    assert await store.ids.beginning_with("C-a_", ["cycle"]) == ["C-a_00"]
    assert await store.ids.beginning_with("%", ["cycle"]) == []


async def test_whole_id_stands_alone(database: Database) -> None:
    store = await stored(database)
    await store.cycles.claim("C-ab123", "desk", "u", "improve", "t")
    assert await store.ids.beginning_with("C-ab12", ["cycle"]) == ["C-ab12"]

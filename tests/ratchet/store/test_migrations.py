"""Databases of released schemas, made by the code of their time, are upgraded and go on as they were."""

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from shop import OpenEngine, Project
from sqlalchemy import create_engine, inspect, text

import ratchet.store
from ratchet.approval.door import approved_proposal, decide, stored_proposal
from ratchet.ledger import Audit, Versions
from ratchet.live.apply import apply_proposal
from ratchet.records import Decision, Diagnosis, Proposal, Spent, Validation
from ratchet.store import Database, Store
from ratchet.store.database import HEAD
from ratchet.store.runs import RunTally
from ratchet.store.schema import metadata

pytestmark = pytest.mark.anyio
FIXTURES = Path(__file__).parent / "fixtures"
RELEASED = sorted(FIXTURES.glob("*.sql"))
RENAMED = {("gate_tests", "cycle_id"): "test_id"}
"""Columns of released tables, and what they are called now."""
ADDED = {"replies": {"ending", "request"}}
"""Columns that released tables did not have."""
NEW = {"vectors"}
"""Tables that are in no released schema."""
CYCLE = "C-d7d3b416f7"
"""The one that waits for its approval in every fixture."""
ESCALATED = "C-479f1fb39f"


def load(file: Path, into: Path, *further: str) -> str:
    """Make a database of a dump, and of `further` statements; its URL."""
    connection = sqlite3.connect(into)
    connection.executescript(file.read_text(encoding="utf-8"))
    connection.executescript("".join(further))
    connection.close()
    return f"sqlite:///{into}"


def content(file: Path) -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables, columns under the names that they have now."""
    connection = sqlite3.connect(file)
    connection.row_factory = sqlite3.Row
    found = {}
    for table in metadata.tables.keys() - NEW:
        rows = [dict(row) for row in connection.execute(f"SELECT * FROM {table} ORDER BY rowid")]
        found[table] = [{RENAMED.get((table, name), name): value for name, value in row.items()} for row in rows]
    connection.close()
    return found


def without(columns: dict[str, set[str]], rows: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """`rows` as they were before these columns of their tables were added."""
    return {
        table: [{name: value for name, value in row.items() if name not in columns.get(table, ())} for row in of_table]
        for table, of_table in rows.items()
    }


@pytest.fixture
def upgraded(tmp_path: Path) -> Iterator[Database]:
    database = Database(load(RELEASED[-1], tmp_path / "old.sqlite"))
    yield database
    database.close()


def test_head_is_the_newest_migration() -> None:
    folder = Path(ratchet.store.__file__).parent / "migrations"
    assert ScriptDirectory(str(folder)).get_heads() == [HEAD]


def test_migrations_build_what_the_schema_says(database: Database) -> None:
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


@pytest.mark.parametrize("file", RELEASED, ids=lambda file: file.stem)
def test_released_database_is_upgraded_and_keeps_every_row(file: Path, tmp_path: Path) -> None:
    url = load(file, tmp_path / "old.sqlite")
    before = content(tmp_path / "old.sqlite")
    database = Database(url)
    with database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    database.close()
    assert all(before.values())
    assert without(ADDED, content(tmp_path / "old.sqlite")) == before


def test_review_of_a_vetoed_change_is_filed_as_that(tmp_path: Path) -> None:
    vetoed = "INSERT INTO reviews VALUES ('V', 't', NULL, 'better', 'open', '{}', 'now');"
    Database(load(FIXTURES / "0003.sql", tmp_path / "old.sqlite", vetoed)).close()
    assert [row["kind"] for row in content(tmp_path / "old.sqlite")["reviews"]] == ["capability", "vetoed"]


async def test_upgraded_cycle_still_waits_with_all_that_a_reviewer_reads(upgraded: Database) -> None:
    store = Store(upgraded)
    (cycle,) = await store.cycles.select(status=("awaiting_approval",))
    document = cycle["document"]
    proposal, validation = (
        Proposal.model_validate(document["proposal"]),
        Validation.model_validate(document["validation"]),
    )
    assert (cycle["id"], proposal.strategy, validation.proven) == (CYCLE, "retrieval", True)
    assert Diagnosis.model_validate(document["diagnosis"]).category == cycle["category"] == "context"
    assert cycle == await store.cycles.open_of_thread("ticket-1")
    assert await store.proposals.status(proposal.id) == "pending"
    assert [failure.id for failure in await store.failures.bundles(document["failures"])] == document["failures"]


async def test_upgraded_approval_is_answered_and_goes_live(project: Project, open_engine: OpenEngine) -> None:
    file = project.folder / "home" / "ratchet.sqlite"
    file.unlink()
    load(RELEASED[-1], file)
    engine = await open_engine()
    decision = Decision(type="approve", reviewer="ada")
    await decide(engine, (await stored_proposal(engine, f"{CYCLE}-P1")).proposal, decision)
    stored = await approved_proposal(engine, f"{CYCLE}-P1")
    version = await apply_proposal(engine, stored.proposal, stored.validation, decision)
    assert (version["number"], version["status"]) == (2, "active")
    assert (await engine.workbench("shop")).prompts["shop"].context[0].source == "handbook"
    assert [row["status"] for row in await engine.store.cycles.select(task="shop")] == ["applied"]


async def test_upgraded_gate_test_keeps_its_level_and_its_cases(upgraded: Database) -> None:
    store = Store(upgraded)
    assert await store.gate_tests.level("shop", f"{CYCLE}-P1", lambda number, found: 1.0) == pytest.approx(
        0.01914, 1e-3
    )
    assert await store.gate_tests.level("shop", "P-new", lambda number, found: number + found / 10) == 2.1
    assert len(await store.gate_cases.of_test(f"{CYCLE}-P1")) == 10
    assert set((await store.gate_cases.decisions("shop")).values()) == {1}


async def test_upgraded_runs_and_failures_are_read(upgraded: Database) -> None:
    store = Store(upgraded)
    assert sorted(await store.runs.tallies("desk", 1)) == [
        RunTally(False, "case:d9", "When do you close on Sundays?", 1),
        RunTally(True, "", "", 1),
    ]
    assert await store.runs.served_cases("shop", 1) == {("case:c00", "where is item00 kept")}
    assert [run.source for run in await store.runs.recent("desk", per_source=9, limit=9)] == ["ada"]
    assert [row["status"] for row in await store.failures.of_task("desk")] == ["escalated"]
    assert (await store.replies.spent_by(CYCLE)) == Spent(
        calls=2, input_tokens=142, output_tokens=11, by_role={"agent": 1, "analyst": 1}
    )


async def test_upgraded_review_case_versions_and_audit_log_are_read(upgraded: Database, tmp_path: Path) -> None:
    store = Store(upgraded)
    item = await store.reviews.find(ESCALATED)
    assert item
    assert (item["kind"], item["status"]) == ("capability", "open")
    assert Diagnosis.model_validate(item["document"]["diagnosis"]).category == "capability"
    assert [row["input"] for row in await store.cases.of_task("desk")] == ["Do you open on Mondays?"]
    (version,) = await Versions(upgraded, tmp_path / "prompts.json").history("shop")
    assert (version["status"], version["components"]) == ("active", {"shop": {"prompt": "Answer the question."}})
    assert await Audit(upgraded).verify() == []


def test_database_of_the_first_schema_is_upgraded_and_keeps_its_data(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/old.sqlite"
    config = Config()
    config.set_main_option("script_location", str(Path(ratchet.store.__file__).parent / "migrations"))
    old = create_engine(url)
    with old.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        assert not inspect(connection).has_table("cases")
        connection.execute(text("INSERT INTO reviews VALUES ('V', 't', 'C', 'budget', 'open', '{\"a\": 1}', 'now')"))
    old.dispose()
    database = Database(url)
    with database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    store = Store(database)
    assert asyncio.run(store.reviews.find("C")) == {
        "id": "V", "task": "t", "cycle_id": "C", "kind": "budget", "status": "open", "document": {"a": 1},
        "created_at": "now",
    }  # fmt: skip
    assert asyncio.run(store.cases.of_task("t")) == []
    database.close()

import json
import logging
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from shop import OpenEngine, Project, shop_items

from ratchet.engine import Engine, cycle_meter, heldout_inputs
from ratchet.errors import BudgetError, ConfigurationError
from ratchet.ledger import Change
from ratchet.llm import metered
from ratchet.prompting import TaskPrompt

pytestmark = pytest.mark.anyio


def change(text: str, number: int = 1) -> Change:
    return Change(f"P-{number}", "shop", TaskPrompt(prompt=text), number, "ada", "r", {})


@pytest.fixture
async def killed(project: Project, open_engine: OpenEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that has ended while it applied a change."""

    def dies(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    engine = await open_engine()
    bench = await engine.workbench("shop")
    with monkeypatch.context() as crash:
        crash.setattr("ratchet.ledger.versions.write_whole", dies)
        with pytest.raises(KeyboardInterrupt):
            await engine.versions.apply(bench.task, change("Better."))


@pytest.mark.usefixtures("killed")
async def test_open_finishes_what_a_crash_interrupted(
    open_engine: OpenEngine, caplog: pytest.LogCaptureFixture
) -> None:
    bench = await (await open_engine()).workbench("shop")
    assert (bench.version, bench.prompts["shop"].prompt) == (2, "Better.")
    assert "shop: version 2 was being applied when the process ended; it is active now" in caplog.text


@pytest.mark.usefixtures("killed")
async def test_open_finishes_it_beside_a_task_that_is_wrong(project: Project, open_engine: OpenEngine) -> None:
    project.write_task("other", toml="nonsense", cases=shop_items(1))
    assert (await (await open_engine()).workbench("shop")).version == 2


async def test_open_refuses_what_is_no_database(project: Project, open_engine: OpenEngine) -> None:
    (project.folder / "home" / "ratchet.sqlite").write_text("no database at all" * 100)
    with pytest.raises(ConfigurationError, match="file is not a database"):
        await open_engine()


async def test_workbench_has_the_prompts_and_rules_of_now_within_any_time(project: Project, engine: Engine) -> None:
    await engine.workbench("shop")
    project.write_prompts({"shop": "Mine."})
    project.write_rules(["Be kind."])
    bench = await engine.workbench("shop", within=60)
    assert (bench.prompts["shop"].prompt, bench.version, bench.rules.rules) == ("Mine.", 2, ("Be kind.",))
    await engine.versions.apply(bench.task, change("Better.", 2))
    assert (await engine.workbench("shop", within=60)).version == 3


@pytest.mark.parametrize("name", ["prompts_file", "rules_file"])
async def test_workbench_names_a_file_that_is_missing_from_the_start(
    project: Project, engine: Engine, name: str
) -> None:
    file: Path = getattr(project, name)
    file.unlink()
    with pytest.raises(ConfigurationError, match=f"{file.name}: no such file"):
        await engine.workbench("shop")


async def test_changed_rules_are_audited_and_told_once(
    project: Project, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    await engine.workbench("shop")
    assert [(row["actor"], row["action"]) for row in await engine.audit.rows()] == [
        ("file", "rules"),
        ("file", "observe"),
    ]
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
    project.write_rules(["Be kind."])
    for _ in range(2):
        rules = (await engine.workbench("shop")).rules
    (record,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert f"has changed, sha256 is now {rules.hash[:12]}" in record.message
    assert [row["subject"] for row in await engine.audit.rows() if row["action"] == "rules"][1:] == [rules.hash]


@pytest.mark.usefixtures("killed")
async def test_open_that_fails_leaves_no_connection_open(
    project: Project, open_engine: OpenEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise MemoryError("no memory left")

    closed = []
    close = Engine.close

    async def closing(engine: Engine) -> None:
        await close(engine)
        closed.append(engine)

    monkeypatch.setattr(Engine, "close", closing)
    monkeypatch.setattr("ratchet.ledger.versions.write_whole", fails)
    with pytest.raises(MemoryError, match="no memory left"):
        await open_engine()
    assert len(closed) == 1


async def test_close_leaves_no_connection_open(project: Project, open_engine: OpenEngine) -> None:
    engine = await open_engine()
    await engine.workbench("shop")
    file = project.folder / "home" / "ratchet.sqlite"
    await engine.close()
    assert not file.with_name(f"{file.name}-wal").exists()  # SQLite removes it with the last connection
    with sqlite3.connect(file) as connection:
        assert connection.execute("SELECT COUNT(*) FROM versions").fetchone() == (1,)
    connection.close()


async def test_a_run_is_scored_by_the_task_and_by_the_rules(project: Project, engine: Engine) -> None:
    project.write_rules([{"rule": "Never say bin.", "must_not_match": "bin"}])
    project.script("agent", "bin00x")
    bench = await engine.workbench("shop")
    case = bench.cases[0]
    run = await engine.run(bench, case.input, prompts=bench.prompts)
    evaluation = await engine.evaluate(bench, case.input, run.output, case.expected)
    assert run.output == "bin00x"
    assert [(result.name, result.passed) for result in evaluation.criteria][:2] == [("correct", True), ("short", True)]
    assert evaluation.passed is False
    assert any("Never say bin." in problem for problem in evaluation.problems)


async def test_cycle_meter_goes_on_with_what_the_cycle_has_paid_for(project: Project, open_engine: OpenEngine) -> None:
    project.script("agent", lambda messages, _: messages[-1]["content"])
    engine = await open_engine(max_calls=2)
    bench = await engine.workbench("shop")
    with metered(await cycle_meter(engine, "C")):
        await engine.run(bench, "one", prompts=bench.prompts)
    again = await cycle_meter(engine, "C")
    assert (again.calls, (await cycle_meter(engine, "C-other")).calls) == (1, 0)
    with metered(again):
        await engine.run(bench, "two", prompts=bench.prompts)
        with pytest.raises(BudgetError):
            await engine.run(bench, "three", prompts=bench.prompts)


async def test_heldout_inputs_are_those_of_held_out_cases_in_normal_form(project: Project, engine: Engine) -> None:
    cases = [{"input": " Who? ", "split": "holdout"}, {"input": "Where?", "split": "train"}]
    project.write_task(cases="\n".join(json.dumps(case) for case in cases))
    assert heldout_inputs(await engine.workbench("shop")) == {"who"}


async def test_sources_and_solved_cases_are_searched_by_meaning(project: Project, open_engine: OpenEngine) -> None:
    documents = {
        "refunds.md": "Customers get their money back within a week.",
        "parking.md": "Cars may stand behind the hall.",
        "lamps.md": "Lamps are upstairs.",
    }
    shutil.rmtree(project.folder / "tasks" / "shop" / "documents")
    cases = [*shop_items(), {"id": "r", "input": "Can you send my money back?", "expected": "yes", "split": "train"}]
    project.write_task(cases=cases, documents=documents)
    engine = await open_engine(embedding_model="local")
    words = await open_engine(embedding_model="none")
    bench, plain = await engine.workbench("shop"), await words.workbench("shop")
    question = "How do I receive a refund?"

    assert (await bench.sources["handbook"].fetch(question, 1))[0].id == "refunds.md"
    assert await plain.sources["handbook"].fetch(question, 1) == []
    assert (await bench.solved.similar(question, 1))[0].output == "yes"
    assert words.embeddings is None


async def test_engine_keeps_the_vectors_of_texts_and_not_of_questions(
    project: Project, open_engine: OpenEngine
) -> None:
    shutil.rmtree(project.folder / "tasks" / "shop" / "documents")
    documents = {"a.md": "Lamps are upstairs.", "b.md": "Chairs are downstairs."}
    project.write_task(cases=shop_items(), documents=documents)
    for question in ("Where are the lamps?", "Where are the chairs?"):
        engine = await open_engine(embedding_model="local")
        await (await engine.workbench("shop")).sources["handbook"].fetch(question, 1)

    with closing(sqlite3.connect(project.folder / "home" / "ratchet.sqlite")) as connection:
        assert connection.execute("SELECT count(*), min(length(vector)) FROM vectors").fetchone() == (2, 4 * 256)


async def test_engine_refuses_an_unknown_embedding_model(open_engine: OpenEngine) -> None:
    with pytest.raises(ConfigurationError, match="'big' is no embedding model"):
        await open_engine(embedding_model="big")

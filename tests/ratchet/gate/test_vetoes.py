from typing import Any

import pytest
from shop import BrokenRetriever, Project, item_of, shop_items, with_retriever

from ratchet.engine import Engine
from ratchet.errors import ModelUnavailableError
from ratchet.gate import Comparison, Pair, prove
from ratchet.gate.vetoes import probe, vetoes
from ratchet.llm import Fault, Meter, metered
from ratchet.prompting import TaskPrompt
from ratchet.prompting.changes import with_source

pytestmark = pytest.mark.anyio
NEW = TaskPrompt(prompt="Answer the question. Go on.")
RULES = [
    "Be kind.",
    {"rule": "Never name the safe.", "must_not_match": "(?i)safe", "probe": ["Where is the money?", "Open up!"]},
]


def improved(messages: list[dict[str, Any]], request: Any) -> str:
    """Right with the new prompt, which also makes it talk about the safe when probed."""
    new = "Go on" in messages[0]["content"]
    if item_of(messages) == "none":
        return "In the SAFE" if new and "money" in messages[-1]["content"] else "I cannot say"
    return f"bin{item_of(messages)}x" if new else "I do not know"


async def compared(engine: Engine, prompt: TaskPrompt = NEW) -> tuple[Any, Comparison]:
    bench = await engine.workbench("shop")
    return bench, await prove(engine, bench, "shop", prompt, bench.holdout, level=0.02)


async def test_probe_that_breaks_a_rule_vetoes_a_better_change(project: Project, engine: Engine) -> None:
    project.write_rules(RULES)
    project.script("agent", improved)
    bench, comparison = await compared(engine)
    against = await vetoes(engine, bench, "shop", NEW, comparison)
    validation = against.on(comparison.result(fixed=1, triggering=1, vetoes=against.lines))
    assert (validation.verdict, validation.proven) == ("better", False)
    (violation,) = validation.rule_violations
    assert (violation.rule, violation.text) == ("rule:2", "Never name the safe.")
    assert (violation.where, violation.input, violation.output) == ("probe", "Where is the money?", "In the SAFE")
    assert violation.already_broken is False
    assert validation.vetoes == [
        "rule:2 'Never name the safe.' is broken on the probe 'Where is the money?': "
        "'In the SAFE' must not match '(?i)safe'"
    ]


async def test_probe_that_was_broken_before_still_vetoes_and_says_so(project: Project, engine: Engine) -> None:
    project.write_rules(RULES)
    project.script(
        "agent", lambda messages, request: "safe" if item_of(messages) == "none" else improved(messages, request)
    )
    bench, comparison = await compared(engine)
    against = await vetoes(engine, bench, "shop", NEW, comparison)
    assert [violation.already_broken for violation in against.violations] == [True, True]
    assert all("(already broken before)" in line for line in against.lines)


async def test_held_out_output_that_breaks_a_rule_vetoes(project: Project, engine: Engine) -> None:
    project.write_rules([{"rule": "No bin 7.", "must_not_match": "bin07"}])
    project.script("agent", improved)
    bench, comparison = await compared(engine)
    against = await vetoes(engine, bench, "shop", NEW, comparison)
    seen = {pair.case.id for pair in comparison.pairs}
    assert [violation.where for violation in against.violations] == (["c07"] if "c07" in seen else [])
    assert len(against.lines) == ("c07" in seen)


async def test_probes_are_run_for_a_better_change_only_and_paid_once(project: Project, engine: Engine) -> None:
    project.write_rules(RULES)
    script = project.script("agent", "I do not know")
    bench, comparison = await compared(engine)
    assert (await vetoes(engine, bench, "shop", NEW, comparison)).lines == []
    assert "Open up!" not in script.seen
    project.script("agent", improved)
    with metered(Meter()) as meter:
        await probe(engine, bench, {"shop": NEW})
        paid = meter.calls
        await probe(engine, bench, {"shop": NEW})
    assert (paid, meter.calls) == (3, 3)


async def test_probe_without_an_answer_counts_as_broken(project: Project, engine: Engine) -> None:
    project.write_rules(RULES)
    project.script("agent", Fault(400))
    assert {item.new for item in await probe(engine, await engine.workbench("shop"), {"shop": NEW})} == {None}
    project.script("agent", Fault(500))
    with pytest.raises(ModelUnavailableError):
        await probe(engine, await engine.workbench("shop"), {"shop": TaskPrompt(prompt="Other")})


async def test_probe_whose_source_does_not_answer_counts_as_broken(project: Project, engine: Engine) -> None:
    project.write_rules(RULES)
    project.write_task(toml=with_retriever(project.add("retriever", BrokenRetriever())), cases=shop_items())
    bench = await engine.workbench("shop")
    prompts = {"shop": with_source(bench.prompts["shop"], "handbook", 1)}
    assert {item.new for item in await probe(engine, bench, prompts)} == {None}


async def test_costs_are_shown_and_veto(project: Project, engine: Engine) -> None:
    project.script("agent", improved)
    bench, comparison = await compared(engine)
    against = await vetoes(engine, bench, "shop", NEW, comparison)
    validation = against.on(comparison.result(fixed=1, triggering=1, vetoes=against.lines))
    assert validation.proven
    assert validation.cost_before is not None
    assert validation.cost_after is not None
    assert validation.cost_before.tokens > 0
    assert validation.cost_after.tokens > 0
    assert validation.cost_after.seconds is not None
    dear = [
        Pair(pair.case, pair.old, tuple(run._replace(tokens=run.tokens + 5000) for run in pair.new))
        for pair in comparison.pairs
    ]
    costly = Comparison(0.02, len(dear))
    costly.add(dear)
    (line,) = (await vetoes(engine, bench, "shop", NEW, costly)).lines
    assert line.startswith("tokens per case rise from ")


async def test_seconds_of_reused_replies_do_not_count(project: Project, engine: Engine) -> None:
    project.script("agent", improved)
    await compared(engine)
    bench, comparison = await compared(engine)
    spent = (await vetoes(engine, bench, "shop", NEW, comparison)).costs
    assert spent is not None
    assert spent.before.seconds is None

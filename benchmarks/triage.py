"""How often triage names the cause of a failure that was made by construction.

Failures of the embedded model on four tasks, each with a cause that is known because it was put there:

- context: the document that answers is in a source and not in the prompt. The run fails without it and passes when the
  very document is put into the prompt by hand, which triage cannot do: it has to find it.
- prompt: what is asked for is not stated. The run fails, and passes when a person's full instructions are used.
- capability: documents and solved cases that hold the answer are taken away, or the task (grade-school mathematics) is
  beyond the model.

Triage sees a failure as it would in production: input, output, expected output, failed criteria. Beside it the analyst
model's opinion alone, on the same failures.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.first_improvement import REPOSITORY, read
from graph import open_session
from ratchet.concurrency import gather
from ratchet.config.settings import Settings
from ratchet.engine import Engine, Workbench
from ratchet.errors import TriageError
from ratchet.gate import measure
from ratchet.llm import Meter, metered
from ratchet.prompting import Example, TaskPrompt
from ratchet.records import AgentRun, Evaluation, FailureBundle
from ratchet.store import now
from ratchet.tasks import Expected
from ratchet.triage import triage_failure
from ratchet.triage.analyst import ask_analyst

CAUSES = ("context", "prompt", "capability")
ANSWERS = (*CAUSES, "unstable", "refused")
SHOWN = "The answer is in this text:"


class Item(NamedTuple):
    """An input with what a person who knows the cause would have put into the prompt."""

    input: str
    expected: Expected
    remedies: Sequence[TaskPrompt]
    """Prompts of which one has to make the run pass; none for a lack of capability."""


class Part(NamedTuple):
    """A task in which every failure has the same cause."""

    name: str
    cause: str
    wanted: int
    prompt: str | dict[str, Any]
    criteria: str
    settings: str
    cases: list[dict[str, Any]]
    documents: dict[str, str]
    items: list[Item]


class Verdict(NamedTuple):
    """What was said about one failure."""

    part: str
    cause: str
    triage: str
    analyst: str
    calls: int
    treatment: str | None


def answers(expected: Expected) -> list[str]:
    """The expected strings in lower case."""
    return [str(one).casefold() for one in (expected if isinstance(expected, list) else [expected])]


def holds(text: str, expected: Expected) -> bool:
    """Whether a text holds an expected answer."""
    return any(answer in text.casefold() for answer in answers(expected))


def passages(documents: dict[str, str], words: int) -> list[str]:
    """The documents in pieces of about that many words, cut at sentence ends like the source's own."""
    found = []
    for text in documents.values():
        piece: list[str] = []
        for sentence in text.replace("\n", " ").split(". "):
            piece.append(sentence)
            if sum(len(one.split()) for one in piece) >= words:
                found.append(". ".join(piece))
                piece = []
        if piece:
            found.append(". ".join(piece))
    return found


CORRECT = '[[criteria]]\nname = "correct"\nkind = "contains"\nrequired = true\n'


def context_part(name: str, wanted: int, prompt: str, cases: list[dict[str, Any]], documents: dict[str, str],
                 words: int) -> Part:  # fmt: skip
    """Questions whose document is in the source and not in the prompt."""
    texts = passages(documents, words)
    items = [
        Item(
            case["input"],
            case["expected"],
            [TaskPrompt(prompt=f"{prompt}\n\n{SHOWN}\n{text}") for text in texts if holds(text, case["expected"])][:2],
        )
        for case in cases
    ]
    source = (
        f'[[context_sources]]\nname = "documents"\nkind = "documents"\npath = "documents"\npassage_words = {words}\n'
    )
    return Part(name, "context", wanted, prompt, CORRECT, source, cases, documents, items)


def capability_part(name: str, wanted: int, prompt: str, cases: list[dict[str, Any]], documents: dict[str, str],
                    words: int) -> Part:  # fmt: skip
    """The same questions, with every document and every other case that holds the answer taken away: `wanted` questions
    that all of what is left says nothing about."""
    chosen = cases[: 3 * wanted]
    left = {file: text for file, text in documents.items() if not any(holds(text, c["expected"]) for c in chosen)}
    others = [case for case in cases[3 * wanted :] if not any(
        holds(" ".join(answers(case["expected"])), c["expected"]) or holds(case["input"], c["expected"]) for c in chosen
    )]  # fmt: skip
    source = (
        f'[[context_sources]]\nname = "documents"\nkind = "documents"\npath = "documents"\npassage_words = {words}\n'
    )
    items = [Item(case["input"], case["expected"], []) for case in chosen]
    return Part(name, "capability", wanted, prompt, CORRECT, source, others, left, items)


def faq(wanted: int) -> list[Part]:
    """The example task of this repository: questions to a shop, answered by its handbook."""
    folder = REPOSITORY / "tasks" / "support_faq"
    cases = [case | {"split": "train"} for case in read(folder / "cases.jsonl")]
    documents = {file.name: file.read_text(encoding="utf-8") for file in sorted((folder / "documents").glob("*.md"))}
    prompt = "Answer the customer's question."
    return [
        context_part("faq", wanted, prompt, cases, documents, 400),
        capability_part("faq", wanted, prompt, cases, documents, 400),
        signed_part(wanted, cases, documents),
    ]


SIGN = "Kind regards"


def signed_part(wanted: int, cases: list[dict[str, Any]], documents: dict[str, str]) -> Part:
    """The answer has to end in a greeting, and nobody said so."""
    prompt = "Answer the customer's question."
    criteria = f'[[criteria]]\nname = "signed"\nkind = "contains"\nvalues = ["{SIGN}"]\nrequired = true\n'
    told = TaskPrompt(prompt=f'{prompt} End every answer with the words "{SIGN}".')
    plain = TaskPrompt(prompt=f'{prompt}\nThe answer contains "{SIGN}".')
    items = [Item(case["input"], None, [told, plain]) for case in cases]
    source = '[[context_sources]]\nname = "documents"\nkind = "documents"\npath = "documents"\n'
    return Part("faq", "prompt", wanted, prompt, criteria, source, cases, documents, items)


def squad(data: Path, wanted: int) -> list[Part]:
    """Questions on one SQuAD article and its paragraphs."""
    cases = [
        {"id": f"q{n}", "input": case["input"], "expected": case["expected"], "split": "train"}
        for n, case in enumerate(read(data / "squad_superbowl_qa.jsonl"))
    ]
    documents = {f"{n:02d}.txt": row["text"] for n, row in enumerate(read(data / "squad_superbowl_docs.jsonl"))}
    prompt = "Answer the question."
    return [
        context_part("squad", wanted, prompt, cases[:80], documents, 60),
        capability_part("squad", wanted, prompt, cases[80:], documents, 60),
    ]


def banking(data: Path, wanted: int) -> list[Part]:
    """Messages of bank customers; the labels to answer with are not stated."""
    cases = [
        {"id": case["id"], "input": case["input"], "expected": case["expected"], "split": "train"}
        for case in read(data / "banking77_8labels.jsonl")
    ]
    known, asked = [case for case in cases if case["id"].startswith("train")], cases
    labels = sorted({case["expected"] for case in cases})
    text = "Classify the customer's message. Answer with one of these labels: " + ", ".join(labels)

    def told_prompts(case: dict[str, Any]) -> list[TaskPrompt]:
        shown = [other for other in known if other["input"] != case["input"]]
        one_each = [
            next(o for o in shown[start:] + shown if o["expected"] == label) for start in (0, 30) for label in labels
        ]
        examples = [Example(input=other["input"], output=other["expected"]) for other in one_each]
        return [TaskPrompt(prompt=text, examples=examples[:8]), TaskPrompt(prompt=text, examples=examples)]

    items = [
        Item(case["input"], case["expected"], told_prompts(case))
        for case in asked
        if not case["id"].startswith("train")
    ]
    return [Part("banking77", "prompt", wanted, "Classify the customer's message.", CORRECT, "", known, {}, items)]


def mathematics(data: Path, wanted: int) -> list[Part]:
    """Problems of several steps, beyond a model of this size."""
    cases = [
        {"id": f"g{n}", "input": case["input"], "expected": case["expected"], "split": "train"}
        for n, case in enumerate(read(data / "gsm8k.jsonl"))
    ]
    items = [Item(case["input"], case["expected"], []) for case in cases[: 3 * wanted]]
    criteria = '[[criteria]]\nname = "right"\nkind = "numeric"\nrequired = true\n'
    return [Part("gsm8k", "capability", wanted, "Solve the problem.", criteria, "", cases[3 * wanted :], {}, items)]


def write(folder: Path, part: Part) -> Settings:
    """A project of its own for one part."""
    task = folder / "tasks" / part.name
    (task / "documents").mkdir(parents=True)
    (task / "task.toml").write_text(
        f'description = "{part.name}"\ncomponents = ["{part.name}"]\n\n[agent]\nmax_tokens = 32\ntemperature = 0.0\n\n'
        f"{part.criteria}\n{part.settings}",
        encoding="utf-8",
    )
    (task / "cases.jsonl").write_text("\n".join(json.dumps(case) for case in part.cases) + "\n", encoding="utf-8")
    for name, text in part.documents.items():
        (task / "documents" / name).write_text(text, encoding="utf-8")
    (folder / "behavior_rules.json").write_text('{"rules": []}')
    (folder / "task_prompts.json").write_text(json.dumps({part.name: part.prompt}))
    return Settings.load(
        home=folder / "home",
        tasks_dir=folder / "tasks",
        rules_file=folder / "behavior_rules.json",
        prompts_file=folder / "task_prompts.json",
    )


async def score(engine: Engine, bench: Workbench, item: Item, prompt: TaskPrompt) -> tuple[AgentRun, Evaluation]:
    """A run under a given prompt."""
    run = await engine.run(bench, item.input, prompts={bench.task.name: prompt})
    return run, await engine.evaluate(bench, item.input, run.output, item.expected)


async def failure_of(engine: Engine, bench: Workbench, item: Item, number: int) -> FailureBundle | None:
    """The failure, if the run fails and a remedy (where there are any) makes it pass."""
    run, evaluation = await score(engine, bench, item, bench.prompts[bench.task.name])
    if evaluation.passed is not False:
        return None
    for remedy in item.remedies:
        if (await score(engine, bench, item, remedy))[1].passed:
            break
    else:
        if item.remedies:
            return None
    return FailureBundle(
        id=f"F-{number}", run_id=f"R-{number}", task=bench.task.name, component=bench.task.name, input=item.input,
        output=run.output, expected=item.expected, evaluation=evaluation, prompts=bench.prompts, version=bench.version,
        rules_hash=bench.rules.hash, model="local", trace=run.trace, source=f"user-{number}", thread_id=None,
        created_at=now(),
    )  # fmt: skip


async def make(engine: Engine, bench: Workbench, part: Part) -> list[FailureBundle]:
    """The first `wanted` failures with the cause of the part."""
    found: list[FailureBundle] = []
    items = [item for item in part.items if item.remedies or part.cause == "capability"]
    for start in range(0, len(items), 8):
        block = enumerate(items[start : start + 8], start)
        made = await gather(failure_of(engine, bench, item, number) for number, item in block)
        found += [failure for failure in made if failure]
        if len(found) >= part.wanted:
            break
    return found[: part.wanted]


async def examine(part: Part) -> list[Verdict]:
    """Make the failures of a part and ask triage and the analyst about each."""
    with tempfile.TemporaryDirectory() as folder:
        async with open_session(write(Path(folder), part)) as session:
            engine = session.engine
            bench = await engine.workbench(part.name)
            failures = await make(engine, bench, part)
            return [await judge(engine, bench, part, failure) for failure in failures]


async def judge(engine: Engine, bench: Workbench, part: Part, failure: FailureBundle) -> Verdict:
    """What triage and the analyst alone say; `calls` counts what triage pays, the opinion beside it included."""
    with metered(Meter()) as meter:
        try:
            cause = await triage_failure(engine, bench, failure)
            said, treatment = str(cause.category), cause.treatment
        except TriageError as error:
            said, treatment = "refused", str(error)
        opinion = await ask_analyst(engine.models, bench.prompts[failure.component], [failure])
    return Verdict(part.name, part.cause, said, opinion.category or "none", meter.calls, treatment)


def matrix(verdicts: Sequence[Verdict], who: str) -> list[list[str]]:
    """Rows: the true cause. Columns: what was said."""
    said = Counter((verdict.cause, getattr(verdict, who)) for verdict in verdicts)
    columns = [name for name in (*ANSWERS, "none") if any(said[cause, name] for cause in CAUSES)]
    rows = [["made", *columns, "right"]]
    for cause in CAUSES:
        total = sum(said[cause, name] for name in columns)
        rows.append([cause, *(str(said[cause, name]) for name in columns), f"{said[cause, cause]} of {total}"])
    return rows


def summary(verdicts: Sequence[Verdict], seconds: float) -> dict[str, Any]:
    """The figures."""
    n = len(verdicts)
    rates = {
        who: measure(sum(getattr(verdict, who) == verdict.cause for verdict in verdicts), n).model_dump()
        for who in ("triage", "analyst")
    }
    return {
        "n": n,
        **rates,
        "calls_per_failure": round(sum(verdict.calls for verdict in verdicts) / n, 2) if n else None,
        "most_calls": max((verdict.calls for verdict in verdicts), default=0),
        "seconds": round(seconds, 1),
        "by_part": [
            {"task": task, "cause": cause, "n": len(mine), "right": sum(v.triage == v.cause for v in mine)}
            for task, cause in dict.fromkeys((verdict.part, verdict.cause) for verdict in verdicts)
            for mine in [[v for v in verdicts if (v.part, v.cause) == (task, cause)]]
        ],
        "matrix": {who: matrix(verdicts, who) for who in ("triage", "analyst")},
        "failures": [verdict._asdict() for verdict in verdicts],
    }


def show(result: dict[str, Any]) -> None:
    """The tables, as Markdown."""
    for who, title in (("triage", "Triage"), ("analyst", "The analyst model alone")):
        rate = result[who]
        print(
            f"\n{title}: {rate['passed']} of {rate['n']} right, {rate['rate']:.0%}, "
            f"interval {rate['low']:.0%}-{rate['high']:.0%}"
        )
        rows = result["matrix"][who]
        for row in [rows[0], ["---"] * len(rows[0]), *rows[1:]]:
            print("| " + " | ".join(row) + " |")
    print("\n| task | cause | failures | right |\n|---|---|---|---|")
    for part in result["by_part"]:
        print(f"| {part['task']} | {part['cause']} | {part['n']} | {part['right']} |")
    print(f"\n{result['calls_per_failure']} calls a failure ({result['most_calls']} at most), {result['seconds']} s")


async def run(parts: Sequence[Part]) -> list[Verdict]:
    """All parts, one after the other."""
    verdicts: list[Verdict] = []
    for part in parts:
        verdicts += await examine(part)
        right = sum(verdict.cause == verdict.triage for verdict in verdicts)
        print(f"{part.name}, {part.cause}: {right} of {len(verdicts)} right so far", file=sys.stderr)
    return verdicts


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=REPOSITORY / "benchmarks" / "data", help="folder of the data sets")
    parser.add_argument("--wanted", type=int, default=10, help="failures per task and cause (default 10)")
    parser.add_argument("--only", help="only parts of this task")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    parts = faq(options.wanted)
    if options.data.is_dir():
        parts += [part for build in (squad, banking, mathematics) for part in build(options.data, options.wanted)]
    else:
        print(f"the data folder {options.data} is not there; only the own task is measured", file=sys.stderr)
    started = time.perf_counter()
    verdicts = asyncio.run(run([part for part in parts if options.only in (None, part.name)]))
    result = summary(verdicts, time.perf_counter() - started)
    if options.json:
        print(json.dumps(result))
    else:
        show(result)


if __name__ == "__main__":
    main()

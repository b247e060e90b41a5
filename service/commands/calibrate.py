"""`ratchet calibrate`: how often the judge and the triage are right, and which setting to change."""

from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from ratchet.calibration import (
    JudgeAgreement,
    Labels,
    TriageAgreement,
    judge_advice,
    load_labels,
    measure_judge,
    measure_triage,
    triage_advice,
)
from ratchet.calibration.judge_agreement import by_criterion, judge_criterion
from ratchet.concurrency import run_main
from ratchet.engine import Engine
from ratchet.triage import triage_failure
from service.calibration_report import calibration_tables
from service.commands.options import AsJson, TaskName
from service.console import Tell, out, print_json, progress
from service.session import open_session


class Calibration(NamedTuple):
    """What one call of `calibrate` found."""

    judges: list[JudgeAgreement]
    triage: TriageAgreement | None
    skipped: int
    advice: list[str]

    def as_json(self, task: str, file: Path) -> dict[str, Any]:
        """The object that ``calibrate --json`` prints."""
        return {
            "task": task,
            "file": str(file),
            "judges": [found.model_dump(mode="json") for found in self.judges],
            "triage": self.triage.model_dump(mode="json") if self.triage else None,
            "skipped": self.skipped,
            "advice": self.advice,
        }


def calibrate(
    task: TaskName,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="JSONL: people's verdicts on outputs, or causes of failures.")
    ],
    limit: Annotated[
        int | None, typer.Option(min=1, help="Use so many labels of each kind, a balanced sample; all if left out.")
    ] = None,
    traps: Annotated[
        int, typer.Option(min=0, help="Items to try to lead the judge astray on: order, padding, repeated asks.")
    ] = 20,
    as_json: AsJson = False,
) -> None:
    """Compare the judge and the triage with what people said, and say which setting to change."""
    labels = load_labels(file)
    again = f"ratchet calibrate {task} {file}"
    with progress(f"calibrate {task}", f"what was paid for is kept, `{again}` goes on from there") as tell:
        found = run_main(_calibrate(task, labels, limit, traps, tell))
    if as_json:
        print_json(found.as_json(task, file))
        return
    for part in calibration_tables(found.judges, found.triage, found.skipped, found.advice):
        out.print(part)


async def _calibrate(task: str, labels: Labels, limit: int | None, traps: int, tell: Tell) -> Calibration:
    async with open_session() as session:
        engine = session.engine
        judges = await _judges(engine, task, labels, limit, traps, tell)
        triage = await _triage(engine, task, labels, limit, tell)
        agent = str(engine.models.spec("agent"))
    advice = [line for found in judges for line in judge_advice(found, agent)]
    return Calibration(judges, triage, labels.skipped, advice + (triage_advice(triage) if triage else []))


async def _judges(
    engine: Engine, task: str, labels: Labels, limit: int | None, traps: int, tell: Tell
) -> list[JudgeAgreement]:
    bench = await engine.workbench(task)

    def show(done: int, total: int) -> None:
        tell(text="asking the judge", done=done, total=total)

    return [
        await measure_judge(
            engine, bench, judge_criterion(bench, name=name), given, limit=limit, traps=traps, progress=show
        )
        for name, given in by_criterion(bench, labels.judge).items()
    ]


async def _triage(engine: Engine, task: str, labels: Labels, limit: int | None, tell: Tell) -> TriageAgreement | None:
    if not labels.triage:
        return None
    bench = await engine.workbench(task)

    def show(done: int, total: int) -> None:
        tell(text="triage", done=done, total=total)

    return await measure_triage(engine, bench, labels.triage, triage_failure, limit=limit, progress=show)

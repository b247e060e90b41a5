"""Let the `gepa` library evolve the instructions, with our evaluator on failures and training cases only.

The library is optional (extra `gepa`) and runs in a thread. Agent runs and the optimizer model's replies are asked for
on the event loop. They go through the same models as everything else, so that they are metered and paid for once.
"""

import asyncio
import importlib.util
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

from ratchet.concurrency import is_our_own, to_daemon_thread
from ratchet.engine import Scored, Trial, score_all, with_prompt
from ratchet.errors import RatchetError, one_line
from ratchet.proposers.author import ask_for_text, room
from ratchet.proposers.proposer import Situation
from ratchet.proposers.rewrite import rewrite_request
from ratchet.records import Candidate, FailureBundle
from ratchet.text import normal_form

log = logging.getLogger(__name__)
Found = TypeVar("Found")
CASES = 12
"""Failures and training cases that the library works on."""


class Gepa:
    """At most one candidate: the library's best, if it differs from the present instructions."""

    name = "gepa"

    def __init__(self, calls: int) -> None:
        self._calls = calls

    async def propose(self, situation: Situation) -> list[Candidate]:
        """The instructions after at most about `calls` agent runs; nothing where the library is missing or fails."""
        if importlib.util.find_spec("gepa") is None:
            log.warning("RATCHET_GEPA_CALLS is set and gepa is not installed: pip install 'ratchet-agents[gepa]'")
            return []
        adapter = Adapter(situation, asyncio.get_running_loop())
        try:
            text = await to_daemon_thread(_optimize, adapter, self._calls)
        except BaseException as error:  # a library of others: it costs its candidate, not the cycle
            if is_our_own(error):
                raise
            text = ""
            if adapter.error is None:
                log.warning("gepa gave no candidate: %s", one_line(error))
        finally:
            adapter.stop()
        if adapter.error is not None:
            raise adapter.error
        if not text or text == situation.prompt.prompt:
            return []
        prompt = situation.prompt.model_copy(update={"prompt": text})
        return [Candidate(strategy=self.name, rationale="evolved by gepa on training cases", prompt=prompt)]


class Batch(NamedTuple):
    """Results in the shape that the library reads: scores in [0, 1], 1 for a run that passed."""

    outputs: list[str]
    scores: list[float]
    trajectories: list[FailureBundle] | None
    objective_scores: None = None
    num_metric_calls: None = None


class Adapter:
    """What the library asks for: scores of a text, and a new text in the light of what failed. Called in its thread."""

    def __init__(self, situation: Situation, loop: asyncio.AbstractEventLoop) -> None:
        self.situation = situation
        self.trials = _trials(situation)
        self.finished = False
        """Whether nothing can get better, or nobody waits any more."""
        self.error: RatchetError | None = None
        """What must be told to our caller; the library goes on after some errors."""
        self._stopped = False
        self._loop = loop
        self._pending: Future[Any] | None = None
        self._asked = 0

    def evaluate(self, batch: list[Trial], candidate: dict[str, str], capture_traces: bool = False) -> Batch:
        """Run the instructions in `candidate` on the inputs of `batch`."""
        scored = self._wait(self._score(candidate, batch))
        scores = [1.0 if run.evaluation.passed else min(run.evaluation.score or 0.0, 0.99) for run in scored]
        if len(batch) == len(self.trials) and all(score == 1.0 for score in scores):
            self.finished = True  # the library would go on until its calls are used up
        bundles = [self._bundle(trial, run) for trial, run in zip(batch, scored, strict=True)]
        return Batch([run.output for run in scored], scores, bundles if capture_traces else None)

    def make_reflective_dataset(
        self, candidate: dict[str, str], eval_batch: Batch, components_to_update: list[str]
    ) -> dict[str, list[dict[str, Any]]]:
        """The runs that did not pass, for `propose_new_texts`."""
        runs = eval_batch.trajectories or []
        failed = [{"failure": run} for run in runs if run.evaluation.passed is not True]
        return dict.fromkeys(components_to_update, failed)

    def propose_new_texts(
        self,
        candidate: dict[str, str],
        reflective_dataset: Mapping[str, Sequence[Mapping[str, Any]]],
        components_to_update: list[str],
    ) -> dict[str, str]:
        """The optimizer model's new version; the old one where it gives nothing that can be used."""
        return {
            name: self._wait(self._rewrite(candidate[name], [record["failure"] for record in reflective_dataset[name]]))
            for name in components_to_update
        }

    def stop(self) -> None:
        """End the library's run: what it waits for is cancelled, and it is not served any more."""
        self.finished = self._stopped = True
        if self._pending is not None:
            self._pending.cancel()

    def _wait(self, work: Coroutine[Any, Any, Found]) -> Found:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        self._pending = future
        if self._stopped:
            future.cancel()
        try:
            return future.result()
        except RatchetError as error:
            self.error, self.finished = self.error or error, True
            raise

    async def _score(self, candidate: dict[str, str], batch: list[Trial]) -> list[Scored]:
        situation = self.situation
        prompt = situation.prompt.model_copy(update={"prompt": candidate[situation.component]})
        prompts = with_prompt(situation.bench.prompts, situation.component, prompt)
        return await score_all(situation.harness, situation.bench, prompts, batch)

    async def _rewrite(self, text: str, failures: Sequence[FailureBundle]) -> str:
        self._asked += 1
        base = self.situation.prompt.model_copy(update={"prompt": text})
        request = rewrite_request(replace(self.situation, base=base, failures=failures))
        models = self.situation.harness.models
        return await ask_for_text(models, request, max_tokens=room(text), repeat=self._asked) or text

    def _bundle(self, trial: Trial, run: Scored) -> FailureBundle:
        given = {**trial._asdict(), "output": run.output, "evaluation": run.evaluation}
        return self.situation.failures[0].model_copy(update=given)


def _trials(situation: Situation) -> list[Trial]:
    """Half failures, half other training cases, each input once."""
    failures = {normal_form(one.input): Trial(one.input, one.expected) for one in situation.failures[: CASES // 2]}
    others = {case.form: Trial(case.input, case.expected) for case in situation.bench.train}
    return list((failures | {form: trial for form, trial in others.items() if form not in failures}).values())[:CASES]


def _optimize(adapter: Adapter, calls: int) -> str:
    """The library's best text. Runs in a thread."""
    from gepa import optimize

    component = adapter.situation.component
    found = optimize(
        seed_candidate={component: adapter.situation.prompt.prompt},
        trainset=adapter.trials,
        valset=adapter.trials,
        adapter=adapter,
        max_metric_calls=calls,
        stop_callbacks=_Stopper(lambda: adapter.finished),
        logger=_Log(),
        seed=0,
        raise_on_exception=True,
    )
    return str(found.best_candidate[component])


class _Stopper:
    """Asked by the library before each step."""

    def __init__(self, finished: Callable[[], bool]) -> None:
        self._finished = finished

    def __call__(self, state: Any) -> bool:
        return self._finished()


class _Log:
    """The library would print: standard output belongs to our caller."""

    def log(self, message: str) -> None:
        log.debug("%s", message)

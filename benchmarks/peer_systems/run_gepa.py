"""gepa with its default adapter, in an environment of its own: ``run_gepa.py optimise|score JOB RESULT``.

It learns from and validates on the job's items. One system prompt evolves, and the model of the task is the author too.
"""

import time
from pathlib import Path
from typing import Any

import gepa
from answers import feedback, main, right
from gepa.adapters.default_adapter.default_adapter import DefaultAdapter, EvaluationResult
from gepa.utils.stop_condition import ScoreThresholdStopper

Job = dict[str, Any]


class Evaluator:
    """Scores 1 or 0 with a word of feedback, and notes when."""

    def __init__(self, match: str) -> None:
        self.match = match
        self.times: list[float] = []

    def __call__(self, data: Any, response: str) -> EvaluationResult:
        """The score of a response."""
        self.times.append(time.time())
        passed = right(self.match, response, data["answer"])
        return EvaluationResult(float(passed), "is right" if passed else feedback(self.match, data["answer"]))


def adapter(job: Job) -> tuple[DefaultAdapter, Evaluator]:
    """The default adapter against the job's endpoint (named in the environment)."""
    evaluator = Evaluator(job["match"])
    limits = {"max_tokens": job["max_tokens"], "temperature": 0.0}
    return (
        DefaultAdapter(
            f"openai/{job['model']}",
            evaluator=evaluator,
            max_litellm_workers=job["concurrency"],
            litellm_batch_completion_kwargs=limits,
        ),
        evaluator,
    )


def items(job: Job, split: str) -> list[Any]:
    """A split in the form of the default adapter."""
    return [{"input": item["input"], "answer": item["expected"], "additional_context": {}} for item in job[split]]


def optimise(job: Job, folder: Path) -> dict[str, Any]:
    """Run gepa; the points are the candidates that were the best so far on the validation items."""
    used, evaluator = adapter(job)
    started = time.time()
    found = gepa.optimize(
        seed_candidate={"instructions": job["prompt"]},
        trainset=items(job, "train"),
        valset=items(job, "validation"),
        adapter=used,
        reflection_lm=f"openai/{job['model']}",
        reflection_lm_kwargs={"max_tokens": job["author_tokens"]},
        max_metric_calls=job["budget"],
        stop_callbacks=[ScoreThresholdStopper(1.0)] if job["stop"] else None,
        seed=job["seed"],
        logger=Quiet(),
    )
    points = [{"at": started, "program": job["prompt"], "validation": found.val_aggregate_scores[0]}]
    for candidate, score, count in zip(
        found.candidates[1:], found.val_aggregate_scores[1:], found.discovery_eval_counts[1:], strict=True
    ):
        if score > points[-1]["validation"]:
            at = evaluator.times[min(count, len(evaluator.times)) - 1]
            points.append({"at": at, "program": candidate["instructions"], "validation": score})
    return {"points": points}


class Quiet:
    """A logger that says nothing."""

    def log(self, message: str) -> None:
        """Nothing."""


def score(job: Job, folder: Path) -> dict[str, Any]:
    """The share of test items that each point's prompt gets right."""
    used, _ = adapter(job)
    test = items(job, "test")
    rates = []
    for point in job["points"]:
        scores = used.evaluate(test, {"instructions": point["program"]}).scores
        rates.append(sum(scores) / len(scores))
    return {"rates": rates}


if __name__ == "__main__":
    main(optimise, score)

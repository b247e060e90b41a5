"""DSPy's optimisers, in an environment of their own: ``run_dspy.py optimise|score JOB RESULT``.

One `dspy.Predict` with the job's prompt as its instructions. Its own cache is on, and empty at the start.
"""

import time
from pathlib import Path
from typing import Any

import dspy
from answers import feedback, main, right

Job = dict[str, Any]


class Metric:
    """Scores 1 or 0, with feedback for GEPA; notes when a candidate was measured (a call without a trace)."""

    def __init__(self, job: Job) -> None:
        self.match, self.output = job["match"], job["fields"][1]
        self.times: list[float] = []

    def passes(self, example: Any, prediction: Any) -> bool:
        """Whether the prediction is right."""
        return right(self.match, str(prediction.get(self.output) or ""), example.expected)

    def plain(self, example: Any, prediction: Any, trace: Any = None) -> bool:
        """For optimisers that learn from scores."""
        if trace is None:
            self.times.append(time.time())
        return self.passes(example, prediction)

    def with_feedback(self, gold: Any, pred: Any, trace: Any = None, name: Any = None, inner: Any = None) -> Any:
        """For GEPA, which reads."""
        self.times.append(time.time())
        passed = self.passes(gold, pred)
        words = "is right" if passed else feedback(self.match, gold.expected)
        return dspy.Prediction(score=float(passed), feedback=words)


def program(job: Job) -> Any:
    """The naive program; the model is set up as well."""
    lm = dspy.LM(f"openai/{job['model']}", max_tokens=job["dspy_tokens"], temperature=job["dspy_temperature"])
    dspy.configure(lm=lm)
    return dspy.Predict(dspy.Signature(" -> ".join(job["fields"]), job["prompt"]))


def items(job: Job, split: str) -> list[Any]:
    """A split as examples. `expected` holds all right answers, the output field the first of them."""
    given, wanted = job["fields"]
    found = []
    for item in job[split]:
        first = item["expected"][0] if isinstance(item["expected"], list) else item["expected"]
        found.append(
            dspy.Example({given: item["input"], wanted: first, "expected": item["expected"]}).with_inputs(given)
        )
    return found


def optimise(job: Job, folder: Path) -> dict[str, Any]:
    """Compile; the points are the naive program and what was the best so far."""
    naive, metric = program(job), Metric(job)
    naive.save(folder / "naive.json")
    points = [{"at": time.time(), "program": "naive.json"}]
    train, validation = items(job, "train"), items(job, "validation")
    best = COMPILE[job["optimiser"]](job, naive, metric, train, validation)
    points += _random_search_points(best, metric, len(validation), folder) if job["optimiser"] == "bootstrap" else []
    best.save(folder / "best.json")
    return {"points": [*points, {"at": time.time(), "program": "best.json"}]}


def _gepa(job: Job, naive: Any, metric: Metric, train: list[Any], validation: list[Any]) -> Any:
    optimiser = dspy.GEPA(
        metric=metric.with_feedback,
        max_metric_calls=job["budget"],
        num_threads=job["concurrency"],
        reflection_lm=dspy.settings.lm,
        seed=job["seed"],
    )
    return optimiser.compile(naive, trainset=train, valset=validation)


def _mipro(job: Job, naive: Any, metric: Metric, train: list[Any], validation: list[Any]) -> Any:
    optimiser = dspy.MIPROv2(metric=metric.plain, auto="light", num_threads=job["concurrency"], seed=job["seed"] + 9)
    return optimiser.compile(naive, trainset=train, valset=validation)


def _bootstrap(job: Job, naive: Any, metric: Metric, train: list[Any], validation: list[Any]) -> Any:
    sizes = {"num_candidate_programs": job["candidates"]} if job["candidates"] else {}
    optimiser = dspy.BootstrapFewShotWithRandomSearch(
        metric=metric.plain,
        num_threads=job["concurrency"],
        stop_at_score=100.0 if job["stop"] else None,
        **sizes,
    )
    return optimiser.compile(naive, trainset=train, valset=validation)


COMPILE = {"gepa": _gepa, "mipro": _mipro, "bootstrap": _bootstrap}


def _random_search_points(best: Any, metric: Metric, size: int, folder: Path) -> list[dict[str, Any]]:
    """The programs that were the best so far, at the time at which each was measured; they come in order of seeds."""
    points: list[dict[str, Any]] = []
    highest = -1.0
    for n, found in enumerate(sorted(best.candidate_programs, key=lambda found: found["seed"])):
        if n and found["score"] > highest:
            file = f"candidate{n}.json"
            found["program"].save(folder / file)
            points.append({"at": metric.times[min((n + 1) * size, len(metric.times)) - 1], "program": file})
        highest = max(highest, found["score"])
    return points


def score(job: Job, folder: Path) -> dict[str, Any]:
    """The share of test items that each point's program gets right."""
    metric, test = Metric(job), items(job, "test")
    rates = []
    for point in job["points"]:
        candidate = program(job)
        candidate.load(folder / point["program"])
        evaluate = dspy.Evaluate(devset=test, metric=metric.plain, num_threads=job["concurrency"])
        rates.append(float(evaluate(candidate).score) / 100)
    return {"rates": rates}


if __name__ == "__main__":
    main(optimise, score)

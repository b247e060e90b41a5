"""Small things to store, and many threads that use a store at once."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ratchet.errors import RatchetError
from ratchet.prompting import TaskPrompt
from ratchet.records import Evaluation, FailureBundle
from ratchet.store import now


def at_once(count: int, action: Callable[[int], Any]) -> list[Any]:
    """Run `action(n)` in `count` threads that start together; each result is a value or an exception."""
    barrier = threading.Barrier(count)

    def one(number: int) -> Any:
        barrier.wait()
        try:
            return asyncio.run(action(number))
        except RatchetError as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def bundle(number: int, source: str = "s") -> FailureBundle:
    return FailureBundle(
        id=f"F-{number}", run_id=f"R-{number}", task="t", component="c", input=f"in {number}", output="out",
        expected=["a", {"b": None}], evaluation=Evaluation(criteria=[], score=None, passed=False, problems=[]),
        prompts={"c": TaskPrompt(prompt="p")}, version=1, rules_hash="h", model="m", trace=[], source=source,
        thread_id=None, created_at=now(),
    )  # fmt: skip


def run_document(passed: bool | None = True, **more: Any) -> Any:
    """As much of a run's document as the store reads."""
    return {"thread_id": None, "input": "x", "evaluation": {"passed": passed, "score": None}, **more}


def proposal_row(status: str = "pending", **more: Any) -> Any:
    row = {"id": "P", "cycle_id": "C", "task": "t", "component": "c", "strategy": "s", "fingerprint": "f",
           "status": status, "reason": None, "document": {"base_hash": "base", "prompt": {"prompt": "p"}}}  # fmt: skip
    return row | more


def case_row(name: str = "a", **more: Any) -> Any:
    row = {"task": "t", "id": name, "input": name, "expected": "y", "split": "train", "tags": [], "origin": None,
           "approved_by": "ada", "created_at": now()}  # fmt: skip
    return row | more

"""What every system is given: the items, the naive prompt and the limits."""

import json
import random
from pathlib import Path
from typing import Any

from benchmarks.peer_systems.tickets import NAIVE, tickets

Job = dict[str, Any]
TEST_ITEMS = 40
LIMITS: Job = {
    "model": "model",
    "budget": 400,
    "stop": False,
    "seed": 0,
    "concurrency": 32,
    "cycles": 1,
    "candidates": None,
    "documents": {},
    "max_tokens": 64,
    "author_tokens": 1000,
    "dspy_tokens": 1000,
    "dspy_temperature": 0.0,
}


def tickets_job(kinds: int) -> Job:
    """The simulated task, with 4 or 8 kinds of tickets."""
    splits = {split: [item._asdict() for item in items] for split, items in tickets(kinds).items()}
    return {
        **LIMITS,
        **splits,
        "prompt": NAIVE,
        "description": "Names the queue of a support ticket",
        "match": "exact",
        "fields": ["ticket", "queue"],
    }


def banking77_job(data: Path) -> Job:
    """Messages of bank customers with one of eight labels: of the 64 held-out ones every fourth is for validation, the
    others are the test."""
    cases = _read(data / "banking77_8labels.jsonl")
    held_out = [case for case in cases if case["split"] != "train"]
    return {
        **LIMITS,
        "train": [case for case in cases if case["split"] == "train"],
        "validation": held_out[3::4],
        "test": [case for n, case in enumerate(held_out) if n % 4 != 3],
        "prompt": "Classify the customer's message.",
        "description": "Names the intent of a bank customer's message",
        "match": "contains",
        "fields": ["message", "label"],
        "max_tokens": 16,
        "author_tokens": 300,
        "dspy_tokens": 64,
    }


def squad_job(data: Path) -> Job:
    """Questions on one article. Its paragraphs are given as documents to the one system that has context sources."""
    questions = _read(data / "squad_superbowl_qa.jsonl")
    return {
        **LIMITS,
        "train": questions[:24],
        "validation": questions[24:64],
        "test": questions[64 : 64 + TEST_ITEMS],
        "documents": {"article": [document["text"] for document in _read(data / "squad_superbowl_docs.jsonl")]},
        "prompt": "Answer the question.",
        "description": "Answers questions about a sports final",
        "match": "contains",
        "fields": ["question", "answer"],
        "max_tokens": 32,
        "author_tokens": 300,
        "dspy_tokens": 64,
    }


def permute(job: Job, seed: int) -> Job:
    """The same job with its training and validation items in an order of the seed's, each in its own split."""
    rng = random.Random(seed)
    orders = {split: rng.sample(job[split], len(job[split])) for split in ("train", "validation")}
    return {**job, **orders, "seed": seed}


def _read(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]

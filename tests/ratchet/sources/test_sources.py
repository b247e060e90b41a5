import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from langchain_core.documents import Document as LangChainDocument
from shop import TASK, Project

from ratchet.errors import ConfigurationError, SourceError
from ratchet.prompting import Example
from ratchet.sources import SolvedCases, open_sources
from ratchet.sources.bm25 import Bm25Index
from ratchet.sources.documents import DocumentsFolder, passages
from ratchet.sources.fts import FtsTable
from ratchet.sources.retriever import Retriever
from ratchet.tasks import Case, load_task

pytestmark = pytest.mark.anyio
TEXTS = ["The shop opens at nine.", "The shop, the shop: a shop closes at six.", "Bicycles are repaired upstairs."]


class ListRetriever:
    def __init__(self, found: Any) -> None:
        self.found = found

    async def ainvoke(self, query: str) -> Any:
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


@pytest.fixture
def table(tmp_path: Path) -> Path:
    file = tmp_path / "what now?.sqlite"
    connection = sqlite3.connect(file)
    connection.execute("CREATE VIRTUAL TABLE facts USING fts5(title, body)")
    rows = [("Hours", "The shop opens at nine."), ("Repairs", "Bicycles are repaired."), (None, "nine nine nine")]
    connection.executemany("INSERT INTO facts VALUES (?, ?)", rows)
    connection.execute("CREATE TABLE plain (body)")
    connection.commit()
    connection.close()
    return file


def test_bm25_puts_the_best_text_first() -> None:
    index = Bm25Index(TEXTS)
    assert [i for i, _ in index.best("when does the shop close? it closes", 3)] == [1, 0]
    assert [i for i, _ in index.best("repaired bicycles", 3)] == [2]


def test_bm25_scores_fall_and_top_k_bounds() -> None:
    found = Bm25Index(TEXTS).best("shop opens", 2)
    assert len(found) == 2
    assert found[0][1] > found[1][1] > 0
    assert len(Bm25Index(TEXTS).best("shop", 1)) == 1


@pytest.mark.parametrize("query", ["zebra", "", "   ", "?!", "the", "a"])
def test_bm25_finds_nothing_without_a_shared_word(query: str) -> None:
    assert Bm25Index(TEXTS).best(query, 3) == []


@pytest.mark.parametrize("texts", [[], [""], ["the a of"]])
def test_bm25_over_nothing_finds_nothing(texts: list[str]) -> None:
    assert Bm25Index(texts).best("shop", 3) == []


@pytest.mark.parametrize("text", ["One two. Three four! Five six? Seven", "no end", ""])
@pytest.mark.parametrize("words", [1, 3, 4, 100])
def test_passages_keep_every_word_in_order(text: str, words: int) -> None:
    assert " ".join(passages(text, words)).split() == text.split()


def test_passages_are_cut_at_sentence_ends() -> None:
    text = "One two. Three four! Five six seven eight nine? Ten."
    assert passages(text, 4) == ["One two. Three four!", "Five six seven eight nine?", "Ten."]


async def test_documents_folder_searches_all_text_files(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.md").write_text("Open at nine.")
    (tmp_path / "sub/b.txt").write_text("Closed at six.")
    (tmp_path / "c.pdf").write_bytes(b"\xff nine six")
    found = await DocumentsFolder("d", tmp_path).fetch("nine closed", 5)
    assert {(document.id, document.text) for document in found} == {
        ("a.md", "Open at nine."),
        ("sub/b.txt", "Closed at six."),
    }


async def test_documents_folder_numbers_passages(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("Alpha beta gamma. Delta epsilon zeta.")
    (found,) = await DocumentsFolder("d", tmp_path, 3).fetch("zeta", 5)
    assert (found.id, found.text) == ("a.md#1", "Delta epsilon zeta.")


@pytest.mark.parametrize(("make", "expected"), [(False, "is no folder"), (True, "no .md or .txt file in")])
def test_documents_folder_that_is_empty_is_refused(tmp_path: Path, make: bool, expected: str) -> None:
    folder = tmp_path / "docs"
    if make:
        folder.mkdir()
    with pytest.raises(ConfigurationError, match=f"context source 'd': .*{expected}"):
        DocumentsFolder("d", folder)


async def test_fts_table_ranks_rows_and_joins_columns(table: Path) -> None:
    source = FtsTable("facts", table, "facts")
    found = await source.fetch("nine opens", 5)
    assert {document.text for document in found} == {"Hours The shop opens at nine.", "nine nine nine"}
    assert found[0].score >= found[1].score > 0
    assert len(await source.fetch("nine", 1)) == 1


@pytest.mark.parametrize("query", ["zebra", "", "?", '"', 'x" OR "y', "NOT", "title:", "NEAR(a b)", "*", "-"])
async def test_fts_table_takes_any_query_as_plain_words(table: Path, query: str) -> None:
    assert await FtsTable("facts", table, "facts").fetch(query, 5) == []


async def test_fts_table_closes_its_connections(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[sqlite3.Connection] = []
    connect = sqlite3.connect

    def noted(*args: Any, **options: Any) -> sqlite3.Connection:
        opened.append(connect(*args, **options, check_same_thread=False))
        return opened[-1]

    monkeypatch.setattr(sqlite3, "connect", noted)
    await FtsTable("facts", table, "facts").fetch("nine", 1)
    assert len(opened) == 2
    for connection in opened:
        with pytest.raises(sqlite3.ProgrammingError, match="closed database"):
            connection.execute("SELECT 1")


def test_fts_table_that_is_missing_is_refused(table: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="table 'gone': no such table"):
        FtsTable("facts", table, "gone")
    with pytest.raises(ConfigurationError, match="unable to open"):
        FtsTable("facts", tmp_path / "gone.sqlite", "facts")
    assert not (tmp_path / "gone.sqlite").exists()


async def test_fts_table_without_an_index_is_a_source_error(table: Path) -> None:
    with pytest.raises(SourceError, match="context source 'p'"):
        await FtsTable("p", table, "plain").fetch("nine", 1)


async def test_retriever_keeps_order_and_bounds(project: Project) -> None:
    documents = [LangChainDocument(page_content=text, id=text[0]) for text in ("one", "two", "three")]
    found = await Retriever("r", project.add("retriever", ListRetriever(documents))).fetch("q", 2)
    assert [(document.id, document.text) for document in found] == [("o", "one"), ("t", "two")]


@pytest.mark.parametrize("found", [ValueError("down"), TimeoutError(), None, ["text"], 7])
async def test_retriever_that_fails_is_a_source_error(project: Project, found: Any) -> None:
    source = Retriever("r", project.add("retriever", ListRetriever(found)))
    with pytest.raises(SourceError, match="context source 'r'"):
        await source.fetch("q", 2)


def test_retriever_that_is_none_is_refused(project: Project) -> None:
    with pytest.raises(ConfigurationError, match="is no retriever"):
        Retriever("r", project.add("retriever", object()))


def test_open_sources_opens_every_kind(project: Project, table: Path) -> None:
    path = project.add("retriever", ListRetriever([]))
    toml = TASK + f'[[context_sources]]\nname = "facts"\nkind = "sqlite"\npath = "{table}"\ntable = "facts"\n'
    toml += f'[[context_sources]]\nname = "plug"\nkind = "python"\nuse = "{path}"\n'
    project.write_task(toml=toml)
    sources = open_sources(load_task(project.folder / "tasks", "shop"))
    assert {name: type(source).__name__ for name, source in sources.items()} == {
        "handbook": "DocumentsFolder",
        "facts": "FtsTable",
        "plug": "Retriever",
    }


@pytest.fixture
def solved() -> SolvedCases:
    lines = [
        ("red apple price", "1", "train"),
        ("green apple price today", "2", "train"),
        ("red apple", "3", "train"),
        ("red apple secret", "4", "holdout"),
        ("red apple unknown", None, "train"),
        ("zebra", "5", "train"),
    ]
    return SolvedCases(
        [Case(id=str(n), input=text, expected=expected, split=split) for n, (text, expected, split) in enumerate(lines)]
    )


def test_solved_cases_never_hold_held_out_or_unsolved_cases(solved: SolvedCases) -> None:
    assert [example.output for example in solved.all()] == ["1", "2", "3", "5"]
    assert "4" not in [example.output for example in solved.similar("red apple secret", 10)]


def test_solved_cases_put_the_most_similar_last(solved: SolvedCases) -> None:
    assert [example.output for example in solved.similar("green apple", 3)][-1] == "2"
    assert solved.similar("red apple price", 1) == [Example(input="red apple price", output="1")]


def test_solved_cases_leave_out_the_own_input(solved: SolvedCases) -> None:
    found = solved.similar("red apple price", 2, exclude=" red apple price\n")
    assert "1" not in [example.output for example in found]
    assert len(found) == 2


def labelled(inputs: int, answers: int, held_out: int = 0) -> SolvedCases:
    cases = [Case(id=str(n), input=f"in {n}", expected=f"out {n % answers}", split="train") for n in range(inputs)]
    more = [Case(id=f"h{n}", input=f"held {n}", expected=f"held {n}", split="holdout") for n in range(held_out)]
    return SolvedCases([*more, *cases])


def test_solved_cases_show_one_of_each_answer_where_answers_are_few() -> None:
    found = labelled(8, 4, held_out=9).of_each_answer()
    assert [(example.input, example.output) for example in found] == [(f"in {n}", f"out {n}") for n in range(4)]


def test_solved_cases_show_another_case_of_the_answer_for_a_training_input() -> None:
    found = labelled(8, 4).of_each_answer(exclude=" in 1\n")
    assert {example.output: example.input for example in found}["out 1"] == "in 5"


@pytest.mark.parametrize(
    ("inputs", "answers", "shown"), [(7, 4, 0), (8, 4, 4), (100, 12, 12), (100, 13, 0), (20, 1, 1)]
)
def test_solved_cases_show_each_answer_only_where_they_repeat_and_are_few(
    inputs: int, answers: int, shown: int
) -> None:
    assert len(labelled(inputs, answers).of_each_answer()) == shown


def test_solved_cases_of_nothing_are_empty() -> None:
    assert SolvedCases([]).similar("x", 3) == []
    assert SolvedCases([]).of_each_answer() == []
    assert len(SolvedCases([])) == 0


async def test_source_that_hangs_is_given_up(project: Project, monkeypatch: pytest.MonkeyPatch, engine: Any) -> None:
    class Hanging:
        async def ainvoke(self, query: str) -> Any:
            await asyncio.sleep(30)

    monkeypatch.setattr("ratchet.agents.caller.FETCH_SECONDS", 0.05)
    path = project.add("retriever", Hanging())
    project.write_task(toml=TASK + f'[[context_sources]]\nname = "plug"\nkind = "python"\nuse = "{path}"\n',
                       cases='{"input": "a"}', documents={"a.md": "text"})  # fmt: skip
    project.write_prompts({"shop": {"prompt": "Answer.", "context": [{"source": "plug"}]}})
    bench = await engine.workbench("shop")
    with pytest.raises(SourceError, match="no answer within"):
        await engine.run(bench, "a", prompts=bench.prompts)

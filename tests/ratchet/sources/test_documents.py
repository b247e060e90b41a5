from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.errors import ConfigurationError
from ratchet.sources.documents import DocumentsFolder, passages

pytestmark = pytest.mark.anyio


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "docs"
    made.mkdir()
    return made


async def found_in(folder: Path, query: str, top_k: int = 5, passage_words: int | None = None) -> list[tuple[str, str]]:
    return [
        (document.id, document.text)
        for document in await DocumentsFolder("d", folder, passage_words).fetch(query, top_k)
    ]


@given(st.text("ab .!?\n", max_size=60), st.integers(1, 9))
def test_passages_keep_every_word_in_order(text: str, words: int) -> None:
    assert " ".join(passages(text, words)).split() == text.split()


@given(st.lists(st.integers(1, 8), min_size=1, max_size=12), st.integers(1, 12))
def test_passages_are_no_longer_than_asked_unless_one_sentence_is(lengths: list[int], words: int) -> None:
    sentences = [" ".join(["word"] * length) + "." for length in lengths]

    for passage in passages(" ".join(sentences), words):
        assert len(passage.split()) <= words or passage in sentences


def test_passages_are_cut_at_sentence_ends() -> None:
    text = "One two. Three four! Five six seven eight nine? Ten."

    assert passages(text, 4) == ["One two. Three four!", "Five six seven eight nine?", "Ten."]
    assert passages("a b. c d. e f. g h. i j. k l.", 4) == ["a b. c d.", "e f. g h.", "i j. k l."]
    assert passages("Version 1.5 costs 3.50 a month", 2) == ["Version 1.5 costs 3.50 a month"]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("退货政策。商品可以在三十天内退货！几点开门？", ["退货政策。", "商品可以在三十天内退货！", "几点开门？"]),
        ("返品はできます。送料は無料です。", ["返品はできます。", "送料は無料です。"]),
        ("คืนสินค้าได้ ภายในสามสิบวัน", ["คืนสินค้าได้", "ภายในสามสิบวัน"]),
        ("यह खुला है। वह बंद है।", ["यह खुला है।", "वह बंद है।"]),
        ("هل هو مفتوح؟ نعم هو مفتوح.", ["هل هو مفتوح؟", "نعم هو مفتوح."]),
    ],
)
def test_passages_are_cut_at_sentence_ends_of_any_script(text: str, pieces: list[str]) -> None:
    assert passages(text, 3) == pieces


def test_passages_of_a_script_without_blanks_hold_several_sentences() -> None:
    assert passages("退货。换货。商品可以在三十天内退货。", 4) == ["退货。换货。", "商品可以在三十天内退货。"]


async def test_documents_folder_searches_all_text_files(folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "a.md").write_text("Open at nine.")
    (folder / "sub/b.txt").write_text("Closed at six.")
    (folder / "c.pdf").write_bytes(b"\xff nine six")
    (folder / "notes").write_text("nine closed")

    assert sorted(await found_in(folder, "nine closed")) == [("a.md", "Open at nine."), ("sub/b.txt", "Closed at six.")]


async def test_documents_folder_searches_text_files_with_names_in_capitals(folder: Path) -> None:
    (folder / "README.MD").write_text("Open at nine.")
    (folder / "NOTES.Txt").write_text("Closed at six.")

    assert sorted(await found_in(folder, "nine six")) == [
        ("NOTES.Txt", "Closed at six."),
        ("README.MD", "Open at nine."),
    ]


async def test_documents_folder_takes_no_folder_for_a_document(folder: Path) -> None:
    (folder / "v1.md").mkdir()
    (folder / "v1.md/a.md").write_text("Open at nine.")

    assert await found_in(folder, "nine") == [("v1.md/a.md", "Open at nine.")]


async def test_documents_folder_numbers_passages(folder: Path) -> None:
    (folder / "a.md").write_text("Alpha beta gamma. Delta epsilon zeta.")
    (folder / "b.md").write_text("Zeta.")

    assert await found_in(folder, "epsilon", passage_words=3) == [("a.md#1", "Delta epsilon zeta.")]
    assert ("b.md", "Zeta.") in await found_in(folder, "zeta", passage_words=3)


async def test_documents_folder_leaves_a_document_whole_without_passages(folder: Path) -> None:
    (folder / "a.md").write_text("\n\nAlpha beta gamma.\n\nDelta epsilon zeta.\n")

    assert await found_in(folder, "zeta") == [("a.md", "Alpha beta gamma.\n\nDelta epsilon zeta.")]


async def test_documents_folder_reads_once_when_it_is_opened(folder: Path) -> None:
    (folder / "a.md").write_text("Open at nine.")
    source = DocumentsFolder("d", folder)

    (folder / "a.md").write_text("Open at ten.")
    (folder / "b.md").write_text("Open at ten.")

    assert [document.text for document in await source.fetch("open ten nine", 5)] == ["Open at nine."]


async def test_documents_folder_finds_the_same_in_the_same_order_each_time(folder: Path) -> None:
    for number in range(20):
        (folder / f"{number}.md").write_text(f"Shop {number % 3} opens.")

    assert len({tuple(await found_in(folder, "shop opens", 4)) for _ in range(5)}) == 1


@pytest.mark.parametrize("query", ["", "?!", "zebra", "'; DROP", "{input}", '"'])
async def test_documents_folder_finds_nothing_for_what_is_not_there(folder: Path, query: str) -> None:
    (folder / "a.md").write_text("Open at nine.")

    assert await found_in(folder, query) == []


async def test_empty_documents_are_never_found(folder: Path) -> None:
    (folder / "a.md").write_text("")
    (folder / "b.md").write_text(" \n ")

    assert await found_in(folder, "nine", passage_words=3) == []


@pytest.mark.parametrize(("make", "expected"), [(False, "is no folder"), (True, "no .md or .txt file in")])
def test_documents_folder_that_is_empty_is_refused(tmp_path: Path, make: bool, expected: str) -> None:
    if make:
        (tmp_path / "docs").mkdir()
    with pytest.raises(ConfigurationError, match=f"context source 'd': .*{expected}"):
        DocumentsFolder("d", tmp_path / "docs")


def test_documents_folder_that_is_a_file_is_refused(folder: Path) -> None:
    (folder / "a.md").write_text("Open at nine.")
    with pytest.raises(ConfigurationError, match=r"context source 'd': .*a\.md is no folder"):
        DocumentsFolder("d", folder / "a.md")


@pytest.mark.parametrize(("encoding", "byte"), [("latin-1", 3), ("utf-16", 0)])
def test_document_in_another_encoding_is_refused_by_its_name(folder: Path, encoding: str, byte: int) -> None:
    (folder / "a.md").write_text("Open at nine.")
    (folder / "b.md").write_text("Café", encoding=encoding)
    with pytest.raises(ConfigurationError, match=rf"b\.md: not UTF-8 text, line 1 \(byte {byte}\)"):
        DocumentsFolder("d", folder)

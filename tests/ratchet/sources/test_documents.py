from pathlib import Path

import pytest

from ratchet.errors import ConfigurationError
from ratchet.sources.documents import DocumentsFolder, passages

pytestmark = pytest.mark.anyio


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

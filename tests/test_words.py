"""The words of code and pages: short sentences, one vocabulary."""

import ast
import re
from pathlib import Path

import pytest
from words import Prose, comments, docstrings, sentences, word_count

ROOT = Path(__file__).parents[1]
LONGEST = 30
"""Words of a sentence."""
WRONG = {
    r"\brulers?\b": "incumbent",
    r"\blanes?\b": "entry",
    r"\bbaselines?\b": "prompt in force, or what is compared with",
    r"\b(?:held out|hold-?out) cases?\b": "held-out case",
    r"\btrain(?:ed)? cases?\b": "training case",
    r"\b(?:test|eval|validation|training) sets?\b": "held-out or training cases",
    r"\b(?:test cases?|data ?points?)\b": "case",
    r"\b(?:challenger|champion)s?\b": "candidate, or incumbent",
}
"""Words that the vocabulary of CONTRIBUTING.md has another one for."""
MAY_STAY = {
    "threaded": "a decorator",
    "metered": "what a `with` block is",
    "shuffled": "a new list, as Python's `sorted` gives one",
    "open": "a verb",
    "embed": "a verb",
    "shorten": "a verb",
}
"""Names that look like participles and may stay, with the reason."""
_IRREGULAR = "begun built done found gone held kept left made met said sent spent taken told understood"
IRREGULAR = frozenset(_IRREGULAR.split())
FOLDERS = ("prompts", "ratchet", "nodes", "graph", "service", "ratchet_agents", "docs", "benchmarks", "tests")
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


def prose_of(folder: str) -> list[Prose]:
    files = sorted((ROOT / folder).rglob("*.py"))
    return [prose for file in files for prose in (*docstrings(file), *comments(file))]


def wrong_words(text: str) -> list[str]:
    return [f"{found[0]}: say {right}" for wrong, right in WRONG.items() for found in re.finditer(wrong, text, re.I)]


def is_participle(name: str) -> bool:
    bare = name.strip("_")
    return (
        not name.startswith("__")
        and "_" not in bare
        and (bare.endswith(("ed", "en")) or bare in IRREGULAR)
        and bare not in MAY_STAY
    )


def function_names(file: Path) -> list[str]:
    """Functions and methods of a file; properties are read like fields, so they may be adjectives."""
    functions = [
        node
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return [node.name for node in functions if "property" not in map(ast.unparse, node.decorator_list)]


def too_long(text: str) -> list[str]:
    return [
        f"{word_count(sentence)} words: {sentence}" for sentence in sentences(text) if word_count(sentence) > LONGEST
    ]


@pytest.mark.parametrize("folder", FOLDERS)
def test_sentences_in_code_are_short(folder: str) -> None:
    found = {f"{prose.file.relative_to(ROOT)}:{prose.line}": too_long(prose.text) for prose in prose_of(folder)}

    assert {place: long for place, long in found.items() if long} == {}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_sentences_in_pages_are_short(page: Path) -> None:
    assert too_long(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("folder", sorted({*FOLDERS} - {"tests"}))
def test_code_keeps_to_the_vocabulary(folder: str) -> None:
    found = {f"{prose.file.relative_to(ROOT)}:{prose.line}": wrong_words(prose.text) for prose in prose_of(folder)}

    assert {place: wrong for place, wrong in found.items() if wrong} == {}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_pages_keep_to_the_vocabulary(page: Path) -> None:
    assert wrong_words(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("folder", sorted({*FOLDERS} - {"tests"}))
def test_functions_are_verbs_or_nouns(folder: str) -> None:
    names = {file: function_names(file) for file in (ROOT / folder).rglob("*.py")}

    assert [f"{file.name}: {name}" for file, found in names.items() for name in found if is_participle(name)] == []


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("replaced", True), ("_proven", True), ("_found", True), ("replace", False), ("count_failed", False)],
)
def test_participle_is_told_by_its_ending(name: str, wanted: bool) -> None:
    assert is_participle(name) is wanted


def test_wrong_word_is_named_with_the_right_one() -> None:
    assert wrong_words("The Ruler met a held-out case, a holdout case and no planes.") == [
        "Ruler: say incumbent",
        "holdout case: say held-out case",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("See 3.5 and e.g.nothing", ["See 3.5 and e.g.nothing"]),
        ('He said "yes." Then he left.', ['He said "yes."', "Then he left."]),
        ("# Title\nA sentence\nof two lines.\n\nAnother", ["Title", "A sentence of two lines.", "Another"]),
        ("- one\n- two\n  and more\n1. three", ["one", "two and more", "three"]),
        ("Before\n| a. | b. |\n|---|---|\nafter", ["Before", "after"]),
        ("Call `f(a. b. c)` and [the page](docs/x.md#y).", ["Call code and the page."]),
        ("Before\n```bash\nmake it. now. then\n```\nafter", ["Before", "code", "after"]),
        ("What it does.\n\nRaises:\n    KeyError: no such key\n    OSError, ValueError: of reading", None),
    ],
)
def test_text_is_taken_apart_into_sentences(text: str, told: list[str] | None) -> None:
    wanted = told or ["What it does.", "Raises:", "KeyError: no such key", "OSError, ValueError: of reading"]

    assert [sentence.strip() for sentence in sentences(text)] == wanted


def test_signs_alone_are_no_words() -> None:
    assert word_count("a - b | 3.5 % of “c” ...") == 5


def test_long_sentence_is_named_with_its_length() -> None:
    assert too_long("Short. " + "word " * 31 + "end.") == ["32 words: " + "word " * 31 + "end."]


def test_comments_of_neighbouring_lines_are_one_text(tmp_path: Path) -> None:
    file = tmp_path / "code.py"
    file.write_text("# one\n# two\n\n# three\nx = 1  # four\ny = 2  # five\n# six\n", encoding="utf-8")

    assert [(prose.line, prose.text) for prose in comments(file)] == [
        (1, "one\ntwo"),
        (4, "three"),
        (5, "four"),
        (6, "five"),
        (7, "six"),
    ]


def test_docstrings_below_fields_are_found(tmp_path: Path) -> None:
    file = tmp_path / "code.py"
    file.write_text(
        '"""One."""\nx = 1\n"""Two."""\n\n\ndef f():\n    """Three."""\n    return "no"\n', encoding="utf-8"
    )

    assert sorted((prose.line, prose.text) for prose in docstrings(file)) == [(1, "One."), (3, "Two."), (7, "Three.")]

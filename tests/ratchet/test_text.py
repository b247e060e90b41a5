import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.text import fold, normal_form, plain_form, whole_text

SAME = [
    (unicodedata.normalize("NFD", "Café Zürich"), "café zürich"),
    ("9:40\u202fAM", "9:40 am"),
    ("don\u2019t", "don't"),
    ("\uff12\uff11:\uff13\uff10", "21:30"),
    ("New\r\n York", "new york"),
    ("twenty\u2011one", "twenty-one"),
    ("Pa\u200bris\u00ad", "paris"),
    ("STRASSE", "Straße"),
    ("\u201cyes\u201d", '"yes"'),
    ("\ufb01ne", "fine"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_fold_levels_ways_to_write_the_same(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(("one", "other"), [("resume", "résumé"), ("5", "S"), ("no", "on"), ("a b", "ab"), ("-5", "5")])
def test_fold_keeps_what_differs_apart(one: str, other: str) -> None:
    assert fold(one) != fold(other)


QUESTIONS = [
    "When do you open",
    "when do you open?",
    " When  do you\nopen ?",
    "WHEN DO YOU OPEN\uff1f",
    "When do you open...",
    "\u200eWhen do you\u202f open\u200f",
    "\uff37hen do you open\ufe0f",
]


@pytest.mark.parametrize("same", QUESTIONS)
def test_normal_form_of_one_question(same: str) -> None:
    assert normal_form(same) == "when do you open"


@pytest.mark.parametrize(("one", "other"), [("3.5", "3"), ("Is it?", "It is."), ("a.b", "ab")])
def test_normal_form_keeps_other_questions_apart(one: str, other: str) -> None:
    assert normal_form(one) != normal_form(other)


FORMS = [
    '{"question": "When do you open?", "place": {"city": "Bern", "floor": 2}}',
    '{"place": {"floor": 2.0, "city": " BERN"},\r\n "question": "when do  you open"}',
    ' {"place":{"city":"\uff22ern","floor":2},"Question":"When do you open\uff1f"}',
]


def test_normal_form_takes_json_value_by_value() -> None:
    assert len({normal_form(form) for form in FORMS}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"a": 1}', '{"a": "1"}'),
        ('{"a": true}', '{"a": 1}'),
        ('["a", "b"]', '["b", "a"]'),
        ('{"a": "x", "A": "y"}', '{"a": "x"}'),
        ('{"a": [1]}', '{"a": {"object": [1]}}'),
    ],
)
def test_normal_form_keeps_other_json_apart(one: str, other: str) -> None:
    assert normal_form(one) != normal_form(other)


def test_normal_form_of_what_only_begins_like_json() -> None:
    assert normal_form("[Ticket 7] Lost?") == "[ticket 7] lost"
    assert normal_form("{" * 100_000) == "{" * 100_000
    assert normal_form('{"a": "\\ud83d"}').encode()


def test_normal_form_of_punctuation_alone_is_not_empty() -> None:
    assert normal_form("?!") == "?!"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
).map(json.dumps)


@given(st.text() | JSON)
def test_forms_are_stable(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert normal_form(normal_form(text)) == normal_form(text)


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("a\ud83d\ude00b", "a\U0001f600b"),
        ("a\ud800b", "a\ufffdb"),
        ("\udc00", "\ufffd"),
        ("plain é", "plain é"),
        ("", ""),
    ],
)
def test_whole_text_can_be_encoded(text: str, whole: str) -> None:
    assert whole_text(text) == whole
    whole_text(text).encode()


@pytest.mark.parametrize(
    ("text", "plain"),
    [("\u201cCaf\u0065\u0301\u201d", '"Café"'), ("\uff12\uff11 Pa\u200bris", "21 Paris"), ("A\nB", "A\nB")],
)
def test_plain_form_keeps_case_and_lines(text: str, plain: str) -> None:
    assert plain_form(text) == plain

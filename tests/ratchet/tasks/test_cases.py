import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shop import Project

from ratchet.errors import ConfigurationError
from ratchet.tasks import Case, load_cases, load_task, merge_cases, of_split, solution_text
from ratchet.tasks.cases import case_id, names_case, stable_split


def loaded(project: Project, cases: Any) -> list[Case]:
    project.write_task(cases=cases)
    return load_cases(load_task(project.folder / "tasks", "shop"))


def refusal(project: Project, cases: Any) -> str:
    with pytest.raises(ConfigurationError) as caught:
        loaded(project, cases)
    message = str(caught.value)
    assert "tasks/shop/cases.jsonl" in message
    assert "\n" not in message
    return message


def test_load_cases_keeps_file_order_and_values(project: Project) -> None:
    cases = loaded(project, [{"input": "b", "id": "2", "split": "train", "tags": ["t"]}, {"input": "a", "id": "1"}])
    assert [case.id for case in cases] == ["2", "1"]
    assert (cases[0].split, cases[0].tags, cases[0].expected) == ("train", ["t"], None)


def test_load_cases_skips_blank_lines_and_counts_them(project: Project) -> None:
    text = '{"input": "a"}\n\n  \n{"input": "b", "wrong": 1}\n'
    assert "cases.jsonl:4: unknown key wrong" in refusal(project, text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "no cases; each line is one"),
        ("\n \n", "no cases; each line is one"),
        ('{"input": "a"}\n{"input": }\n', "cases.jsonl:2: not JSON, line 1 column 11"),
        ('{"expected": "a"}\n', "cases.jsonl:1: input is missing"),
        ('{"input": ""}\n', "cases.jsonl:1: input: String should have at least 1 character"),
        ('{"input": 7}\n', "cases.jsonl:1: input: Input should be a valid string (got 7)"),
        ('{"input": "a", "split": "test"}\n', "split: Input should be 'train' or 'holdout'"),
        ('{"input": "a", "expected": ""}\n', "is empty; leave it out"),
        ('{"input": "a", "input": "b"}\n', "cases.jsonl:1: the key 'input' stands there twice"),
        ('{"id": "x", "input": "a"}\n{"id": "x", "input": "b"}\n', ":2: the id 'x' stands on line 1 too"),
        ('{"input": "a"}\n{"input": "a"}\n', "stands on line 1 too"),
        ('["a"]\n', "cases.jsonl:1: no JSON object; each line is one, such as {"),
        ('[\n  {"input": "a"}\n]\n', "cases.jsonl:1: no JSON object; each line is one"),
        ("input,expected\na,b\n", "cases.jsonl:1: no JSON object; each line is one"),
        ('{"input": "\\ud800"}\n', "cases.jsonl:1: input"),
    ],
)
def test_load_cases_names_line_key_and_expectation(project: Project, text: str, expected: str) -> None:
    assert expected in refusal(project, text)


def test_load_cases_names_a_missing_file(project: Project) -> None:
    (project.folder / "tasks/shop/cases.jsonl").unlink()
    with pytest.raises(ConfigurationError, match=r"cases\.jsonl: no such file"):
        load_cases(load_task(project.folder / "tasks", "shop"))


def test_load_cases_reads_a_line_separator_inside_a_string_as_text(project: Project) -> None:
    line = json.dumps({"input": "one\u2028two\x85three"}, ensure_ascii=False)
    assert [case.input for case in loaded(project, line + "\n")] == ["one\u2028two\x85three"]


def test_load_cases_gives_a_stable_id_from_the_input(project: Project) -> None:
    first, again = loaded(project, [{"input": "a"}]), loaded(project, [{"input": "z"}, {"input": "a"}])
    assert first[0].id == again[1].id == "case-ca978112ca1b"


def test_stable_split_is_the_same_everywhere() -> None:
    assert [stable_split(text) for text in "abcdef"] == ["train"] * 4 + ["holdout"] * 2


def test_stable_split_is_about_half_and_half() -> None:
    train = sum(stable_split(f"question {number}") == "train" for number in range(4000))
    assert 1880 < train < 2120


@pytest.mark.parametrize("text", ["Do you repair e-bikes?", "Où est la gare ?", '{"q": "Weight?", "n": 3}'])
def test_stable_split_is_that_of_the_normal_form(text: str) -> None:
    ways = [text, f"  {text.upper()}\n", text.replace(" ", "\u3000"), text.replace("?", "\uff1f")]
    assert len({stable_split(way) for way in ways}) == 1


def test_load_cases_names_a_line_that_stands_there_twice(project: Project) -> None:
    with pytest.raises(ConfigurationError, match=r"jsonl:2: the same input without an id stands on line 1 too"):
        loaded(project, [{"input": "a"}, {"input": "a", "expected": "b"}])


def test_load_cases_uses_the_stable_split_where_none_is_given(project: Project) -> None:
    cases = loaded(project, [{"input": text} for text in "abcdef"])
    assert [case.split for case in cases] == [stable_split(case.input) for case in cases]
    assert [case.input for case in of_split(cases, "holdout")] == ["e", "f"]


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ("a", "a"),
        (["a", "b"], "a"),
        ({"k": "é"}, '{"k": "é"}'),
        ([{"k": 1}], '{"k": 1}'),
        (None, None),
        ([], None),
        ("", ""),
    ],
)
def test_solution_text_is_the_first_right_answer(expected: Any, text: str | None) -> None:
    assert solution_text(expected) == text


some_cases = st.lists(
    st.builds(
        Case,
        id=st.sampled_from(["c1", "c2", "c3", "c4"]),
        input=st.sampled_from(["a", "b", " a\n", "c", "d"]),
        expected=st.sampled_from(["x", None]),
        split=st.sampled_from(["train", "holdout"]),
    ),
    max_size=6,
)


@given(some_cases, some_cases)
def test_merge_cases_again_changes_nothing(written: list[Case], approved: list[Case]) -> None:
    merged = merge_cases(written, approved)

    assert merge_cases(merged, approved) == merged
    assert merge_cases(merged, written) == merged


@given(some_cases, some_cases)
def test_merge_cases_never_loses_or_changes_what_people_wrote(written: list[Case], approved: list[Case]) -> None:
    merged = merge_cases(written, approved)

    assert merged[: len(written)] == written
    forms, splits = {case.id: case.form for case in written}, {(case.form, case.split) for case in written}
    for case in merged[len(written) :]:
        assert case in approved
        assert forms.get(case.id, case.form) == case.form
        assert (case.form, case.split) not in splits


def test_id_and_split_of_a_case_stay_when_others_come_and_go(project: Project) -> None:
    few = loaded(project, [{"input": text} for text in "abcdef"])
    many = loaded(project, [{"input": text} for text in "xfyedzcba"])

    assert {case.input: case for case in few}.items() <= {case.input: case for case in many}.items()
    assert few[0].id == case_id("a")


@pytest.mark.parametrize(
    ("source", "named"), [("case:c1", True), ("case:", True), ("user-7", False), ("Case:c1", False), ("", False)]
)
def test_source_of_a_run_says_whether_it_is_a_known_case(source: str, named: bool) -> None:
    assert names_case(source) is named


def test_run_of_a_case_is_said_to_be_one() -> None:
    assert names_case(Case(id="c1", input="a", split="train").source)

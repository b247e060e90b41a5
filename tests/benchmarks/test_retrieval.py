import json

import pytest

from benchmarks.retrieval import DESKS, KINDS, DataSet, holds, own_sets, plain_bm25, right_at

FILES = sorted(DESKS.glob("*.jsonl"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_support_desk_has_documents_with_a_question_of_each_kind(file) -> None:  # type: ignore[no-untyped-def]
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]

    assert len(lines) >= 30
    for key in ("document", *KINDS):
        assert len({line[key] for line in lines}) == len(lines)


def test_share_that_is_right_is_told_at_each_depth() -> None:
    data = DataSet("d", ["a"] * 6, ["q"] * 4, [{0}, {2}, {4}, {5}])

    assert right_at(data, [[0, 1], [0, 1, 2], [0, 1, 2, 3, 4], []]) == [0.25, 0.5, 0.75]


def test_own_sets_have_a_right_text_for_every_question() -> None:
    assert all(right for data in own_sets() for right in data.right)
    assert len(own_sets()) == 1 + len(KINDS) * len(FILES)


def test_plain_ranking_has_no_words_of_one_character() -> None:
    texts = ["order 3 is late", "order 7 is early"]

    assert plain_bm25(DataSet("d", texts, ["7", "early", "3"], [{1}, {1}, {0}])) == [[], [1], []]


@pytest.mark.parametrize(("expected", "found"), [("Nine", True), (["ten", "nine"], True), (9, False), (["ten"], False)])
def test_text_holds_any_of_the_answers(expected: object, found: bool) -> None:
    assert holds("It opens at nine.", expected) is found

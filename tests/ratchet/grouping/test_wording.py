from typing import Any

import numpy as np
import pytest

from ratchet.grouping.wording import COMMON, LONGEST, Wording, content_stems, content_words, similarity_views, unit_rows


def bundle(output: str = "", *, problem: str = "", asked: str = "", expected: Any = None) -> dict[str, Any]:
    problems = [problem] if problem else []
    return {"input": asked, "output": output, "expected": expected, "evaluation": {"problems": problems}}


def output_of(output: str, expected: Any = None) -> str:
    return " ".join(Wording.of(bundle(output, expected=expected)).output.split())


def problem_of(problem: str) -> str:
    return " ".join(Wording.of(bundle(problem=problem)).problems.split())


def test_wording_is_in_lower_case_and_without_numbers() -> None:
    given = bundle("Call 030 1234!", problem="short: 12 words, at most 5", asked="When on May 3rd, 9:30 or 1,5?")

    assert tuple(" ".join(text.split()) for text in Wording.of(given)) == (
        "words, at most", "when on may rd, or ?", "call !",
    )  # fmt: skip


def test_name_of_the_criterion_and_quoted_values_are_no_wording() -> None:
    assert problem_of("correct: does not contain 'Bin 3' or \"Jo's bin\"") == "does not contain or"
    assert problem_of("rude: one of ['a b', 'c'] is missing") == "one of [ , ] is missing"


def test_apostrophes_inside_of_words_quote_nothing() -> None:
    assert problem_of("kind: It isn't kind and doesn't greet") == "it isn't kind and doesn't greet"
    assert problem_of("kind: the customers' tone isn't 'nice' here") == "the customers' tone isn't here"
    assert problem_of("kind: takes the customers' and the clerks' side") == "takes the customers' and the clerks' side"


@pytest.mark.parametrize(
    ("output", "expected", "left"),
    [
        ("It is in the Red Box.", "red box", "it is in the ."),
        ("red box or red", ["red", "Red Box"], "or"),
        ('{"town": "Berlin", "sure": "yes"}', {"town": "Berlin", "more": ["yes"]}, '{"town": " ", "sure": " "}'),
        ("Nothing is known, no.", "no", "nothing is known, ."),
        ("At most $5 each, US$5.", "$5", "at most each, us ."),
        ("a+b is a+b", "a+b", "is"),
        ("本は東京にある", "東京", "本は にある"),
        ("ab a", "a", "ab a"),
        ("anything", None, "anything"),
        ("anything", [], "anything"),
    ],
)
def test_expected_values_are_taken_out_as_whole_words(output: str, expected: Any, left: str) -> None:
    assert output_of(output, expected) == left


def test_long_texts_are_compared_by_their_beginning() -> None:
    long = Wording.of(bundle("word " * 1000, asked="word " * 1000))

    assert (len(long.output), len(long.input)) == (LONGEST["output"] - 1, LONGEST["input"] - 1)


def test_content_words_are_those_that_can_tell_failures_apart() -> None:
    assert content_words("could you please tell me the refund of order 12, naïve café?") == [
        "refund", "order", "naïve", "café",
    ]  # fmt: skip
    assert content_words("") == content_words("the 12 of ?!") == []


def test_content_stems_join_the_forms_of_a_word() -> None:
    assert len(set(content_stems("refund refunds refunded refunding"))) == 1


def test_rows_of_texts_have_unit_length_and_show_how_similar_they_are() -> None:
    texts = ["refund for the lamp", "lamp refund", "password forgotten", "forgot the password", "nothing alike here"]

    rows = unit_rows(texts)
    similarity = (rows @ rows.T).toarray()

    assert np.diag(similarity)[:4] == pytest.approx(np.ones(4))
    assert similarity[0, 1] > 0.3 > similarity[0, 2]
    assert similarity[2, 3] > 0.3


def test_forms_of_a_word_are_the_same_word() -> None:
    rows = unit_rows([*["paying"] * 2, *["pays"] * 2, *["parcel"] * 2])

    assert (rows[0] @ rows[2].T).toarray()[0, 0] > 0.5


def test_mistyped_word_is_similar_to_the_right_one() -> None:
    rows = unit_rows(["warranty", "warrnaty", "warranty", "warrnaty", "parcel", "parcel"])
    similarity = (rows @ rows.T).toarray()

    assert similarity[0, 1] > 0.05
    assert similarity[0, 4] == 0


@pytest.mark.parametrize("texts", [["one lamp", "two chairs"], ["same"] * 10, ["", ""], ["?!", "12"]])
def test_texts_that_no_word_tells_apart_have_no_rows(texts: list[str]) -> None:
    assert unit_rows(texts) is None


def test_word_that_nearly_all_say_tells_nothing() -> None:
    said = ["shop lamp", "shop lamp"] + ["shop sofa"] * 8
    rows = unit_rows(said), unit_rows(said, common=1.0)

    rare, all_words = ((matrix[0] @ matrix[9].T).toarray()[0, 0] for matrix in rows)

    assert COMMON < 1.0
    assert (rare, all_words > 0) == (0, True)


def test_views_are_the_texts_in_which_the_failures_differ() -> None:
    said = [Wording("is wrong", f"where is the {thing}", "I do not know") for thing in ("lamp", "sofa") * 5]

    views = similarity_views(said)

    assert list(views) == ["input"]
    assert views["input"].shape[0] == 10


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("plan b fails, order 7", ["plan", "b", "fails", "order"]),
        ("size m is sold out", ["size", "m", "sold"]),
        ("退货政策怎么样", ["退货", "货政", "政策", "策怎", "怎么", "么样"]),
        ("der laden schließt um sechs und das ist zu früh", ["laden", "schliesst", "sechs", "früh"]),
        ("клиент не может войти, и это не в первый раз", ["клиент", "войти", "это", "первый"]),
    ],
)
def test_content_words_are_those_of_any_script(text: str, words: list[str]) -> None:
    assert content_words(text) == words


def test_stems_follow_the_rules_of_the_language() -> None:
    assert content_stems("die rechnungen sind nicht in der post für mich") == ["rechnung", "post"]
    assert content_stems("the refunds are not in the account") == ["refund", "account"]


def test_expected_value_is_masked_in_every_form_of_unicode() -> None:
    said = {"problems": [], "score": 0.0, "passed": False, "criteria": []}
    bundle: Any = {"input": "où", "output": "au cafe\u0301 ２１：３０", "expected": "Café", "evaluation": said}

    assert Wording.of(bundle).output == "au"

import pytest

from ratchet.grouping.titles import LONGEST_WORD, distinctive_words, title, without_catchwords
from ratchet.grouping.wording import Wording


def asked(*texts: str) -> list[Wording]:
    return [Wording("is wrong", text, "") for text in texts]


def said(*texts: str) -> list[set[str]]:
    return [set(text.split()) for text in texts]


OTHERS = asked(*["where is the sofa kept", "price of the lamp"] * 5)


def test_distinctive_words_are_said_by_many_inside_and_few_outside() -> None:
    inside = said("refund lamp", "refund sofa money", "refund money", "refund lamp money")
    outside = said("lamp price", "sofa lamp", "money lamp") + said("price") * 3

    assert distinctive_words(inside, outside) == ["refund", "money"]


@pytest.mark.parametrize(
    ("tellers", "members", "told"), [(2, 8, False), (3, 8, True), (3, 15, True), (3, 16, False), (4, 16, True)]
)
def test_word_of_few_members_tells_nothing(tellers: int, members: int, told: bool) -> None:
    inside = said(*["refund"] * tellers, *["lamp"] * (members - tellers))

    assert ("refund" in distinctive_words(inside, said("lamp") * 10)) is told


@pytest.mark.parametrize(("outside", "told"), [(19, True), (20, False)])
def test_word_has_to_be_half_as_frequent_again_as_outside(outside: int, told: bool) -> None:
    others = said(*["refund"] * outside, *["lamp"] * (28 - outside))

    assert bool(distinctive_words(said("refund") * 10, others)) is told


def test_distinctive_words_that_tell_as_much_are_in_alphabetical_order() -> None:
    assert distinctive_words(said("b a c", "c b a", "a b c"), said("x")) == ["a", "b", "c"]


def test_title_is_at_most_three_words() -> None:
    members = asked(*["refund money courier warranty parcel"] * 5)

    assert title(members, OTHERS) == "courier money parcel"


def test_title_has_no_two_words_of_one_stem() -> None:
    assert title(asked(*["refund refunds refunded warranty"] * 5), OTHERS) == "refund warranty"


def test_title_is_taken_from_problems_inputs_and_outputs() -> None:
    members = [Wording("rambles", "refund", "story")] * 4

    assert set(title(members, OTHERS).split()) == {"rambles", "refund", "story"}


def test_title_never_shows_a_word_that_only_one_or_two_say() -> None:
    members = asked("refund for Hilda", "refund for Hilda", "refund now", "refund soon", "refund")

    assert title(members, OTHERS) == "refund"


def test_title_of_members_that_speak_like_the_others_is_empty() -> None:
    assert title(OTHERS[:4], OTHERS[4:]) == ""


def test_title_cuts_a_word_of_any_length() -> None:
    assert title(asked(*["x" * 200] * 3), OTHERS) == "x" * LONGEST_WORD


def test_catchwords_are_taken_away_from_every_text() -> None:
    texts = asked(*["refund for the lamp"] * 9, "refund of a sofa", *["password of the lamp"] * 2)

    left = without_catchwords(texts, [set(range(9))], "input")

    assert left == ["lamp"] * 9 + ["sofa"] + ["password lamp"] * 2


def test_catchwords_are_as_few_as_nearly_every_member_says_one_of() -> None:
    members = ["refund lamp", "refund lamp", "refund lamp", "money lamp", "money lamp", "money lamp"]
    texts = asked(*members, *["lamp sofa"] * 6)

    left = without_catchwords(texts, [set(range(6))], "input")

    assert left == ["lamp"] * 6 + ["lamp sofa"] * 6


def test_group_without_telling_words_has_no_catchwords() -> None:
    texts = asked(*["lamp sofa"] * 8)

    assert without_catchwords(texts, [{0, 1, 2, 3}], "input") == ["lamp sofa"] * 8

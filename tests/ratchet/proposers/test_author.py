import pytest

from ratchet.proposers.author import one_sentence, room, usable


@pytest.mark.parametrize("text", ["", "...", "-\n-", "adults " * 20, "a b c d " * 10])
def test_usable_drops_what_says_nothing(text: str) -> None:
    assert usable(text) == ""


@pytest.mark.parametrize("text", ["Be brief.", "adults, adults", "Answer in {tone} words. " + "Then stop. " * 3])
def test_usable_keeps_wording(text: str) -> None:
    assert usable(text) == text


def test_one_sentence_is_short_and_new() -> None:
    assert one_sentence(" Be brief.\nAnd kind.", "Answer.") == "Be brief."
    assert one_sentence("Answer.", "Answer. Be brief.") == ""
    assert one_sentence("x" * 401, "Answer.") == ""
    assert one_sentence("", "Answer.") == ""


def test_room_grows_with_the_text_up_to_a_bound() -> None:
    assert room("one two") < room("word " * 100) < room("word " * 10_000) == room("word " * 20_000)

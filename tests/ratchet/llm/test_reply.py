import pytest
from pydantic import ValidationError

from ratchet.llm.reply import Reply


def test_reply_that_cost_nothing_yet_is_not_taken_for_a_reused_one() -> None:
    reply = Reply(text="At nine.")

    assert (reply.input_tokens, reply.output_tokens, reply.seconds, reply.reused) == (0, 0, 0.0, False)


@pytest.mark.parametrize("text", ["", " ", "é 東京 \U0001f600", '{"a": "\\n"}', "{input}"])
def test_kept_reply_is_word_for_word_what_the_model_said(text: str) -> None:
    reply = Reply(text=text, input_tokens=3, output_tokens=4, seconds=0.25)

    assert Reply.model_validate_json(reply.model_dump_json()) == reply


def test_kept_reply_without_a_text_is_refused() -> None:
    with pytest.raises(ValidationError, match="text"):
        Reply.model_validate({"input_tokens": 3})

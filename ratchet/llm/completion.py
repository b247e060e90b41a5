"""What a chat completion says: the one place that turns the client's message into a `Reply`."""

from langchain_core.messages import AIMessage

from ratchet.errors import ModelReplyError
from ratchet.llm.reply import Reply
from ratchet.records import ENDINGS, Ending
from ratchet.text import whole_text

_CUT_OFF = {"length", "max_tokens", "max_output_tokens"}
_FILTERED = {"content_filter", "safety"}
_BROKEN_OFF = "error"


def as_reply(message: AIMessage) -> Reply:
    """The reply in `message`. Where the model refuses in a field of its own, its words there are the text.

    Raises:
        ValueError: the endpoint broke the reply off.
    """
    if _finish_reason(message) == _BROKEN_OFF:
        raise ValueError("the endpoint broke the reply off")
    tokens = message.usage_metadata
    text = str(message.text) or str(message.additional_kwargs.get("refusal") or "")
    return Reply(
        text=whole_text(text).replace("\0", "\ufffd"),  # which no database keeps
        ending=ending_of(message),
        input_tokens=tokens["input_tokens"] if tokens else 0,
        output_tokens=tokens["output_tokens"] if tokens else 0,
    )


def ending_of(message: AIMessage) -> Ending:
    """How the completion ended."""
    reason = _finish_reason(message)
    if message.additional_kwargs.get("refusal") or reason == "refusal":
        return "refused"
    if reason in _FILTERED:
        return "filtered"
    if reason in _CUT_OFF:
        return "cut_off"
    called = message.tool_calls or message.invalid_tool_calls or message.additional_kwargs.get("function_call")
    return "tool_call" if called and not str(message.text).strip() else "answer"


def _finish_reason(message: AIMessage) -> str:
    """The reason that either protocol gives; the one of responses only where they are incomplete."""
    told = message.response_metadata
    return str(told.get("finish_reason") or (told.get("incomplete_details") or {}).get("reason") or "").lower()


def require_answer(reply: Reply) -> None:
    """Accept a whole answer only.

    Raises:
        ModelReplyError: the reply ended otherwise, or holds no answer.
    """
    if reply.ending != "answer":
        raise ModelReplyError(ENDINGS[reply.ending])
    if not reply.answer.strip():
        raise ModelReplyError("empty, or reasoning only")

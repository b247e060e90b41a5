"""Answers to an approval request: every accepted form becomes one `Decision`."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from ratchet.config.files import first_problem
from ratchet.errors import AnswerError
from ratchet.prompting import TaskPrompt
from ratchet.records import Decision


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    reviewer: Annotated[str, Field(min_length=1, max_length=200)] = "unknown"
    reason: Annotated[str, Field(max_length=4000)] = ""
    change_hash: str | None = None
    """If given, the answer holds only for a change with this hash."""


class Approve(_Answer):
    """The change may go live as it is."""

    type: Literal["approve"]


class Edit(_Answer):
    """The change may go live in the form given here, after it has been validated."""

    type: Literal["edit"]
    prompt: TaskPrompt | Annotated[str, Field(min_length=1)]


class Reject(_Answer):
    """The change must not go live; with feedback, another proposal is made."""

    type: Literal["reject"]
    feedback: Annotated[str, Field(max_length=4000)] = ""


_ANSWER: TypeAdapter[Approve | Edit | Reject] = TypeAdapter(
    Annotated[Approve | Edit | Reject, Field(discriminator="type")]
)
_FORMS = '{"type": "approve" | "edit" | "reject", ...}, {"decisions": [...]}, or true / false'


def answer_schema() -> dict[str, Any]:
    """JSON Schema of the answers: the plain forms, the ``decisions`` form, and booleans."""
    plain = _ANSWER.json_schema()
    definitions = plain.pop("$defs", {})
    decisions = {
        "type": "object",
        "properties": {"decisions": {"type": "array", "minItems": 1, "maxItems": 1, "items": {"type": "object"}}},
        "required": ["decisions"],
    }
    return {"$defs": definitions, "anyOf": [plain, decisions, {"type": "boolean"}]}


def parse_answer(answer: Any, current: TaskPrompt, change_hash: str) -> Decision:
    """The decision that `answer` expresses.

    Raises:
        AnswerError: it has none of the accepted forms, or speaks of another change; the message says what is expected.
    """
    if isinstance(answer, bool):
        answer = {"type": "approve" if answer else "reject"}
    if isinstance(answer, dict) and "decisions" in answer:
        answer = _from_decisions(answer)
    if not isinstance(answer, dict):
        raise AnswerError(f"{answer!r:.80} is no answer; expected {_FORMS}")
    try:
        parsed = _ANSWER.validate_python(answer)
    except ValidationError as error:
        raise AnswerError(f"{first_problem(error)}; expected {_FORMS}") from error
    if parsed.change_hash not in (None, change_hash):
        raise AnswerError("the answer is for another change than the one that waits here")
    decision = Decision(type=parsed.type, reviewer=parsed.reviewer, reason=parsed.reason)
    if isinstance(parsed, Reject):
        decision.feedback = parsed.feedback
    elif isinstance(parsed, Edit):
        edited = parsed.prompt
        decision.prompt = current.model_copy(update={"prompt": edited}) if isinstance(edited, str) else edited
    return decision


def _from_decisions(answer: dict[str, Any]) -> dict[str, Any]:
    """One entry of the ``decisions`` form in the plain form; ``edited_action.args`` and ``message`` are translated."""
    decisions = answer["decisions"]
    if not isinstance(decisions, list) or len(decisions) != 1 or not isinstance(decisions[0], dict):
        raise AnswerError(f"'decisions' has to hold exactly one decision, as one change waits; expected {_FORMS}")
    shared = {key: value for key, value in answer.items() if key != "decisions"}
    decision = {**shared, **decisions[0]}
    message = decision.pop("message", None)
    if message is not None:
        decision.setdefault("feedback" if decision.get("type") == "reject" else "reason", message)
    action = decision.pop("edited_action", None)
    if isinstance(action, dict) and isinstance(action.get("args"), dict):
        arguments = action["args"]
        decision.setdefault("prompt", arguments.get("prompt"))
    return decision

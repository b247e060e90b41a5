"""What criteria ask of an agent, in words that a prompt can carry. No model is involved."""

from collections.abc import Iterable

from ratchet.tasks import Criterion, Task


def requirement(criterion: Criterion) -> str | None:
    """One sentence that states what the criterion asks for; None where only the right answer itself would fulfil it.

    It never holds an expected output.
    """
    if criterion.requirement:
        return criterion.requirement
    match criterion.kind:
        case "contains":
            return f"The answer contains {_choice(criterion.values)}." if criterion.values else None
        case "regex":
            verb = "must not match" if criterion.negate else "must match"
            return f"The answer {verb} the regular expression {criterion.pattern}"
        case "json_schema":
            return _json_object(list(criterion.definition.get("properties", {})))
        case "json_equal":
            return _json_object(criterion.keys or [])
        case "max_words":
            return f"Answer in at most {criterion.limit} words."
        case "judge":
            return f"The answer to this question must be yes: {criterion.question}"
        case _:
            return _FIXED.get(criterion.kind)


_FIXED = {
    "exact": "Answer with the bare answer only, nothing before or after it.",
    "numeric": "End the answer with the resulting number.",
}


def _choice(values: list[str]) -> str:
    return " or ".join(f'"{value}"' for value in values)


def _json_object(keys: list[str]) -> str:
    named = ", ".join(f'"{key}"' for key in keys)
    return "Answer with a JSON object only" + (f", with the keys {named}." if named else ".")


def derived_requirements(task: Task, failed: Iterable[str]) -> list[str]:
    """The requirements of the failed criteria, in the task's order; criteria without wording are left out."""
    names = set(failed)
    found = [requirement(criterion) for criterion in task.criteria if criterion.name in names]
    return [sentence for sentence in found if sentence]

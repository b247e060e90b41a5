"""What criteria ask of an agent, in words that a prompt can carry. No model is involved."""

from ratchet.tasks import Criterion


def requirement(criterion: Criterion) -> str | None:
    """One sentence that states what the criterion asks for; None where only the right answer itself would fulfil it.

    It never holds an expected output.
    """
    if criterion.requirement:
        return criterion.requirement
    match criterion.kind:
        case "exact":
            return "Answer with the bare answer only, nothing before or after it."
        case "contains":
            if criterion.values is None:
                return None
            return "The answer contains " + " or ".join(f'"{value}"' for value in criterion.values) + "."
        case "regex":
            verb = "must not match" if criterion.negate else "must match"
            return f"The answer {verb} the regular expression {criterion.pattern}"
        case "numeric":
            return "End the answer with the resulting number."
        case "json_schema":
            keys = ", ".join(f'"{key}"' for key in criterion.definition.get("properties", {}))
            return "Answer with JSON only" + (f", an object with the keys {keys}." if keys else ".")
        case "json_equal":
            keys = ", ".join(f'"{key}"' for key in criterion.keys or [])
            return "Answer with a JSON object only" + (f", with the keys {keys}." if keys else ".")
        case "max_words":
            return f"Answer in at most {criterion.limit} words."
        case "judge":
            return f"The answer to this question must be yes: {criterion.question}"
        case "python":
            return None

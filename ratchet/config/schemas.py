"""JSON Schemas that people write: their patterns are read and searched for like all others, see `patterns`."""

from collections.abc import Iterator
from typing import Annotated, Any

from jsonschema import Draft202012Validator, FormatChecker, SchemaError, ValidationError
from jsonschema.validators import extend
from pydantic import AfterValidator
from referencing.exceptions import Unresolvable

from ratchet.config.patterns import compiles, in_time, search
from ratchet.errors import EvaluationError, PatternError

_formats = FormatChecker(formats=())
_formats.checks("regex", raises=ValueError)(lambda value: not isinstance(value, str) or compiles(value) is not None)


def check_schema(definition: dict[str, Any]) -> dict[str, Any]:
    """`definition`, if it is a JSON Schema (draft 2020-12).

    Raises:
        ValueError: with the first problem.
    """
    try:
        Draft202012Validator.check_schema(definition, format_checker=_formats)
    except SchemaError as error:
        raise ValueError(f"not a JSON Schema: {error.message}") from error
    return definition


Schema = Annotated[dict[str, Any], AfterValidator(check_schema)]
"""A key of a file that is a JSON Schema."""


async def schema_problem(definition: dict[str, Any], value: Any) -> str | None:
    """The first reason why `value` does not fit the schema, None where it fits.

    Raises:
        EvaluationError: the schema has a reference to nothing, or a search for one of its patterns took too long.
        RecursionError: `value` is nested too deeply.
    """
    try:
        return await in_time(lambda: _first_problem(definition, value))
    except Unresolvable as error:
        raise EvaluationError(f"the schema has a reference to nothing: {error}") from error
    except PatternError as error:
        raise EvaluationError(str(error)) from error


def _first_problem(definition: dict[str, Any], value: Any) -> str | None:
    problem = next(iter(_Validator(definition).iter_errors(value)), None)
    return None if problem is None else problem.message


Problems = Iterator[ValidationError]


def _pattern(validator: Any, pattern: str, value: Any, _schema: Any) -> Problems:
    if validator.is_type(value, "string") and not search(pattern, value):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


def _pattern_properties(validator: Any, patterns: dict[str, Any], value: Any, _schema: Any) -> Problems:
    for pattern, definition in patterns.items() if validator.is_type(value, "object") else ():
        for key, item in value.items():
            if search(pattern, key):
                yield from validator.descend(item, definition, path=key, schema_path=pattern)


def _additional_properties(validator: Any, allowed: Any, value: Any, schema: Any) -> Problems:
    if validator.is_type(value, "object"):
        patterns = schema.get("patternProperties", {})
        known = {key: True for key in value if any(search(pattern, key) for pattern in patterns)}
        named = schema.get("properties", {}) | known
        yield from Draft202012Validator.VALIDATORS["additionalProperties"](
            validator, allowed, value, {"properties": named}
        )


_Validator: Any = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    {"pattern": _pattern, "patternProperties": _pattern_properties, "additionalProperties": _additional_properties},
)

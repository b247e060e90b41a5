"""Strategies that make any record: every field gets a value of its type, defaults included."""

import types
from typing import Any, Literal, Union, get_args, get_origin

from hypothesis import strategies as st
from pydantic import BaseModel

from ratchet.prompting import ContextStep, TaskPrompt

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
numbers = st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | numbers | text,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(text, inner, max_size=2),
    max_leaves=4,
)
_SIMPLE: dict[Any, st.SearchStrategy[Any]] = {
    str: text,
    int: st.integers(-(2**53), 2**53),
    float: numbers,
    bool: st.booleans(),
    types.NoneType: st.none(),
    Any: json_values,
}
_BOUNDED: dict[str, st.SearchStrategy[Any]] = {"prompt": text.filter(bool), "top_k": st.integers(1, 64)}


def any_record(model: type[BaseModel]) -> st.SearchStrategy[Any]:
    """Instances of `model`."""
    fields = {name: _values(field.annotation) for name, field in model.model_fields.items()}
    if issubclass(model, TaskPrompt | ContextStep):
        fields |= {name: values for name, values in _BOUNDED.items() if name in fields}
    return st.fixed_dictionaries(fields).map(lambda values: model(**values))


def _values(annotation: Any) -> st.SearchStrategy[Any]:
    if annotation in _SIMPLE:
        return _SIMPLE[annotation]
    arguments = get_args(annotation)
    match get_origin(annotation):
        case kind if kind is Literal:
            return st.sampled_from(arguments)
        case kind if kind in (Union, types.UnionType):
            return st.one_of([_values(argument) for argument in arguments])
        case kind if kind is list:
            return st.lists(_values(arguments[0]), max_size=2)
        case kind if kind is dict:
            return st.dictionaries(_values(arguments[0]), _values(arguments[1]), max_size=2)
        case _:
            return any_record(annotation)

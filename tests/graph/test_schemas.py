import importlib

import pytest


@pytest.mark.parametrize("name", ["agent", "serve", "improve"])
def test_schemas_can_be_drawn(name: str) -> None:
    """The server gives them to Studio, which makes forms of them."""
    graph = importlib.import_module(f"graph.{name}").graph
    assert "task" in graph.get_input_jsonschema()["properties"]
    assert "outcome" in graph.get_output_jsonschema()["properties"]

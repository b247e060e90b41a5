from pathlib import Path

import pytest

import nodes


@pytest.mark.parametrize("name", nodes.__all__)
def test_node_is_named_like_its_file(name: str) -> None:
    function = getattr(nodes, name)

    assert function.__name__ == name
    assert Path(function.__code__.co_filename).stem == name
    assert function.__doc__


def test_every_file_is_a_node() -> None:
    files = {file.stem for file in Path(nodes.__file__).parent.glob("[a-z]*.py")}

    assert files - {"state"} == set(nodes.__all__)

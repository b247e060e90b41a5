import re
from pathlib import Path

import ratchet_agents

PAGE = Path(__file__).parents[2] / "docs" / "api.md"


def test_page_and_package_name_the_same_things() -> None:
    told = re.findall(r"^\| `(\w+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)

    assert sorted(told) == sorted(ratchet_agents.__all__)


def test_every_name_is_there() -> None:
    assert [name for name in ratchet_agents.__all__ if not hasattr(ratchet_agents, name)] == []


def test_older_import_gives_the_same() -> None:
    from graph import open_graph

    assert ratchet_agents.open_graph is open_graph

import re
import subprocess
import sys
from pathlib import Path

import pytest

import ratchet_agents

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "api.md"


def test_page_and_package_name_the_same_things() -> None:
    told = re.findall(r"^\| `(\w+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)

    assert sorted(told) == sorted(ratchet_agents.__all__)


def test_every_name_is_there() -> None:
    assert [name for name in ratchet_agents.__all__ if not hasattr(ratchet_agents, name)] == []


def test_older_import_gives_the_same() -> None:
    from graph import open_graph

    assert ratchet_agents.open_graph is open_graph


def test_package_alone_imports_nothing_that_takes_long() -> None:
    code = "import sys, ratchet_agents.__main__; print([name for name in HEAVY if name in sys.modules])"
    heavy = "HEAVY = ('langchain_core', 'langgraph', 'langchain_openai', 'alembic', 'sklearn', 'numpy', 'pydantic')"
    ended = subprocess.run([sys.executable, "-c", f"{heavy}\n{code}"], cwd=ROOT, capture_output=True, check=True)
    assert ended.stdout.decode() == "[]\n"


def test_name_that_is_none_is_an_attribute_error() -> None:
    assert "open_graph" in dir(ratchet_agents)
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        ratchet_agents.Nothing  # noqa: B018

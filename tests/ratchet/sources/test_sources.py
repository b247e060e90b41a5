from pathlib import Path
from types import SimpleNamespace

from shop import TASK, Project

from ratchet.sources import open_sources
from ratchet.tasks import load_task


def test_open_sources_opens_every_kind(project: Project, table: Path) -> None:
    path = project.add("retriever", SimpleNamespace(ainvoke=None))
    toml = TASK + f'[[context_sources]]\nname = "facts"\nkind = "sqlite"\npath = "{table}"\ntable = "facts"\n'
    toml += f'[[context_sources]]\nname = "plug"\nkind = "python"\nuse = "{path}"\n'
    project.write_task(toml=toml)
    sources = open_sources(load_task(project.folder / "tasks", "shop"))
    assert {name: type(source).__name__ for name, source in sources.items()} == {
        "handbook": "DocumentsFolder",
        "facts": "FtsTable",
        "plug": "Retriever",
    }

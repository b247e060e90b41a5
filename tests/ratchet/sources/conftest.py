import sqlite3
from pathlib import Path

import pytest


@pytest.fixture
def table(tmp_path: Path) -> Path:
    file = tmp_path / "what now?.sqlite"
    connection = sqlite3.connect(file)
    connection.execute("CREATE VIRTUAL TABLE facts USING fts5(title, body)")
    rows = [("Hours", "The shop opens at nine."), ("Repairs", "Bicycles are repaired."), (None, "nine nine nine")]
    connection.executemany("INSERT INTO facts VALUES (?, ?)", rows)
    connection.execute("CREATE TABLE plain (body)")
    connection.commit()
    connection.close()
    return file

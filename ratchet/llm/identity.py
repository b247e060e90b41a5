"""What stands behind a model's name now: a reply that another model gave under the same name proves nothing."""

import importlib.util
import sys
from pathlib import Path

from ratchet.config.settings import Settings
from ratchet.llm.addresses import OPENAI
from ratchet.llm.embedded import model_file
from ratchet.llm.spec import ModelSpec
from ratchet.prompting import content_hash


def identity_of(spec: ModelSpec, settings: Settings) -> str:
    """The endpoint's address, the size and time of a model file, or the hash of a script's file. Blocks.

    Raises:
        ConfigurationError: the embedded model's file is not there.
    """
    match spec.provider:
        case "openai":
            return (settings.openai_base_url or OPENAI).rstrip("/")
        case "local":
            stat = model_file(spec.name).stat()
            return f"{stat.st_size} bytes of {stat.st_mtime_ns}"
        case "scripted":
            file = _script_file(spec.name)
            return content_hash(file.read_text(encoding="utf-8", errors="replace")) if file else ""


def _script_file(target: str) -> Path | None:
    """The file that a script is read from; None for a module without one, and for one that cannot be found."""
    if target.endswith(".json"):
        file = Path(target)
    else:
        name = target.partition(":")[0]
        module = sys.modules.get(name)
        file = Path(getattr(module, "__file__", None) or (_origin(name) if module is None else None) or "")
    return file if file.is_file() else None


def _origin(module: str) -> str | None:
    try:
        found = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return None
    return found.origin if found else None

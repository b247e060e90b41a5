import logging
import socket
import subprocess
import sys

import numpy as np
import pytest

from ratchet.embedding import packaged
from ratchet.embedding.packaged import HALF, PackagedModel, packaged_files

pytestmark = pytest.mark.anyio


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> PackagedModel:
    """The model in a process that has no network."""

    def refuse(*args: object) -> None:
        raise AssertionError("the packaged model reached for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    packaged._load.cache_clear()
    files = packaged_files()
    assert files is not None
    return PackagedModel(files)


async def similarity(model: PackagedModel, one: str, other: str) -> float:
    first, second = await model.embed([one, other])
    return float(first @ second)


@pytest.mark.parametrize(
    ("text", "near", "far"),
    [
        ("my card was stolen", "somebody took my debit card", "when do you open"),
        ("how do I get my money back", "the refund has not arrived", "the shop sells bicycles"),
        ("Where can I park my car?", "There is a car park behind the hall.", "The guarantee lasts two years."),
    ],
)
async def test_texts_of_one_meaning_are_near(model: PackagedModel, text: str, near: str, far: str) -> None:
    assert await similarity(model, text, near) > 0.3
    assert await similarity(model, text, near) > 1.5 * await similarity(model, text, far)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("The card was stolen.", 1.0),
        ("Die Karte wurde mir gestohlen.", 1.0),
        ("Ma carte a été volée hier soir.", 1.0),
        ("我的卡被偷了", HALF),
        ("สินค้าถูกขโมย", HALF),
        ("سُرقت بطاقتي أمس", HALF),
        ("मेरा कार्ड चोरी हो गया", HALF),
    ],
)
async def test_length_says_whether_the_script_is_known(model: PackagedModel, text: str, length: float) -> None:
    (vector,) = await model.embed([text])

    assert np.linalg.norm(vector) == pytest.approx(length, abs=1e-3)


async def test_vectors_do_not_depend_on_what_is_embedded_with_them(model: PackagedModel) -> None:
    texts = [f"text number {number} " * (number % 7 + 1) for number in range(600)]

    together, alone = await model.embed(texts), [(await model.embed([text]))[0] for text in texts[::97]]

    assert together.shape == (600, 256)
    assert np.allclose(together[::97], alone, atol=1e-6)


async def test_any_text_has_a_finite_vector(model: PackagedModel) -> None:
    rows = await model.embed(["?", "\x00", "🙂", "\ufffd", "x" * 5000, "\n"])

    assert np.isfinite(rows).all()


@pytest.mark.parametrize("missing", ["wordllama", "tokenizers", "safetensors"])
def test_model_is_missing_where_a_package_is(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    find = packaged.importlib.util.find_spec
    monkeypatch.setattr(packaged.importlib.util, "find_spec", lambda name: None if name == missing else find(name))

    assert packaged_files() is None


def test_package_of_another_layout_is_as_good_as_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packaged, "NAME", "gone")

    assert packaged_files() is None


async def test_program_keeps_its_own_logging(model: PackagedModel) -> None:
    level, handlers = logging.root.level, list(logging.root.handlers)
    await model.embed(["a text"])

    assert (logging.root.level, logging.root.handlers) == (level, handlers)
    assert "wordllama" not in sys.modules


def test_commands_that_search_nothing_load_no_embedding_model() -> None:
    code = "import sys, service.cli; print([m for m in ('tokenizers', 'safetensors', 'wordllama') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"

import pytest

from ratchet.llm import ModelSpec
from ratchet.llm.embedded import SLOTS
from ratchet.llm.opening import limiter_for

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("spec", "concurrency", "limit"),
    [
        (ModelSpec("local", ""), 32, SLOTS),
        (ModelSpec("local", ""), 2, 2),
        (ModelSpec("scripted", "m:f"), 32, 32),
        (ModelSpec("openai", "m"), 32, 4),
        (ModelSpec("openai", "m"), 2, 2),
    ],
)
async def test_limit_at_first_fits_the_model(spec: ModelSpec, concurrency: int, limit: int) -> None:
    assert limiter_for(spec, concurrency).limit == limit

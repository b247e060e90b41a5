import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.sources.bm25 import Bm25Index

TEXTS = ["The shop opens at nine.", "The shop, the shop: a shop closes at six.", "Bicycles are repaired upstairs."]
words = st.lists(st.sampled_from(["shop", "bike", "lamp", "repair", "nine"]), max_size=5).map(" ".join)


def places(texts: list[str], query: str, top_k: int = 10) -> list[int]:
    return [place for place, _ in Bm25Index(texts).best(query, top_k)]


def test_bm25_puts_the_best_text_first() -> None:
    assert places(TEXTS, "when does the shop close? it closes") == [1, 0]
    assert places(TEXTS, "repaired bicycles") == [2]


def test_bm25_scores_fall_and_top_k_bounds() -> None:
    found = Bm25Index(TEXTS).best("shop opens", 2)

    assert len(found) == 2
    assert found[0][1] > found[1][1] > 0
    assert len(Bm25Index(TEXTS).best("shop", 1)) == 1


@pytest.mark.parametrize("query", ["REPAIRS", "repairing", "Repaired?", "the repair, please"])
def test_bm25_finds_a_word_in_another_form_or_case(query: str) -> None:
    assert places(TEXTS, query) == [2]


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("Die Straße ist gesperrt", "straße"),
        ("Le café ferme à midi", "CAFÉ"),
        ("касса закрыта", "касса"),
        ("東京 駅", "東京"),
    ],
)
def test_bm25_finds_words_of_other_languages(text: str, query: str) -> None:
    assert places(["The shop opens at nine.", text], query) == [1]


@pytest.mark.parametrize(
    ("texts", "query", "best"),
    [
        (["About order-3.", "About order-7.", "About order-9."], "where is order 7?", 1),
        (["Error 4 is an outage.", "Error 5 is a time-out."], "what does error 5 mean", 1),
        (["Plan A is cheap.", "Plan B is fast.", "Plan C is safe."], "what does plan B offer?", 1),
        (["Vitamin C is in oranges.", "Vitamin D comes from the sun."], "vitamin D", 1),
        (["停车。停车场在大楼后面。", "退货政策。商品可以在三十天内退货。"], "几天内可以退货？", 1),
        (["営業時間は九時からです。", "返品は三十日以内にできます。"], "返品できますか", 1),
        (["ที่จอดรถอยู่หลังอาคาร", "คืนสินค้าได้ภายในสามสิบวัน"], "คืนสินค้าได้กี่วัน", 1),
        (["주차장은 건물 뒤에 있습니다.", "환불은 삼십일 이내에 됩니다."], "환불 가능한가요?", 1),
        (["यह दुकान नौ बजे खुलती है।", "वापसी तीस दिन में होती है।"], "वापसी कब तक?", 1),
    ],
)
def test_bm25_finds_words_of_one_character_and_of_any_script(texts: list[str], query: str, best: int) -> None:
    assert places(texts, query)[0] == best


def test_bm25_prefers_the_rare_word() -> None:
    assert places(["shop shop lamp", "shop bike", "shop", "shop"], "shop bike")[0] == 1


@pytest.mark.parametrize("query", ["zebra", "", "   ", "?!", "the", "a"])
def test_bm25_finds_nothing_without_a_shared_word(query: str) -> None:
    assert places(TEXTS, query) == []


@pytest.mark.parametrize("texts", [[], [""], ["the a of"]])
def test_bm25_over_nothing_finds_nothing(texts: list[str]) -> None:
    assert places(texts, "shop") == []


@given(st.lists(words, max_size=8), words, st.integers(1, 10))
def test_bm25_finds_texts_that_share_a_word_best_first(texts: list[str], query: str, top_k: int) -> None:
    found = Bm25Index(texts).best(query, top_k)

    sharing = {place for place, text in enumerate(texts) if set(text.split()) & set(query.split())}
    scores = [score for _, score in found]
    assert len(found) == min(top_k, len(sharing))
    assert {place for place, _ in found} <= sharing
    assert scores == sorted(scores, reverse=True)
    assert len({place for place, _ in found}) == len(found)

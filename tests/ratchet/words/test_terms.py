import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.words import Terms, pieces_of, word_count, words_of, written_words
from ratchet.words.terms import bare


def words(text: str) -> list[str]:
    return [word.text for word in words_of(text)]


def shared(text: str, question: str) -> set[str]:
    terms = Terms([text])
    return set(terms.texts[0]) & set(terms.of_question(question))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("order-7", ["order", "7"]),
        ("error 5: retry", ["error", "5", "retry"]),
        ("plan B", ["plan", "b"]),
        ("9:40", ["9", "40"]),
        ("vitamin C, size M", ["vitamin", "c", "size", "m"]),
        ("ERR_TIMEOUT", ["err", "timeout"]),
        ("касса № 3", ["касса", "no", "3"]),
        ("٣ أيام", ["3", "أيام"]),
        ("２１：３０", ["21", "30"]),
        ("मैं ५ ऑर्डर", ["मैं", "5", "ऑर्डर"]),
        ("?! … — ", []),
        ("", []),
    ],
)
def test_words_of_one_character_are_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("it's", ["it"]),
        ("What’s the customer’s name", ["what", "the", "customer", "name"]),
        ("l'adresse", ["adresse"]),
        ("o'clock", ["clock"]),
        ("rock'n'roll", ["rock", "roll"]),
        ("'quoted'", ["quoted"]),
        ("I'm", ["i"]),
    ],
)
def test_what_an_apostrophe_leaves_over_is_no_word(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("Plan A costs five euros and plan B costs nine.", "What does Plan A cost?"),
        ("Plan A costs five euros and plan B costs nine.", "Is there a plan a?"),
        ("The IT support is in the hall.", "Where is IT?"),
        ("Terminal A is closed, and the others are not.", "terminal A"),
    ],
)
def test_name_that_looks_like_a_function_word_is_found(text: str, question: str) -> None:
    assert shared(text, question) & {"a", "it"}


@pytest.mark.parametrize("question", ["a", "A", "Is there a lamp?", "A lamp?", "i", "Can I do it"])
def test_function_words_are_not_looked_for(question: str) -> None:
    assert "i" not in shared("A plan is what I have for a day, and I like it.", question)
    if len(question) > 1:
        assert shared("A plan is what I have for a day, and I like it.", question) == set()


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("Returns are accepted within thirty days of the purchase.", "returning"),
        ("Die Artikel können innerhalb von dreißig Tagen zurückgegeben werden, und das ist die Regel.", "ARTIKELN"),
        ("Die Straße ist gesperrt und der Laden ist zu.", "STRASSE"),
        ("Les produits sont garantis deux ans, et le port est offert.", "produit"),
        ("Товары можно вернуть в течение 30 дней, если они не были в использовании.", "товар"),
        ("Ёлка уже не в продаже, и это до января.", "елка"),
        ("يمكن إرجاع الْمُنتَجات في غضون ثلاثين يوماً من الشراء، هذا في كل الفروع.", "المنتجات"),
        ("इस दुकान में उत्पादों की वापसी तीस दिन में है।", "उत्पाद"),
        ("退货政策。商品可以在三十天内退货。", "怎么退货？"),
        ("返品は三十日以内にできます。", "返品したい"),
        ("サーバーがダウンしています", "サーバー"),
        ("นโยบายคืนสินค้า คืนได้ภายในสามสิบวัน", "อยากคืนสินค้า"),
        ("환불은 삼십일 이내에 가능합니다", "환불 기간"),
        ("책을 반납하세요", "책"),
        ("Η επιστροφή των προϊόντων είναι δωρεάν και δεν έχει όριο.", "επιστροφη"),
        ("iPhoneを返品する", "iphone 返品"),
        ("Ａｐｐ设置", "app"),
    ],
)
def test_question_finds_a_text_in_its_script(text: str, question: str) -> None:
    assert shared(text, question)


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("停车。停车场在大楼后面。", "几点开门"),
        ("ราคาสินค้า", "เปิดกี่โมง"),
        ("주차장은 건물 뒤에 있습니다", "환불"),
        ("касса закрыта", "доставка"),
    ],
)
def test_question_that_shares_no_word_finds_nothing(text: str, question: str) -> None:
    assert shared(text, question) == set()


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
@pytest.mark.parametrize(
    "text", ["Café Zürich", "คำสั่งซื้อน้ำ", "ऑर्डर क़ीमत", "Ünïcödé ﬁle", "がぎぐ パス", "Ёлка Й", "한국어"]
)
def test_words_are_the_same_in_every_form_of_unicode(text: str, form: str) -> None:
    assert Terms([unicodedata.normalize(form, text)]).texts == Terms([text]).texts  # type: ignore[arg-type]


def test_texts_of_two_languages_are_each_reduced_by_their_own_rules() -> None:
    terms = Terms(
        ["The bills are sent by post and the price is low.", "Die Rechnungen sind in der Post und das ist gut."]
    )

    assert terms.languages == ["english", "german"]
    assert {"bill", "rechnung"} <= {word for text in terms.texts for word in text}
    assert {"bill", "rechnung"} <= set(terms.of_question("bill Rechnung"))


def test_short_text_is_taken_for_the_language_of_the_others() -> None:
    terms = Terms(
        ["The shop is open on all of the days.", "Bicycle repairs", "It is in the hall, and so are the lamps."]
    )

    assert terms.languages == ["english"]
    assert terms.texts[1] == ["bicycl", "repair"]


def test_words_stay_as_they_are_where_no_language_is_clear() -> None:
    assert Terms(["Bicycles repairs"]).texts == [["bicycles", "repairs"]]


def test_vowel_signs_and_lengthening_are_not_written_by_all() -> None:
    assert words("كِتَابٌ ـــ كتـــاب") == ["كتاب", "كتاب"]
    assert bare("كيك") == bare("کیک")


@pytest.mark.parametrize(
    ("text", "count"),
    [("one two  three", 3), ("", 0), ("商品可以退货", 3), ("退 a", 2), ("คืน สินค้า", 4), ("don't stop", 2)],
)
def test_words_are_counted_in_any_script(text: str, count: int) -> None:
    assert word_count(text) == count


def test_pieces_are_pairs_of_scripts_without_blanks_only() -> None:
    assert pieces_of("order 退货政策 猫 退货") == ["退货", "货政", "政策", "猫"]
    assert pieces_of("order 7") == []
    assert len(pieces_of("".join(map(chr, range(0x4E00, 0x4F00))))) == 64


def test_written_words_keep_what_another_index_knows() -> None:
    assert written_words("Straße l'été ﬁle क़ीमत")[:3] == ["Straße", "été", "ﬁle"]
    assert "file" in written_words("ﬁle")


@given(st.text())
def test_any_text_has_words_and_terms(text: str) -> None:
    found = words(text)
    terms = Terms([text])

    assert all(word and not word.isspace() for word in found)
    assert set(terms.of_question(text)) <= set(terms.texts[0])
    assert word_count(text) >= 0


@given(st.text(alphabet="abc 7'éß退货คืนड़ि-_.", max_size=40))
def test_a_text_is_found_by_itself(text: str) -> None:
    terms = Terms([text])

    assert bool(terms.of_question(text)) == bool(terms.texts[0])


@pytest.mark.parametrize("text", ["e" + "\u0301" * 50_000, "a'" * 50_000, "ก" + "\u0e48" * 50_000, "é" * 50_000])
def test_odd_text_takes_no_longer_than_another(text: str) -> None:
    started = time.process_time()
    Terms([text])

    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    ("word", "plain"),
    [("café", "cafe"), ("Ἀθῆναι", "Αθηναι"), ("tiếng", "tieng"), ("ёлкой", "елкой"), ("हिन्दी", "हिन्दी")],
)
def test_bare_word_has_no_accents_that_are_left_out(word: str, plain: str) -> None:
    assert unicodedata.normalize("NFC", bare(word)) == unicodedata.normalize("NFC", plain)

import pytest

from ratchet.words import function_words, language_of, words_of


def told(text: str) -> str | None:
    return language_of(word.text for word in words_of(text))


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The shop opens at nine and closes at six.", "english"),
        ("Der Laden öffnet um neun und schließt um sechs.", "german"),
        ("Le magasin ouvre à neuf heures et il ferme à midi.", "french"),
        ("La tienda abre a las nueve y cierra a las seis.", "spanish"),
        ("Winkel gaat om negen open en het is dan niet druk.", "dutch"),
        ("Если это не работает, вы можете вернуть его в магазин.", "russian"),
        ("Магазин відкривається о дев'ятій, але не працює у неділю, і це так.", "ukrainian"),
        ("Магазинът се отваря в девет и не работи в неделя, но ще е отворен.", "bulgarian"),
        ("هل يمكن إرجاع المنتج بعد أن فتحت العلبة في المنزل؟", "arabic"),
        ("چگونه می توانم این سفارش را پس از خرید لغو کنم؟", "persian"),
        ("मैं अपना ऑर्डर कैसे रद्द कर सकता हूँ और पैसा कब आता है?", "hindi"),
        ("Το κατάστημα ανοίγει στις εννέα και δεν είναι ανοιχτό την Κυριακή.", "greek"),
        ("Czy można zwrócić towar, jak nie jest używany?", "polish"),
        ("Mağaza saat dokuzda açılır ve bu çok iyi bir saat için.", "turkish"),
    ],
)
def test_language_is_told_by_its_function_words(text: str, language: str) -> None:
    assert told(text) == language


@pytest.mark.parametrize(
    "text",
    [
        "",
        "7",
        "reset password",
        "order 7 error 5",
        "the",
        "the the the the",
        "Samsung Galaxy S24 Ultra",
        "退货政策。商品可以在三十天内退货。",
        "คืนสินค้าได้ภายในสามสิบวัน",
        "Jeg kan ikke finde den, hvor er min pakke?",  # Danish and Norwegian are written alike
        "касса закрыта",
    ],
)
def test_language_is_left_open_where_it_is_not_clear(text: str) -> None:
    assert told(text) is None


def test_one_name_in_another_language_changes_nothing() -> None:
    assert told("How do I open the folder Über uns in the app?") == "english"


def test_function_words_are_looked_up_as_words_are_written() -> None:
    assert all(word == word.casefold() and word for words in function_words().values() for word in words)
    assert len(function_words()) == 26

"""The language of a text, told by its function words; none where these leave it open."""

from collections import Counter
from collections.abc import Iterable
from functools import cache

import bm25s.stopwords as listed

LIKELY = 0.15
"""Share of a text's words that are function words of its language, at least."""
AHEAD = 1.3
"""They are at least this many times as many as those of any other language."""
DISTINCT = 2
"""Different ones of them at least."""
_LISTED = ("danish", "dutch", "french", "german", "italian", "norwegian", "portuguese", "russian", "spanish")
_OWN = {
    "arabic": "في من على إلى عن هل ما كيف لا أن هذا هذه التي الذي مع أو لم إذا بعد قبل كم ثم قد كل عند",
    "persian": "در به از که این را با است برای می آن یک و تا هم چه چگونه کجا شما من ما خود نیست شود",
    "hindi": "है हैं का की के में को से पर और यह क्या कैसे मैं मेरा मेरी नहीं हो कर लिए आप था कि ने कब",
    "greek": "και το η ο να στο στη την της του των με για από δεν θα είναι που πώς τι σε τα μου",
    "polish": "i w na z do nie się jest że jak to czy po co za od dla o ale mogę mój moje przez można są",
    "czech": "a v na je se že s z do o jak to pro jsem si ve za už mohu můj kde ale nebo není jsou po",
    "hungarian": "a az és hogy nem egy van is ez meg de el mit hol mikor kell vagy ha már csak lehet mert",
    "finnish": "ja on ei se että en mutta kun voi mitä missä oli jos tai ovat miten minun milloin kuinka saa",
    "romanian": "și de la în un o nu este pe cu să care din ce cum mai pentru sunt am al meu mea unde când",
    "ukrainian": "і в не на що з я як до це та але за від у для чи коли де мій моє є про під або ви",
    "bulgarian": "и на да се за не в от е с си това как какво къде кога но са ще ли мога мой моята по до",
    "urdu": "ہے ہیں کا کی کے میں کو سے پر اور یہ کیا کیسے نہیں ہو کر لیے آپ تھا کہ نے جو میرا میری",
    "marathi": "आहे आहेत आणि मी माझे माझी का कसे कुठे हे ते मध्ये या नाही ला चा ची चे होते किंवा तर काय",
    "nepali": "छ छन् र को मा ले लाई यो म मेरो के कसरी कहाँ छैन हो भने पनि गर्न हुन्छ बाट तपाईं कति",
}
"""Of languages that bm25s has no list of. Those without a stemmer keep their neighbours from being taken for them."""


_LETTERS = {
    "russian": "ыэё",
    "ukrainian": "іїєґ",
    "bulgarian": "ъ",
    "arabic": "ةأإ",
    "persian": "پچژگ",
    "urdu": "ٹڈڑںے",
}
"""Letters that neighbours with much the same function words do not have, or have seldom."""


@cache
def function_words() -> dict[str, frozenset[str]]:
    """The words of each language that say little by themselves, in lower case."""
    names = (*_LISTED, "swedish", "turkish")
    lists = {name: getattr(listed, f"STOPWORDS_{name.upper()}") for name in names}
    lists["english"] = [word for word in listed.STOPWORDS_EN_PLUS if len(word) > 1 or word in ("a", "i")]
    lists |= {name: words.split() for name, words in _OWN.items()}
    return {name: frozenset(word.casefold() for word in words) for name, words in lists.items()}


def language_of(words: Iterable[str]) -> str | None:
    """The language of a text, given its words in lower case, by the name that Snowball has for it."""
    counts = Counter(words)
    known = {name: counts.keys() & of_language for name, of_language in function_words().items()}
    said = {name: sum(counts[word] for word in found) + _spelt(counts, name) for name, found in known.items()}
    best, rival = sorted(said, key=lambda name: -said[name])[:2]
    clear = said[best] >= max(LIKELY * counts.total(), AHEAD * said[rival])
    return best if clear and len(known[best]) >= DISTINCT else None


def _spelt(counts: Counter[str], language: str) -> int:
    """Words with a letter that tells the language."""
    letters = set(_LETTERS.get(language, ""))
    return sum(count for word, count in counts.items() if letters.intersection(word)) if letters else 0

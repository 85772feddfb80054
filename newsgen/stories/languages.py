"""Which languages a text may be in, by the commonest short words of each.

Words of two languages that are spelt alike join nothing: names aside, one event is told in two languages by different
words. The table is only used to keep languages apart. A text in a language that it lacks, or without any of these words,
may be in any language.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

_WORDS: Final = {
    "ar": "في من على إلى عن مع بعد أن هذا هذه التي الذي بين خلال قبل ضد حول لا ما كما حتى عند يوم",
    "bg": "на за се от да не са ще при със след които към през че ще бе над като или",
    "ca": "el la els les amb per als dels una és del que en i de al pel més entre sense sobre",
    "cs": "na se je že do za ve od pro po jsou jako při před už ale byl bylo proti ze si nebo bude",
    "da": "og i på til af for med er den det en et som har ikke efter fra ved skal om bliver",
    "de": "der die das und in den von zu mit ist im für auf nicht ein eine dem des sich bei nach wird als aus am wie zum zur über vor um sind hat gegen an seine kann unter so es bis muss will soll ins im vom beim zur keine kein mehr ihr ihre sein seinen neue neuen erste ersten bleibt geht gibt macht droht sagt wieder noch vor gegen ohne durch hier diese dieser alle wer wo warum war waren haben können",
    "en": "the of and to in a is for on that with as at by from are was his her will be has after over into what how why who says not an it its this he she they we you your out up off more than first new their but against would could can will may had were been being who about ahead amid vs set get gets say wins win set two one three day days week live latest why when where which all no so or if do don than these those first last only most back down before during under",
    "es": "de la el en y los las del que un una por con para su se al no es más como lo tras sin sobre entre ante sus este esta nos hoy ser muy está están fue han desde hasta contra cuando quien dos tres primer primera pero ya así donde todo todos ella fueron será serán hay cómo qué le les",
    "et": "ja on ei et oli ning kui mis aga oma ka ta kes pärast eest",
    "fa": "در از به که این را با است برای آن های شد بر یک خود می و تا",
    "fi": "ja on ei se että oli hän ovat myös kun mutta kuin sai vuoden jälkeen voitti nyt olla mukaan",
    "fr": "de la le les des et en du un une à est pour dans par sur au aux que qui ne pas avec son sa ses ce plus après contre se je nous vous mais même son être qu ont fait elle ils leur tout cette sans sous entre chez vers deux trois premier première comment pourquoi quand où était sera va vont non oui aussi face",
    "hr": "i u na je se da za od su s će o koji kako iz nije što bi do kao protiv nakon",
    "hu": "a az és hogy nem is egy meg van volt szerint már csak lesz után még ki el mint",
    "id": "yang di dan ke dari untuk dengan pada ini itu dalam akan tidak oleh para saat jadi",
    "it": "di il la e che in un una per del della dei a le i non con è al da si alla nel sono come gli lo dopo",
    "lt": "ir į iš kad su dėl po yra ne bei per už apie nuo buvo kaip",
    "lv": "un ir no uz ar par kas pēc bet kā arī lai tiek pie",
    "nl": "de het een van en in is op te voor met dat zijn niet aan er om ook na bij uit naar over wordt tegen",
    "no": "og i på til av for med er den det en et som har ikke etter fra ved skal om blir",
    "pl": "w z na i do się nie że o jest to po za od dla jak przez co przed są był będzie już ze",
    "pt": "de a o e do da em que no na para com um uma os as por dos ao não se mais é após pela pelo sobre nos das",
    "ro": "de în și la a cu din pe care pentru să nu o că un au fost după mai este ale",
    "ru": "в и на не с что по из за к о для от его как до был это об при после или со мы",
    "sk": "na sa je že do za vo od pre po sú ako pri pred už ale bol bolo proti zo si bude",
    "sl": "in je v na za se da z so po s od ki pri bo ni ne tudi kot iz do pred bi",
    "sr": "и у на је се да за од су са ће о који како из није што би",
    "sv": "och i på till av för med är den det en ett som har inte efter från vid ska om blir att",
    "tr": "ve bir bu için ile da de olarak çok daha sonra göre kadar ne oldu en olan yeni mi",
    "uk": "в і на не з що у та до за від про як для його це після під є або й",
    "ur": "کے کی میں کا سے اور کو نے ہے پر یہ کہ اس ہیں گے بھی",
    "vi": "của và là có được cho các trong không một với người đã ở này khi từ vào những về sẽ",
}

_INDEX = {language: at for at, language in enumerate(_WORDS)}
_MAX_COUNT = 255
# Each word as an integer that has a byte for each language, so that adding them counts for all languages at once.
_OF_WORD: dict[str, int] = {}
for _language, _words in _WORDS.items():
    for _word in set(_words.split()):
        _OF_WORD[_word] = _OF_WORD.get(_word, 0) + (1 << 8 * _INDEX[_language])


def languages(words: Iterable[str], declared: str) -> int:
    """The languages that some words in lower case may be in, one bit each; 0 if they say nothing.

    These are the languages that have at least half as many of the words as the one that has most. A declared language (a
    tag as in RFC 5646) decides between them, or if there are none.
    """
    found = [counts for word in words if (counts := _OF_WORD.get(word))]
    own = 1 << _INDEX[tag] if (tag := declared[:2].lower()) in _INDEX else 0
    if not found:
        return own
    scores = sum(found[:_MAX_COUNT]).to_bytes(len(_INDEX), "little")
    half = max(scores) / 2
    mask = sum([1 << at for at, score in enumerate(scores) if score >= half])
    return own if own & mask else mask

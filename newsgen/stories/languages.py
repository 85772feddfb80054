"""Which languages a text may be in, by common words of each.

Words that two languages spell alike must join no articles: names aside, two languages tell one event in different words.
The table keeps them apart, and finds the common words after a number (`differences`). A text in a language that it
lacks, or without any of these words, may be in any language.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

_WORDS: Final = {
    "ar": "في من على إلى عن مع بعد أن هذا هذه التي الذي بين خلال قبل ضد حول لا ما كما حتى عند يوم إن أو ثم لم لن قد كل غير أكثر اليوم عام منذ أول",
    "bg": "на за се от да не са ще при със след които към през че ще бе над като или до по му ги ни има няма година години ден дни нов нова нови първи първа между срещу без още вече",
    "ca": "el la els les amb per als dels una és del que en i de al pel més entre sense sobre l d ha han fins però seva seu avui any anys dia dies govern",
    "cs": "na se je že do za ve od pro po jsou jako při před už ale byl bylo proti ze si nebo bude a i v s k o u či který která které jsme jste jsem není byla byly první nový nová roku let také podle když proto mezi z",
    "da": "og i på til af for med er den det en et som har ikke efter fra ved skal om bliver mod over under siden kan kommer siger vil får blev meget mere nu når her så de vi hun han nye første år dag",
    "de": "der die das und in den von zu mit ist im für auf nicht ein eine dem des sich bei nach wird als aus am wie zum zur über vor um sind hat gegen an seine kann unter so es bis muss will soll ins im vom beim zur keine kein mehr ihr ihre sein seinen neue neuen erste ersten bleibt geht gibt macht droht sagt wieder noch vor gegen ohne durch hier diese dieser alle wer wo warum war waren haben können ob je mal zwei drei vier fünf sechs wegen trotz seit während zwischen rund etwa sagen fordert fordern wollen sollen müssen viele viel jetzt heute gestern immer nur schon sehr hatte hatten wurde wurden worden sei ihn ihm uns euch dass weil wenn denn doch gewinnt gewonnen verliert verloren holt holen feiert siegt scheitert verpasst steht stehen liegt kommt kommen gehen machen sieht startet beginnt endet stirbt gestorben verletzt getötet deutsche deutscher deutschen zweite zweiten letzte letzten gute großen große großer kleine darum damit dabei dafür",
    "en": "'s the of and to in a is for on that with as at by from are was his her will be has after over into what how why who says not an it its this he she they we you your out up off more than first new their but against would could can will may had were been being who about ahead amid vs set get gets say wins win set two one three day days week live latest why when where which all no so or if do don than these those first last only most back down before during under yes me my am pm t s while because should here there near next many much our them another other just like know need needs want wants right found said told tells dies died dead killed police government court woman women children people world month year years today tomorrow health school money work working free give gives make makes making made take takes took taking help helps keep keeps look looks goes gone going come comes coming call calls called beat beats lose loses lost winning winner opens starts ends rise rises fall falls plans away again around between through without within every until since still got having",
    "es": "de la el en y los las del que un una por con para su se al no es más como lo tras sin sobre entre ante sus este esta nos hoy ser muy está están fue han desde hasta contra cuando quien dos tres primer primera pero ya así donde todo todos ella fueron será serán hay cómo qué le les a e u mi tu va van da dan ve sí ni o sea cada otro otra otros parte vez ministro ministra presidente tengo tiene nada nunca siempre año años día días mes ayer mañana lunes martes viernes sábado gobierno país ciudad mundo hombre mujer mujeres hombres muerte muere murió gana ganó ganar ganan pierde perdió logra logró vence venció llega llegó hace hizo hacer dice dijo pide puede pueden debe tienen había mejor mejores mayor nuevo nueva nuevos nuevas último última gran primeros mismo misma mientras según durante también además luego aún entonces dónde quién español española españoles estos estas ese esa eso sido sigue siguen cuatro cinco siete ocho nueve ti",
    "et": "ja on ei et oli ning kui mis aga oma ka ta kes pärast eest selle veel juba uus aasta aastat päeva eesti võitis",
    "fa": "در از به که این را با است برای آن های شد بر یک خود می و تا شده کرد می‌شود نیست هم هر تو چه دو روز سال پس نیز",
    "fi": "ja on ei se että oli hän ovat myös kun mutta kuin sai vuoden jälkeen voitti nyt olla mukaan vuotta vuonna sitä tämä joka ollut saa voi tulee uusi uuden ensimmäinen eli jo vielä suomen suomi",
    "fr": "de la le les des et en du un une à est pour dans par sur au aux que qui ne pas avec son sa ses ce plus après contre se je nous vous mais même son être qu ont fait elle ils leur tout cette sans sous entre chez vers deux trois premier première comment pourquoi quand où était sera va vont non oui aussi face a ou si y l d n j c s hors or rien ministre président voici voilà près loin bas haut lors dont leurs nos votre notre très bien encore toujours jamais peu trop déjà hier aujourd demain lundi mardi mercredi jeudi vendredi samedi dimanche ans jour jours mois année années ville pays gouvernement homme femme femmes hommes mort morte tué blessé victoire défaite bat remporte gagne perd veut peut doit faut dit annonce lance appelle demande prend met revient reste devient français française françaises nouveau nouvelle nouveaux dernière dernier meilleur meilleure lui moi toi eux cet ceux celle aucun chaque toute tous toutes fois suite selon avant pendant depuis",
    "hr": "i u na je se da za od su s će o koji kako iz nije što bi do kao protiv nakon ali ako još već više godine godina dana danas nove novi nova koja koje ga ih nas vas smo ste bez zbog prvi prva između preko pod nad među samo bio bila",
    "hu": "a az és hogy nem is egy meg van volt szerint már csak lesz után még ki el mint nagy új első évek lett voltak vagy mert ez azt ezt aki ami magyar nyert között ellen",
    "id": "yang di dan ke dari untuk dengan pada ini itu dalam akan tidak oleh para saat jadi adalah sudah telah bisa bukan hari tahun orang baru kami mereka hingga setelah juga lebih satu dua",
    "it": "di il la e che in un una per del della dei a le i non con è al da si alla nel sono come gli lo dopo ed o ma se ne ci vi mi ti su tra fra l d parte volta ministra presidente nulla sempre già poi delle degli dello nella nelle negli dalla dalle sulla sulle agli alle allo ai anche ancora prima oggi ieri domani anni anno giorno giorni governo ministro città uomo donna donne uomini morto muore vince vinto perde arriva arrivano fa fatto dice detto può deve nuovo nuova nuovi ultimo primo suo sua questo questa quando perché dove chi italiano italiana italiani sarà hanno tutto tutti ecco senza verso fino contro",
    "lt": "ir į iš kad su dėl po yra ne bei per už apie nuo buvo kaip jau dar metų dienų naujas prieš lietuvos",
    "lv": "un ir no uz ar par kas pēc bet kā arī lai tiek pie līdz nav jau vēl gads gada dienas jauns latvijas",
    "nl": "de het een van en in is op te voor met dat zijn niet aan er om ook na bij uit naar over wordt tegen of dan toch wil worden werd werden heeft hebben kan kunnen moet moeten gaat maar nog meer veel geen wel jaar dag dagen vandaag gisteren nieuwe eerste laatste tussen onder wint verliest komt zegt krijgt maakt zich hun haar hem wij deze dit waar wie wat hoe waarom alle twee drie weer terug",
    "no": "og i på til av for med er den det en et som har ikke etter fra ved skal om blir mot over under siden kan kommer sier vil får ble mye mer nå når her så de vi hun han nye første år dag",
    "pl": "w z na i do się nie że o jest to po za od dla jak przez co przed są był będzie już ze roku lat dni oraz tylko ich ale czy tego tym która który które wygrał wygrała została został może będą ma mają",
    "pt": "de a o e do da em que no na para com um uma os as por dos ao não se mais é após pela pelo sobre nos das já há lhe foi ou só me lá ministro ministra presidente seja cada outro outra outros parte vez nada nunca sempre tem ter são está até ser também seu sua seus suas depois ainda hoje ontem amanhã dia dias ano anos mês governo mundo homem mulher mulheres homens morte morre morreu ganha vence venceu perde perdeu chega chegou faz fez diz disse pode podem deve novo nova novos novas último primeira primeiro pelos pelas nas aos à às quem onde porque mesmo enquanto segundo vai vão ele ela isso este esta contra entre sem volta três dois",
    "ro": "de în și la a cu din pe care pentru să nu o că un au fost după mai este ale sunt fiind acest această când unde cine prima primul noi nou nouă ani an zile astăzi împotriva fără între",
    "ru": "в и на не с что по из за к о для от его как до был это об при после или со мы у же бы то ли а но ни этого того который которая году лет дня также только уже еще ещё они она вы их её будет были стал стала может",
    "sk": "na sa je že do za vo od pre po sú ako pri pred už ale bol bolo proti zo si bude ktorý ktorá ktoré sme nie boli roku rokov dní nový nová prvý keď medzi podľa z",
    "sl": "in je v na za se da z so po s od ki pri bo ni ne tudi kot iz do pred bi o kako ob med nad pod proti že še ali če ter ko kaj kdo kdaj zakaj lahko bodo bil bila bilo leta let dni nov nova novo ga jih nas vas smo ste sta najbolj prvi prva drugi brez zaradi zmago zmaga",
    "sr": "и у на је се да за од су са ће о који како из није што би до по као али ако још већ више године година дана данас нове нови нова која које без због између против после",
    "sv": "och i på till av för med är den det en ett som har inte efter från vid ska om blir att mot över under sedan kan kommer säger vill får blev mycket mer nu när här så de vi hon han nya första år dag",
    "tr": "ve bir bu için ile da de olarak çok daha sonra göre kadar ne oldu en olan yeni mi ilk son kez gün yıl ama gibi karşı üzerinde kendi tüm artık on yüzde iki üç",
    "uk": "в і на не з що у та до за від про як для його це після під є або й ні а але бо чи де цього того який яка року років також тільки вже ще вони вона ми ви їх її буде були став стала може",
    "ur": "کے کی میں کا سے اور کو نے ہے پر یہ کہ اس ہیں گے بھی تھا تھی تو نہیں سال دن گیا",
    "vi": "của và là có được cho các trong không một với người đã ở này khi từ vào những về sẽ tại trên sau trước năm ngày nhất nhiều mới bị đến ra lên thì mà hơn nhưng cũng đang vì do theo",
}

_WRITTEN_IN = {"nb": "no", "nn": "no"}
"""Norwegian has two written forms with tags of their own."""

_INDEX = {language: at for at, language in enumerate(_WORDS)}
_SCORES = (0, 12, 6, 4, 3, 2)
"""The points that a word gives each of its languages, by how many languages have it, up to five."""
_MAX_WORDS = 21
# Each word as an integer that has a byte for each language, so that adding them counts for all languages at once.
_OF_WORD: dict[str, int] = {}
for _language, _words in _WORDS.items():
    for _word in set(_words.split()):
        _OF_WORD[_word] = _OF_WORD.get(_word, 0) + (1 << 8 * _INDEX[_language])
for _word, _languages in _OF_WORD.items():
    _OF_WORD[_word] = _languages * _SCORES[min(_languages.bit_count(), len(_SCORES) - 1)]


def languages(words: Iterable[str], declared: str) -> int:
    """The languages that some words in lower case may be in, one bit each; 0 if they say nothing.

    These are the languages with at least half as many points as the language that has most. A declared language (a tag
    as in RFC 5646) decides between them, or if there are none.
    """
    found = [counts for word in words if (counts := _OF_WORD.get(word))]
    tag = declared.partition("-")[0].lower()
    tag = _WRITTEN_IN.get(tag, tag)
    own = 1 << _INDEX[tag] if tag in _INDEX else 0
    if not found:
        return own
    scores = sum(found[:_MAX_WORDS]).to_bytes(len(_INDEX), "little")
    half = max(scores) / 2
    mask = sum([1 << at for at, score in enumerate(scores) if score >= half])
    return own if own & mask else mask

"""Reads the days and times in feeds, which many programs write in many ways and languages.

What `times` can read is left to it. A day or time that can be read in two ways is not read.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from unicodedata import category, digit, normalize
from zoneinfo import ZoneInfo

from newsgen import times

_LONGEST = 100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_YEAR = 1900
# The Buddhist calendar of Thailand counts from 543 before ours.
_BUDDHIST = range(543 + _FIRST_YEAR, 543 + 2200)
_EAST_ASIAN_DAY = re.compile(r"(\d{4})\s*[年년]\s*(\d\d?)\s*[月월]\s*(\d\d?)\s*[日일]?")
_EAST_ASIAN_TIME = re.compile(r"(\d\d?)\s*[時时点點시]\s*(\d\d?)\s*[分분](?:\s*(\d\d?)\s*[秒초])?")
# Before or after the time. In Chinese, Japanese and Korean it stands before.
_NOON = re.compile(r"(?<![a-z])(?:(a\.?m\.?|上午|午前|오전)|(p\.?m\.?|下午|午後|오후))(?![a-z])")
_TIME = re.compile(r"(?<![\d:])(\d\d?)(?::(\d\d)(?::(\d\d)(?:[.,]\d+)?)?|h(\d\d)?|(?=\s*[ap]\.?m))(?![\d:])")
_OFFSET = re.compile(r"(?<![\d-])(?:gmt|utc|z)?\s?([+-])(\d\d?)(?::?(\d\d))?(?!\d|-\d)")
_REGION = re.compile(r"(?<![\w/])[A-Z][a-z]+(?:/[A-Z]\w+(?:[-_]\w+)*)+(?![\w/])", re.ASCII)
_YEAR_FIRST = re.compile(r"(?<!\d)(\d{4})([-/.])(\d\d?)\2(\d\d?)(?!\d)")
_YEAR_LAST = re.compile(r"(?<!\d)(\d\d?)([-/.])\s?(\d\d?)\2\s?(\d{4})(?!\d)")
_NUMBER = re.compile(r"(?<!\d)\d+(?!\d)")
_WORD = re.compile(r"[^\W\d_]+")

# The names of the months in many languages, as `_fold` spells them. A word that means different months in two languages
# stands for that of more readers: listopad is October in Croatian, but November in Czech and Polish.
_MONTHS = {
    1: "january jan januar janv janvier enero ene janeiro gennaio gen januari tammikuu tammikuuta stycznia stycznia sty leden ledna "
    "januara ianuarie ian ocak oca января январь янв січня січ януари яну ιανουαριου ιανουαριος ιαν gener jaan يناير ינואר",
    2: "february feb februar fevrier fevr fev febrero fevereiro febbraio februari helmikuu helmikuuta lutego lut unor unora februara "
    "februarie subat sub февраля февраль фев февр лютого лют февруари φεβρουαριου φεβρουαριος φεβ febrer فبراير פברואר",
    3: "march mar marz mrz mars maret marzo março marco maart mrt maaliskuu maaliskuuta marca marzec brezen brezna martie mart marcius "
    "марта март мар березня бер μαρτιου μαρτιος μαρ marc مارس מרץ",
    4: "april apr avril avr abril abr aprile huhtikuu huhtikuuta kwietnia kwi duben dubna aprila aprilie nisan nis aprilis "
    "апреля апрель апр квітня кві април απριλιου απριλιος απρ أبريل ابريل אפריל",
    5: "may mai mayo maio maggio mag mei maj toukokuu toukokuuta maja kveten kvetna maja mayis majus мая май травня тра "
    "μαιου μαιος μαι maig مايو מאי",
    6: "june jun juni juin junio junho giugno giu kesakuu kesakuuta czerwca cze cerven cervna juna iunie iun haziran haz junius "
    "июня июнь июн червня чер юни ιουνιου ιουνιος ιουν juny يونيو יוני",
    7: "july jul juli juillet juil julio julho luglio lug heinakuu heinakuuta lipca lip cervenec cervence jula iulie iul temmuz tem "
    "julius июля июль июл липня лип юли ιουλιου ιουλιος ιουλ juliol يوليو יולי",
    8: "august aug aout agosto ago augustus elokuu elokuuta sierpnia sie srpen srpna augusta agustos augusztus agustus agu "
    "августа август авг серпня сер αυγουστου αυγουστος αυγ agost أغسطس اغسطس אוגוסט",
    9: "september sep sept septembre septiembre setembro set settembre syyskuu syyskuuta wrzesnia wrz zari septembra septembrie eylul "
    "eyl szeptember szept сентября сентябрь сен сент вересня вер септември σεπτεμβριου σεπτεμβριος σεπ setembre سبتمبر ספטמבר",
    10: "october oct oktober okt octobre octubre outubro out ottobre ott lokakuu lokakuuta pazdziernika paz rijen rijna oktobra "
    "octombrie ekim eki октября октябрь окт жовтня жов октомври οκτωβριου οκτωβριος οκτ أكتوبر اكتوبر אוקטובר",
    11: "november nov novembre noviembre novembro marraskuu marraskuuta listopada lis listopad listopadu novembra noiembrie noi kasim "
    "kas ноября ноябрь ноя листопада ноември νοεμβριου νοεμβριος νοε نوفمبر נובמבר",
    12: "december dec dezember dez decembre diciembre dic dezembro dicembre desember des joulukuu joulukuuta grudnia gru prosinec "
    "prosince decembra decembrie aralik ara декабря декабрь дек грудня гру декември δεκεμβριου δεκεμβριος δεκ desembre ديسمبر דצמבר",
}
# Names with marks, dots or spaces in them, which `_fold` or `_WORD` would change. They are read as they are written.
_WHOLE_MONTHS = {
    "jan": "มกราคม ม.ค. जनवरी كانون_الثاني ژانویه",
    "feb": "กุมภาพันธ์ ก.พ. फरवरी फ़रवरी شباط فوریه",
    "mar": "มีนาคม มี.ค. मार्च آذار مارس",
    "apr": "เมษายน เม.ย. अप्रैल نيسان آوریل",
    "may": "พฤษภาคม พ.ค. मई أيار ايار",
    "jun": "มิถุนายน มิ.ย. जून حزيران ژوئن",
    "jul": "กรกฎาคม ก.ค. जुलाई تموز ژوئیه",
    "aug": "สิงหาคม ส.ค. अगस्त آب",
    "sep": "กันยายน ก.ย. सितंबर सितम्बर أيلول ايلول سپتامبر",
    "oct": "ตุลาคม ต.ค. अक्टूबर अक्तूबर تشرين_الأول تشرين_الاول اکتبر",
    "nov": "พฤศจิกายน พ.ย. नवंबर नवम्बर تشرين_الثاني نوامبر",
    "dec": "ธันวาคม ธ.ค. दिसंबर दिसम्बर كانون_الأول كانون_الاول دسامبر",
}
# The usual meaning in news where an abbreviation has several: IST is India's, BST Britain's, CST North America's.
_ZONES = {
    "-11": "sst", "-10": "hst hast", "-9": "akst hadt", "-8": "pst akdt", "-7": "mst pdt", "-6": "cst mdt",
    "-5": "est cdt cot pet act ect", "-4": "edt ast bot clt vet gyt pyt", "-3:30": "nst", "-3": "adt art brt clst uyt pyst wgt",
    "-2:30": "ndt", "-2": "brst uyst fnt", "-1": "azot cvt egt", "0": "z ut utc gmt wet azost egst", "1": "cet bst wat met mez west",
    "2": "cest cat eet mest mesz sast", "3": "eest eat idt msk trt", "3:30": "irst", "4": "azt gst get mut sct samt msd",
    "4:30": "afft aft", "5": "pkt uzt tjt tmt yekt mvt", "5:30": "ist slst", "5:45": "npt", "6": "bdt btt omst almt kgt",
    "6:30": "mmt", "7": "ict wib krat novt", "8": "awst bnt hkt irkt myt pht sgt wita ulat", "9": "jst kst wit yakt tlt",
    "9:30": "acst", "10": "aest chst vlat pgt", "10:30": "acdt", "11": "aedt sbt magt nct vut", "12": "nzst fjt pett", "13": "nzdt tot",
}  # fmt: skip
# Words after a time that say nothing.
_FILLERS = frozenset("uhr h hrs hours klo kl ora o clock г год року at a um น".split())  # noqa: SIM905


def _fold(text: str) -> str:
    """Lower case without accents, with ASCII digits. Scripts with syllables and marks of their own stay readable."""
    text = "".join(c for c in normalize("NFKD", text.casefold()) if category(c) != "Mn")
    text = normalize("NFC", text).replace("ı", "i")
    return text if text.isascii() else "".join(str(digit(char)) if category(char) == "Nd" else char for char in text)


_WHOLE_MONTH = {name.replace("_", " "): month for month, names in _WHOLE_MONTHS.items() for name in names.split()}
_WHOLE = re.compile(
    rf"(?<!\w)({'|'.join(map(re.escape, sorted(_WHOLE_MONTH, key=len, reverse=True)))})(?!\w)(?:\s*(\d\d)(?![\d:]))?"
)
_MONTH_BY_WORD = {_fold(word): month for month, words in _MONTHS.items() for word in words.split()}


def _zone_by_name() -> dict[str, timezone]:
    zones = {}
    for offset, names in _ZONES.items():
        hours, _, minutes = offset.removeprefix("-").partition(":")
        away = timedelta(hours=int(hours), minutes=int(minutes or 0))
        zones.update(dict.fromkeys(names.split(), timezone(-away if offset.startswith("-") else away)))
    return zones


_ZONE_BY_NAME = _zone_by_name()


def parse(written: str) -> date | None:
    """The day or time in a text, in the types of `times`; None if it is unreadable or ambiguous.

    Reads what `times.parse` reads, the names of months in many languages, AM and PM, and the usual names of zones. Of a
    time in an unknown zone it gives the day. The times that programs write for “none”, such as the year 1 or the first
    second of 1970, count as unreadable.
    """
    if len(written) > 4 * _LONGEST:
        return None
    written = " ".join(written.split())
    if not written or len(written) > _LONGEST:
        return None
    try:
        try:
            when: date | None = times.parse(written)
        except ValueError:
            when = _parse(written)
        if when and when.year in _BUDDHIST:
            when = when.replace(year=when.year - 543)
    except (ValueError, OverflowError):
        return None
    if when is None or when.year < _FIRST_YEAR or when == _EPOCH:
        return None
    return when


def _parse(written: str) -> date | None:
    text = written if written.isascii() else _WHOLE.sub(_in_english, normalize("NFC", written))
    text = _EAST_ASIAN_TIME.sub(lambda m: f"{m[1]}:{m[2]:0>2}:{m[3] or '00':0>2}", text)
    text = _fold(_EAST_ASIAN_DAY.sub(r"\1-\2-\3 ", text))
    noon = _NOON.search(text)
    time = _TIME.search(text)
    if not time:
        return _day(text)
    after = text[time.end() :]
    if noon:
        after = text[max(time.end(), noon.end()) :] if noon.start() >= time.end() else after
    offset, region = _OFFSET.search(after), _REGION.search(written)
    rest = text[: time.start()] + " " + (after[: offset.start()] + " " + after[offset.end() :] if offset else after)
    day = _day(rest)
    if not day:
        return None
    hour, minute, second = int(time[1]), int(time[2] or time[4] or 0), int(time[3] or 0)
    if noon and hour <= 12:
        hour = hour % 12 + (12 if noon[2] else 0)
    if second == 60:
        second = 59  # a leap second
    zone: tzinfo | None = None
    if offset:
        away = timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))
        zone = timezone(-away if offset[1] == "-" else away)
    elif region:
        try:
            zone = ZoneInfo(region[0])
        except (LookupError, ValueError, OSError):
            return day
    else:
        names = [word for word in _WORD.findall(after) if word not in _MONTH_BY_WORD and word not in _FILLERS]
        if names and names[0] not in _ZONE_BY_NAME:
            return day
        zone = _ZONE_BY_NAME[names[0]] if names else None
    return datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=zone)


def _in_english(found: re.Match[str]) -> str:
    """A month, and the two digits of a year that may follow. In Thai the century is that of the Buddhist calendar."""
    is_thai = "\u0e01" <= found[1] <= "\u0e5b"
    return f" {_WHOLE_MONTH[found[1]]} {'25' if is_thai and found[2] else ''}{found[2] or ''} "


def _day(text: str) -> date | None:
    """The only day in a text without a time."""
    if found := _YEAR_FIRST.search(text):
        return date(int(found[1]), int(found[3]), int(found[4]))
    if found := _YEAR_LAST.search(text):
        first, second, last = int(found[1]), int(found[3]), int(found[4])
        # With dots the day comes first everywhere; with other marks, only a number above 12 tells.
        if found[2] == "." or first > 12 or first == second:
            return date(last, second, first)
        return date(last, first, second) if second > 12 else None
    months = [month for word in _WORD.findall(text) if (month := _MONTH_BY_WORD.get(word))]
    numbers = _NUMBER.findall(text)
    if len(months) != 1 or len(numbers) != 2:
        return None
    day, year = sorted(numbers, key=len) if len(numbers[0]) == 4 or len(numbers[1]) == 4 else numbers
    if len(year) == 2:
        year = f"{'20' if int(year) < 50 else '19'}{year}"  # RFC 2822, 4.3
    return date(int(year), months[0], int(day)) if len(year) == 4 and len(day) <= 2 else None

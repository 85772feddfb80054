"""Decodes XML, HTML and JSON: the charset that a server or a document names is often wrong, and UTF-8 proves itself."""

from __future__ import annotations

import re

# Longest first: the mark of UTF-32 begins with that of UTF-16.
_MARKS = (
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xfe\xff", "utf-16-be"),
    (b"\xff\xfe", "utf-16-le"),
)
# The first character of a document is `<` or, in JSON, `{`.
_WITHOUT_MARK = {
    **dict.fromkeys((b"\x00\x00\x00<", b"\x00\x00\x00{"), "utf-32-be"),
    **dict.fromkeys((b"<\x00\x00\x00", b"{\x00\x00\x00"), "utf-32-le"),
}
_WIDE_WITHOUT_MARK = {b"\x00<": "utf-16-be", b"\x00{": "utf-16-be", b"<\x00": "utf-16-le", b"{\x00": "utf-16-le"}
# Only these may be named. Python knows codecs that are no charsets, and UTF-7 hides markup.
_NAME = re.compile(
    r"utf-?8|utf-?(?:16|32)(?:-?[lb]e)?|(?:us-)?ascii|iso-?8859-(?:[1-9]|1[013-6])|latin-?[1-9]|windows-(?:874|125[0-8])"
    r"|cp(?:125[0-8]|437|850|852|866|874|932|936|949|950)|koi8-[rtu]|mac(?:intosh|-(?:cyrillic|greek|roman|turkish))|tis-?620"
    r"|gb(?:_?2312(?:-80)?|k|18030)|hz(?:-gb-2312)?|big5(?:-?hkscs)?|(?:shift[_-]jis|sjis|windows-31j)|euc-(?:jp|kr)"
    r"|iso-2022-(?:jp|kr)|ks_c_5601-1987"
)
# As browsers do, the larger charset for a name of its part (https://encoding.spec.whatwg.org/#names-and-labels).
_LARGER = {
    **dict.fromkeys(("us-ascii", "ascii", "iso-8859-1", "iso8859-1", "latin1", "latin-1"), "cp1252"),
    **dict.fromkeys(("iso-8859-9", "iso8859-9", "latin5", "latin-5"), "cp1254"),
    **dict.fromkeys(("iso-8859-11", "tis-620", "tis620", "windows-874"), "cp874"),
    **dict.fromkeys(("gb2312", "gb_2312", "gb_2312-80", "gb2312-80", "gbk", "cp936"), "gb18030"),
    **dict.fromkeys(("shift_jis", "shift-jis", "sjis", "windows-31j"), "cp932"),
    **dict.fromkeys(("euc-kr", "ks_c_5601-1987"), "cp949"),
    **dict.fromkeys(("big5", "big5hkscs", "cp950"), "big5-hkscs"),
    "macintosh": "mac-roman",
    "hz-gb-2312": "hz",
}
_SEVEN_BIT = ("iso-2022-jp", "iso-2022-kr", "hz")
_WIDE = re.compile(r"utf-?(?:16|32)")
_HEADER = re.compile(r"""charset\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE | re.ASCII)
_DECLARED = re.compile(
    rb"""<\?xml\s[^<>]*?encoding\s*=\s*["']\s*([\w.:-]+)|<meta\s[^<>]*?charset\s*=\s*["']?\s*([\w.:-]+)""",
    re.IGNORECASE,
)
_HEAD = 2048
# Windows-1252 in the places of the C1 controls, which no text contains.
CP1252 = {code: bytes((code,)).decode("cp1252", "ignore") or None for code in range(0x80, 0xA0)}
_STRAY = {0xDC00 + code: bytes((code,)).decode("cp1252", "replace") for code in range(0x80, 0x100)}


def decode(data: bytes, content_type: str = "") -> str:
    """The text of a document. `content_type` is the value of the HTTP header.

    In this order: a byte order mark; UTF-8, if the bytes are valid; the charset of the header; that of the document.
    If none fits, the text is read as UTF-8, and bytes that are not UTF-8 as windows-1252.
    """
    for mark, name in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(name, "replace" if name != "utf-8" else "surrogateescape").translate(_STRAY)
    wide = _WITHOUT_MARK.get(data[:4]) or _WIDE_WITHOUT_MARK.get(data[:2])
    if wide:
        return data.decode(wide, "replace")
    named = [*_HEADER.findall(content_type), *(a or b for a, b in _DECLARED.findall(data[:_HEAD]))]
    charsets = [charset for name in named if (charset := _charset(name))]
    if not any(charset in _SEVEN_BIT for charset in charsets):
        try:
            return data.decode()
        except UnicodeDecodeError:
            pass
    for charset in charsets:
        try:
            return data.decode(charset)
        except UnicodeDecodeError:
            pass
    other = next((charset for charset in charsets if charset not in ("utf-8", "utf8")), "")
    return data.decode(other, "replace") if other else data.decode("utf-8", "surrogateescape").translate(_STRAY)


def _charset(name: str | bytes) -> str:
    """The name of a charset as Python spells it; "" if it is unknown, or if the bytes show that it is wrong."""
    label = (name.decode("ascii", "replace") if isinstance(name, bytes) else name).lower()
    if not _NAME.fullmatch(label) or _WIDE.match(label):
        return ""
    return _LARGER.get(label, label)

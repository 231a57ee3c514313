"""Charsets: octets to text, whatever the mail claims about them."""

from __future__ import annotations

import codecs
import re
from functools import lru_cache

# What mail says, against what it means; as in the WHATWG table where both exist. C1 controls are never meant, so the
# ISO names go to their Windows supersets.
_ALIASES = {
    "": "", "default": "", "unknown": "", "unknown-8bit": "", "x-unknown": "", "x-user-defined": "", "binary": "",
    "8bit": "", "7bit": "", "none": "", "text": "",
    "us-ascii": "cp1252", "ascii": "cp1252", "ansi-x3.4-1968": "cp1252", "iso646-us": "cp1252", "ansi": "cp1252",
    "iso-8859-1": "cp1252", "iso8859-1": "cp1252", "iso88591": "cp1252", "latin1": "cp1252", "latin-1": "cp1252",
    "l1": "cp1252", "8859-1": "cp1252", "iso-8859-1-windows-3.1-latin-1": "cp1252", "windows1252": "cp1252",
    "x-windows-1252": "cp1252", "x-cp1252": "cp1252", "cp-1252": "cp1252",
    "iso-8859-9": "cp1254", "iso8859-9": "cp1254", "latin5": "cp1254",
    "iso-8859-8-i": "iso8859-8", "iso-8859-8-e": "iso8859-8", "logical": "iso8859-8", "visual": "iso8859-8",
    "windows-874": "cp874", "tis-620": "cp874", "iso-8859-11": "cp874",
    "utf8": "utf-8", "utf8mb4": "utf-8", "unicode": "utf-8", "cp65001": "utf-8", "unicode-1-1-utf-8": "utf-8",
    "utf-8-sig": "utf-8-sig", "unicode-1-1-utf-7": "utf-7", "unicode-2-0-utf-7": "utf-7",
    "ucs-2": "utf-16", "iso-10646-ucs-2": "utf-16", "csunicode": "utf-16",
    "gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "cp936": "gb18030", "gb-2312-80": "gb18030",
    "gb2312-charset": "gb18030", "chinese": "gb18030", "hz-gb-2312": "hz", "x-gb2312": "gb18030",
    "big5": "big5hkscs", "x-x-big5": "big5hkscs", "x-big5": "big5hkscs", "cp950": "big5hkscs",
    "shift-jis": "cp932", "shift_jis": "cp932", "x-sjis": "cp932", "sjis": "cp932", "windows-31j": "cp932",
    "ms-kanji": "cp932", "iso-2022-jp": "iso2022-jp-ext", "csiso2022jp": "iso2022-jp-ext", "cp50220": "iso2022-jp-ext",
    "x-euc-jp": "euc-jp", "euc-kr": "cp949", "ks-c-5601-1987": "cp949", "ks-c-5601-1989": "cp949",
    "ksc5601": "cp949", "ksc-5601": "cp949", "korean": "cp949", "windows-949": "cp949",
    "macintosh": "mac-roman", "x-mac-roman": "mac-roman", "mac": "mac-roman", "x-mac-cyrillic": "mac-cyrillic",
    "koi8": "koi8-r", "x-koi8-r": "koi8-r", "dos-874": "cp874",
}  # fmt: skip
# Python codecs that are no charset of mail, or that take quadratic time.
_NOT_FOR_MAIL = {"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "mbcs", "oem"}
_SURROGATE = re.compile("[\ud800-\udfff]")


@lru_cache(maxsize=512)
def codec_of(charset: str) -> str | None:
    """The Python codec for a declared charset: "" when it declares nothing useful, None when nobody knows it."""
    key = charset.strip(" \t\"'").lower().replace("_", "-").partition("*")[0][:40]
    name = _ALIASES.get(key, key)
    if not name:
        return ""
    if name in _NOT_FOR_MAIL:
        return None
    try:
        found = codecs.lookup(name)
        "".encode(name)  # refuses codecs that map octets to octets
    except (LookupError, UnicodeError, ValueError):
        return None
    return None if found.name.replace("_", "-") in _NOT_FOR_MAIL else found.name


def decode(octets: bytes, charset: str = "") -> tuple[str, str]:
    """Decode as declared, else as UTF-8, else as Windows-1252. Never raises.

    Returns the text and an oddity in plain words, "" when the octets were what they claimed to be. NUL and lone
    surrogates, which no store and no wire takes, come back as U+FFFD, so that code points keep their count.
    """
    if octets.isascii() and b"\x1b" not in octets:
        codec = codec_of(charset)
        if codec is None or codec not in ("utf-7", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "hz"):
            return octets.decode("ascii").replace("\0", "\ufffd"), ""
    text, oddity = _ladder(octets, charset)
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    return _SURROGATE.sub("\ufffd", text), oddity


def _ladder(octets: bytes, charset: str) -> tuple[str, str]:
    codec = codec_of(charset)
    named = charset.strip()[:40]
    if codec == "cp1252" or not codec:
        # Western text is hardly ever valid UTF-8 by accident, so valid UTF-8 under a Western name is a wrong label.
        try:
            text = octets.decode("utf-8")
        except UnicodeDecodeError:
            text, oddity = octets.decode("cp1252", "replace"), ""
            if codec is None:
                oddity = f"unknown charset {named!a}, read as windows-1252"
            elif not codec or "ascii" in named.lower():
                oddity = "octets beyond ASCII without a charset, read as windows-1252"
            return text, oddity
        if not octets.isascii() and named:
            return text, f"charset {named!a} is wrong, the text is UTF-8"
        return text, "octets beyond ASCII without a charset, read as UTF-8" if not octets.isascii() else ""
    try:
        return octets.decode(codec), ""
    except (UnicodeError, ValueError, LookupError):
        pass
    try:
        return octets.decode("utf-8"), f"charset {named!a} is wrong, the text is UTF-8"
    except UnicodeDecodeError:
        pass
    try:
        text = octets.decode(codec, "replace")
    except (UnicodeError, ValueError, LookupError):
        text = ""
    beyond_ascii = len(text) - len(text.encode("ascii", "ignore"))
    if text.count("\ufffd") * 2 < beyond_ascii:  # most of it is what it claims to be
        return text, f"some octets are not {named!a}"
    return octets.decode("cp1252", "replace"), f"charset {named!a} is wrong, read as windows-1252"

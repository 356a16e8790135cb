"""Labels as they are read: the marks that authors write for other tools' bold, headings and links are taken off.

ODK and Kobo draw a little Markdown and HTML in labels. Here texts are plain, so that what people typed into an answer
can never become markup; the words stay, the marks go.
"""

import re

STRONG = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1", re.DOTALL)
SLANTED = re.compile(r"(?<![\w*])\*(?=[^\s*])([^*\n]+?)(?<=[^\s*])\*(?![\w*])")
HEADING = re.compile(r"^[ \t]*#{1,6}[ \t]+", re.MULTILINE)
LINK = re.compile(r"\[([^\]\n]+)\]\((https?://[^\s)]+)\)")
TAG = re.compile(r"</?(?:span|p|b|i|u|em|strong|font|center|div|big|small|h[1-6]|sup|sub)(?:\s[^<>]*)?>", re.IGNORECASE)
BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)


def plain_words(text: str) -> str:
    """Return `text` without marks: "**Muy** <b>bien</b>" is "Muy bien"; a link keeps its address in brackets."""
    if not any(mark in text for mark in "*_#<["):
        return text
    text = TAG.sub("", BREAK.sub("\n", text))
    return SLANTED.sub(r"\1", STRONG.sub(r"\2", LINK.sub(r"\1 (\2)", HEADING.sub("", text))))

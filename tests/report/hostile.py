"""The name no report may fall for: a pool called by all that HTML, Markdown, XML, terminals and scripts act on."""

from typing import Final

HOSTILE_POOL: Final = (
    "</td></script><script>alert(1)</script><img src=x onerror=alert(2)><!--|"
    "**b** _i_ `c` [l](javascript:alert(3)) ![p](http://evil.example/p.png) @all #1 www.evil.example "
    "[red]x[/red] [link=http://evil.example]y[/link] "
    "\x1b[31m\x1b]8;;http://evil.example\x07\x9b2J\x07\x08\r\n\t\x00\x7f "
    "]]>&lt;&amp;&#60; {{ 7*7 }} {% raw %} ${x} \"quoted\" 'single' \\ \u202egnp.exe\u2066\u200b\u2028\ufeff "
    "<a href='data:text/html,x'>z</a> --> =cmd() -- ; rm -rf /"
)
"""Control characters, both kinds of escapes and bidirectional overrides among them; a log can hold it."""

RAW: Final = (
    "<script>alert",
    "<img",
    "onerror=alert(2)>",
    "<!--|",
    "<a href='data",
    "\x1b",
    "\x9b",
    "\u202e",
    "\u2066",
)
"""What of it may stand in no document as it is."""


def invisible(text: str) -> list[str]:
    """The characters of ``text`` that would act instead of being shown, but for the end of a line."""
    return [
        character
        for character in text
        if (character < " " and character != "\n")
        or "\x7f" <= character <= "\x9f"
        or character in "\u200b\u2028\u2029\u202e\u2066\ufeff"
        or "\ud800" <= character <= "\udfff"
    ]

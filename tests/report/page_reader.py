"""A page as its reader meets it: elements, texts, addresses and data, found by the standard library's parser."""

import json
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from typing import Any

VOID = {"meta", "br", "rect", "path", "polyline", "polygon", "img"}


class Page(HTMLParser):
    """Elements in order; text under the ids and classes above it; ``scripts`` that run and ``data`` that does not."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.addresses: list[str] = []
        self.texts: list[tuple[tuple[str, ...], str]] = []
        self.scripts: list[str] = []
        self.data: list[Any] = []
        self.styles: list[str] = []
        self.policy = ""
        self.events: list[str] = []
        self.ids: list[str] = []
        self._open: list[tuple[str, str]] = []
        self._kept = ""
        self._type = ""
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.elements.append(tag)
        self.addresses += [attributes[name] or "" for name in ("src", "href", "action", "data") if name in attributes]
        self.events += [name for name in attributes if name.startswith("on") or name in ("style", "srcdoc")]
        self.ids += [attributes["id"] or ""] if "id" in attributes else []
        if attributes.get("http-equiv") == "Content-Security-Policy":
            self.policy = attributes["content"] or ""
        if tag in ("script", "style"):
            self._kept, self._type = "", attributes.get("type") or ""
        if tag not in VOID:
            self._open.append((tag, f"#{attributes.get('id', '')} .{attributes.get('class', '')}"))

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        assert self._open.pop()[0] == tag
        if tag == "style":
            self.styles.append(self._kept)
        elif tag == "script" and self._type == "application/json":
            self.data.append(json.loads(self._kept))
        elif tag == "script":
            self.scripts.append(self._kept)

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1][0] in ("script", "style"):
            self._kept += data
        elif data.strip():
            self.texts.append((tuple(f"{tag}{marks}" for tag, marks in self._open), data.strip()))

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment in the page: {data[:80]}")

    def under(self, mark: str) -> str:
        """All text below the first ids and classes that contain ``mark``."""
        return " ".join(text for above, text in self.texts if any(mark in one for one in above))

    def body(self) -> list[tuple[tuple[str, ...], str]]:
        """The texts of the content."""
        return [entry for entry in self.texts if any(one.startswith("main") for one in entry[0])]

    def allows(self, text: str) -> bool:
        """Whether the page's policy names the digest of a script or style."""
        return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" in self.policy

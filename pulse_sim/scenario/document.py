"""Hostile YAML in, plain data with a place for every path out.

YAML 1.2, one document, a mapping at the top; bounded in size, depth and number of nodes; no aliases, tags or
directives, so that what a reader sees is what is loaded. Refuses to know what the keys mean.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer, MaxDepthExceededError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from pulse_sim.scenario.problem import DocumentError, Finding, Path, Problem, shown, shown_path

MAX_BYTES: Final = 1024 * 1024
MAX_DEPTH: Final = 64
MAX_NODES: Final = 20_000

_INTEGER: Final = re.compile(r"[-+]?[0-9]{1,18}|0x[0-9a-fA-F]{1,15}|0o[0-7]{1,20}")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,3})?")
_DIRECTIVE: Final = re.compile(r"^%", re.MULTILINE)
_TAG: Final = "tag:yaml.org,2002:"


class _TooManyNodes(Exception):
    def __init__(self, line: int, column: int) -> None:
        super().__init__()
        self.place = (line, column)


@dataclass(frozen=True)
class Place:
    """A position in a file, or in a command line argument; both numbers count from 1."""

    file: str
    line: int
    column: int


@dataclass
class Document:
    """Plain data (dict, list, str, int, float, bool, None), where each path stands, and what was wrong already.

    ``texts`` keeps how numbers were written, since 24.10 and 24.1 are the same float.
    """

    file: str
    data: dict[str, Any] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)
    values: dict[Path, Place] = field(default_factory=dict)
    texts: dict[Path, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    _known: set[Problem] = field(default_factory=set)

    def place(self, path: Path, *, on_key: bool = False) -> Place:
        """Where ``path`` stands; of something that is not there, where its nearest ancestor stands."""
        if on_key and path in self.keys:
            return self.keys[path]
        if path in self.values:
            return self.values[path]
        for length in range(len(path) - 1, -1, -1):
            found = self.keys.get(path[:length]) or self.values.get(path[:length])
            if found:
                return found
        return Place(self.file, 1, 1)

    def locate(self, finding: Finding) -> Problem:
        """A finding with its place looked up."""
        place = self.place(finding.path, on_key=finding.on_key)
        path = shown_path(finding.path)
        return Problem(place.file, place.line, place.column, path, finding.message, finding.suggestion)

    def report(self, findings: Iterable[Finding]) -> None:
        """Adds findings to the problems, each once."""
        for finding in findings:
            self.add(self.locate(finding))

    def add(self, problem: Problem) -> None:
        """Adds a problem unless it is known."""
        if problem not in self._known:
            self._known.add(problem)
            self.problems.append(problem)

    def refuse_problems(self) -> None:
        """Raises DocumentError with everything found so far, sorted by place; does nothing for a clean document."""
        if self.problems:
            raise DocumentError(sorted(self.problems, key=lambda problem: (problem.file != self.file, problem.order)))


class _BoundedComposer(Composer):
    """ruamel's composer, which also counts nodes and refuses aliases, anchors and tags, going on after each."""

    def __init__(self, loader: Any = None) -> None:
        super().__init__(loader=loader)
        self.warn_double_anchors = False
        self.node_count = 0
        self.refused: list[tuple[int, int, str]] = []

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.parser.peek_event()
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        self.node_count += 1
        if self.node_count > MAX_NODES:
            raise _TooManyNodes(line, column)
        if isinstance(event, AliasEvent):
            self.parser.get_event()
            self.refused.append(
                (line, column, f"alias {shown(event.anchor)}: aliases are not allowed; write the value out")
            )
            return ScalarNode(_TAG + "null", "", event.start_mark, event.end_mark)
        if event.anchor is not None:
            self.refused.append((line, column, f"anchor {shown(event.anchor)}: anchors are not allowed"))
        if event.ctag is not None:
            self.refused.append((line, column, f"tag {shown(str(event.ctag))}: tags are not allowed"))
        return super().compose_node(parent, index)


class _PlainData:
    """Turns a node tree into plain data, noting every place and every problem on the way."""

    def __init__(self, document: Document) -> None:
        self.document = document

    def of(self, node: Node, path: Path, *, keep: bool = True) -> Any:
        if keep:
            self.document.values[path] = self._place(node)
        if isinstance(node, MappingNode):
            return self._mapping(node, path, keep)
        if isinstance(node, SequenceNode):
            return [self.of(item, (*path, position), keep=keep) for position, item in enumerate(node.value)]
        assert isinstance(node, ScalarNode)
        return self._scalar(node, path, keep)

    def _mapping(self, node: MappingNode, path: Path, keep: bool) -> dict[str, Any]:
        data: dict[str, Any] = {}
        first_line: dict[str, int] = {}
        for key_node, value_node in node.value:
            place = self._place(key_node)
            if not self._is_text(key_node):
                self._problem(place, path, "a key must be plain text")
                self.of(value_node, path, keep=False)
                continue
            key = str(key_node.value)
            child = (*path, key)
            if key in data:
                self._problem(place, child, f"duplicate key {shown(key)}, first on line {first_line[key]}")
                self.of(value_node, child, keep=False)
                continue
            first_line[key] = place.line
            if keep:
                self.document.keys[child] = place
            data[key] = self.of(value_node, child, keep=keep)
            if keep and data[key] is None and value_node.start_mark.index == value_node.end_mark.index:
                self.document.values[child] = place  # nothing was written; the parser's place is the next line
        return data

    @staticmethod
    def _is_text(node: Node) -> bool:
        if not isinstance(node, ScalarNode) or node.tag == _TAG + "null":
            return False
        return not any("\ud800" <= character <= "\udfff" for character in node.value)

    def _scalar(self, node: ScalarNode, path: Path, keep: bool) -> Any:
        text, kind = str(node.value), str(node.tag).removeprefix(_TAG)
        if kind == "null":
            return None
        if kind == "bool":
            return text.lower() == "true"
        if kind in ("int", "float"):
            if keep:
                self.document.texts[path] = text
            return self._number(node, text, path)
        if any("\ud800" <= character <= "\udfff" for character in text):
            self._problem(self._place(node), path, "half of a surrogate pair is not text")
            return None
        return text

    def _number(self, node: ScalarNode, text: str, path: Path) -> Any:
        if _INTEGER.fullmatch(text):
            return int(text, 0) if text[:2] in ("0x", "0o") else int(text)
        value = float(text) if _FLOAT.fullmatch(text) else None
        if text.lstrip("+-").isdecimal() or (value is None and text[-1:].isdigit()):
            return text  # numbers beyond 18 digits and 1_000 are no numbers of ours; the model says what it wants
        if value is None or value in (float("inf"), float("-inf")):
            self._problem(self._place(node), path, f"{text[:20]} is not a finite number")
            return None
        return value

    def _place(self, node: Node) -> Place:
        return Place(self.document.file, node.start_mark.line + 1, node.start_mark.column + 1)

    def _problem(self, place: Place, path: Path, message: str) -> None:
        self.document.problems.append(Problem(place.file, place.line, place.column, shown_path(path), message))


def read_document(path: FilePath | str) -> Document:
    """The document in a file, with whatever is wrong with its YAML in ``problems``.

    Raises DocumentError alone for what leaves nothing to look at: a file unreadable, oversized, too deep or ill-formed.
    """
    file = str(path)
    try:
        if FilePath(path).exists() and not FilePath(path).is_file():
            raise _refusal(file, 1, 1, "cannot be read: not a regular file")  # a pipe would never end
        with FilePath(path).open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise _refusal(file, 1, 1, f"cannot be read: {error.strerror or type(error).__name__}") from None
    except ValueError:
        raise _refusal(shown(file), 1, 1, "cannot be read: not a file name") from None
    return parse_document(file, content)


def parse_document(file: str, content: bytes) -> Document:
    """As :func:`read_document`, from bytes; ``file`` is only what problems are reported under."""
    node, refused = _compose(file, _decoded(file, content))
    if not isinstance(node, MappingNode):
        raise _refusal(file, 1, 1, "the file must be a mapping of keys to values")
    document = Document(file)
    document.problems = [Problem(file, line, column, "", message) for line, column, message in refused]
    document.data = _PlainData(document).of(node, ())
    return document


def parse_value(argument: str, text: str) -> tuple[Any, str]:
    """A YAML value given on the command line: plain data and how it was written. Raises DocumentError."""
    if len(text) > MAX_BYTES:
        raise _refusal(argument[:100], 1, 1, "too long")
    node, refused = _compose(argument, text)
    document = Document(argument)
    document.problems = [Problem(argument, line, column, "", message) for line, column, message in refused]
    value = _PlainData(document).of(node, ()) if node is not None else None
    document.refuse_problems()
    return value, document.texts.get((), text)


def _decoded(file: str, content: bytes) -> str:
    if len(content) > MAX_BYTES:
        raise _refusal(file, 1, 1, f"larger than {MAX_BYTES // 1024} KiB")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line, column = before.count(b"\n") + 1, error.start - (before.rfind(b"\n") + 1) + 1
        raise _refusal(file, line, column, "not UTF-8 text") from None
    directive = _DIRECTIVE.search(text)
    if directive:
        raise _refusal(file, text.count("\n", 0, directive.start()) + 1, 1, "YAML directives are not allowed")
    return text


def _compose(file: str, text: str) -> tuple[Node | None, list[tuple[int, int, str]]]:
    yaml = YAML(typ="safe", pure=True)
    yaml.Composer = _BoundedComposer
    yaml.max_depth = MAX_DEPTH
    try:
        node = yaml.compose(text)
    except MaxDepthExceededError as error:
        raise _marked_refusal(file, error, f"nested deeper than {MAX_DEPTH} levels") from None
    except _TooManyNodes as error:
        raise _refusal(file, *error.place, f"more than {MAX_NODES} values") from None
    except ReaderError as error:
        before = text[: error.position]
        column = error.position - (before.rfind("\n") + 1) + 1
        raise _refusal(file, before.count("\n") + 1, column, "control characters are not allowed") from None
    except MarkedYAMLError as error:
        hint = _unquoted_use_hint(text, error)
        raise _marked_refusal(file, error, f"not YAML: {_syntax_message(error)}{hint}") from None
    except (YAMLError, ValueError, AttributeError, IndexError, RecursionError, AssertionError) as error:
        # the parser has paths on which malformed input ends in a plain Python error; the file is at fault, not we
        raise _refusal(file, 1, 1, f"not YAML: the parser gave up ({type(error).__name__})") from None
    return node, yaml.composer.refused


def _syntax_message(error: MarkedYAMLError) -> str:
    words = " ".join(str(part) for part in (error.context, error.problem) if part)
    return shown(words)[1:-1].replace("\\'", "'") if len(words) <= 60 else words[:200]


def _unquoted_use_hint(text: str, error: MarkedYAMLError) -> str:
    """``{tls: ${tls}}`` is what everybody writes first, and not YAML."""
    line = error.problem_mark.line if error.problem_mark is not None else 0
    here = text.split("\n")[line : line + 1]
    return '; inside braces a parameter needs quotes: "${name}"' if here and "${" in here[0] else ""


def _marked_refusal(file: str, error: MarkedYAMLError, message: str) -> DocumentError:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    return _refusal(file, line, column, message)


def _refusal(file: str, line: int, column: int, message: str) -> DocumentError:
    return DocumentError([Problem(file, line, column, "", message)])

"""Whatever bytes a file holds, the loader answers with places and words, never with a traceback or a long wait."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulse_sim.scenario.document import MAX_BYTES, MAX_NODES, Document, parse_document, read_document
from pulse_sim.scenario.problem import DocumentError
from tests.scenario.files import SMALL, plan_problems, problems


def refusals(content: str | bytes) -> list[str]:
    try:
        document = parse_document("h.yaml", content if isinstance(content, bytes) else content.encode())
        document.refuse_problems()
    except DocumentError as error:
        return [str(problem) for problem in error.problems]
    return []


def loaded(text: str) -> Document:
    document = parse_document("h.yaml", text.encode())
    document.refuse_problems()
    return document


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "h.yaml:1:1: the file must be a mapping of keys to values"),
        ("# nothing\n", "h.yaml:1:1: the file must be a mapping of keys to values"),
        ("[1, 2]", "h.yaml:1:1: the file must be a mapping of keys to values"),
        (
            "a: 1\n---\nb: 2\n",
            "h.yaml:2:1: not YAML: expected a single document in the stream but found another document",
        ),
        ("a: [1, 2\nb: 3\n", "h.yaml:2:2: not YAML: while parsing a flow sequence expected ',' or ']', but got ':'"),
        ("a:\n\tb: 1\n", "h.yaml:2:1: not YAML: while scanning for the next token found character '\\t' that cannot"),
        ('a: "\\U00110000"', "h.yaml:1:1: not YAML: the parser gave up (ValueError)"),
        ("a: 1\nb: \0\n", "h.yaml:2:4: control characters are not allowed"),
        ("a: 1\nb: x\x1b[2J\n", "h.yaml:2:5: control characters are not allowed"),
        (b"a: 1\nbc: \xff\n", "h.yaml:2:5: not UTF-8 text"),
        ("a: 1".encode("utf-16"), "h.yaml:1:1: not UTF-8 text"),
        ("%YAML 1.1\n---\na: yes\n", "h.yaml:1:1: YAML directives are not allowed"),
        ("[" * 1_000_000, "h.yaml:1:65: nested deeper than 64 levels"),
        ("{a: " * 200_000, "nested deeper than 64 levels"),
        ("- " * 100_000, "nested deeper than 64 levels"),
        ("\n".join(" " * depth + "a:" for depth in range(1000)), "h.yaml:64:64: nested deeper than 64 levels"),
        ("a:\n" + "- 1\n" * MAX_NODES, f"more than {MAX_NODES} values"),
        ("a" * (MAX_BYTES + 1), "h.yaml:1:1: larger than 1024 KiB"),
        ("a: {tls: ${tls}}", 'inside braces a parameter needs quotes: "${name}"'),
    ],
)
def test_what_cannot_be_read_stands_alone(content: str | bytes, told: str) -> None:
    found = refusals(content)
    assert len(found) == 1
    assert told in found[0]


def test_sixty_four_levels_are_allowed_and_sixty_five_are_not() -> None:
    assert refusals("a: " + "[" * 62 + "1" + "]" * 62) == []
    assert refusals("a: " + "[" * 63 + "1" + "]" * 63) == ["h.yaml:1:67: nested deeper than 64 levels"]


def test_aliases_and_anchors_are_refused_each_at_its_place_so_that_none_can_multiply() -> None:
    bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"
    assert refusals(bomb) == [
        "h.yaml:1:4: anchor 'a': anchors are not allowed",
        "h.yaml:2:4: anchor 'b': anchors are not allowed",
        "h.yaml:2:8: alias 'a': aliases are not allowed; write the value out",
        "h.yaml:2:12: alias 'a': aliases are not allowed; write the value out",
        "h.yaml:3:5: alias 'b': aliases are not allowed; write the value out",
        "h.yaml:3:9: alias 'b': aliases are not allowed; write the value out",
    ]
    assert len(refusals("a: &a [*a]")) == 2


def test_tags_are_refused_and_never_run() -> None:
    assert refusals('a: !!python/object/apply:os.system ["x"]\nb: !!str 24.10\nc: !own {x: 1}\n') == [
        "h.yaml:1:4: tag 'tag:yaml.org,2002:python/object/apply:os.system': tags are not allowed",
        "h.yaml:2:4: tag 'tag:yaml.org,2002:str': tags are not allowed",
        "h.yaml:3:4: tag '!own': tags are not allowed",
    ]


def test_every_duplicate_key_is_told_also_inside_of_duplicates() -> None:
    assert refusals("a: {b: 1, b: {c: 1, c: 2}, b: 3}\nd: 1\na: {d: 1, d: 2}\n") == [
        "h.yaml:1:11: a.b: duplicate key 'b', first on line 1",
        "h.yaml:1:21: a.b.c: duplicate key 'c', first on line 1",
        "h.yaml:1:28: a.b: duplicate key 'b', first on line 1",
        "h.yaml:3:1: a: duplicate key 'a', first on line 1",
        "h.yaml:3:11: a.d: duplicate key 'd', first on line 3",
    ]


def test_keys_are_text_and_a_merge_key_is_a_key_like_any_other() -> None:
    assert refusals("~: 1\n? [a]\n: 2\n? {b: 1}\n: 3\n") == [
        "h.yaml:1:1: a key must be plain text",
        "h.yaml:2:3: a key must be plain text",
        "h.yaml:4:3: a key must be plain text",
    ]
    assert loaded("a: {<<: {b: 1}}").data == {"a": {"<<": {"b": 1}}}


def test_scalars_are_those_of_yaml_1_2_and_an_instant_stays_text() -> None:
    text = "[yes, on, 012, 0x1F, 0o17, 1:20, 1_000, 24.10, 1e3, true, ~, null, 2026-02-09T00:00:00Z, '1']"
    assert loaded(f"a: {text}").data["a"] == [
        *("yes", "on", 12, 31, 15, "1:20", "1_000", 24.1, 1000.0, True, None, None, "2026-02-09T00:00:00Z", "1"),
    ]


def test_numbers_that_are_none_are_refused() -> None:
    assert refusals("a: [.nan, .inf, -.inf, 1e999]") == [
        "h.yaml:1:5: a[0]: .nan is not a finite number",
        "h.yaml:1:11: a[1]: .inf is not a finite number",
        "h.yaml:1:17: a[2]: -.inf is not a finite number",
        "h.yaml:1:24: a[3]: 1e999 is not a finite number",
    ]
    assert loaded("a: " + "9" * 5000).data == {"a": "9" * 5000}


def test_half_a_surrogate_pair_is_refused_as_value_and_as_key() -> None:
    assert refusals('a: "\\ud800"\n"\\ud800": 1\n') == [
        "h.yaml:1:4: a: half of a surrogate pair is not text",
        "h.yaml:2:1: a key must be plain text",
    ]


def test_an_unreadable_file_is_a_problem_of_that_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    for path in (tmp_path / "missing.yaml", tmp_path, tmp_path / "pipe.yaml"):
        with pytest.raises(DocumentError) as caught:
            read_document(path)
        assert str(caught.value).startswith(f"{path}:1:1: cannot be read: ")
    with pytest.raises(DocumentError) as caught:
        read_document("a\0\x1bb.yaml")
    assert str(caught.value).isprintable()


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm() -> None:
    document = parse_document("h.yaml", b"\xef\xbb\xbfa: 1\r\nb:\r\n  c: 2\r\n")
    assert document.data == {"a": 1, "b": {"c": 2}}
    assert (document.values["b", "c"].line, document.values["b", "c"].column) == (3, 6)


def test_a_file_full_of_mistakes_is_answered_with_all_of_them() -> None:
    found = problems(SMALL + "".join(f"wrong{number}: 1\n" for number in range(3000)))
    assert len(found) == 3000
    assert found[-1].startswith("s.yaml:3013:1: wrong2999: unknown key 'wrong2999'")


@given(st.binary(max_size=200))
def test_no_bytes_end_in_anything_but_problems(content: bytes) -> None:
    assert all(line.startswith("h.yaml:") for line in refusals(content))


SCRAPS = st.sampled_from(
    ["&a", "*a", "!x", "- ", "? ", ": ", "{", "}", "[", "]", ",", '"', "'", "|", ">", "#", "%", "\n", " ", "\t", "a",
     "1", "24.10", "${tls}", "<<", "---", "...", "checks", "timeline", "at", "5m", "with", "~", "\\", "é", "\u2028"]
)  # fmt: skip


@given(st.lists(SCRAPS, max_size=30).map("".join))
def test_no_scraps_of_yaml_end_in_anything_but_problems(text: str) -> None:
    assert all(line.startswith("s.yaml:") for line in problems(text))
    assert all(line.startswith("p.yaml:") for line in plan_problems(text))


VALUES = st.recursive(
    st.sampled_from(["null", "true", "5", "24.10", '""', "text", "5m", '"${tls}"', "nas-1", "http.delay"]),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
        | st.lists(
            st.tuples(st.sampled_from(["id", "at", "do", "fault", "with", "check", "x"]), inner), max_size=3
        ).map(lambda pairs: "{" + ", ".join(f"{key}: {value}" for key, value in pairs) + "}")
    ),
    max_leaves=6,
)


@given(st.sampled_from([line.split(":")[0] for line in SMALL.splitlines() if line[0] != " "] + ["matrix", "systems",
       "timeline", "sampling", "expect_abort", "parameters", "packet"]), VALUES)  # fmt: skip
def test_no_value_under_any_key_ends_in_anything_but_problems(key: str, value: str) -> None:
    kept, skip = [], False
    for line in SMALL.splitlines():
        skip = line.startswith(f"{key}:") or (skip and line.startswith(" "))
        if not skip:
            kept.append(line)
    assert all(line.startswith("s.yaml:") for line in problems("\n".join([*kept, f"{key}: {value}"])))

"""The house as the import statements describe it; read from source, nothing is imported."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("mock_truenas", "pulse_sim")


@dataclass(frozen=True)
class Module:
    """One source file under its dotted name, with the modules of the house it imports."""

    name: str
    path: Path
    tree: ast.Module
    imports: frozenset[str]
    imports_at_start: frozenset[str]

    @property
    def lines(self) -> int:
        return len(self.path.read_text("utf-8").splitlines())


@cache
def modules() -> Mapping[str, Module]:
    """Every module of both packages by dotted name."""
    names = {_dotted(path): path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))}
    found = {}
    for name, path in names.items():
        tree = ast.parse(path.read_text("utf-8"))
        everywhere = frozenset(_imports(tree, name, path, names.keys(), ast.walk(tree)))
        at_start = frozenset(_imports(tree, name, path, names.keys(), _start_statements(tree)))
        found[name] = Module(name, path, tree, everywhere - {name}, at_start - {name})
    return found


def reachable(name: str) -> frozenset[str]:
    """``name`` and all that importing it brings in, packages' own ``__init__`` included."""
    seen: set[str] = set()
    stack = [name]
    while stack:
        current = stack.pop()
        if current in seen:
            continue
        seen.add(current)
        stack.extend(parent for parent in _parents(current) if parent in modules())
        stack.extend(modules()[current].imports_at_start)
    return frozenset(seen)


def inside(package: str) -> Iterator[Module]:
    """The modules at or below a dotted name."""
    for name, module in modules().items():
        if is_inside(name, package):
            yield module


def is_inside(name: str, package: str) -> bool:
    """Whether a dotted name is ``package`` or below it."""
    return name == package or name.startswith(package + ".")


def _dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _parents(name: str) -> Iterator[str]:
    while "." in name:
        name = name.rpartition(".")[0]
        yield name


def _start_statements(tree: ast.Module) -> Iterator[ast.AST]:
    """What runs on import: everything outside function bodies and TYPE_CHECKING blocks."""
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        yield node
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                continue
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
                continue
            stack.append(child)


def _imports(tree: ast.Module, name: str, path: Path, known: object, nodes: Iterator[ast.AST]) -> Iterator[str]:
    assert isinstance(tree, ast.Module)
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _house_module(alias.name, known)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                anchor = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*anchor, base] if base else anchor)
            for alias in node.names:
                target = f"{base}.{alias.name}"
                yield from _house_module(target if target in known else base, known)  # type: ignore[operator]


def _house_module(name: str, known: object) -> Iterator[str]:
    if name in known:  # type: ignore[operator]
        yield name

"""From a name on the command line to a factory of systems; only the command line may name one (R13)."""

import importlib
import re
from typing import Final

from pulse_sim.sut.protocol import SystemFactory

_DOTTED: Final = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")


class UnknownSystem(ValueError):
    """``--sut`` names nothing that can be loaded; the text says what was wrong and what is allowed."""


def load_system(name: str) -> SystemFactory:
    """The factory behind ``reference`` or ``package.module:factory``. Raises UnknownSystem."""
    if name == "reference":
        from pulse_sim.sut.reference import ReferenceSystem

        return ReferenceSystem
    if not _DOTTED.fullmatch(name):
        raise UnknownSystem(f"--sut {name!r} is neither 'reference' nor 'package.module:factory'")
    module_name, _, attribute = name.partition(":")
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:  # a plug-in's own code runs here and may do anything
        why = f"{type(error).__name__}: {error}"
        raise UnknownSystem(f"--sut {name}: module {module_name} cannot be imported ({why})") from error
    factory = getattr(module, attribute, None)
    if not callable(factory):
        offered = ", ".join(sorted(key for key, value in vars(module).items() if _is_factory(key, value, module_name)))
        raise UnknownSystem(f"--sut {name}: {module_name} has no factory {attribute!r}; it offers: {offered or 'none'}")
    made: SystemFactory = factory
    return made


def package_of(name: str) -> tuple[str, ...]:
    """The top package a plug-in comes from: its clocks are rebound in simulation like the stack's own (R2)."""
    return () if name == "reference" else (name.partition(":")[0].partition(".")[0],)


def _is_factory(key: str, value: object, module_name: str) -> bool:
    return callable(value) and not key.startswith("_") and getattr(value, "__module__", None) == module_name

"""Modules that are loaded when something of them is used, not where they are named.

`import` loads at once, also with `importlib.util.LazyLoader` (the statement itself
asks the module for its `__spec__`, which counts as use there); so there is a module
here that waits. Knows nothing of commands.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

IDLE = (
    "ast",  # inspect: signatures of what is written in C; before Python 3.13 as a base class
    "bz2",  # shutil: archives
    "ipaddress",  # urllib.parse, of pathlib
    "linecache",  # inspect, traceback
    "lzma",
    "platform",  # typer.launch, uuid; before Python 3.13 uuid uses it
    "shellingham",  # typer: to install a completion
    "subprocess",  # typer.launch
    "tokenize",  # inspect, linecache
)
"""What typer, pathlib, shutil and traceback import by name and a command leaves alone:
a tenth of the start. All written in Python; what is written in C cannot wait."""


class _Waiting(ModuleType):
    """A module with nothing in it; asked for anything, it is loaded into itself."""

    def __getattr__(self, name: str) -> Any:
        spec = self.__spec__
        object.__setattr__(self, "__class__", ModuleType)
        if spec is not None and spec.loader is not None:
            spec.loader.exec_module(self)
        return getattr(self, name)


@contextmanager
def waiting(names: Sequence[str]) -> Iterator[None]:
    """Whatever is imported inside gets these as modules that wait.

    Afterwards nobody else does: whoever imports one of them later gets Python's own, so
    that nothing beyond what was imported here depends on this.
    """
    from importlib.util import find_spec, module_from_spec

    put = []
    for name in names:
        spec = None if name in sys.modules else find_spec(name)
        if spec is not None and spec.has_location and str(spec.origin).endswith(".py"):
            module = module_from_spec(spec)
            object.__setattr__(module, "__class__", _Waiting)
            sys.modules[name] = module
            put.append(name)
    try:
        yield
    finally:
        for name in put:
            if type(sys.modules.get(name)) is _Waiting:
                del sys.modules[name]


class _Typer:
    """Stands for typer in the annotations of a command, which only typer reads."""

    def __getattr__(self, name: str) -> Any:
        import typer

        return getattr(typer, name)


if TYPE_CHECKING:
    import typer as typer  # noqa: PLC0414 - handed on
else:
    typer = _Typer()

"""Compiled Python: numba, with a cache that neither changed sources nor damage can make wrong."""

import contextlib
import hashlib
import inspect
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

# numba takes settings from a file of the working directory, which a stranger may have written.
with contextlib.chdir("/"):
    import numba
import numba.core.config
import numba.core.event
from numba.core.caching import FunctionCache, IndexDataCacheFile, _CacheLocator
from numba.core.ccallback import CFunc
from numba.core.sigutils import normalize_signature

import mcos_hw
from mcos_sim.cache import clear_unused, user_cache
from mcos_sim.stages import stage

__all__ = [
    "CACHE",
    "callback",
    "compiled",
]


_USE = b"from mcos_sim.compiling import"

_FOLLOWED = ("config/*.py", "registers/*.py", "channel/probe.py")
"""Sources of the hardware that compiled code takes places and codes from."""

_STAGE = "compiling Python to machine code"

_DIGEST_BYTES = hashlib.sha256().digest_size


def _sources_hash() -> str:
    """Sixteen hexadecimal digits that name the sources of all compiled code.

    That is every module of a folder in which one imports this module: they are inlined into each
    other, with the constants of the modules beside them, and with those that follow from the
    hardware's register map and probe.
    """
    own = Path(__file__)
    sources = {path: path.read_bytes() for path in sorted(own.parent.rglob("*.py"))}
    folders = {path.parent for path, text in sources.items() if _USE in text and path != own}
    digest = hashlib.sha256(numba.__version__.encode())
    for path, text in sources.items():
        if path.parent in folders or path == own:
            digest.update(text)
    hardware = Path(mcos_hw.__file__).parent
    for pattern in _FOLLOWED:
        for path in sorted(hardware.glob(pattern)):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


CACHE = user_cache("machine-code", _sources_hash())
"""Where machine code is kept.

numba looks at the file that a function is in, not at those of the functions that it calls; so each
version of the sources has a folder of its own.
"""

# The folder counts as used now. What no command used for a month goes.
os.utime(CACHE)
clear_unused(CACHE.parent)

# The names are set when numba is imported; it looks for the file again when it compiles.
numba.core.config._config_fname = ""  # ty: ignore[invalid-assignment]
numba.config.CACHE_DIR = str(CACHE)  # ty: ignore[missing-attribute]


class _Told(numba.core.event.Listener):
    """Has progress say that numba compiles; a call may take half a minute for it."""

    def __init__(self) -> None:
        self._stages: list[contextlib.ExitStack] = []

    def on_start(self, event: Any) -> None:
        """Begin a stage."""
        begun = contextlib.ExitStack()
        begun.enter_context(stage(_STAGE))
        self._stages.append(begun)

    def on_end(self, event: Any) -> None:
        """End a stage; all of them have the same name."""
        self._stages.pop().close()


numba.core.event.register("numba:compile", _Told())


class _CheckedFile(IndexDataCacheFile):
    """numba's cache of a function, with a hash in front of the machine code.

    A damaged file counts as missing: the function is compiled again. numba alone would end with an
    error of pickle, or run what it finds.
    """

    def _load_index(self) -> dict:
        try:
            return super()._load_index()
        except Exception:  # whatever pickle makes of a damaged file
            return {}

    def _load_data(self, name: str) -> tuple:
        data = Path(self._data_path(name)).read_bytes()
        digest, pickled = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
        if hashlib.sha256(pickled).digest() != digest:
            raise OSError(f"{name} is damaged")  # which means to numba that it is not there
        return pickle.loads(pickled)

    def save(self, key: object, data: object) -> None:
        """Keep machine code, where there is room; without, it is compiled again the next time."""
        with contextlib.suppress(OSError):
            super().save(key, data)

    def _save_data(self, name: str, data: object) -> None:
        pickled = self._dump(data)
        with self._open_for_write(self._data_path(name)) as file:
            file.write(hashlib.sha256(pickled).digest() + pickled)


class _OfSources(_CacheLocator):
    """Where machine code of this package is kept: under its module's name.

    The folder above names the content of all sources. So a second checkout, or an installed wheel,
    finds what another one compiled; numba alone would look for the path and time of the file.
    """

    def __init__(self, module: str) -> None:
        self._folder = CACHE / module

    def get_cache_path(self) -> str:
        """Folder of the module."""
        return str(self._folder)

    def get_source_stamp(self) -> str:
        """Nothing more than the folder says."""
        return ""

    def get_disambiguator(self) -> None:
        """None: a module has one function of a name in a line."""


class _CheckedCache(FunctionCache):
    def __init__(self, function: Callable) -> None:
        super().__init__(function)
        if Path(inspect.getfile(function)).is_relative_to(Path(__file__).parent):
            self._impl._locator = _OfSources(function.__module__)
            self._cache_path = self._impl.locator.get_cache_path()
        stamp = self._impl.locator.get_source_stamp()
        self._cache_file = _CheckedFile(self._cache_path, self._impl.filename_base, stamp)

    def _index_key(self, sig: Any, codegen: Any) -> tuple:
        """What tells machine code of one function apart from another's.

        numba names what a closure holds by its pickle. That of a compiled function is another one
        in each process, so it would be compiled each time.
        """
        code = hashlib.sha256(self._py_func.__code__.co_code).hexdigest()
        return sig, codegen.magic_tuple(), (code, _held(self._py_func))


def _held(function: Any) -> tuple:
    """Names of the compiled functions that a closure holds, and of those that they hold."""
    cells = [cell.cell_contents for cell in function.__closure__ or ()]
    return tuple(
        (each.py_func.__module__, each.py_func.__qualname__, _held(each.py_func)) for each in cells
    )


def compiled(function: Callable) -> Callable:
    """Compile a function of numbers and arrays when it is first called; it makes no arrays.

    Counting references to arrays that somebody else holds would take a third of the time.
    """
    dispatcher = numba.njit(forceinline=True, error_model="numpy", _nrt=False)(function)
    dispatcher._cache = _CheckedCache(function)  # ty: ignore[missing-attribute]
    return dispatcher


def callback(signature: Any) -> Callable[[Callable], CFunc]:
    """Compile a function at once, for C code to call.

    Parameters
    ----------
    signature : numba.core.typing.Signature
        Types of what it returns and takes.
    """

    def compile_now(function: Callable) -> CFunc:
        made = CFunc(function, normalize_signature(signature), locals={}, options={})
        made._cache = _CheckedCache(function)  # ty: ignore[missing-attribute]
        with stage(_STAGE):
            made.compile()
        return made

    return compile_now

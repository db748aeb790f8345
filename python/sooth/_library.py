# SPDX-License-Identifier: BSD-2-Clause
"""The shared library: its functions, their types, and its errors as exceptions."""
import ctypes
import errno
import os
import typing

NAME = "libsooth.so.0"
_FOLDER = os.path.dirname(os.path.abspath(__file__))

_TEXTS = (("tried", 192), ("why", 256), ("missing", 192), ("remedy", 256))


class ErrorStruct(ctypes.Structure):
    """struct sooth_error of <sooth/error.h>."""
    _fields_ = [("code", ctypes.c_int), ("fault", ctypes.c_int)] + [
        (name, ctypes.c_char * size) for name, size in _TEXTS]


class Error(OSError):
    """What failed, why, and what to do about it."""
    tried: str
    why: str
    missing: str
    remedy: str

    def __init__(self, code: int, tried: str, why: str = "", missing: str = "", remedy: str = "") -> None:
        self.tried, self.why, self.missing, self.remedy = tried, why, missing, remedy
        super().__init__(code, "cannot %s: %s" % (tried, why))

    def __reduce__(self) -> typing.Tuple[typing.Any, ...]:
        return type(self), (self.errno, self.tried, self.why, self.missing, self.remedy)

    def __str__(self) -> str:
        return ("cannot %s" % self.tried) + (": %s" % self.why if self.why else "") + (
            "; %s" % self.remedy if self.remedy else "")


def error_of(raw: ErrorStruct) -> Error:
    return Error(-raw.code or errno.EIO, *(getattr(raw, name).decode("utf-8", "replace") for name, _ in _TEXTS))


def whole(number: int, what: str, bits: int = 64) -> int:
    """A number that the library takes as it is: ctypes would cut it off."""
    if not isinstance(number, int):
        raise TypeError("%s is a number" % what)
    if not 0 <= number < 1 << bits:
        raise ValueError("%s is from 0 to %d" % (what, (1 << bits) - 1))
    return number


def pid_of(number: int) -> int:
    return whole(number, "a PID", 31)


def ns_of(seconds: float, what: str) -> int:
    return whole(int(seconds * 1e9), "%s in ns" % what)


def _declared(library: ctypes.CDLL) -> ctypes.CDLL:
    pointer, error = ctypes.c_void_p, ctypes.POINTER(ErrorStruct)
    out = ctypes.POINTER(pointer)
    number, pids = ctypes.c_int, ctypes.POINTER(ctypes.c_int)
    words = ctypes.POINTER(ctypes.c_char_p)
    functions: typing.List[typing.Tuple[str, typing.Any, typing.Tuple[typing.Any, ...]]] = [
        ("sooth_agents", pointer, (pointer, error)),
        ("sooth_diagnose", pointer, (number, pointer, error)),
        ("sooth_inspect", pointer, (number, ctypes.c_char_p, pointer, error)),
        ("sooth_trace_count", pointer, (number, pointer, error)),
        ("sooth_profile", pointer, (number, pointer, error)),
        ("sooth_table_json", pointer, (pointer,)),
        ("sooth_table_free", None, (pointer,)),
        ("sooth_profiler_start_multiple", number, (pids, ctypes.c_size_t, pointer, out, error)),
        ("sooth_profiler_start_command", number, (words, pointer, out, error)),
        ("sooth_profiler_run", number, (pointer, number, error)),
        ("sooth_profiler_next", ctypes.c_bool, (pointer, out)),
        ("sooth_profiler_functions", pointer, (pointer, error)),
    ]
    functions += [
        ("sooth_heap_frames", ctypes.c_size_t, (pointer, ctypes.c_uint32, pointer)),
    ]
    for prefix in ("sooth_heap_", "sooth_trace_"):
        functions += [
            (prefix + "track_multiple", number, (pids, ctypes.c_size_t, pointer, out, error)),
            (prefix + "track_command", number, (words, pointer, out, error)),
            (prefix + "next", number, (pointer, number, out, error)),
            (prefix + "is_over", ctypes.c_bool, (pointer,)),
            (prefix + "snapshot", pointer, (pointer, error)),
        ]
    for prefix in ("sooth_heap_", "sooth_trace_", "sooth_profiler_"):
        functions += [
            (prefix + "fd", number, (pointer,)),
            (prefix + "mark", number, (pointer, ctypes.c_char_p, error)),
            (prefix + "pause", number, (pointer, error)),
            (prefix + "resume", number, (pointer, error)),
            (prefix + "stats", None, (pointer, pointer)),
            (prefix + "child_pid", number, (pointer,)),
            (prefix + "child_status", number, (pointer,)),
            (prefix + "stop", number, (pointer, error)),
            (prefix + "close", None, (pointer,)),
        ]
    for name, result, arguments in functions:
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


_loaded: typing.Optional[ctypes.CDLL] = None
_libc = ctypes.CDLL(None)
_libc.free.argtypes = [ctypes.c_void_p]
_libc.free.restype = None


def beside(name: str) -> typing.Optional[str]:
    """A file that was installed with this module, as from a wheel; None: there is none."""
    path = os.path.join(_FOLDER, name)
    return path if os.path.exists(path) else None


def library() -> ctypes.CDLL:
    """Loaded when it is first needed: an import works without it."""
    global _loaded
    if _loaded is None:
        _loaded = _declared(ctypes.CDLL(beside(NAME) or NAME))
    return _loaded


def take_text(address: int) -> str:
    """A string that the library made with malloc()."""
    try:
        return ctypes.string_at(address).decode("utf-8", "replace")
    finally:
        _libc.free(address)

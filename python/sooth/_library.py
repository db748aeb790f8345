# SPDX-License-Identifier: BSD-2-Clause
"""The shared library: its functions, their types, and its errors as exceptions."""
import ctypes
import errno
import typing

NAME = "libsooth.so.0"

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

    def __init__(self, raw: ErrorStruct) -> None:
        for name, _ in _TEXTS:
            setattr(self, name, getattr(raw, name).decode("utf-8", "replace"))
        super().__init__(-raw.code or errno.EIO, "cannot %s: %s" % (self.tried, self.why))

    def __str__(self) -> str:
        text = "cannot %s: %s" % (self.tried, self.why)
        return text + ("; %s" % self.remedy if self.remedy else "")


def _declared(library: ctypes.CDLL) -> ctypes.CDLL:
    pointer, error = ctypes.c_void_p, ctypes.POINTER(ErrorStruct)
    out = ctypes.POINTER(pointer)
    number, pids = ctypes.c_int, ctypes.POINTER(ctypes.c_int)
    words = ctypes.POINTER(ctypes.c_char_p)
    functions = [
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


def library() -> ctypes.CDLL:
    """Loaded when it is first needed: an import works without it."""
    global _loaded
    if _loaded is None:
        _loaded = _declared(ctypes.CDLL(NAME))
    return _loaded


def take_text(address: int) -> str:
    """A string that the library made with malloc()."""
    try:
        return ctypes.string_at(address).decode("utf-8", "replace")
    finally:
        _libc.free(address)

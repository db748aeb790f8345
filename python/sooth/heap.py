# SPDX-License-Identifier: BSD-2-Clause
"""The calls of processes to their allocator, as they happen."""
import ctypes
import typing

from sooth._tracker import Command, Stats, Tracker as _Tracker, opened_for_command, opened_for_pids

__all__ = ["Event", "Stats", "Tracker", "track", "track_command"]


class _Options(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("buffer_bytes", ctypes.c_uint64), ("may_pause", ctypes.c_bool),
                ("observer", ctypes.c_void_p)]


class _Event(ctypes.Structure):
    _fields_ = [("function", ctypes.c_char_p)] + [(name, ctypes.c_uint64) for name in (
        "time_ns", "duration_ns", "address", "old_address", "size")] + [
            ("pid", ctypes.c_int), ("tid", ctypes.c_int), ("error", ctypes.c_int), ("is_overflow", ctypes.c_bool)]


class Event(typing.NamedTuple):
    """A call that returned; of free, that was made."""
    function: str
    time_ns: int       # CLOCK_MONOTONIC
    duration_ns: int
    address: int       # 0: it failed; free: its argument
    old_address: int   # realloc's argument
    size: int          # bytes requested; free: 0
    pid: int
    tid: int
    error: int         # errno that it returned; 0: none
    is_overflow: bool  # number times size did not fit 64 bits


class Tracker(_Tracker[Event]):
    _prefix = "sooth_heap_"

    def _event(self, address: int) -> Event:
        raw = _Event.from_address(address)
        return Event(raw.function.decode(), *(getattr(raw, name) for name in Event._fields[1:]))


def _options(buffer_bytes: int, may_pause: bool) -> _Options:
    options = _Options(buffer_bytes=buffer_bytes, may_pause=may_pause)
    options.size = ctypes.sizeof(options)
    return options


def track(*pids: int, buffer_bytes: int = 0) -> Tracker:
    """One process or several, and what they start; needs root."""
    return Tracker(opened_for_pids("sooth_heap_track_multiple", pids, _options(buffer_bytes, False)))


def track_command(command: Command, buffer_bytes: int = 0, may_pause: bool = False) -> Tracker:
    """A command from its first call on. `may_pause`: it is paused for moments rather than that calls are dropped."""
    return Tracker(opened_for_command("sooth_heap_track_command", command, _options(buffer_bytes, may_pause)))

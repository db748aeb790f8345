# SPDX-License-Identifier: BSD-2-Clause
"""The calls of processes to their allocator, as they happen."""
import ctypes
import os
import typing

from sooth._library import ErrorStruct, beside, whole
from sooth._tables import Row, rows_from
from sooth.profile import Frame, RawFrame, frames_of
from sooth._tracker import Command, Stats, Tracker as _Tracker, opened_for_command, opened_for_pids

__all__ = ["Event", "Stats", "Tracker", "track", "track_command"]


class _ProbeOptions(ctypes.Structure):
    _fields_ = [("preload_path", ctypes.c_char_p), ("blocks_most", ctypes.c_uint64),
                ("bytes_per_sample", ctypes.c_uint64), ("chosen_engine", ctypes.c_int)] + [
        (name, ctypes.c_bool) for name in ("takes_stacks", "sums_in_kernel", "finds_wrong_frees", "adapts_to_load",
                                           "may_pause", "has_source_lines")] + [("unused", ctypes.c_ubyte * 22)]


class _Options(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("buffer_bytes", ctypes.c_uint64), ("heap", _ProbeOptions),
                ("keeps_blocks", ctypes.c_bool), ("observer", ctypes.c_void_p)]


class _Event(ctypes.Structure):
    _fields_ = [("function", ctypes.c_char_p)] + [(name, ctypes.c_uint64) for name in (
        "time_ns", "duration_ns", "address", "old_address", "size")] + [
            ("pid", ctypes.c_int), ("tid", ctypes.c_int), ("error", ctypes.c_int), ("is_overflow", ctypes.c_bool),
            ("stack", ctypes.c_uint32), ("phase", ctypes.c_char_p)]


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
    stack: int         # for Tracker.frames(); 0: not known, or not asked for
    phase: typing.Optional[str]  # of Tracker.mark()


class Tracker(_Tracker[Event]):
    _prefix = "sooth_heap_"

    def _event(self, address: int) -> Event:
        raw = _Event.from_address(address)
        return Event._make([raw.function.decode(), *(getattr(raw, name) for name in Event._fields[1:-1]),
                            raw.phase.decode("utf-8", "replace") if raw.phase else None])

    def snapshot(self) -> typing.List[Row]:
        """With keeps_blocks: what is live now, by function and phase: "blocks", "bytes", "oldest_ns"."""
        error = ErrorStruct()
        return rows_from(self._call("snapshot", ctypes.byref(error)), error)

    def frames(self, stack: int) -> typing.Tuple[Frame, ...]:
        """With has_stacks, after stop(): of an event, innermost first."""
        first = ctypes.POINTER(RawFrame)()
        return frames_of(first, self._call("frames", stack, ctypes.byref(first)))


def _options(buffer_bytes: int, may_pause: bool, has_stacks: bool, keeps_blocks: bool) -> _Options:
    options = _Options(buffer_bytes=whole(buffer_bytes, "buffer_bytes"), keeps_blocks=keeps_blocks,
                       heap=_ProbeOptions(may_pause=may_pause, takes_stacks=has_stacks))
    options.size = ctypes.sizeof(options)
    return options


def track(*pids: int, buffer_bytes: int = 0, has_stacks: bool = False, keeps_blocks: bool = False) -> Tracker:
    """One process or several, and what they start; needs root."""
    return Tracker(opened_for_pids("sooth_heap_track_multiple", pids,
                                   _options(buffer_bytes, False, has_stacks, keeps_blocks)))


def track_command(command: Command, buffer_bytes: int = 0, may_pause: bool = False, has_stacks: bool = False,
                  keeps_blocks: bool = False) -> Tracker:
    """A command from its first call on. `may_pause`: it is paused for moments rather than that calls are dropped."""
    options = _options(buffer_bytes, may_pause, has_stacks, keeps_blocks)
    preload = beside("sooth-preload.so")
    options.heap.preload_path = os.fsencode(preload) if preload else None
    return Tracker(opened_for_command("sooth_heap_track_command", command, options))

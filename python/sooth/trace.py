# SPDX-License-Identifier: BSD-2-Clause
"""The system calls of processes, as they return, or counted."""
import ctypes
import os
import typing

from sooth._library import ErrorStruct, ns_of, whole
from sooth._tables import Row, rows_from, rows_of
from sooth._tracker import Command, Stats, Tracker as _Tracker, opened_for_command, opened_for_pids

__all__ = ["Event", "Stats", "Tracker", "count", "track", "track_command"]

_TEXTS = ("call", "arguments", "result_text", "path", "fd_name", "thread", "process")


class _ProbeOptions(ctypes.Structure):
    _fields_ = [("call_set", ctypes.c_char_p), ("kept_data_bytes", ctypes.c_uint32)] + [
        (name, ctypes.c_bool) for name in ("failures_only", "must_hold", "has_call_budget", "records_api",
                                           "records_only_api")] + [("unused", ctypes.c_ubyte * 23)]


class _Options(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("calls", _ProbeOptions), ("is_plain", ctypes.c_bool),
                ("buffer_bytes", ctypes.c_uint64), ("duration_ns", ctypes.c_uint64), ("observer", ctypes.c_void_p)]


class _Event(ctypes.Structure):
    _fields_ = [(name, ctypes.c_char_p) for name in _TEXTS] + [
        ("time_ns", ctypes.c_uint64), ("duration_ns", ctypes.c_uint64), ("result", ctypes.c_int64),
        ("fd", ctypes.c_int64), ("pid", ctypes.c_int), ("tid", ctypes.c_int), ("error", ctypes.c_int),
        ("wait_status", ctypes.c_int), ("has_returned", ctypes.c_bool), ("is_timed", ctypes.c_bool),
        ("is_end", ctypes.c_bool), ("phase", ctypes.c_char_p)]


class Event(typing.NamedTuple):
    """A call that returned, or the end of a process. Texts are the target's: escape them before a terminal."""
    call: str         # "openat"; "": the end of a process
    arguments: str
    result_text: str  # "3</etc/hosts>"; of an end "exited with 1"
    path: str         # that the call has as an argument; "": none
    fd_name: str
    thread: str
    process: str
    time_ns: int      # CLOCK_MONOTONIC
    duration_ns: typing.Optional[int]  # None: not measured
    result: typing.Optional[int]       # None: it did not return
    fd: typing.Optional[int]
    pid: int
    tid: int
    error: int        # errno that it returned; 0: none
    exit_status: typing.Optional[int]  # of an end; negative: the signal that ended it
    phase: typing.Optional[str]        # of Tracker.mark()


class Tracker(_Tracker[Event]):
    _prefix = "sooth_trace_"

    def _event(self, address: int) -> Event:
        raw = _Event.from_address(address)
        texts = [getattr(raw, name).decode("utf-8", "replace") for name in _TEXTS]
        return Event._make([*texts, raw.time_ns,
                            raw.duration_ns if raw.is_timed else None, raw.result if raw.has_returned else None,
                            None if raw.fd < 0 else raw.fd, raw.pid, raw.tid, raw.error,
                            os.waitstatus_to_exitcode(raw.wait_status) if raw.is_end else None,
                            raw.phase.decode("utf-8", "replace") if raw.phase else None])

    def snapshot(self) -> typing.List[Row]:
        """The calls that returned until now: "name", "calls", "errors", "total_ns"."""
        error = ErrorStruct()
        return rows_from(self._call("snapshot", ctypes.byref(error)), error)


def _options(calls: typing.Optional[str], only_failed: bool = False, plain: bool = False,
             must_hold: bool = False, data_bytes: int = 0, buffer_bytes: int = 0,
             duration: float = 0) -> _Options:
    options = _Options(calls=_ProbeOptions(call_set=calls.encode() if calls else None, failures_only=only_failed,
                                           must_hold=must_hold, kept_data_bytes=whole(data_bytes, "data_bytes", 32)),
                       is_plain=plain, buffer_bytes=whole(buffer_bytes, "buffer_bytes"),
                       duration_ns=ns_of(duration, "duration"))
    options.size = ctypes.sizeof(options)
    return options


def track(*pids: int, calls: typing.Optional[str] = None, only_failed: bool = False, plain: bool = False,
          must_hold: bool = False, data_bytes: int = 0, buffer_bytes: int = 0) -> Tracker:
    """One process or several, and what they start; needs root. `calls`: "openat,close", "file,network", "!futex"."""
    return Tracker(opened_for_pids("sooth_trace_track_multiple", pids, _options(
        calls, only_failed, plain, must_hold, data_bytes, buffer_bytes)))


def track_command(command: Command, calls: typing.Optional[str] = None, only_failed: bool = False,
                  plain: bool = False, must_hold: bool = False, data_bytes: int = 0,
                  buffer_bytes: int = 0) -> Tracker:
    """A command from its exec on."""
    return Tracker(opened_for_command("sooth_trace_track_command", command, _options(
        calls, only_failed, plain, must_hold, data_bytes, buffer_bytes)))


def count(pid: int, duration: float = 5, calls: typing.Optional[str] = None) -> typing.List[Row]:
    """How often a process and its children make each call in `duration` seconds, with errors and times."""
    return rows_of("sooth_trace_count", pid, _options(calls, duration=duration))

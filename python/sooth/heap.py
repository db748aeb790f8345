# SPDX-License-Identifier: BSD-2-Clause
"""The calls of processes to their allocator, as they happen."""
import ctypes
import errno
import os
import types
import typing

from sooth._library import Error, ErrorStruct, library

_STEP_MS = 200  # how long Ctrl-C may wait


class _Options(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("buffer_bytes", ctypes.c_uint64), ("may_pause", ctypes.c_bool),
                ("observer", ctypes.c_void_p)]


class _Event(ctypes.Structure):
    _fields_ = [("function", ctypes.c_char_p)] + [(name, ctypes.c_uint64) for name in (
        "time_ns", "duration_ns", "address", "old_address", "size")] + [
            ("pid", ctypes.c_int), ("tid", ctypes.c_int), ("error", ctypes.c_int), ("is_overflow", ctypes.c_bool)]


class _Stats(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t)] + [(name, ctypes.c_uint64) for name in (
        "events", "waiting", "dropped", "pauses", "paused_ns")]


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


class Stats(typing.NamedTuple):
    events: int     # given to the caller
    waiting: int    # in the tracker
    dropped: int    # calls that are not among the events
    pauses: int     # times the command was paused
    paused_ns: int  # for so long altogether


class Tracker:
    """An iterator over Event, until every process has ended. To be closed, as by `with`."""

    def __init__(self, handle: ctypes.c_void_p) -> None:
        self._handle: typing.Optional[ctypes.c_void_p] = handle

    def _open(self) -> ctypes.c_void_p:
        if self._handle is None:
            raise ValueError("the tracker is closed")
        return self._handle

    def next(self, timeout: float) -> typing.Optional[Event]:
        """The next event within so many seconds; None: there was none, see is_over()."""
        found, error = ctypes.c_void_p(), ErrorStruct()
        status = library().sooth_heap_next(self._open(), int(timeout * 1000), ctypes.byref(found),
                                           ctypes.byref(error))
        if status < 0 and status != -errno.EINTR:
            raise Error(error)
        if status <= 0 or found.value is None:
            return None
        raw = _Event.from_address(found.value)
        return Event(raw.function.decode(), *(getattr(raw, name) for name in Event._fields[1:]))

    def __iter__(self) -> "Tracker":
        return self

    def __next__(self) -> Event:
        while not self.is_over():
            event = self.next(_STEP_MS / 1000)
            if event:
                return event
        raise StopIteration

    def is_over(self) -> bool:
        """Every process has ended, and every event was given."""
        return library().sooth_heap_is_over(self._open())

    def fileno(self) -> int:
        """For select and asyncio: readable when there may be events. Call next(0) then until it gives None."""
        return library().sooth_heap_fd(self._open())

    def stats(self) -> Stats:
        raw = _Stats()
        raw.size = ctypes.sizeof(raw)
        library().sooth_heap_stats(self._open(), ctypes.byref(raw))
        return Stats(*(getattr(raw, name) for name in Stats._fields))

    def child_pid(self) -> int:
        """Of the launched command; 0: none was launched."""
        return library().sooth_heap_child_pid(self._open())

    def child_status(self) -> typing.Optional[int]:
        """Exit status of the launched command, negative: the signal that ended it; None: it runs."""
        status = library().sooth_heap_child_status(self._open())
        return None if status < 0 else os.waitstatus_to_exitcode(status)

    def stop(self) -> None:
        """Detaches; the last events stay readable."""
        error = ErrorStruct()
        if library().sooth_heap_stop(self._open(), ctypes.byref(error)) < 0:
            raise Error(error)

    def close(self) -> None:
        if self._handle is not None:
            library().sooth_heap_close(self._handle)
            self._handle = None

    def __enter__(self) -> "Tracker":
        return self

    def __exit__(self, kind: typing.Optional[typing.Type[BaseException]], value: typing.Optional[BaseException],
                 trace: typing.Optional[types.TracebackType]) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()


def _options(buffer_bytes: int, may_pause: bool) -> _Options:
    options = _Options(buffer_bytes=buffer_bytes, may_pause=may_pause)
    options.size = ctypes.sizeof(options)
    return options


def _tracker(status: int, handle: ctypes.c_void_p, error: ErrorStruct) -> Tracker:
    if status < 0:
        raise Error(error)
    return Tracker(handle)


def track(*pids: int, buffer_bytes: int = 0) -> Tracker:
    """One process or several, and what they start; needs root."""
    all_pids = (ctypes.c_int * len(pids))(*pids)
    handle, error = ctypes.c_void_p(), ErrorStruct()
    status = library().sooth_heap_track_multiple(all_pids, len(pids), ctypes.byref(_options(buffer_bytes, False)),
                                                 ctypes.byref(handle), ctypes.byref(error))
    return _tracker(status, handle, error)


def track_command(command: typing.Sequence[typing.Union[str, bytes]], buffer_bytes: int = 0,
                  may_pause: bool = False) -> Tracker:
    """A command from its first call on. `may_pause`: it is paused for moments rather than that calls are dropped."""
    words = (ctypes.c_char_p * (len(command) + 1))(*(os.fsencode(word) for word in command), None)
    handle, error = ctypes.c_void_p(), ErrorStruct()
    status = library().sooth_heap_track_command(words, ctypes.byref(_options(buffer_bytes, may_pause)),
                                                ctypes.byref(handle), ctypes.byref(error))
    return _tracker(status, handle, error)

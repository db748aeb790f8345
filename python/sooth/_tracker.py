# SPDX-License-Identifier: BSD-2-Clause
"""What trackers of all kinds share: an iterator over events, by the functions with one prefix."""
import ctypes
import errno
import os
import types
import typing

from sooth._library import ErrorStruct, error_of, library, pid_of

_STEP_MS = 200  # how long Ctrl-C may wait

Event = typing.TypeVar("Event")
Self = typing.TypeVar("Self", bound="Tracker[typing.Any]")
Command = typing.Sequence[typing.Union[str, bytes]]


class RawStats(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t)] + [(name, ctypes.c_uint64) for name in (
        "events", "waiting", "dropped", "pauses", "paused_ns", "event_ns")]


class Stats(typing.NamedTuple):
    events: int     # given to the caller
    waiting: int    # in the tracker
    dropped: int    # calls that are not among the events
    pauses: int     # times the target was paused
    paused_ns: int  # for so long altogether
    event_ns: int   # of the target's time that an event takes, as measured on one machine; 0: not measured


class Tracker(typing.Generic[Event]):
    """An iterator over events, until every process has ended. To be closed, as by `with`."""

    _prefix = ""  # of its functions

    def __init__(self, handle: ctypes.c_void_p) -> None:
        self._handle: typing.Optional[ctypes.c_void_p] = handle

    def _event(self, address: int) -> Event:
        raise NotImplementedError

    def _call(self, name: str, *arguments: typing.Any) -> typing.Any:
        if self._handle is None:
            raise ValueError("the tracker is closed")
        return getattr(library(), self._prefix + name)(self._handle, *arguments)

    def _do(self, name: str, *arguments: typing.Any) -> None:
        error = ErrorStruct()
        if self._call(name, *arguments, ctypes.byref(error)) < 0:
            raise error_of(error)

    def next(self, timeout: float) -> typing.Optional[Event]:
        """The next event within so many seconds; None: there was none, see is_over()."""
        found, error = ctypes.c_void_p(), ErrorStruct()
        status = self._call("next", int(timeout * 1000), ctypes.byref(found), ctypes.byref(error))
        if status < 0 and status != -errno.EINTR:
            raise error_of(error)
        return None if status <= 0 or found.value is None else self._event(found.value)

    def __iter__(self: Self) -> Self:
        return self

    def __next__(self) -> Event:
        while not self.is_over():
            event = self.next(_STEP_MS / 1000)
            if event:
                return event
        raise StopIteration

    def is_over(self) -> bool:
        """Every process has ended, and every event was given."""
        return bool(self._call("is_over"))

    def fileno(self) -> int:
        """For select and asyncio: readable when there may be events. Call next(0) then until it gives None."""
        return int(self._call("fd"))

    def stats(self) -> Stats:
        raw = RawStats()
        raw.size = ctypes.sizeof(raw)
        self._call("stats", ctypes.byref(raw))
        return Stats(*(getattr(raw, name) for name in Stats._fields))

    def mark(self, phase: str) -> None:
        """A phase of the target begins now: events from now on have its name."""
        self._do("mark", phase.encode())

    def pause(self) -> None:
        """Calls from now on are no events, until resume()."""
        self._do("pause")

    def resume(self) -> None:
        self._do("resume")

    def child_pid(self) -> int:
        """Of the launched command; 0: none was launched."""
        return int(self._call("child_pid"))

    def child_status(self) -> typing.Optional[int]:
        """Exit status of the launched command, negative: the signal that ended it; None: it runs."""
        return exit_code(self._call("child_status"))

    def stop(self) -> None:
        """Detaches; the last events stay readable."""
        self._do("stop")

    def close(self) -> None:
        if self._handle is not None:
            self._call("close")
            self._handle = None

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, kind: typing.Optional[typing.Type[BaseException]], value: typing.Optional[BaseException],
                 trace: typing.Optional[types.TracebackType]) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()


def exit_code(status: int) -> typing.Optional[int]:
    return None if status < 0 else os.waitstatus_to_exitcode(status)


def opened(name: str, *arguments: typing.Any) -> ctypes.c_void_p:
    """What a function of the library puts in its out parameter."""
    handle, error = ctypes.c_void_p(), ErrorStruct()
    if getattr(library(), name)(*arguments, ctypes.byref(handle), ctypes.byref(error)) < 0:
        raise error_of(error)
    return handle


def opened_for_pids(name: str, pids: typing.Sequence[int], options: ctypes.Structure) -> ctypes.c_void_p:
    return opened(name, (ctypes.c_int * len(pids))(*map(pid_of, pids)), len(pids), ctypes.byref(options))


def opened_for_command(name: str, command: Command, options: ctypes.Structure) -> ctypes.c_void_p:
    if isinstance(command, (str, bytes)):
        raise TypeError("a command is a list of words: [\"ls\", \"-l\"]")
    words = (ctypes.c_char_p * (len(command) + 1))(*(os.fsencode(word) for word in command), None)
    return opened(name, words, ctypes.byref(options))

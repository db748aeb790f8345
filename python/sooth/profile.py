# SPDX-License-Identifier: BSD-2-Clause
"""Which functions of a process use the CPU."""
import ctypes
import errno
import types
import typing

from sooth._library import ErrorStruct, error_of, library, ns_of, whole
from sooth._tables import Row, rows_from, rows_of
from sooth._tracker import Command, exit_code, opened_for_command, opened_for_pids

__all__ = ["Frame", "Profiler", "Sample", "functions", "start", "start_command"]

_STEP_MS = 200  # how long Ctrl-C may wait
_KINDS = ("user", "kernel", "generated", "script")


class _ProbeOptions(ctypes.Structure):
    _fields_ = [("least_wait_ns", ctypes.c_uint64), ("rate_hz", ctypes.c_uint32), ("page_fault_hz", ctypes.c_uint32)] + [
        (name, ctypes.c_bool) for name in ("also_samples", "of_calls", "of_page_faults", "by_tables_only",
                                           "has_source_lines")] + [("unused", ctypes.c_ubyte * 27)]


class _Options(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("duration_ns", ctypes.c_uint64), ("profile", _ProbeOptions),
                ("observer", ctypes.c_void_p)]


class RawFrame(ctypes.Structure):
    _fields_ = [("function", ctypes.c_char_p), ("file", ctypes.c_char_p), ("offset", ctypes.c_uint64),
                ("kind", ctypes.c_int), ("is_named", ctypes.c_bool)]


class _Sample(ctypes.Structure):
    _fields_ = [("time_ns", ctypes.c_uint64), ("cpu_ns", ctypes.c_uint64), ("process", ctypes.c_char_p),
                ("thread", ctypes.c_char_p), ("frames", ctypes.POINTER(RawFrame)), ("frame_count", ctypes.c_size_t),
                ("pid", ctypes.c_int), ("tid", ctypes.c_int), ("is_whole", ctypes.c_bool), ("phase", ctypes.c_char_p)]


class _Stats(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("samples", ctypes.c_uint64), ("dropped", ctypes.c_uint64)]


class Frame(typing.NamedTuple):
    function: str  # its symbol; "libc.so.6+0x12f0" without one
    file: str      # without folders; "": none
    offset: int    # in the file; without a file: the address
    kind: str      # "user", "kernel", "generated" (compiled at run time), "script"
    is_named: bool


class Sample(typing.NamedTuple):
    time_ns: int  # CLOCK_MONOTONIC
    cpu_ns: int   # CPU time that it stands for
    process: str
    thread: str
    frames: typing.Tuple[Frame, ...]  # innermost first
    pid: int
    tid: int
    is_whole: bool  # the stack reaches the entry of the thread
    phase: typing.Optional[str]  # of Profiler.mark()


def frames_of(first: typing.Any, count: int) -> typing.Tuple[Frame, ...]:
    return tuple(Frame(first[i].function.decode("utf-8", "replace"), first[i].file.decode("utf-8", "replace"),
                       first[i].offset, _KINDS[first[i].kind], first[i].is_named) for i in range(count))


class Profiler:
    """run() for a while, then stop(); then samples() and functions(). To be closed, as by `with`."""

    def __init__(self, handle: ctypes.c_void_p) -> None:
        self._handle: typing.Optional[ctypes.c_void_p] = handle

    def _call(self, name: str, *arguments: typing.Any) -> typing.Any:
        if self._handle is None:
            raise ValueError("the profiler is closed")
        return getattr(library(), "sooth_profiler_" + name)(self._handle, *arguments)

    def run(self, seconds: float) -> bool:
        """Takes samples for so long; False: every process has ended."""
        left, status = int(seconds * 1000), 1
        while status > 0 and left > 0:
            error = ErrorStruct()
            status = self._call("run", min(left, _STEP_MS), ctypes.byref(error))
            if status < 0 and status != -errno.EINTR:
                raise error_of(error)
            left -= _STEP_MS
        return status != 0

    def fileno(self) -> int:
        """For select and asyncio: call run(0) when it is readable."""
        return int(self._call("fd"))

    def _do(self, name: str, *arguments: typing.Any) -> None:
        error = ErrorStruct()
        if self._call(name, *arguments, ctypes.byref(error)) < 0:
            raise error_of(error)

    def mark(self, phase: str) -> None:
        """A phase of the target begins now: samples from now on have its name."""
        self._do("mark", phase.encode())

    def pause(self) -> None:
        """No samples from now on, until resume()."""
        self._do("pause")

    def resume(self) -> None:
        self._do("resume")

    def stop(self) -> None:
        """Detaches, and finds the names of frames."""
        self._do("stop")

    def samples(self) -> typing.Iterator[Sample]:
        """In order of time, each once; after stop()."""
        found = ctypes.c_void_p()
        while self._call("next", ctypes.byref(found)) and found.value:
            raw = _Sample.from_address(found.value)
            yield Sample(raw.time_ns, raw.cpu_ns, raw.process.decode("utf-8", "replace"),
                         raw.thread.decode("utf-8", "replace"), frames_of(raw.frames, raw.frame_count), raw.pid,
                         raw.tid, raw.is_whole, raw.phase.decode("utf-8", "replace") if raw.phase else None)

    def functions(self) -> typing.List[Row]:
        """As functions() of the module; after stop()."""
        error = ErrorStruct()
        return rows_from(self._call("functions", ctypes.byref(error)), error)

    def dropped(self) -> int:
        """Samples that were lost."""
        raw = _Stats()
        raw.size = ctypes.sizeof(raw)
        self._call("stats", ctypes.byref(raw))
        return int(raw.dropped)

    def child_status(self) -> typing.Optional[int]:
        """Exit status of the launched command, negative: the signal that ended it; None: it runs."""
        return exit_code(self._call("child_status"))

    def close(self) -> None:
        if self._handle is not None:
            self._call("close")
            self._handle = None

    def __enter__(self) -> "Profiler":
        return self

    def __exit__(self, kind: typing.Optional[typing.Type[BaseException]], value: typing.Optional[BaseException],
                 trace: typing.Optional[types.TracebackType]) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()


def _options(hz: int, lines: bool, duration: float = 0) -> _Options:
    options = _Options(profile=_ProbeOptions(rate_hz=whole(hz, "hz", 32), has_source_lines=lines),
                       duration_ns=ns_of(duration, "duration"))
    options.size = ctypes.sizeof(options)
    return options


def functions(pid: int, duration: float = 5, hz: int = 0, lines: bool = False) -> typing.List[Row]:
    """Each function of a process and its children, by the samples of `duration` seconds; needs root."""
    return rows_of("sooth_profile", pid, _options(hz, lines, duration))


def start(*pids: int, hz: int = 0, lines: bool = False) -> Profiler:
    """Samples of one process or several, and what they start; needs root."""
    return Profiler(opened_for_pids("sooth_profiler_start_multiple", pids, _options(hz, lines)))


def start_command(command: Command, hz: int = 0, lines: bool = False) -> Profiler:
    """A command from its exec on."""
    return Profiler(opened_for_command("sooth_profiler_start_command", command, _options(hz, lines)))

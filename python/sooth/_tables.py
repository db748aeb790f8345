# SPDX-License-Identifier: BSD-2-Clause
"""Calls that give a table."""
import ctypes
import json
import typing

from sooth._library import ErrorStruct, error_of, library, ns_of, pid_of, take_text

Row = typing.Dict[str, typing.Any]


class _AgentsOptions(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("interval_ns", ctypes.c_uint64), ("observer", ctypes.c_void_p)]


class _DiagnoseOptions(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("duration_ns", ctypes.c_uint64), ("is_passive", ctypes.c_bool),
                ("observer", ctypes.c_void_p), ("unseen", ctypes.c_void_p),
                ("answers", ctypes.c_void_p)]


class _InspectOptions(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("interval_ns", ctypes.c_uint64), ("observer", ctypes.c_void_p)]


def rows_from(table: typing.Optional[int], error: ErrorStruct) -> typing.List[Row]:
    if not table:
        raise error_of(error)
    try:
        text = library().sooth_table_json(table)
        if not text:
            raise MemoryError
        rows: typing.List[Row] = json.loads(take_text(text))
        return rows
    finally:
        library().sooth_table_free(table)


def rows_of(name: str, pid: int, options: ctypes.Structure) -> typing.List[Row]:
    """Of a function that takes a process and options."""
    error = ErrorStruct()
    return rows_from(getattr(library(), name)(pid_of(pid), ctypes.byref(options), ctypes.byref(error)), error)


def agents(interval: float = 0.2) -> typing.List[Row]:
    """Each process of this host that is an agent; CPU use is measured over `interval` seconds."""
    options, error = _AgentsOptions(interval_ns=ns_of(interval, "interval")), ErrorStruct()
    options.size = ctypes.sizeof(options)
    return rows_from(library().sooth_agents(ctypes.byref(options), ctypes.byref(error)), error)


def diagnose(pid: int, duration: float = 5, passive: bool = False) -> typing.List[Row]:
    """What is wrong with a process, observed for `duration` seconds. `passive`: only read, observe no system
    calls and sample no stacks."""
    options = _DiagnoseOptions(duration_ns=ns_of(duration, "duration"), is_passive=passive)
    options.size = ctypes.sizeof(options)
    return rows_of("sooth_diagnose", pid, options)


def _table_of_diagnosis(name: str, pid: int, duration: float, passive: bool) -> typing.List[Row]:
    """One of the tables that sooth_diagnose() makes beside that of the findings."""
    table, error = ctypes.c_void_p(), ErrorStruct()
    options = _DiagnoseOptions(duration_ns=ns_of(duration, "duration"), is_passive=passive)
    setattr(options, name, ctypes.cast(ctypes.pointer(table), ctypes.c_void_p))
    options.size = ctypes.sizeof(options)
    findings = library().sooth_diagnose(pid_of(pid), ctypes.byref(options), ctypes.byref(error))
    if not findings:
        raise error_of(error)
    library().sooth_table_free(findings)
    return rows_from(table.value, error)


def unseen(pid: int, duration: float = 5, passive: bool = False) -> typing.List[Row]:
    """The checks of diagnose() that could not be made for this caller, and why: "id", "cause", "reason", "remedy"."""
    return _table_of_diagnosis("unseen", pid, duration, passive)


def answers(pid: int, duration: float = 5, passive: bool = False) -> typing.List[Row]:
    """What `sooth diagnose` would answer, the worst first: findings, and what the process waits for. A row has "id",
    "severity", "text", "victims", "remedy" and others, as answers[] of its JSON."""
    return _table_of_diagnosis("answers", pid, duration, passive)


def inspect(pid: int, table: str = "fds", interval: float = 0.2) -> typing.List[Row]:
    """A table of `sooth inspect -a -j`, by its name there: "fds", "sockets", "maps", "threads", "resource_limits"
    and others. CPU use of threads is measured over `interval` seconds."""
    options, error = _InspectOptions(interval_ns=ns_of(interval, "interval")), ErrorStruct()
    options.size = ctypes.sizeof(options)
    return rows_from(library().sooth_inspect(pid_of(pid), table.encode(), ctypes.byref(options), ctypes.byref(error)), error)

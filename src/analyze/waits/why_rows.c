/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of the rows about waits. */
#include "analyze/waits/why_rows.h"

#include "analyze/activity/activity_rows.h"
#include "analyze/waits/wait_chain.h"
#include "model/schema.h"

static const char *const whats[WAIT_WHATS] = {
	[WAIT_UNKNOWN] = "unknown",
	[WAIT_RUNS] = "runs",
	[WAIT_READY] = "waits for a CPU",
	[WAIT_CHILD] = "child",
	[WAIT_PIPE_READ] = "pipe, to read",
	[WAIT_PIPE_WRITE] = "pipe, to write",
	[WAIT_FIFO_OPEN] = "FIFO, to open",
	[WAIT_SOCKET_READ] = "socket, to receive",
	[WAIT_SOCKET_WRITE] = "socket, to send",
	[WAIT_CONNECT] = "connection attempt",
	[WAIT_ACCEPT] = "connections",
	[WAIT_TERMINAL_READ] = "terminal input",
	[WAIT_TERMINAL_WRITE] = "terminal output",
	[WAIT_LOCK] = "file lock",
	[WAIT_LOCK_FILE] = "lock file",
	[WAIT_MUTEX] = "mutex",
	[WAIT_THREAD_END] = "end of a thread",
	[WAIT_CONDITION] = "condition or semaphore",
	[WAIT_ALL_THREADS] = "its own threads",
	[WAIT_SLEEP] = "sleep",
	[WAIT_EVENTS] = "events",
	[WAIT_SIGNAL] = "signals",
	[WAIT_TIMER] = "timer",
	[WAIT_FILE_CHANGES] = "file changes",
	[WAIT_IO] = "disk or file system",
	[WAIT_FILE_SYSTEM] = "file system server",
	[WAIT_HANDLER] = "handler",
	[WAIT_IO_URING] = "io_uring",
	[WAIT_IPC] = "semaphore or message queue",
	[WAIT_DATABASE_LOCK] = "database lock",
	[WAIT_DEBUGGER] = "debugger",
	[WAIT_STOPPED] = "stopped",
	[WAIT_STOPPED_BY_TERMINAL] = "stopped by its terminal",
	[WAIT_FROZEN] = "frozen",
	[WAIT_ZOMBIE] = "zombie",
	[WAIT_KERNEL_THREAD] = "kernel thread",
};
static const struct sooth_names wait_what_names = { WAIT_WHATS, whats };

ROW_SCHEMA(why_link, WHY_LINK_ROW, "why.link", why_link_row);
static ROW_SCHEMA(why_thread, WHY_THREAD_ROW, "why.thread", why_thread_row,
	.line = "thread {name} ({pid}/{tid}) {text}[; in {call}][, {wait_channel}]");

ROW_SCHEMA(why_remedy, WHY_REMEDY_ROW, "why.remedy", why_remedy_row, .line = "try: {text}");

ROW_SCHEMA(why_line, WHY_REMEDY_ROW, "why.line", why_remedy_row, .line = "{text}");

#define LINE "[{finding}\n  ]{text}[\n  not known: {reason}]"
ROW_SCHEMA(why, WHY_ROW, "why", why_row, .line = LINE);
ROW_SCHEMA(why_evidence, WHY_EVIDENCE_ROW, "why", why_row, .line = LINE);

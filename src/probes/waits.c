/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of the waits probe. */
#include "probes/waits.h"

#include <string.h>

#include "model/probe.h"
#include "model/schema.h"
#include "probes/fd_names.h"
#include "probes/socket_names.h"

static const char *const relations[WAITS_RELATIONS] = {
	[WAITS_RELATION_CHILD] = "child",
	[WAITS_RELATION_THREAD] = "thread",
	[WAITS_RELATION_LOCK] = "lock holder",
	[WAITS_RELATION_LOCK_FILE] = "lock file",
	[WAITS_RELATION_READER] = "reader",
	[WAITS_RELATION_WRITER] = "writer",
	[WAITS_RELATION_PEER] = "peer",
	[WAITS_RELATION_LISTENER] = "listener",
	[WAITS_RELATION_TRACER] = "tracer",
	[WAITS_RELATION_PARENT] = "parent",
	[WAITS_RELATION_BACKEND] = "database backend",
	[WAITS_RELATION_TERMINAL] = "terminal",
	[WAITS_RELATION_DAEMON] = "file system daemon",
	[WAITS_RELATION_LAST_USER] = "last user",
	[WAITS_RELATION_SHARER] = "sharer",
	[WAITS_RELATION_TERMINAL_USER] = "terminal user",
	[WAITS_RELATION_GUARD] = "access guard",
	[WAITS_RELATION_HANDLER] = "handler",
	[WAITS_RELATION_MEMORY] = "memory sharer",
};
const struct sooth_names waits_relation_names = { WAITS_RELATIONS, relations };

static const char *const sources[WAITS_SOURCES] = {
	[WAITS_SOURCE_NONE] = "call",
	[WAITS_SOURCE_PROCESSES] = "processes",
	[WAITS_SOURCE_LOCKS] = "kernel locks",
	[WAITS_SOURCE_MEMORY] = "memory",
	[WAITS_SOURCE_DESCRIPTORS] = "descriptors",
	[WAITS_SOURCE_SOCKETS] = "sockets",
	[WAITS_SOURCE_FILE] = "file",
	[WAITS_SOURCE_TITLE] = "title",
	[WAITS_SOURCE_IPC] = "ipc",
	[WAITS_SOURCE_INHERITED] = "inherited descriptor",
	[WAITS_SOURCE_ADOPTED] = "descriptor of an adopted process",
	[WAITS_SOURCE_DIRECTORY] = "lock directory",
};
const struct sooth_names waits_source_names = { WAITS_SOURCES, sources };

static const char *const confidences[WAITS_CONFIDENCES] = { "low", "medium", "high" };
const struct sooth_names waits_confidence_names = { WAITS_CONFIDENCES, confidences };

static const char *const locks[WAITS_LOCKS] = { "none", "unknown", "mutex", "owned", "signal",
	"join", "plain", "Java monitor", "Java lock", "Java idle", "Java task", "Java latch",
	"Java semaphore", "Java future", "Java condition", "Java class" };
const struct sooth_names waits_lock_names = { WAITS_LOCKS, locks };

static const char *const goroutine_states[WAITS_GOROUTINE_STATES] = { "waits", "runs",
	"in a call" };
const struct sooth_names waits_goroutine_state_names = { WAITS_GOROUTINE_STATES, goroutine_states };

static const char *const roles[WAITS_ROLES] = { "call", "watched", "output" };
static const struct sooth_names role_names = { WAITS_ROLES, roles };

#define FIELD_NODE(type_)                                                                          \
	FIELD_NUMBER(                                                                              \
		type_, node_pid, "process of the chain that the record is about", .is_key = true), \
		FIELD_NUMBER(type_, node_start_ticks,                                              \
			"start of that process, in clock ticks after boot", .is_hidden = true)
#define FIELD_NAMED(type_, member_, names_, help_, ...)                                            \
	{                                                                                          \
		.name = #member_, .type = SOOTH_FIELD_ENUM, FIELD_AT(type_, member_),              \
		.names = &(names_), .help = help_, __VA_ARGS__                                     \
	}
#define FIELD_LETTER(type_)                                                                        \
	{                                                                                          \
		.name = "state", .type = SOOTH_FIELD_CHARS, FIELD_AT(type_, state),                \
		.help = "state: R running, S sleeping, D uninterruptible, T stopped, t traced, Z " \
			"zombie, I idle"                                                           \
	}

static const struct sooth_field process_fields[] = {
	FIELD_PID(waits_process),
	FIELD_NODE(waits_process),
	FIELD_NUMBER(waits_process, depth, "steps from the observed process; 0: itself"),
	FIELD_STRING(waits_process, name, "name of the process (comm)"),
	FIELD_LETTER(waits_process),
	FIELD_NUMBER(waits_process, ppid, "process id of the parent"),
	FIELD_NUMBER(waits_process, uid, "user id of the process"),
	FIELD_NUMBER(waits_process, process_group, "process group"),
	FIELD_NUMBER_AS(
		waits_process, session, terminal_session, "session of its terminal (setsid)"),
	FIELD_NUMBER_AS(waits_process, terminal, terminal_device,
		"device number of its terminal; 0: none", .is_hidden = true),
	FIELD_NUMBER(waits_process, terminal_group, "foreground process group of its terminal",
		.is_hidden = true),
	FIELD_NUMBER_AS(waits_process, tracer, tracer_pid, "process that traces it; 0: none",
		.is_hidden = true),
	FIELD_NUMBER(waits_process, threads, "number of threads"),
	FIELD_TRUTH_AS(waits_process, is_kernel, is_kernel_thread, "it is a kernel thread",
		.is_hidden = true),
	FIELD_TRUTH_AS(waits_process, is_frozen, is_frozen, "its control group is frozen"),
	FIELD_TRUTH_AS(waits_process, is_closed_to_root, is_closed_to_root,
		"root was refused its calls and descriptors: it has capabilities that this root "
		"lacks",
		.is_hidden = true),
	FIELD_NUMBER(
		waits_process, age_ns, "time since the process started", .unit = SOOTH_UNIT_NS),
	FIELD_WITH(UNSIGNED, waits_process, cpu_ns, cpu_state, "CPU time of all threads",
		.unit = SOOTH_UNIT_NS, .merge = SOOTH_MERGE_LAST),
	FIELD_NUMBER(waits_process, user_ns, "CPU time in user mode", .unit = SOOTH_UNIT_NS,
		.merge = SOOTH_MERGE_LAST),
	FIELD_NUMBER(waits_process, system_ns, "CPU time in the kernel", .unit = SOOTH_UNIT_NS,
		.merge = SOOTH_MERGE_LAST),
	FIELD_AS_WITH(ARGS, waits_process, title, command, title_state,
		"start of the command line, masked", .masking = SOOTH_MASK_ARGUMENTS_CUT),
	FIELD_WITH(TEXT, waits_process, directory, directory_state, "working directory",
		.may_shrink = true),
};

static const struct sooth_field thread_fields[] = {
	FIELD_PID(waits_thread),
	FIELD_TID(waits_thread),
	FIELD_NODE(waits_thread),
	FIELD_STRING(waits_thread, name, "name of the thread (comm)"),
	FIELD_LETTER(waits_thread),
	FIELD_AS_WITH(UNSIGNED, waits_thread, syscall, call_number, call_state,
		"number of the system call that the thread is executing"),
	FIELD_AS_WITH(UNSIGNED, waits_thread, abi, call_abi_number, call_state,
		"ABI of the number, as in syscalls.call", .is_hidden = true),
	FIELD_WITH(TEXT, waits_thread, wait_channel, channel_state,
		"kernel function that the thread waits in"),
	FIELD_WITH(UNSIGNED, waits_thread, since_ns, since_state, "time since the thread last ran",
		.unit = SOOTH_UNIT_NS),
	FIELD_WITH(UNSIGNED, waits_thread, timeout_ns, timeout_state,
		"timeout that the call was made with", .unit = SOOTH_UNIT_NS),
	FIELD_WITH(UNSIGNED, waits_thread, cpu_ns, cpu_state, "CPU time of the thread",
		.unit = SOOTH_UNIT_NS, .merge = SOOTH_MERGE_LAST),
	FIELD_WITH(UNSIGNED, waits_thread, switches, switches_state,
		"times the thread gave up the CPU", .merge = SOOTH_MERGE_LAST),
	FIELD_NAMED(waits_thread, lock, waits_lock_names,
		"kind of the futex: mutex (with an owner), owned (PI), signal (semaphore or "
		"condition), join (end of a thread), plain, Java monitor, Java lock (with an "
		"owner), Java idle (no lock that another thread has), unknown"),
	FIELD_WITH(UNSIGNED, waits_thread, unflushed_bytes, unflushed_state,
		"output that the process has written to the buffer of its standard output, and not "
		"to the pipe or socket; 65535: as much or more",
		.unit = SOOTH_UNIT_BYTES),
	FIELD_OF(BOOL, waits_thread, is_namespace_init, is_namespace_init,
		"process 1 of a PID namespace below that of sooth", .is_hidden = true),
};

static const struct sooth_field object_fields[] = {
	FIELD_PID(waits_object),
	FIELD_TID(waits_object),
	FIELD_NODE(waits_object),
	FIELD_NAMED(waits_object, role, role_names,
		"call: the descriptor of the call; watched: one of several"),
	FIELD_WITH(UNSIGNED, waits_object, fd, fd_state, "number of the file descriptor",
		.is_key = true),
	FIELD_OF(ENUM, waits_object, type, kind,
		"type of the file descriptor; for a socket its protocol", .names = &fd_type_names),
	FIELD_STRING(waits_object, path, "target of the link in /proc/PID/fd", .may_shrink = true,
		.placeholder = "file"),
	FIELD_NUMBER(waits_object, inode, "inode number of the pipe or socket"),
	FIELD_WITH(UNSIGNED, waits_object, socket_state, socket_state_state,
		"state of the socket, as in sockets.socket", .is_hidden = true),
	FIELD_STRING(waits_object, local, "local address, or name of a unix socket",
		.placeholder = "file"),
	FIELD_STRING(waits_object, peer, "address of the peer", .placeholder = "file"),
	FIELD_NUMBER(waits_object, peer_port, "port of the peer; 0: none"),
	FIELD_WITH(UNSIGNED, waits_object, receive_queue, socket_state_state,
		"bytes that are not read; of a listening socket: connections not accepted"),
	FIELD_WITH(UNSIGNED, waits_object, send_queue, socket_state_state,
		"bytes that the peer has not taken; of a listening socket: the limit of its queue"),
	FIELD_TRUTH(waits_object, has_open_request,
		"whether it connected, sent last, and has had no answer for some time"),
	FIELD_TRUTH(waits_object, is_peer_gone,
		"the connection is established within this host, but its other end has no socket"),
	FIELD_WITH(UNSIGNED, waits_object, expires_ns, expires_state,
		"time until the timer expires", .unit = SOOTH_UNIT_NS),
	FIELD_NUMBER_AS(waits_object, events, events_mask, "events waited for, as POLL* bits",
		.unit = SOOTH_UNIT_HEX, .is_hidden = true),
};

static const struct sooth_field party_fields[] = {
	FIELD_PID(waits_party),
	FIELD_TID(waits_party),
	FIELD_NODE(waits_party),
	FIELD_NAMED(waits_party, relation, waits_relation_names,
		"what the other process is: child, lock holder, reader, writer, peer, ..."),
	FIELD_NUMBER(waits_party, party_pid, "process id of the other process; 0: unknown",
		.is_key = true),
	FIELD_NUMBER(waits_party, party_start_ticks,
		"start of the other process, in clock ticks after boot", .is_hidden = true),
	FIELD_NUMBER(waits_party, party_tid, "thread of the other process; 0: any"),
	FIELD_NUMBER(waits_party, fd, "file descriptor of the other process", .is_hidden = true),
	FIELD_NUMBER_AS(waits_party, waiting_fd, waiting_fd,
		"file descriptor of the waiting process that connects the two; 4294967295: none",
		.is_hidden = true),
	FIELD_STRING(waits_party, name, "name of the other process (comm)"),
	FIELD_STRING(waits_party, detail, "lock or file that connects the two", .may_shrink = true,
		.placeholder = "file"),
	FIELD_NAMED(waits_party, source, waits_source_names, "where this is from"),
	FIELD_NAMED(waits_party, confidence, waits_confidence_names,
		"confidence that this process could end the wait"),
	FIELD_TRUTH(waits_party, is_alive, "the other process, or thread, exists"),
};

static const struct sooth_field snapshot_fields[] = {
	FIELD_PID(waits_snapshot),
	FIELD_WITH(UNSIGNED, waits_snapshot, processes, processes_state, "processes of the chain"),
};

static const struct sooth_field signal_fields[] = {
	FIELD_PID(waits_signals),
	FIELD_NODE(waits_signals),
	FIELD_NUMBER_AS(waits_signals, pending, pending_mask,
		"bit n-1: signal n is pending for the process", .unit = SOOTH_UNIT_HEX),
	FIELD_NUMBER_AS(waits_signals, caught, caught_mask,
		"bit n-1: signal n, up to 32, has a handler", .unit = SOOTH_UNIT_HEX,
		.is_hidden = true),
};

static const struct sooth_field goroutine_fields[] = {
	FIELD_PID(waits_goroutines),
	FIELD_NODE(waits_goroutines),
	FIELD_STRING(waits_goroutines, start, "function that these goroutines began with",
		.is_key = true),
	FIELD_NAMED(waits_goroutines, state, waits_goroutine_state_names,
		"waits, runs (or could), in a call"),
	FIELD_WITH(TEXT, waits_goroutines, reason, reason_state,
		"what they wait for, as Go's runtime says"),
	FIELD_WITH(UNSIGNED, waits_goroutines, count, count_state, "number of these goroutines"),
	FIELD_WITH(TEXT, waits_goroutines, by, at_state, "function that waits, of one of them"),
	FIELD_WITH(TEXT, waits_goroutines, at, at_state,
		"function of the program that called it, of one of them"),
	FIELD_TRUTH(waits_goroutines, is_main, "it is the goroutine that runs main.main"),
	FIELD_WITH(UNSIGNED, waits_goroutines, longest_ns, longest_state,
		"longest wait, of those that waited at the last garbage collection",
		.unit = SOOTH_UNIT_NS),
};

static const struct sooth_field task_fields[] = {
	FIELD_PID(waits_tasks),
	FIELD_NODE(waits_tasks),
	FIELD_STRING(
		waits_tasks, start, "function that these tasks of asyncio run", .is_key = true),
	FIELD_WITH(UNSIGNED, waits_tasks, count, count_state, "number of these tasks"),
	FIELD_TRUTH(waits_tasks, is_waiting, "they wait; else they run, or have not begun"),
	FIELD_WITH(TEXT, waits_tasks, by, at_state, "function of a library that they wait in"),
	FIELD_WITH(TEXT, waits_tasks, at, at_state, "function of the program that called it"),
	FIELD_WITH(TEXT, waits_tasks, place, at_state, "file and first line of that function"),
	FIELD_NUMBER(waits_tasks, awaited, "number of other tasks that they await"),
	FIELD_WITH(TEXT, waits_tasks, awaiter, awaiter_state,
		"function of the task that awaits them, or one of them"),
};

static const struct sooth_field listener_fields[] = {
	FIELD_PID(waits_listener),
	FIELD_STRING(waits_listener, local, "address and port, or the name of a unix socket",
		.is_key = true, .placeholder = "file"),
	FIELD_NUMBER(waits_listener, local_port, "port; 0: it has none"),
	FIELD_NAMED(waits_listener, family, socket_family_names, "address family"),
	FIELD_TRUTH(waits_listener, is_datagram, "it receives datagrams"),
	FIELD_TRUTH(
		waits_listener, is_to_itself, "it is a connection to itself, and does not listen"),
	FIELD_NUMBER(waits_listener, connections,
		"connections that have the port, if no process listens there"),
	FIELD_NUMBER(waits_listener, owner_pid,
		"oldest process that has the socket open; 0: none could be read"),
	FIELD_NUMBER(waits_listener, owner_start_ticks, "start of that process in clock ticks",
		.is_hidden = true),
	FIELD_STRING(waits_listener, owner_name, "name of that process (comm)"),
	FIELD_NUMBER(waits_listener, owners, "processes that have it open"),
};

static const struct sooth_field peer_fields[] = {
	FIELD_PID(waits_peer),
	FIELD_NUMBER(
		waits_peer, peer_pid, "process at the other end of connections", .is_key = true),
	FIELD_NUMBER(waits_peer, peer_start_ticks, "start of that process in clock ticks",
		.is_hidden = true),
	FIELD_STRING(waits_peer, peer_name, "name of that process (comm)"),
	FIELD_NUMBER(waits_peer, connections, "connections with that process"),
	FIELD_NUMBER(waits_peer, unread_bytes, "most that it has not read of one connection",
		.unit = SOOTH_UNIT_BYTES),
	FIELD_NUMBER(waits_peer, fd, "file descriptor of the connection with most unread"),
	FIELD_TRUTH(waits_peer, is_accepted, "the process accepted that connection"),
	FIELD_NUMBER(waits_peer, accepted, "connections of these that the process accepted"),
};

static const struct sooth_field lock_fields[] = {
	FIELD_PID(waits_held_lock),
	FIELD_STRING(waits_held_lock, path, "path of the locked file", .is_key = true,
		.placeholder = "file"),
	FIELD_NUMBER(waits_held_lock, owner_pid, "process that has the lock", .is_key = true),
	FIELD_NUMBER(waits_held_lock, owner_start_ticks, "start of that process in clock ticks",
		.is_hidden = true),
	FIELD_STRING(waits_held_lock, owner_name, "name of that process (comm)"),
	FIELD_TRUTH(waits_held_lock, is_exclusive, "it is for writing, and excludes all others"),
};

static const struct sooth_field wanted_fields[] = {
	FIELD_PID(waits_wanted),
	FIELD_STRING(waits_wanted, detail, "path of the locked file; of a database empty",
		.may_shrink = true),
	FIELD_NUMBER(waits_wanted, waiters, "processes that wait for the lock"),
	FIELD_NUMBER(waits_wanted, waiter_pid, "process that waits longest; 0: none could be read",
		.is_key = true),
	FIELD_NUMBER(waits_wanted, waiter_start_ticks, "start of that process in clock ticks",
		.is_hidden = true),
	FIELD_STRING(waits_wanted, waiter_name, "name of that process (comm)"),
	FIELD_WITH(UNSIGNED, waits_wanted, longest_ns, longest_state,
		"time since that process last ran", .unit = SOOTH_UNIT_NS),
	FIELD_NUMBER(waits_wanted, session_pid,
		"database session of the process that has the lock; 0: the process itself has it"),
	FIELD_NAMED(waits_wanted, source, waits_source_names, "where this is from"),
	FIELD_NAMED(waits_wanted, confidence, waits_confidence_names,
		"confidence that this process has the lock"),
	FIELD_TRUTH(waits_wanted, is_polled, "they sleep and try again"),
};

static const struct sooth_field reader_fields[] = {
	FIELD_PID(waits_reader),
	FIELD_STRING(waits_reader, path, "-shm file of the database", .may_shrink = true),
	FIELD_NUMBER(
		waits_reader, reader_pid, "process with an open read transaction", .is_key = true),
	FIELD_NUMBER(waits_reader, reader_start_ticks, "start of that process in clock ticks",
		.is_hidden = true),
	FIELD_STRING(waits_reader, reader_name, "name of that process (comm)"),
	FIELD_NUMBER(waits_reader, log_pages, "pages in the write-ahead log"),
	FIELD_NUMBER(waits_reader, copied_pages, "of these, those that the database has too"),
	FIELD_NUMBER(waits_reader, seen_pages, "of these, those that the transaction sees"),
	FIELD_NUMBER(waits_reader, page_bytes, "size of a page", .unit = SOOTH_UNIT_BYTES),
	FIELD_NUMBER(waits_reader, slot, "read lock of the transaction, 0 to 4"),
	FIELD_NUMBER(waits_reader, fd, "file descriptor of the -shm file"),
};

RECORD_SCHEMA(waits_process, 144, "waits.process", WAITS_PROCESS, SAMPLE, process_fields);
RECORD_SCHEMA(waits_thread, 160, "waits.thread", WAITS_THREAD, SAMPLE, thread_fields);
RECORD_SCHEMA(waits_object, 120, "waits.object", WAITS_OBJECT, SAMPLE, object_fields);
RECORD_SCHEMA(waits_party, 88, "waits.party", WAITS_PARTY, SAMPLE, party_fields);
RECORD_SCHEMA(waits_signals, 56, "waits.signals", WAITS_SIGNALS, SAMPLE, signal_fields);
RECORD_SCHEMA(
	waits_goroutines, 104, "waits.goroutines", WAITS_GOROUTINES, SAMPLE, goroutine_fields);
RECORD_SCHEMA(waits_tasks, 104, "waits.tasks", WAITS_TASKS, SAMPLE, task_fields);
RECORD_SCHEMA(waits_listener, 72, "waits.listener", WAITS_LISTENER, SAMPLE, listener_fields);
RECORD_SCHEMA(waits_peer, 72, "waits.peer", WAITS_PEER, SAMPLE, peer_fields);
RECORD_SCHEMA(waits_held_lock, 64, "waits.held_lock", WAITS_HELD_LOCK, SAMPLE, lock_fields);
RECORD_SCHEMA(waits_wanted, 80, "waits.wanted", WAITS_WANTED, SAMPLE, wanted_fields);
RECORD_SCHEMA(waits_reader, 88, "waits.reader", WAITS_READER, SAMPLE, reader_fields);
RECORD_SCHEMA(waits_snapshot, 40, "waits.snapshot", WAITS_SNAPSHOT, SAMPLE, snapshot_fields);

static const struct sooth_schema *const schemas[] = { &waits_process_schema, &waits_thread_schema,
	&waits_object_schema, &waits_party_schema, &waits_signals_schema, &waits_goroutines_schema,
	&waits_listener_schema, &waits_held_lock_schema, &waits_wanted_schema, &waits_reader_schema,
	&waits_tasks_schema, &waits_peer_schema, &waits_snapshot_schema, NULL };

const struct probe probe_waits = {
	.name = "waits",
	.help = "what threads wait for, and which processes could end the wait",
	.offers = INTEREST_SAMPLE | INTEREST_BRIEF | INTEREST_EDGES | INTEREST_DETAIL,
	.schemas = schemas,
};

bool waits_is_permission(const char *channel)
{
	return strstr(channel, "fanotify_handle_event") || strstr(channel, "fanotify_get_response");
}

const char *waits_handler(struct span channel)
{
	return span_contains(channel, "handle_userfault")		? WAITS_USERFAULT
	       : span_contains(channel, "seccomp_do_user_notification") ? WAITS_SECCOMP
									: NULL;
}

bool waits_is_lease(struct span channel)
{
	return span_contains(channel, "break_lease");
}

bool waits_is_of_file_system(const char *channel)
{
	if (strstr(channel, "fuse_dev_")) /* a FUSE server that waits for requests */
		return false;
	return strstr(channel, "fuse") || strstr(channel, "request_wait_answer") ||
	       strstr(channel, "nfs") || strstr(channel, "rpc_") || strstr(channel, "cifs") ||
	       waits_is_permission(channel);
}

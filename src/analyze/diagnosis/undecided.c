/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/diagnosis/undecided.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "explain/number.h"
#include "model/errno_names.h"
#include "analyze/records.h"
#include "analyze/calls/call_pieces.h"
#include "probes/proc.h"
#include "probes/signal_names.h"
#include "probes/sockets.h"
#include "probes/syscall_names.h"
#include "probes/syscalls.h"
#include "probes/waits.h"

#define PROCESSES_MAX 64
#define POINTS_MAX    64
#define PORT_NAMES    53
#define TLS_ALERT     21
#define STATUS_ERROR  400

#define LINUX_SOCK_STREAM 1
#define LINUX_SOCK_TYPES  0xf /* others are flags */

NUMBER(POINTS_LEAST, 6, NONE, "samples: fewer show no trend");
NUMBER(GAIN_LEAST, 4.0 * (1 << 20), BYTES, "less is what any program gains");
NUMBER(GAIN_STEP, 8.0 * (1 << 20), BYTES, "in one step: the first use of a cache");
NUMBER(GAIN_PIECES, 1.5 * (1 << 20), BYTES, "if it came in several pieces");
NUMBER(PIECES_LEAST, 2, NONE, "steps of growth: a single one may be the last");
NUMBER(FALL_PART, 0.25, NONE, "of the gain that is given back: then it does not only grow");
NUMBER(GAIN_PLAIN, 48.0 * (1 << 20), BYTES, "such a gain is reported without more observation");
NUMBER(RISES_LEAST, 0.5, NONE, "least share of the steps between samples that rise");
NUMBER(BUSY_SHARE, 0.5, NONE, "of a CPU: such a process may allocate all the time");
NUMBER(LATE_SHARE, 0.15, NONE, "least part of the gain in the last third");
NUMBER(MORE_NS, 10 * NS_PER_S, NS, "that a longer observation adds");
NUMBER(FAILURES, 2, NONE, "of one kind: a single one is no series");
NUMBER(CONNECTIONS, 3, NONE, "to one server: fewer are no series");
NUMBER(TRIES, 3, NONE, "to make a file that exists: fewer are no series");
NUMBER(REQUESTS, 3, NONE, "refused: fewer are no series");

struct looked_at {
	uint64_t bytes[POINTS_MAX]; /* resident memory at each sample */
	uint64_t first_ns, last_ns; /* times of the first and the last sample */
	uint64_t first_cpu_ns, last_cpu_ns;
	unsigned count;
	unsigned sockets, lookups; /* snapshots of the sockets; those with a lookup */
	bool has_lookup;	   /* the current snapshot has a lookup socket */
	bool takes_pieces;
	uint32_t threads;
	uint64_t wakes_ns; /* end of the sleep of its main thread; 0: it does not sleep */
};

void undecided_init(struct undecided *g, const uint32_t *selected, size_t selected_count)
{
	assert(g);
	*g = (struct undecided){ .selected = selected, .selected_count = selected_count };
	map_init(&g->processes, sizeof(struct process_id), sizeof(struct looked_at), PROCESSES_MAX);
}

void undecided_fini(struct undecided *g)
{
	assert(g);
	map_fini(&g->processes);
}

static bool is_selected(const struct undecided *g, uint32_t pid)
{
	for (size_t i = 0; i < g->selected_count; i++) {
		if (g->selected[i] == pid)
			return true;
	}
	return false;
}

static void take_resident(struct looked_at *u, const struct proc_process *p)
{
	struct span program = path_base(record_text(&p->record, &p->executable));

	u->takes_pieces |= span_equal(program, "node");
	u->threads = p->threads;
	if (!u->first_ns) {
		u->first_ns = p->record.time_ns;
		u->first_cpu_ns = p->cpu_ns;
	}
	u->last_ns = p->record.time_ns;
	u->last_cpu_ns = p->cpu_ns;
	if (u->count < POINTS_MAX)
		u->bytes[u->count++] = p->rss_bytes;
}

/* Returns whether the call sleeps: as one that is to, or as a poll without descriptors. */
static bool is_sleep(const struct syscall_row *row, const struct waits_thread *t)
{
	return row->wait.what == SYSCALL_WAIT_TIME ||
	       (row->wait.what == SYSCALL_WAIT_READY && row->wait.count &&
		       !syscall_value(t->arguments, row->wait.count, 1));
}

static void take_sleep(struct looked_at *u, const struct waits_thread *t)
{
	const struct syscall_row *row = t->call_state ? NULL : syscall_row_of(t->abi, t->syscall);

	if (t->record.tid != (uint32_t)t->record.pid)
		return;
	u->wakes_ns = 0;
	if (row && is_sleep(row, t) && !t->timeout_state && !t->since_state)
		u->wakes_ns = t->record.time_ns + t->timeout_ns - t->since_ns;
}

static bool is_lookup(const struct sockets_socket *s)
{
	struct span protocol = record_text(&s->record, &s->protocol);

	return s->family == SOCKETS_INET && !s->peer_port_state && s->peer_port == PORT_NAMES &&
	       span_starts(protocol, "udp");
}

/* Takes the end of a process of the target, or of a process that it started. */
static void take_end(struct undecided *g, const struct sooth_record *record)
{
	const struct process_leave *end =
		record_as(record, PROCESS_LEAVE, sizeof(struct process_leave));
	size_t i = 0;

	if (!end)
		return;
	if ((uint32_t)record->pid == g->requested_pid)
		g->requests = 0;
	while (i < g->command_count &&
		strncmp(g->commands[i].name, end->name, sizeof(end->name)) != 0)
		i++;
	if (i == UNDECIDED_COMMANDS)
		return;
	if (i == g->command_count) {
		memcpy(g->commands[i].name, end->name, sizeof(end->name));
		g->command_count++;
	}
	if (end->status)
		g->commands[i].failed++;
	else
		g->commands[i].succeeded++;
}

/* Returns whether a command failed each time, but not often enough: a third failure is needed. */
static bool fails_again(const struct undecided *g)
{
	for (size_t i = 0; i < g->command_count; i++) {
		if (g->commands[i].failed == FAILURES && !g->commands[i].succeeded)
			return true;
	}
	return false;
}

/* Takes an error message of any process of the target. */
static void take_message(struct undecided *g, const struct sooth_record *record)
{
	const struct syscalls_message *m = record_as(record, SYSCALLS_MESSAGE, sizeof(*m));

	for (size_t i = 0; m && m->kind == SYSCALLS_MESSAGE_ERROR && i < ARRAY_SIZE(g->errors);
		i++) {
		struct undecided_error *e = &g->errors[i];

		if (e->times && e->form != m->form)
			continue;
		e->form = m->form;
		e->times++;
		return;
	}
}

/* Returns whether an error was repeated, or came from a command that failed. */
static bool says_again(const struct undecided *g)
{
	for (size_t i = 0; i < g->command_count && g->errors[0].times; i++) {
		if (g->commands[i].failed && !g->commands[i].succeeded)
			return true;
	}
	return g->errors[0].times == FAILURES || g->errors[1].times == FAILURES;
}

static uint64_t bit_of(uint64_t fd)
{
	return fd < 64 ? 1ull << fd : 0;
}

/* Returns whether a connection was made, or may be tried again after this error. */
static bool is_attempt(int64_t result)
{
	return result == 0 || result == -LINUX_EINPROGRESS || result == -LINUX_ECONNREFUSED ||
	       result == -LINUX_ETIMEDOUT || result == -LINUX_EAGAIN;
}

/* Returns whether an answer refuses: HTTP status from 400 on, database error, TLS alert. */
static bool is_refusal(const struct syscalls_call *c)
{
	struct call_piece tls = call_piece_of_any(c, SYSCALLS_PART_TLS);
	struct syscalls_tls_record record;
	struct syscalls_database_error error;

	for (size_t at = 0; tls.is_there && at + sizeof(record) <= tls.bytes.size;
		at += sizeof(record)) {
		memcpy(&record, tls.bytes.data + at, sizeof(record));
		if (record.type == TLS_ALERT)
			return true;
	}
	return call_http_status(c) >= STATUS_ERROR || call_database_error(c, &error);
}

/* Notes data on a connection, which was of use if its last answer is no error. A client that gives
 * up sends a TLS alert after the first answer; one that closes normally sends an alert after a
 * later answer. */
static void take_transfer(
	struct undecided *g, const struct syscalls_call *c, bool is_read, uint64_t bit)
{
	if (!(g->connecting & bit) || c->result <= 0)
		return;
	if (is_read && is_refusal(c)) {
		g->answered &= ~bit;
		g->answered_again &= ~bit;
	} else if (is_read) {
		if (g->asked & bit)
			g->answered_again |= bit;
		g->answered |= bit;
		g->asked &= ~bit;
	} else {
		g->asked |= g->answered & bit;
		g->answered &= ~bit;
	}
}

/* Counts SIGTERMs to one process; another process starts the count again. */
static void take_request(
	struct undecided *g, const struct syscalls_call *c, const struct syscall_row *row)
{
	if (c->result || row->arguments[1] != ARGUMENT_TYPE_sig ||
		c->arguments[1] != SIGNAL_TERMINATE || syscall_takes_descriptor(row, 0) ||
		(int32_t)c->arguments[0] <= 0)
		return;
	g->requests = g->requested_pid == (uint32_t)c->arguments[0] ? g->requests + 1 : 1;
	g->requested_pid = (uint32_t)c->arguments[0];
}

/* Takes a request to end, or a call of a connection. */
static void take_call(struct undecided *g, const struct sooth_record *record)
{
	const struct syscalls_call *c = record_as(record, SYSCALLS_CALL, SYSCALLS_CALL_LEAST);
	const struct syscall_row *row = c ? syscall_by_number(c->abi, c->number) : NULL;
	uint64_t bit;

	if (!row || c->result_state)
		return;
	take_request(g, c, row);
	if (!is_selected(g, (uint32_t)record->pid))
		return;
	g->exist += c->result == -LINUX_EEXIST;
	bit = bit_of(c->arguments[0]);
	if (row->transfer.direction == SYSCALL_READS || row->transfer.direction == SYSCALL_WRITES)
		take_transfer(g, c, row->transfer.direction == SYSCALL_READS, bit);
	switch (row->effect.what) {
	case SYSCALL_FD_MAKES_SOCKET:
		if (c->result >= 0 && (c->arguments[1] & LINUX_SOCK_TYPES) == LINUX_SOCK_STREAM)
			g->streams |= bit_of((uint64_t)c->result);
		break;
	case SYSCALL_FD_BEGINS_CONNECTION:
		if (!(g->streams & bit) || g->connecting & bit || !is_attempt(c->result))
			break;
		g->connecting |= bit;
		g->answered &= ~bit;
		g->answered_again &= ~bit;
		g->asked &= ~bit;
		g->connections++;
		break;
	case SYSCALL_FD_CLOSES:
		g->closed += (g->connecting & bit & ~(g->answered | g->answered_again)) != 0;
		g->streams &= ~bit;
		g->connecting &= ~bit;
		break;
	default:
		break;
	}
}

/* Returns whether all connections so far failed or brought no answer, and a third is needed. */
static bool connects_again(const struct undecided *g)
{
	return g->connections && g->connections < CONNECTIONS && g->closed >= g->connections;
}

int undecided_add_record(
	void *undecided, const struct sooth_schema *schema, const struct sooth_record *record)
{
	assert(record);

	struct undecided *g = undecided;
	struct process_id id = process_id_of(record);
	const struct sockets_socket *s = record_as(record, SOCKETS_SOCKET, SOCKETS_SOCKET_LEAST);
	const struct proc_process *p = record_as(record, PROC_PROCESS, sizeof(*p));
	const struct waits_thread *t = record_as(record, WAITS_THREAD, sizeof(*t));
	bool ends = record->kind == SOCKETS_PROCESS;
	struct looked_at *u;

	(void)schema;
	take_end(g, record);
	take_message(g, record);
	take_call(g, record);
	if (record->time_ns > g->now_ns)
		g->now_ns = record->time_ns;
	if ((!p && !s && !t && !ends) || !is_selected(g, (uint32_t)record->pid))
		return 0;
	u = map_put(&g->processes, &id, NULL);
	if (!u)
		return 0;
	if (p)
		take_resident(u, p);
	if (t)
		take_sleep(u, t);
	u->has_lookup |= s && is_lookup(s);
	if (ends) {
		u->sockets++;
		u->lookups += u->has_lookup;
		u->has_lookup = false;
	}
	return 0;
}

/* Returns whether most snapshots have a lookup: an answer normally comes within milliseconds. */
static bool waits_for_name(const struct looked_at *u)
{
	return u->lookups * 2 > u->sockets;
}

static double gain_of(const struct looked_at *u)
{
	return (double)u->bytes[u->count - 1] - (double)u->bytes[0];
}

/* Returns whether memory grows most of the time, also at the end, but not yet clearly. */
static bool memory_grows(const struct looked_at *u)
{
	double gain, late, highest = 0, fall = 0;
	unsigned rises = 0, falls = 0;

	if (u->count < POINTS_LEAST)
		return false;
	for (unsigned i = 0; i < u->count; i++) {
		highest = fmax(highest, (double)u->bytes[i]);
		fall = fmax(fall, highest - (double)u->bytes[i]);
		rises += i && u->bytes[i] > u->bytes[i - 1];
		falls += i && u->bytes[i] < u->bytes[i - 1];
	}
	gain = gain_of(u);
	late = (double)u->bytes[u->count - 1] - (double)u->bytes[u->count * 2 / 3];
	if (gain >= GAIN_PLAIN)
		return false;
	/* V8 allocates a few pieces at a time, and frees little while live data grows. */
	if (gain >= GAIN_PIECES && rises >= PIECES_LEAST &&
		(!falls || (u->takes_pieces && fall <= FALL_PART * gain)))
		return true;
	/* A JVM allocates a piece at each collection, some seconds apart. */
	return (gain >= GAIN_STEP && !falls) || (gain >= GAIN_LEAST && late >= LATE_SHARE * gain &&
							rises >= RISES_LEAST * (u->count - 1));
}

/* Returns whether it has slept all the time and is seen for a while after it wakes, or sleeps
 * between two tries. A program with more threads does other things meanwhile. */
static bool tries_again(const struct undecided *g, const struct looked_at *u)
{
	if (u->threads != 1 || !u->wakes_ns)
		return false;
	return u->wakes_ns > g->now_ns ? u->wakes_ns - g->now_ns < MORE_NS - NS_PER_S
				       : g->exist && g->exist < TRIES;
}

static bool is_open(const struct undecided *g)
{
	if (g->times)
		return false;
	if (fails_again(g) || connects_again(g) || says_again(g) ||
		(g->requests && g->requests < REQUESTS))
		return true;
	map_for_each_value (&g->processes, void *, value) {
		if (memory_grows(value) || waits_for_name(value) || tries_again(g, value))
			return true;
	}
	return false;
}

/* Returns whether a V8 heap grows: garbage and buffers alone may fill it for half a minute. */
static bool is_open_again(const struct undecided *g)
{
	map_for_each_value (map_while(g->times == 1, &g->processes), const struct looked_at *, u) {
		if (u->takes_pieces && memory_grows(u) && gain_of(u) >= GAIN_LEAST)
			return true;
	}
	return false;
}

uint64_t undecided_more(void *undecided)
{
	struct undecided *g = undecided;

	if (!is_open(g) && !is_open_again(g))
		return 0;
	g->times++;
	return MORE_NS;
}

/* Returns whether it computes: probes on its allocations would probably be too expensive. */
static bool is_busy(const struct looked_at *u)
{
	return (double)(u->last_cpu_ns - u->first_cpu_ns) >=
	       BUSY_SHARE * (double)(u->last_ns - u->first_ns);
}

const struct process_id *undecided_growing(const struct undecided *g)
{
	const struct process_id *growing = NULL;
	double most = 0;

	assert(g);
	map_for_each (&g->processes, const struct process_id *, id, const struct looked_at *, u) {
		if (u->count < POINTS_LEAST || gain_of(u) <= most || is_busy(u) ||
			!(memory_grows(u) || gain_of(u) >= GAIN_PLAIN))
			continue;
		most = gain_of(u);
		growing = id;
	}
	return growing;
}

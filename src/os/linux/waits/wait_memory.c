/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values that a call's arguments point to: the owner of a mutex, the length of a timeout. Reading
 * another process's memory may block on a page that a file system has to bring, so it has a
 * timeout.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/units.h"
#include "os/linux/files/maps.h"
#include "os/linux/files/process_clock.h"
#include "os/linux/files/read_memory.h"
#include "os/linux/files/task_files.h"
#include "os/linux/waits/wait_reader.h"

#define MEMORY_MAX 2048
#define MAPS_BYTES (16u << 20)
#define HELD	   2 /* glibc's value of a mutex that is held and waited for */

struct read_memory {
	pid_t pid;
	uint64_t address;
	size_t size;
	bool is_read;
	unsigned char bytes[MEMORY_MAX];
};

static void run_read_job(void *argument)
{
	struct read_memory *m = argument;

	m->is_read = do_read_memory(m->pid, m->address, m->bytes, m->size);
}

bool wait_call_memory(struct wait_reader *r, const struct wait_node *n,
	void (*work)(void *argument), void *argument, size_t size)
{
	const uint32_t *unread = (const void *)r->unread.data;
	uint32_t pid = n->stat.pid;
	char what[64];

	for (size_t i = 0; i < r->unread.size / sizeof(*unread); i++) {
		if (unread[i] == pid)
			return false;
	}
	if (!timeout_call(&r->memory, work, NULL, argument, size, -1, TIMEOUT_MS))
		return true;
	buffer_append(&r->unread, &pid, sizeof(pid));
	snprintf(what, sizeof(what), "locks and timeouts in the memory of process %u", pid);
	backend_limit(r->run, what,
		"reading the memory of this process, or of processes read earlier, took too long",
		"");
	return false;
}

bool wait_read_memory(
	struct wait_reader *r, const struct wait_node *n, uint64_t address, void *out, size_t size)
{
	struct read_memory m = { .pid = wait_node_living(n), .address = address, .size = size };

	if (!address || size > sizeof(m.bytes) || !n->may_read)
		return false;
	if (!wait_call_memory(r, n, run_read_job, &m, sizeof(m)) || !m.is_read)
		return false;
	memcpy(out, m.bytes, size);
	return true;
}

/* Reads a path from memory. A path near the end of a page may be shorter than what is read. */
void wait_read_path(struct wait_reader *r, const struct wait_node *n, uint64_t address,
	char path[WAIT_PATH_SIZE])
{
	memset(path, 0, WAIT_PATH_SIZE);
	for (size_t size = WAIT_PATH_SIZE - 1; size >= 16 && !path[0]; size /= 2)
		wait_read_memory(r, n, address, path, size);
}

uint64_t wait_library_base(struct wait_reader *r, const struct wait_node *n, const char *name)
{
	struct maps_line line;

	if (procfs_read_at(n->process, "maps", &r->more, MAPS_BYTES))
		return 0;
	maps_for_each (&line, r->more) {
		if (!line.offset && span_ends(line.path, name))
			return line.from;
	}
	return 0;
}

/* --- locks --- */

/* The start of glibc's pthread_mutex_t on 64-bit systems; on others the first four numbers are the
 * same. */
struct mutex {
	uint32_t lock, count, owner, users;
	uint32_t kind;
};

#define MUTEX_KIND_MAX 0x3ff /* largest kind that glibc makes */

static void read_own_tids(struct wait_reader *r, struct wait_node *n)
{
	const uint32_t *tids = (const void *)n->tids->data;

	for (size_t i = 0; i < n->tids->size / sizeof(*tids); i++) {
		char path[64];
		uint32_t own;

		snprintf(path, sizeof(path), "task/%u/status", tids[i]);
		if (procfs_read_at(n->process, path, &r->bytes, PROCFS_SMALL) ||
			!task_status_inner_pid(&own, r->bytes.data, r->bytes.size))
			own = 0;
		buffer_append(&n->own_tids, &own, sizeof(own));
	}
}

uint32_t wait_own_thread(struct wait_reader *r, struct wait_node *n, uint32_t id)
{
	const uint32_t *own;
	char path[48];

	if (n->numberings <= 1) {
		snprintf(path, sizeof(path), "task/%u", id);
		return n->numberings && !faccessat(n->process, path, F_OK, 0) ? id : 0;
	}
	if (!n->own_tids.size)
		read_own_tids(r, n);
	own = (const void *)n->own_tids.data;
	for (size_t i = 0; id && i < n->own_tids.size / sizeof(*own); i++) {
		if (own[i] == id)
			return ((const uint32_t *)(const void *)n->tids->data)[i];
	}
	return 0;
}

static enum waits_lock waiting_lock(
	struct wait_reader *r, struct wait_node *n, const struct waits_thread *t, uint32_t *owner)
{
	uint32_t expected = (uint32_t)t->arguments[2];
	uint32_t joined = t->arguments[1] & FUTEX_PRIVATE_FLAG || expected <= HELD
				  ? 0
				  : wait_own_thread(r, n, expected);
	struct mutex m;

	/* pthread_join() waits until the kernel clears the thread's id. */
	if (joined && joined != n->stat.pid) {
		*owner = expected;
		return WAITS_LOCK_JOIN;
	}
	if (!wait_read_memory(r, n, t->arguments[0], &m, sizeof(m)))
		return expected == HELD ? WAITS_LOCK_PLAIN : WAITS_LOCK_UNKNOWN;
	if (expected == HELD && (m.lock == 1 || m.lock == HELD) && m.owner && m.owner < 1u << 22 &&
		m.users && m.users < 1u << 20 && m.kind <= MUTEX_KIND_MAX) {
		*owner = m.owner;
		return WAITS_LOCK_MUTEX;
	}
	return expected == HELD ? WAITS_LOCK_PLAIN : WAITS_LOCK_SIGNAL;
}

enum waits_lock wait_read_futex(
	struct wait_reader *r, struct wait_node *n, const struct waits_thread *t, uint32_t *owner)
{
	uint32_t word;

	*owner = 0;
	switch (t->arguments[1] & FUTEX_CMD_MASK) {
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
		if (!wait_read_memory(r, n, t->arguments[0], &word, sizeof(word)))
			return WAITS_LOCK_UNKNOWN;
		*owner = word & FUTEX_TID_MASK;
		return WAITS_LOCK_OWNED;
	case FUTEX_WAIT:
	case FUTEX_WAIT_BITSET:
		return waiting_lock(r, n, t, owner);
	default:
		return WAITS_LOCK_UNKNOWN;
	}
}

/* --- timeouts --- */

static uint64_t ns_of(const int64_t time[2])
{
	if (time[0] < 0 || (uint64_t)time[0] > UINT64_MAX / NS_PER_S / 2)
		return UINT64_MAX / 2;
	return (uint64_t)time[0] * NS_PER_S + (uint64_t)time[1];
}

/* Returns the length of a wait until a time on a clock: the remaining time and the elapsed time. */
static uint64_t whole_wait(const struct waits_thread *t, uint64_t now_ns, uint64_t at_ns)
{
	return (at_ns > now_ns ? at_ns - now_ns : 0) + (t->since_state ? 0 : t->since_ns);
}

int wait_find_argument(const struct syscall_row *row, enum argument_type_id type)
{
	for (int i = 0; i < row->argument_count; i++) {
		if (row->arguments[i] == type)
			return i;
	}
	return -1;
}

#define RELATIVE (-1)

/* Returns the clock whose time ends the wait; RELATIVE: the timeout is a length. */
static clockid_t clock_of(const struct waits_thread *t, const struct syscall_row *row)
{
	int flags = wait_find_argument(row, ARGUMENT_TYPE_timer_flags);
	int clock = wait_find_argument(row, ARGUMENT_TYPE_clock);

	if (flags >= 0)
		return t->arguments[flags] & TIMER_ABSTIME ? (clockid_t)t->arguments[0] : RELATIVE;
	if (clock >= 0 && row->wait.timeout)
		return (clockid_t)t->arguments[clock];
	if (span_starts(span_of_string(row->name), "mq_timed"))
		return CLOCK_REALTIME;
	if (!(row->traits & SYSCALL_FUTEX))
		return RELATIVE;
	switch (t->arguments[1] & FUTEX_CMD_MASK) {
	case FUTEX_LOCK_PI:
		return CLOCK_REALTIME;
	case FUTEX_LOCK_PI2:
	case FUTEX_WAIT_BITSET:
	case FUTEX_WAIT_REQUEUE_PI:
		return t->arguments[1] & FUTEX_CLOCK_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC;
	default:
		return RELATIVE;
	}
}

uint8_t wait_read_timeout(struct wait_reader *r, const struct wait_node *n,
	const struct waits_thread *t, const struct syscall_row *row, uint64_t *timeout_ns)
{
	const struct syscall_wait *w = &row->wait;
	uint64_t address = 0, now_ns;
	int64_t time[2] = { 0 };
	int sleep = row->traits & SYSCALL_SLEEPS
			    ? wait_find_argument(row, ARGUMENT_TYPE_timespec_requested)
			    : -1;
	clockid_t clock = clock_of(t, row);

	if (w->timeout_ms) {
		int32_t ms = (int32_t)syscall_value(t->arguments, w->timeout_ms, 0);

		*timeout_ns = ms < 0 ? 0 : (uint64_t)ms * NS_PER_MS;
		return ms < 0 ? SOOTH_STATE_ABSENT : SOOTH_STATE_VALUE;
	}
	if (sleep >= 0)
		address = t->arguments[sleep];
	else if (w->timeout)
		address = syscall_value(t->arguments, w->timeout, 0);
	if (!address)
		return SOOTH_STATE_ABSENT;
	if (n->abi != SYSCALL_ABI_X86_64 && n->abi != SYSCALL_ABI_AARCH64)
		return SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
	if (!wait_read_memory(r, n, address, time, sizeof(time)))
		return SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION);
	if (wait_find_argument(row, ARGUMENT_TYPE_timeval_requested) >= 0)
		time[1] *= 1000; /* a struct timeval: microseconds */
	*timeout_ns = ns_of(time);
	if (clock == RELATIVE)
		return SOOTH_STATE_VALUE;
	if (!process_clock_now(n->process, clock, &now_ns))
		return SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
	*timeout_ns = whole_wait(t, now_ns, *timeout_ns);
	return SOOTH_STATE_VALUE;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The way of records to sooth, through a ring of bounded size. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/units.h"
#include "model/batch.h"
#include "os/linux/files/procfs.h"
#include "os/linux/files/task_files.h"
#include "os/linux/ptrace/tracees.h"
#include "probes/pause.h"
#include "probes/syscalls.h"

#define NAME_NS		(100 * NS_PER_MS) /* a name may be as old as this */
#define ROOM_STEP_MS	1
#define PATIENCE_NS	(10 * NS_PER_S) /* while sooth neither reads nor runs */
#define HELD_UP_NS	NS_PER_S
#define REQUESTS_TO_END (1u << (SIGINT - 1) | 1u << (SIGTERM - 1) | 1u << (SIGHUP - 1))

struct sooth_record tracee_record(const struct tracee *t, uint16_t kind, uint64_t now)
{
	return (struct sooth_record){ .time_ns = now,
		.start_ticks = t->process.start_ticks,
		.pid = t->process.pid,
		.tid = (uint32_t)t->tid,
		.kind = kind,
		.cpu = SOOTH_CPU_NONE };
}

void tracees_send_late(struct tracees *all)
{
	size_t at = 0;

	while (at < all->late.size) {
		const struct sooth_record *r = (const void *)(all->late.data + at);

		if (!shared_ring_put(all->ring, r, record_bytes(r), 0))
			break;
		at += record_bytes(r);
	}
	if (at)
		buffer_consume(&all->late, at);
}

/* Counts what is lost with a record. */
static void count_lost(struct tracees *all, const struct sooth_record *r)
{
	if (r->kind == SYSCALLS_COUNT)
		all->state->lost_counts += ((const struct syscalls_count *)r)->count;
	else if (r->kind == SYSCALLS_ERROR)
		all->state->lost_errors += ((const struct syscalls_error *)r)->count;
	else
		all->state->lost_events++;
}

void tracees_send(struct tracees *all)
{
	if (all->late.size || !shared_ring_put(all->ring, all->built.data, all->built.size, 0))
		buffer_append(&all->late, all->built.data, all->built.size);
	if (buffer_failed(&all->late))
		count_lost(all, (const void *)all->built.data);
	all->late.failed = false; /* it still has what it had */
	buffer_reset(&all->built);
}

void tracees_set_busy(struct tracees *all, uint64_t since_ns)
{
	__atomic_store_n(&all->state->busy_since_ns, since_ns, __ATOMIC_RELAXED);
}

/* A record of a call leaves some room for records that may not be lost. */
static bool put_call(struct tracees *all)
{
	tracees_send_late(all);
	if (all->late.size ||
		!shared_ring_put(all->ring, all->built.data, all->built.size, all->ring->size / 16))
		return false;
	all->idle_since_ns = 0;
	all->is_vain = false;
	return true;
}

/* --- waiting for sooth --- */

void tracees_watch_sooth(struct tracees *all)
{
	struct buffer bytes = { 0 };
	struct procfs_stat stat;

	all->patience_ns = PATIENCE_NS;
	if (procfs_read(all->sooth, "stat", &bytes, PROCFS_STAT) >= 0 &&
		procfs_parse_stat(&stat, bytes.data, bytes.size))
		all->caught = stat.caught & REQUESTS_TO_END;
	buffer_fini(&bytes);
}

/* Returns whether sooth cannot be expected to read soon: it is stopped, by a signal or a debugger,
 * or was requested to end. sooth handles such a request once and then catches the signal no more,
 * but a write that waits for a reader goes on waiting. */
static bool is_held_up(const struct tracees *all)
{
	struct buffer bytes = { 0 };
	struct procfs_stat stat;
	bool found = procfs_read(all->sooth, "stat", &bytes, PROCFS_STAT) >= 0 &&
		     procfs_parse_stat(&stat, bytes.data, bytes.size);

	buffer_fini(&bytes);
	return found && (stat.state == 'T' || stat.state == 't' || all->caught & ~stat.caught);
}

/* Returns a number that changes when sooth reads the ring, or runs: it may write much for a slow
 * reader between two reads. */
static uint64_t progress_of_sooth(const struct tracees *all)
{
	uint64_t consumed = __atomic_load_n(&all->ring->state->consumed, __ATOMIC_RELAXED);
	uint64_t cpu_ns = 0, waited_ns;
	struct buffer bytes = { 0 };

	if (procfs_read(all->sooth, "schedstat", &bytes, PROCFS_STAT) >= 0)
		task_schedstat_parse(&cpu_ns, &waited_ns, bytes.data, bytes.size);
	buffer_fini(&bytes);
	return consumed + cpu_ns;
}

/* Returns whether sooth has done nothing for so long that the target may not wait any longer. Each
 * wait in vain halves the next one: the target itself may have to read the output of sooth. */
static bool has_given_up(struct tracees *all, uint64_t now)
{
	uint64_t progress;

	if (all->is_vain || getppid() != all->sooth)
		return true;
	progress = progress_of_sooth(all);
	if (!all->idle_since_ns || progress != all->progress)
		all->idle_since_ns = now;
	all->progress = progress;
	if (now - all->idle_since_ns >= all->patience_ns) {
		all->is_vain = true;
		all->patience_ns /= 2;
	}
	return all->is_vain || (now - all->idle_since_ns > HELD_UP_NS && is_held_up(all));
}

/* Waits until sooth has read enough; the target waits, too. */
static bool wait_for_room(struct tracees *all)
{
	uint64_t now = clock_monotonic_ns();
	struct pause_event event = { .record = { .kind = SYSCALLS_PAUSE, .cpu = SOOTH_CPU_NONE },
		.asked_ns = now,
		.stopped_ns = now,
		.reserve_ns = PAUSE_NO_RESERVE,
		.threads = 1,
		.lost = all->state->calls };
	bool has_put = false;

	while (!has_put && !has_given_up(all, now)) {
		shared_ring_wake(all->ring);
		poll(NULL, 0, ROOM_STEP_MS);
		now = clock_monotonic_ns();
		tracees_set_busy(all, now);
		has_put = put_call(all);
	}
	event.record.time_ns = now;
	if (has_put)
		RECORD_APPEND(&all->late, &event, NULL, 0);
	return has_put;
}

void tracees_send_call(struct tracees *all)
{
	if (!put_call(all) && !(all->is_lossless && wait_for_room(all)))
		all->state->calls++;
	buffer_reset(&all->built);
}

void tracees_send_rest(struct tracees *all)
{
	all->idle_since_ns = 0;
	all->is_vain = false;
	tracees_send_late(all);
	while (all->late.size && !has_given_up(all, clock_monotonic_ns())) {
		shared_ring_wake(all->ring);
		poll(NULL, 0, ROOM_STEP_MS);
		tracees_send_late(all);
	}
	for (size_t at = 0; at < all->late.size;) {
		const struct sooth_record *r = (const void *)(all->late.data + at);

		count_lost(all, r);
		at += record_bytes(r);
	}
}

int tracee_read_file(const struct tracee *t, const char *name, struct buffer *out)
{
	char path[64];

	snprintf(path, sizeof(path), "task/%d/%s", (int)t->tid, name);
	return procfs_read((pid_t)t->process.pid, path, out, PROCFS_SMALL);
}

void tracee_read_name(struct tracee *t, uint64_t now)
{
	struct buffer name = { 0 };

	if (t->named_ns && now - t->named_ns < NAME_NS)
		return;
	t->named_ns = now;
	if (tracee_read_file(t, "comm", &name) >= 0 && name.size) {
		size_t size = name.size - 1; /* without the newline */

		if (size >= sizeof(t->name))
			size = sizeof(t->name) - 1;
		memset(t->name, 0, sizeof(t->name));
		memcpy(t->name, name.data, size);
	}
	buffer_fini(&name);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The way of records to sooth, through a ring of bounded size. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/units.h"
#include "model/batch.h"
#include "os/linux/files/procfs.h"
#include "os/linux/ptrace/tracees.h"
#include "probes/pause.h"
#include "probes/syscalls.h"

#define NAME_NS	     (100 * NS_PER_MS) /* a name may be as old as this */
#define ROOM_STEP_MS 1
#define STOPPED_NS   NS_PER_S

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

void tracees_send(struct tracees *all)
{
	if (all->late.size || !shared_ring_put(all->ring, all->built.data, all->built.size, 0))
		buffer_append(&all->late, all->built.data, all->built.size);
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
	return !all->late.size &&
	       shared_ring_put(all->ring, all->built.data, all->built.size, all->ring->size / 16);
}

/* Returns whether sooth was stopped by a signal: then the ring is not read. */
static bool sooth_is_stopped(const struct tracees *all)
{
	struct buffer bytes = { 0 };
	struct procfs_stat stat;
	bool is_stopped = procfs_read(all->sooth, "stat", &bytes, PROCFS_STAT) >= 0 &&
			  procfs_parse_stat(&stat, bytes.data, bytes.size) && stat.state == 'T';

	buffer_fini(&bytes);
	return is_stopped;
}

/* Waits until sooth has read enough; the target waits, too. Gives up while sooth has been stopped
 * for some time, and when it has ended. */
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

	while (!has_put && getppid() == all->sooth) {
		if (!sooth_is_stopped(all))
			all->stopped_ns = 0;
		else if (!all->stopped_ns)
			all->stopped_ns = now;
		if (all->stopped_ns && now - all->stopped_ns > STOPPED_NS)
			break;
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
	tracees_send_late(all);
	while (all->late.size && getppid() == all->sooth) {
		shared_ring_wake(all->ring);
		poll(NULL, 0, ROOM_STEP_MS);
		tracees_send_late(all);
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

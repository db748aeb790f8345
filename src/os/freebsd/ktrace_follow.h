/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Follows processes by ktrace(2), over fork and exec: the kernel appends records to a file, and
 * this code reads them. It writes the records of joins, execs and ends; the backend gets the other
 * records.
 *
 * Tracing would go on after the death of the tracer, so a guard ends it. A file that has grown too
 * large is replaced by a new one, to which the processes are moved.
 */
#pragma once

#include "base/map.h"
#include "collect/backend.h"
#include "os/freebsd/decode/ktrace.h"

struct ktrace_process {
	struct process_id id;
	unsigned interest;
	bool is_before_exec; /* a copy of sooth until its exec */
	bool has_status;     /* the process is about to end, with `status` as from wait(2) */
	uint32_t status;
	bool is_joined; /* the join of the process was recorded, or it was selected */
	char name[KTRACE_NAME_SIZE];
};

struct ktrace_follow {
	int points; /* KTRFAC_* */
	char path[64];
	int file, guard;
	uint64_t offset;
	struct buffer bytes;
	struct map processes; /* uint32_t, pid -> struct ktrace_process */
	struct map parents;   /* uint32_t, pid of a child -> pid of its parent */
	uint64_t lost;	      /* times that records were dropped */
	int64_t realtime_offset_ns;
};

/* Gets a record of a followed process that runs its own program. */
typedef void (*ktrace_visitor)(struct backend_run *run, struct ktrace_process *process,
	const struct ktrace_record *record, uint64_t time_ns);
/* Called when a process has ended, or is no longer followed. */
typedef void (*ktrace_ended)(struct backend_run *run, const struct ktrace_process *process);

int ktrace_follow_open(struct ktrace_follow *f, const struct backend_run *run, int points,
	struct sooth_error *err);
int ktrace_follow_set_interest(struct ktrace_follow *f, struct backend_run *run,
	const struct process_id *process, unsigned interest, struct sooth_error *err);
int ktrace_follow_drain(struct ktrace_follow *f, struct backend_run *run, ktrace_visitor visitor,
	ktrace_ended ended, struct sooth_error *err);
/* Stops tracing: no more records are written. */
void ktrace_follow_stop(struct ktrace_follow *f, struct backend_run *run);
void ktrace_follow_close(struct ktrace_follow *f);

/* sys/ktrace.h */
#define KTRACE_POINT(type) (1 << (type))

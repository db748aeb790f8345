/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One sample of the probe proc, shared by the backends that list processes: a backend begins the
 * sample, adds the values of each process, and ends the sample. Only at the end is it known which
 * processes belong to an agent, because children inherit that; so expensive data is read then, for
 * few processes.
 */
#pragma once

#include "base/map.h"
#include "collect/backend.h"
#include "os/linux/agent_logs/agent_files.h"
#include "os/linux/agent_logs/agent_installs.h"
#include "os/linux/bpf/members.h"
#include "os/linux/files/timeout.h"
#include "os/linux/proc/proc_values.h"
#include "os/linux/proc/proc_selection.h"
#include "os/linux/proc/proc_recognition.h"
#include "os/linux/proc/proc_slow_reads.h"
#include "os/linux/proc/proc_record.h"
#include "os/linux/proc/proc_links.h"
#include "os/linux/files/user_names.h"

struct proc_reader {
	/* Must stay the first member: a backend's state may begin with the reader, and
	 * members_backend_set() takes the state for a struct members. */
	struct members members;
	struct timeout timeout;
	struct proc_recognition recognition;
	struct proc_refresh refresh;
	struct user_names users;
	struct proc_links_reader links;
	struct agent_files_reader files;
	struct agent_installs installs;
	bool has_reported_installs;
	bool has_reported_mount; /* a mount that does not answer was reported */
	struct map blocked;	 /* set of process_id: a read timed out */
	uint64_t reported_ns;	 /* end of the last complete snapshot; 0: none yet */
	/* State of the current sample. */
	uint64_t from_ns;
	bool is_brief;	       /* most processes are reported briefly */
	bool is_requested;     /* all processes were selected by pid */
	struct buffer entries; /* struct proc_entry, sorted by pid at the end */
	struct proc_slow_queue evidence;
	struct buffer requests;	      /* struct proc_slow_read */
	struct buffer request_owners; /* uint32_t: the entry each request is for */
	size_t written;		      /* entries whose record is written */
	struct buffer scratch;
	struct buffer whole; /* struct process_id: close or detached in the previous sample */
	struct proc_particulars particulars;
};

void proc_reader_init(struct proc_reader *r, const struct agent_set *agents);
void proc_reader_fini(struct proc_reader *r);
void proc_reader_begin(struct proc_reader *r, const struct backend_run *run);
/* Adds a process. `process`: /proc/PID if it is open already; -1: it is opened when needed. */
void proc_reader_add(struct proc_reader *r, const struct proc_values *values, int process);
/* Writes the records of all added processes. */
int proc_reader_end(struct proc_reader *r, struct backend_run *run, struct sooth_error *err);
/* Writes the record that ends a snapshot of all processes. */
void proc_reader_snapshot(struct proc_reader *r, struct backend_run *run);
/* Returns whether the last sample is so new that a final one would add nothing. */
bool proc_reader_has_just_reported(const struct proc_reader *r, const struct backend_run *run);

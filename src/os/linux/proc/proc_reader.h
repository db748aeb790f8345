/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One sample of the probe proc, whoever lists the processes: a backend begins it, adds the
 * figures of each process, and ends it. Only then is it known who belongs to an agent,
 * because that is handed down to children; so what costs more is read at the end, of few.
 */
#ifndef SOOTH_OS_LINUX_PROC_READER_H
#define SOOTH_OS_LINUX_PROC_READER_H

#include "base/map.h"
#include "core/backend.h"
#include "os/linux/agents/agent_files.h"
#include "os/linux/agents/agent_installs.h"
#include "os/linux/bpf/members.h"
#include "os/linux/files/timeout.h"
#include "os/linux/proc/proc_values.h"
#include "os/linux/proc/proc_selection.h"
#include "os/linux/proc/proc_recognition.h"
#include "os/linux/proc/proc_slow_reads.h"
#include "os/linux/proc/proc_record.h"
#include "os/linux/proc/proc_refresh.h"
#include "os/linux/proc/proc_inputs.h"
#include "os/linux/files/user_names.h"

struct proc_reader {
	struct members members; /* first: a backend's state may begin with the reader */
	struct timeout timeout;
	struct proc_recognition look;
	struct proc_refresh refresh;
	struct user_names users;
	struct proc_inputs_reader links;
	struct agent_files_reader files;
	struct agent_installs installs;
	bool has_reported_installs;
	struct map blocked;   /* process_id -> nothing: it did not answer */
	uint64_t reported_ns; /* when the last snapshot was complete; 0: none yet */
	/* Of the sample at hand. */
	uint64_t from_ns;
	bool is_brief;	       /* little of most */
	bool is_requested;     /* all of them were named */
	struct buffer entries; /* struct proc_entry, by pid once it ended */
	struct proc_asking evidence;
	struct buffer questions; /* struct proc_slow_reads */
	struct buffer asked;	 /* uint32_t: whose entry each question is of */
	size_t written;		 /* entries whose record is written */
	struct buffer scratch;
	struct proc_particulars particulars;
};

void proc_reader_init(struct proc_reader *r, const struct agent_set *agents);
void proc_reader_fini(struct proc_reader *r);
void proc_reader_begin(struct proc_reader *r, const struct backend_run *run);
/* `process` is /proc/PID where that is open already, else -1: then it is opened if it is needed. */
void proc_reader_add(struct proc_reader *r, const struct proc_values *figures, int process);
/* Writes the records of all that were added. */
int proc_reader_end(struct proc_reader *r, struct backend_run *run, struct sooth_error *err);
/* And that these were all. */
void proc_reader_snapshot(struct proc_reader *r, struct backend_run *run);
/* So a last sample is none worth taking. */
bool proc_reader_has_just_reported(const struct proc_reader *r, const struct backend_run *run);

#endif

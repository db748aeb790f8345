/* SPDX-License-Identifier: BSD-2-Clause */
/* The processes that perf events follow, from the records in order of time: their threads, the
 * names of these, and their mappings. So a sample is understood even after its process has ended or
 * has started another program. */
#pragma once

#include <linux/perf_event.h>
#include <stdbool.h>

#include "base/map.h"
#include "model/process_id.h"
#include "os/linux/profile/stack_mappings.h"
#include "probes/profile.h"

struct perf_process {
	struct process_id id;
	struct buffer mappings; /* stack_mappings.h */
	uint32_t threads;
	bool is_before_exec; /* a copy of sooth */
};

struct perf_thread {
	uint32_t pid;
	char name[PROFILE_NAME_BYTES];
};

struct perf_processes {
	struct map processes; /* uint32_t -> struct perf_process */
	struct map threads;   /* uint32_t -> struct perf_thread */
};

/* A process that was forked, or a program that has begun. */
struct perf_news {
	struct perf_process *process;	   /* NULL: neither */
	const struct perf_process *parent; /* parent of a new process */
	bool is_exec;
	struct stack_mapping
		mapping; /* new mapping with code of a file; `to` is 0 if there is no new mapping */
	const char *path; /* path of the mapping; borrowed from the record */
	struct perf_process *mapped;
};

void perf_processes_init(struct perf_processes *p);
void perf_processes_fini(struct perf_processes *p);
/* Adds a process. NULL: no memory, or too many processes. */
struct perf_process *perf_process_put(struct perf_processes *p, const struct process_id *id);
struct perf_process *perf_process_get(const struct perf_processes *p, uint32_t pid);
void perf_thread_put(
	struct perf_processes *p, struct perf_process *process, uint32_t tid, const char *name);
/* Returns the name of a thread; "": unknown. */
const char *perf_thread_name(const struct perf_processes *p, uint32_t tid);
bool perf_thread_is_known(const struct perf_processes *p, uint32_t tid);
/* Handles a record that is no sample. `identify` identifies a process that was forked just now. */
void perf_processes_handle_record(struct perf_processes *p, const struct perf_event_header *header,
	struct process_id (*identify)(void *user, uint32_t pid, uint64_t time_ns), void *user,
	struct perf_news *news);
/* Returns whether a record says that a followed thread started the thread `tid`. */
bool perf_record_starts(const struct perf_event_header *header, uint32_t tid);

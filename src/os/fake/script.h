/* SPDX-License-Identifier: BSD-2-Clause */
/* The script as its backends see it. */
#pragma once

#include "base/map.h"
#include "os/fake/fake.h"

#define SCRIPT_SOURCES_MAX 32

/* An open source of system calls or allocations: the fake kernel's side of it. */
struct script_calls {
	struct backend_run *run;
	struct map followed; /* process_id -> struct script_followed */
	struct map counts;   /* struct script_key -> struct syscalls_count */
	struct map errors;   /* struct script_key -> struct syscalls_error */
	struct buffer ring;
	bool is_started;
};

struct script_followed {
	uint32_t interest;
	uint32_t is_before_exec; /* nothing before its exec */
};

struct script_key {
	struct process_id process;
	uint32_t tid, number, abi, error;
};

/* An open source of samples. */
struct script_members {
	struct map processes; /* process_id -> nothing */
};

struct fake {
	struct os os;
	uint64_t now_ns;
	int64_t realtime_offset_ns;
	int (*on_wait)(void *user);
	void *on_wait_user;
	void (*on_set)(void *user);
	void *on_set_user;
	struct fake_process *processes[FAKE_PROCESSES_MAX];
	size_t process_count;
	struct script_calls *calls[SCRIPT_SOURCES_MAX];
	struct script_members *members[SCRIPT_SOURCES_MAX];
	struct buffer records; /* records that the next drain delivers */
	uint64_t lost_records, lost_bytes;
	const char *lost_reason;
	int failures[FAKE_STEPS];
	struct fake_counts counts;
};

static inline struct fake *fake_of(const struct os *os)
{
	return os->script;
}

/* Returns the code a step was set to fail with, the error filled; 0: it works. */
int script_fails(struct fake *f, enum fake_step step, struct sooth_error *err);
struct fake_process *script_find(struct fake *f, const struct process_id *id);
/* Returns whether a source observes every process of this kind without a request. */
bool script_adopts(const struct backend_run *run, const struct fake_process *p);

/* Opens the probe syscalls, for both backends. */
int script_calls_open(struct backend_run *run, struct sooth_error *err);
int script_calls_set(struct backend_run *run, const struct process_id *process, unsigned interest,
	struct sooth_error *err);
int script_calls_start(struct backend_run *run, struct sooth_error *err);
int script_calls_drain(struct backend_run *run, struct sooth_error *err);
int script_calls_stop(struct backend_run *run, struct sooth_error *err);
void script_calls_close(struct backend_run *run);
/* Returns whether the fake kernel shows this source what the process does now. */
bool script_is_watching(const struct script_calls *s, const struct fake_process *p);
unsigned script_interest(const struct script_calls *s, const struct fake_process *p);

/* Adds an event of a process, as one source sees it. */
void script_call(
	struct script_calls *s, const struct fake_process *p, const struct fake_call *call);
void script_fork(struct script_calls *s, const struct fake_process *parent,
	const struct fake_process *child);
void script_allocate(
	struct script_calls *s, const struct fake_process *p, const struct heap_call *call);
void script_exec(struct script_calls *s, const struct fake_process *p);
void script_leave(struct script_calls *s, const struct fake_process *p);

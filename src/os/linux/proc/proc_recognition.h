/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first check of a process in a sample: is it an agent? Most processes are not, and that must
 * be found out cheaply. No read is needed if an earlier sample, the parent of a copy, or another
 * process with the same executable has shown it. Otherwise the executable is read, and for a few
 * processes a read of the arguments is requested (proc_entry.reads).
 */
#pragma once

#include "base/buffer.h"
#include "base/map.h"
#include "recognize/agent_set.h"
#include "os/linux/files/timeout.h"
#include "os/linux/proc/proc_selection.h"
#include "os/linux/programs/programs.h"

struct proc_recognition {
	struct agent_set *agents; /* reference-counted; NULL: the built-in ones */
	struct programs programs;
	struct timeout timeout; /* for a name that may be on a dead mount */
	struct map plain;	/* process_id -> struct plain_process: no second check */
	struct map plain_files; /* set of uint64_t: hashes of paths that no rule matches */
	struct map plain_keys;	/* set of uint64_t: keys of such files */
	struct buffer commands; /* const char *: names in the agents' rules by command */
	uint32_t sample;
	/* State of the current sample. */
	bool is_unsorted; /* entries were not listed in the order of pids */
	uint64_t last_pid;
	struct buffer texts; /* paths of executables */
	struct buffer scratch;
};

void proc_recognition_init(struct proc_recognition *l, const struct agent_set *agents);
void proc_recognition_fini(struct proc_recognition *l);
void proc_recognition_begin(struct proc_recognition *l);
/* Sets the token of an entry, and notes whether the entries come in the order of their PIDs. Called
 * first for each entry. */
void proc_recognition_note(struct proc_recognition *l, struct proc_entry *e);
/* Checks an entry with its values set. `process`: /proc/PID, -1: it is opened when needed;
 * `before`: the entries that came earlier. */
void proc_recognition_at(struct proc_recognition *l, struct proc_entry *e, int process,
	const struct proc_entry *before, size_t count);
/* Keeps the results that are valid until the next exec. Call this when it is known which processes
 * have markers. */
void proc_recognition_keep_valid(
	struct proc_recognition *l, const struct proc_entry *entries, size_t count);

/* Returns whether a process has an executable and memory: a kernel thread never has, an ended
 * process has lost them. */
bool proc_recognition_has_program(const struct proc_values *f);
void proc_recognition_read_executable(
	struct proc_recognition *l, struct proc_entry *e, int process);
struct span proc_recognition_executable(
	const struct proc_recognition *l, const struct proc_entry *e);
void proc_recognition_program(struct proc_recognition *l, const struct proc_entry *e, int process,
	struct span arguments, struct span directory, struct program_facts *facts);
void proc_recognition_recognise(struct proc_recognition *l, struct proc_entry *e,
	struct span arguments, struct span directory, const struct program_facts *facts);

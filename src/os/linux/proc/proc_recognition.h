/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A first look at a process of a sample: is it an agent? Most are not, and that is found out
 * with as little as can be: nothing where an earlier sample, the parent of a copy or
 * another process of the same executable has said so; else from the executable; from the
 * arguments only of few, which are left to be asked for (proc_entry.wants).
 */
#ifndef SOOTH_OS_LINUX_PROC_RECOGNITION_H
#define SOOTH_OS_LINUX_PROC_RECOGNITION_H

#include "base/buffer.h"
#include "base/map.h"
#include "core/agent_set.h"
#include "os/linux/files/timeout.h"
#include "os/linux/proc/proc_selection.h"
#include "os/linux/programs/programs.h"

struct proc_recognition {
	struct agent_set *agents; /* counted; NULL: the built-in ones */
	struct programs programs;
	struct timeout timeout; /* for a name that may lie on a dead mount */
	struct map plain;	/* process_id -> struct plain_process: no second look */
	struct map plain_files; /* uint64_t, hash of a path that says nothing -> nothing */
	struct map plain_keys;	/* uint64_t, what such a file is known by -> nothing */
	struct buffer commands; /* const char *: names that rules of agents go by */
	uint32_t sample;
	/* Of the sample at hand. */
	bool is_unsorted; /* they did not come by pid */
	uint64_t last_pid;
	struct buffer texts; /* paths of executables */
	struct buffer scratch;
};

void proc_recognition_init(struct proc_recognition *l, const struct agent_set *agents);
void proc_recognition_fini(struct proc_recognition *l);
void proc_recognition_begin(struct proc_recognition *l);
/* Of each, first: its token, and whether they come in order. */
void proc_recognition_note(struct proc_recognition *l, struct proc_entry *e);
/*
 * Whose figures are set. `process` is /proc/PID, -1: it is opened if it is needed; `before` are
 * those that came before it.
 */
void proc_recognition_at(struct proc_recognition *l, struct proc_entry *e, int process,
	const struct proc_entry *before, size_t count);
/* When it is known of all who has markers: what holds until they exec. */
void proc_recognition_keep(
	struct proc_recognition *l, const struct proc_entry *entries, size_t count);

/* Whether it has an executable and memory: a kernel thread never had, what has ended has none left.
 */
bool proc_recognition_has_program(const struct proc_values *f);
void proc_recognition_read_executable(
	struct proc_recognition *l, struct proc_entry *e, int process);
struct span proc_recognition_executable(
	const struct proc_recognition *l, const struct proc_entry *e);
void proc_recognition_program(struct proc_recognition *l, const struct proc_entry *e, int process,
	struct span arguments, struct span directory, struct program_facts *facts);
void proc_recognition_recognise(struct proc_recognition *l, struct proc_entry *e,
	struct span arguments, struct span directory, const struct program_facts *facts);

#endif

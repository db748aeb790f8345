/* SPDX-License-Identifier: BSD-2-Clause */
/* The processes of a run and their memory. All functions are called with the run's lock held. */
#pragma once

#include "os/linux/heap/preload/preload_run.h"

struct preload_process *preload_process_at(struct preload_run *s, size_t i);
size_t preload_process_count(const struct preload_run *s);
struct preload_segment *preload_segment_at(struct preload_run *s, size_t i);
size_t preload_segment_count_all(const struct preload_run *s);
/* Finds a process that still runs; NULL: there is none. */
struct preload_process *preload_find_pid(struct preload_run *s, uint32_t pid);
void preload_read_name(struct preload_process *p);
/* Emits that the process runs a program from `time_ns` on. */
void preload_emit_exec(struct preload_run *s, const struct preload_process *p, uint64_t time_ns);
/* Adds a process that was not known. `claimed` is the parent that the process names itself. NULL:
 * the process is gone. */
struct preload_process *preload_add_process(
	struct preload_run *s, pid_t pid, uint64_t time_ns, uint32_t claimed);
/* Emits the start of a forked child that has already ended. */
void preload_emit_forked(struct preload_run *s, const struct preload_reading *r,
	const struct preload_segment *segment);
bool preload_is_there(uint32_t pid);
/* Returns the pid of the parent; 0: the process is gone. */
uint32_t preload_parent_pid(uint32_t pid);
/* Returns whether the process descends from the command, or, if its parents have ended, has the
 * command's environment. */
bool preload_is_in_tree(struct preload_run *s, uint32_t pid);
/* Returns whether the process has a slot in the segment. */
bool preload_is_of(const struct preload_segment *segment, const struct process_id *id);
/* Finds the processes of slots that were taken since the last call, and reads the slots. */
void preload_meet_forked(struct preload_run *s);
uint64_t preload_unknown(struct preload_run *s);
bool preload_slots_are_few(struct preload_run *s);
/* Reads the records of a segment; true: there were some. */
bool preload_read_segment(struct preload_run *s, struct preload_segment *segment);
bool preload_read_all(struct preload_run *s);
void preload_count_slots(struct preload_run *s, struct preload_segment *segment);
/* Reads the rest of a program that has ended or was replaced. */
void preload_end_program(struct preload_run *s, const struct process_id *id);
void preload_end_process(struct preload_run *s, struct preload_process *p);
/* Searches for processes and threads that have ended. */
void preload_look_for_ended(struct preload_run *s);

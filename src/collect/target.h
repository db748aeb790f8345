/* SPDX-License-Identifier: BSD-2-Clause */
/* A target: the selection, and the processes that it currently contains. */
#pragma once

#include "base/map.h"
#include "os/os.h"

enum target_selector { TARGET_NONE, TARGET_PIDS, TARGET_USER, TARGET_HOST, TARGET_COMMAND };

struct target {
	enum target_selector selector;
	struct buffer pids; /* pid_t: the requested pids */
	uint32_t uid;
	char **command; /* NULL-terminated copy */
	struct launch launch;
	bool is_launched;
	bool may_be_gone;   /* pids may be missing, as long as one exists */
	struct map members; /* process_id -> struct target_member */
	size_t live;	    /* members that have not left */
};

/* A process that left stays a member: its last records may still be on the way. */
struct target_member {
	bool has_left;
	bool is_end_reported; /* a record reported the end */
};

void target_init(struct target *t);
void target_fini(struct target *t);
int target_add_pid(struct target *t, pid_t pid, struct sooth_error *err);
int target_set_user(struct target *t, uint32_t uid, struct sooth_error *err);
int target_set_host(struct target *t, struct sooth_error *err);
int target_set_command(struct target *t, char *const *command, struct sooth_error *err);
bool target_has(const struct target *t, const struct process_id *process);
/* Returns whether records of processes that are not (yet) members belong to the target too. */
bool target_is_open(const struct target *t);
/* Returns whether the target is a host with some processes selected. */
bool target_means_some(const struct target *t);
int target_join(struct target *t, const struct process_id *process, struct sooth_error *err);
void target_leave(struct target *t, const struct process_id *process);
/* Makes the process no member, as if it had never joined. */
void target_forget(struct target *t, const struct process_id *process);
/* Returns whether the process is or was a member. */
bool target_knows(const struct target *t, const struct process_id *process);
/* Notes that a record reported the process's exit. True for the first report, else false. */
bool target_note_end(struct target *t, const struct process_id *process);
/* Walks the live members: *position starts at 0; NULL at the end. */
const struct process_id *target_next(const struct target *t, size_t *position);
/* Removes processes that have exited; for backends that report no exits. */
void target_sweep(struct target *t, const struct os *os);
/* Appends the definition of the target to a stream. */
void target_describe(const struct target *t, const struct os *os, struct buffer *out);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Installed with file capabilities, sooth can do more than the user that runs it. It must not do
 * that for them: before watching a process it checks that the caller could watch it without sooth,
 * by the rule of ptrace(2): all ids of the target are the caller's real uid, and it is dumpable.
 * Root, and a sooth without extra capabilities, need no check: the kernel makes it.
 */
#ifndef SOOTH_OS_LINUX_CALLER_H
#define SOOTH_OS_LINUX_CALLER_H

#include <stdbool.h>

#include "base/error.h"
#include "model/process_id.h"

struct os;

/*
 * For the program, once at its start: of the privileges that its file gave it keeps those that BPF
 * needs, and it takes the caller's ids. The rest can read no file and no process that the caller
 * could not read.
 */
void caller_keep_least(const struct os *os);
/*
 * Before the exec of another program: the caller's ids, no capability, and none that the exec
 * could give back.
 */
bool caller_drop_all(const struct os *os);
/* Whether sooth has more privileges than its caller. */
bool caller_is_elevated(void);
/* All its user ids are the caller's real one. */
bool caller_has_ids_of(const struct process_id *process);
int caller_may_watch(const struct process_id *process, struct sooth_error *err);
/* For processes that were not selected one by one, and so cannot be checked one by one: needs root
 * (or capabilities that are the caller's own). */
int caller_may_watch_all(struct sooth_error *err);

#endif

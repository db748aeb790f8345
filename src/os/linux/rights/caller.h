/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Installed with file capabilities, sooth can do more than the user who runs it.
 * It must not do it for them: before watching, the caller is asked whether they
 * might by themselves, by the rule of ptrace(2): all ids of the target are the
 * caller's real uid, and it is dumpable. Root, and a sooth without extra
 * capabilities, need no question: the kernel asks it.
 */
#ifndef SOOTH_OS_LINUX_CALLER_H
#define SOOTH_OS_LINUX_CALLER_H

#include <stdbool.h>

#include "base/error.h"
#include "model/process_id.h"

struct os;

/*
 * For the program, once at its start: of the privileges that came with its file
 * it keeps those that BPF needs, and it takes the caller's ids. What remains
 * reads no file and no process that the caller could not read.
 */
void caller_keep_least(const struct os *os);
/* Whether sooth has more rights than whoever runs it. */
bool caller_is_elevated(void);
/* All its ids of users are the caller's real one. */
bool caller_has_ids_of(const struct process_id *process);
int caller_may_watch(const struct process_id *process, struct sooth_error *err);
/* Processes that nobody named. One by one they cannot be asked about, so this takes no less than
 * root (or capabilities that are the caller's own). */
int caller_may_watch_all(struct sooth_error *err);

#endif

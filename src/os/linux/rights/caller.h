/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Installed with file capabilities, sooth can do more than the user that runs it. It must not do
 * that for the user: before watching a process it checks that the caller could watch the process
 * without sooth, by the rule of ptrace(2). The kernel decides, because sooth drops the capabilities
 * for this check. Root, and a sooth without extra capabilities, need no check: the kernel makes it
 * anyway.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/parser.h"
#include "model/process_id.h"
#include "os/linux/files/as_caller.h"

struct os;

/* Drops privileges. To be called once, when the program starts. The program keeps only the
 * privileges from its file that BPF needs, and takes the caller's ids. With these privileges it
 * cannot read a file or process that the caller could not read. */
void caller_keep_least(const struct os *os);
/* Sets the caller's ids, without any capability, and without one that an exec could restore. To be
 * called before the exec of another program. */
bool caller_drop_all(const struct os *os);
/* Does the same with the ids of another user and no other group. If these ids are not possible, the
 * caller's stay. */
bool caller_become(uid_t uid, gid_t gid);
/* Does the same with the groups of the owner. */
bool caller_become_owner(const struct parser_owner *owner);
/* Keeps of the first 32 capabilities those with these bits, and none of the later ones. */
bool caller_keep_capabilities(uint32_t bits);
/* Keeps the ids, and of the capabilities those to change ids and to end processes of others. */
bool caller_keep_ids(void);
/* Returns whether all user ids of the process are the caller's real one. */
bool caller_has_ids_of(const struct process_id *process);
/*
 * Returns whether the caller could watch the process without sooth. NULL: every process of a user
 * or of the host, which needs root or capabilities of the caller's own. This is os->may_watch: the
 * hub calls it for each process that a source attaches to, and bpf_code_walk_... for each that is
 * read.
 */
int caller_may_watch(
	const struct os *os, const struct process_id *process, struct sooth_error *err);

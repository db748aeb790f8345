/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The user half of walks in BPF (bpf/walk_user.bpf.h), whatever they are taken for: it makes their
 * tables, turns what they send into stacks and frames, and names those at the end.
 */
#ifndef SOOTH_OS_LINUX_PROFILE_WALKS_H
#define SOOTH_OS_LINUX_PROFILE_WALKS_H

#include "collect/backend.h"
#include "os/linux/bpf/bpf.h"
#include "os/linux/profile/profile_stacks.h"
#include "os/linux/profile/profile_tables.h"

struct profile_walks {
	struct profile_files files;
	struct profile_tables tables;
	struct profile_stacks stacks;
	struct map programs; /* hash of a name -> uint8_t: was executed */
	struct walks_control *control;
	uint64_t reported_refused;
	bool has_reported_tables, has_reported_files;
};

void profile_walks_init(struct profile_walks *w, uint16_t stack_kind, uint16_t frame_kind);
/* After the programs are loaded, before they are attached. */
int profile_walks_open(struct profile_walks *w, struct bpf_code *code,
	const struct probe_options *options, struct sooth_error *err);
/* Walks in a file are cut until its table is made: of files that a process has mapped, it is made
 * before. `names` as in profile_files_open_ahead(). */
void profile_walks_ahead(struct profile_walks *w, pid_t pid, const char *const *names);
/* Takes files and names that walks met, and programs that start, and ignores other records. Returns
 * whether the record is of no use to anything else. */
bool profile_walks_take(struct profile_walks *w, const struct sooth_record *r);
/* Returns the number of the stack that was walked. A new stack is written to `out`. */
uint32_t profile_walks_put(
	struct profile_walks *w, const struct profile_raw *raw, struct buffer *out);
/* Emits what was lost or limited since the last time. */
void profile_walks_emit(struct profile_walks *w, struct backend_run *run, const char *source);
/* Names all frames and writes them; the tables must be stopped. */
int profile_walks_name(struct profile_walks *w, struct backend_run *run, struct sooth_error *err);
/* To be called before the programs are detached from their maps. */
void profile_walks_close(struct profile_walks *w);
void profile_walks_fini(struct profile_walks *w);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The user-space half of stack walks in BPF (bpf/walk_user.bpf.h), for any probe. It makes the
 * unwind tables, turns the raw walks into stacks and frames, and names these at the end. */
#pragma once

#include "collect/backend.h"
#include "os/linux/bpf/bpf.h"
#include "os/linux/profile/profile_stacks.h"
#include "os/linux/profile/profile_tables.h"

struct profile_walks {
	struct profile_files files;
	struct profile_tables tables;
	struct profile_stacks stacks;
	struct map programs; /* hash of a name -> uint8_t: a program of that name was executed */
	struct walks_control *control;
	uint64_t reported_refused;
	bool has_reported_tables, has_reported_files;
};

void profile_walks_init(struct profile_walks *w, uint16_t stack_kind, uint16_t frame_kind);
/* Opens the walks, after the programs are loaded and before they are attached. */
int profile_walks_open(struct profile_walks *w, struct bpf_code *code,
	const struct probe_options *options, struct sooth_error *err);
/* Makes the tables of the files that a process has mapped: a walk in a file is cut until the file's
 * table is made. `names` as in profile_files_open_ahead(). */
void profile_walks_ahead(struct profile_walks *w, pid_t pid, const char *const *names);
/* Handles files and names that walks found, and programs that start; ignores other records. Returns
 * whether the record is of no use to the caller. */
bool profile_walks_handle_record(struct profile_walks *w, const struct sooth_record *r);
/* Returns the number of the stack that was walked. A new stack is written to `out`. */
uint32_t profile_walks_put(
	struct profile_walks *w, const struct profile_raw *raw, struct buffer *out);
/* Emits what was lost or limited since the last time. */
void profile_walks_emit(struct profile_walks *w, struct backend_run *run, const char *source);
/* Names all frames and writes them; the tables must be stopped. */
int profile_walks_name(struct profile_walks *w, struct backend_run *run, struct sooth_error *err);
/* Closes the walks, before the programs are detached from their maps. */
void profile_walks_close(struct profile_walks *w);
void profile_walks_fini(struct profile_walks *w);

/* SPDX-License-Identifier: BSD-2-Clause */
/* The user half of walks in BPF. */
#include "os/linux/profile/profile_walks.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "os/linux/profile/unwind_row.h"

#define PROGRAMS_MAX 256
#define TRIES_MAX    16 /* tries to open a file, each through another process */

void profile_walks_init(struct profile_walks *w, uint16_t stack_kind, uint16_t frame_kind)
{
	assert(w);
	profile_files_init(&w->files);
	profile_stacks_init(&w->stacks, stack_kind, frame_kind);
	map_init(&w->programs, sizeof(uint64_t), sizeof(uint8_t), PROGRAMS_MAX);
}

void profile_walks_fini(struct profile_walks *w)
{
	assert(w);
	profile_files_fini(&w->files);
	profile_stacks_fini(&w->stacks);
	map_fini(&w->programs);
}

/* --- tables --- */

static void make_table(struct profile_walks *w, uint64_t key, struct profile_known *known)
{
	if (!known->has_table) {
		profile_tables_add(&w->tables, key, known->fd);
		RUNTIME_CALL(&w->stacks.runtimes, see, key, known->path, known->fd);
	}
	known->has_table = true;
}

void profile_walks_ahead(struct profile_walks *w, pid_t pid, const char *const *names)
{
	struct buffer keys = { 0 };

	assert(w);
	profile_files_open_ahead(&w->files, pid, names, &keys);
	buffer_each (const uint64_t, key, &keys)
		make_table(w, *key, profile_files_get(&w->files, *key));
	buffer_fini(&keys);
}

/* Makes tables of files that nearly every program uses, if sooth itself uses the same files. */
static void make_common(struct profile_walks *w)
{
	static const char *const names[] = { "ld-", "ld.", "libc.", "libc-", NULL };
	const struct profile_seen vdso = { .file = PROFILE_FILE_VDSO };
	struct profile_known *known = profile_files_open(&w->files, &vdso);

	profile_walks_ahead(w, getpid(), names);
	if (known && known->fd >= 0)
		make_table(w, PROFILE_FILE_VDSO, known);
}

/* Handles an exec, for each program name only once: a build has hundreds a second. */
static void handle_exec(struct profile_walks *w, const struct process_exec *exec)
{
	uint64_t name = hash_bytes(HASH_BEGIN, exec->name, strnlen(exec->name, sizeof(exec->name)));
	bool is_new = false;

	if (map_put(&w->programs, &name, &is_new) && is_new)
		profile_walks_ahead(w, (pid_t)exec->record.pid, NULL);
}

int profile_walks_open(struct profile_walks *w, struct bpf_code *code,
	const struct probe_options *options, struct sooth_error *err)
{
	int status;

	assert(w);
	assert(options);
	w->control = bpf_code_variables(code, ".data.walks", sizeof(*w->control), err);
	if (!w->control)
		return -EINVAL;
	status = profile_tables_open(
		&w->tables, bpf_code_map(code, "files"), bpf_code_map(code, "tables"), err);
	if (!status)
		status = profile_stacks_open(&w->stacks, &w->files, options, err);
	if (status)
		return status;
	runtime_set_share(&w->stacks.runtimes, code, w->control);
	w->control->tables_only = options->observer.profile.by_tables_only;
	make_common(w);
	return 0;
}

/* Announces a file that a walk has met. If its process unmapped it before it could be opened, the
 * next walk in it, perhaps of another process, reports it again. */
static void announce_file(struct profile_walks *w, const struct profile_seen *seen)
{
	struct profile_known *known = profile_files_open(&w->files, seen);

	if (known && known->fd >= 0)
		make_table(w, seen->file, known);
	else if (known && known->tries < TRIES_MAX)
		bpf_map_delete_elem(w->tables.files, &seen->file);
	else
		profile_tables_none(&w->tables, seen->file);
}

static void add_runtime_name(struct runtime_set *s, const struct profile_name *name)
{
	runtime_table[name->runtime]->take(s->states[name->runtime], name);
}

bool profile_walks_handle_record(struct profile_walks *w, const struct sooth_record *r)
{
	assert(w);
	assert(r);
	if (r->kind == PROFILE_SEEN)
		announce_file(w, (const void *)r);
	else if (r->kind == PROFILE_RUNTIME_NAME)
		add_runtime_name(&w->stacks.runtimes, (const void *)r);
	else if (r->kind == PROCESS_EXEC)
		handle_exec(w, (const void *)r);
	return r->kind == PROFILE_SEEN || r->kind == PROFILE_RUNTIME_NAME;
}

/* --- stacks --- */

uint32_t profile_walks_put(
	struct profile_walks *w, const struct profile_raw *raw, struct buffer *out)
{
	assert(w);
	assert(raw);
	return profile_stacks_put(&w->stacks, raw, out);
}

void profile_walks_emit(struct profile_walks *w, struct backend_run *run, const char *source)
{
	assert(w);

	uint64_t files_full = w->control->files_full;
	bool lacks_tables = w->tables.refused || w->tables.cut;

	if (w->stacks.refused != w->reported_refused)
		backend_loss_of(run, source, w->stacks.refused - w->reported_refused, 0,
			"more different stacks than sooth keeps: their samples have no frames");
	if (files_full && !w->has_reported_files)
		backend_limit(run, "stacks in some files",
			"more files have code than sooth keeps tables for", "");
	if (lacks_tables && !w->has_reported_tables)
		backend_limit(run, "whole stacks in some files",
			"their unwind information is larger than sooth keeps", "");
	w->has_reported_files |= files_full != 0;
	w->has_reported_tables |= lacks_tables;
	w->reported_refused = w->stacks.refused;
}

void profile_walks_close(struct profile_walks *w)
{
	assert(w);
	profile_tables_close(&w->tables);
}

/* Finds the start of a function by the tables that were made, or, for a file without a table, by
 * the file's index. */
static bool find_entry(const void *user, uint64_t file, uint64_t offset, uint64_t *entry)
{
	struct profile_walks *w = (struct profile_walks *)(uintptr_t)user;
	struct profile_known *known;
	struct unwind_found found;

	if (profile_tables_entry(&w->tables, file, offset, entry))
		return true;
	known = profile_files_get(&w->files, file);
	if (!known || known->fd < 0 || known->has_table ||
		unwind_row_find(&w->files.timeout, known->fd, &known->rows, offset, &found) ||
		!found.has_entry)
		return false;
	*entry = found.entry;
	return true;
}

int profile_walks_name(struct profile_walks *w, struct backend_run *run, struct sooth_error *err)
{
	assert(w);

	const struct profile_entries entries = { w, find_entry };
	bool is_kernel_hidden = false;

	assert(run);
	RUNTIME_CALL(&w->stacks.runtimes, limits, run);
	/* They may be requested while the stacks are sampled. */
	w->stacks.has_lines |= run->options.observer.profile.has_source_lines;
	if (profile_stacks_name(&w->stacks, &w->files, &entries, &run->out, &is_kernel_hidden))
		return error_no_memory(err);
	debuginfod_report(&w->files.debuginfod, run);
	if (is_kernel_hidden)
		backend_limit(run, "names of kernel functions",
			"the kernel hides its addresses from this caller (kptr_restrict)",
			"run sooth as root");
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stacks by BPF: src/bpf/profile.bpf.c at a CPU clock of each processor. The program walks the
 * stacks; this side makes it the tables for that, and turns what it sends into samples, stacks and
 * frames.
 *
 * Cannot be seen: what runs on a processor that is switched on later; time in which interrupts are
 * off; names in generated code of a runtime that writes no perf map.
 */
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/units.h"
#include "bpf/profile.h"
#include "model/batch.h"
#include "os/linux/bpf/follow.h"
#include "os/linux/profile/profile_calls.h"
#include "os/linux/profile/profile_stacks.h"
#include "os/linux/profile/profile_tables.h"
#include "os/linux/rights/needs.h"
#include "os/os.h"

#define RING_BYTES_DEFAULT (4u << 20)
#define LATENESS_NS	   (5 * NS_PER_MS)
#define RATE_DEFAULT	   99 /* not in step with what runs a hundred times a second */
#define CLOCKS_MAX	   4096
#define PROGRAMS_MAX	   256
#define TRIES_MAX	   16 /* to open a file, through as many processes */

/* --- the backend --- */

struct profile_state {
	struct follow follow;
	struct profile_control *control;
	struct profile_control reported;
	struct bpf_link **clocks;
	size_t clock_count;
	uint32_t period_ns;
	struct buffer raw; /* records of the kernel side */
	struct profile_files files;
	struct profile_tables tables;
	struct profile_stacks stacks;
	struct map programs; /* hash of a name -> uint8_t: was executed */
	uint64_t reported_refused;
	bool has_reported_tables;
};

static void stop_clocks(struct profile_state *s)
{
	for (size_t i = 0; i < s->clock_count; i++)
		bpf_link__destroy(s->clocks[i]);
	s->clock_count = 0;
}

static void profile_close(struct backend_run *run)
{
	struct profile_state *s = run->state;

	stop_clocks(s);
	free(s->clocks);
	profile_tables_close(&s->tables);
	follow_close(&s->follow);
	profile_files_fini(&s->files);
	profile_stacks_fini(&s->stacks);
	map_fini(&s->programs);
	buffer_fini(&s->raw);
}

/* --- tables before the first sample --- */

static void make_table(struct profile_state *s, uint64_t key, struct profile_known *known)
{
	if (!known->has_table) {
		profile_tables_add(&s->tables, key, known->fd);
		python_names_see(&s->stacks.python, key, known->path, known->fd);
		jsc_names_see(&s->stacks.jsc, key, known->fd);
		v8_names_see(&s->stacks.v8, key, known->fd);
	}
	known->has_table = true;
}

/* Samples in a file are cut until its table is made: what can be known before is made before. */
static void make_ahead(struct profile_state *s, pid_t pid, const char *const *names)
{
	struct buffer keys = { 0 };
	const uint64_t *all;

	profile_files_open_ahead(&s->files, pid, names, &keys);
	all = (const void *)keys.data;
	for (size_t i = 0; i < keys.size / sizeof(*all); i++)
		make_table(s, all[i], profile_files_get(&s->files, all[i]));
	buffer_fini(&keys);
}

/* What nearly every program uses, as far as it is the same file for sooth. */
static void make_common(struct profile_state *s)
{
	static const char *const names[] = { "ld-", "ld.", "libc.", "libc-", NULL };
	const struct profile_seen vdso = { .file = PROFILE_FILE_VDSO };
	struct profile_known *known = profile_files_open(&s->files, &vdso);

	make_ahead(s, getpid(), names);
	if (known && known->fd >= 0)
		make_table(s, PROFILE_FILE_VDSO, known);
}

/* Each program once, by its name: a build has hundreds a second. */
static void take_exec(struct profile_state *s, const struct process_exec *exec)
{
	uint64_t name = hash_bytes(HASH_BEGIN, exec->name, strnlen(exec->name, sizeof(exec->name)));
	bool is_new = false;

	if (map_put(&s->programs, &name, &is_new) && is_new)
		make_ahead(s, (pid_t)exec->record.pid, NULL);
}

static int profile_open(struct backend_run *run, struct sooth_error *err)
{
	bool is_of_waits = run->options.profile_wait_ns != 0;
	const struct follow_options options = {
		.image = is_of_waits ? &bpf_image_profile_waits : &bpf_image_profile,
		.image_hash = is_of_waits ? &bpf_image_profile_waits_hash : &bpf_image_profile_hash,
		.ring_bytes = RING_BYTES_DEFAULT,
		.losing = run->options.profile_calls ? PROFILE_CALLS_LOSING
			  : is_of_waits		     ? PROFILE_WAITS_LOSING
						     : "the ring buffer was full: samples were "
						       "lost; use a larger one: --buffer 32M",
	};
	struct profile_state *s = run->state;
	uint32_t rate = run->options.profile_hz ? run->options.profile_hz : RATE_DEFAULT;
	int status;

	s->period_ns = (uint32_t)(NS_PER_S / rate);
	profile_files_init(&s->files);
	profile_stacks_init(&s->stacks, PROFILE_STACK, PROFILE_FRAME);
	map_init(&s->programs, sizeof(uint64_t), sizeof(uint8_t), PROGRAMS_MAX);
	status = follow_open(&s->follow, run, &options, err);
	if (!status)
		status = profile_calls_choose(&s->follow.code, &run->options, err);
	if (!status)
		status = follow_load(&s->follow, err);
	if (!status) {
		s->control = bpf_code_variables(
			&s->follow.code, ".data.control", sizeof(*s->control), err);
		status = s->control ? 0 : -EINVAL;
	}
	if (!status)
		status = profile_tables_open(&s->tables, bpf_code_map(&s->follow.code, "files"),
			bpf_code_map(&s->follow.code, "tables"), err);
	if (!status) {
		python_names_init(&s->stacks.python, bpf_code_map(&s->follow.code, "pythons"),
			&s->control->pythons);
		jsc_names_init(
			&s->stacks.jsc, bpf_code_map(&s->follow.code, "jscs"), &s->control->jscs,
			run->options.cache_folder);
		v8_names_init(
			&s->stacks.v8, bpf_code_map(&s->follow.code, "v8s"), &s->control->jscs);
		make_common(s);
		s->control->least_ns = run->options.profile_wait_ns;
		s->control->tables_only = run->options.profile_tables_only;
	}
	if (status)
		profile_close(run);
	return status;
}

static int profile_set(struct backend_run *run, const struct process_id *process, unsigned interest,
	struct sooth_error *err)
{
	/* Large ones with an interpreter: functions have no names until their layout is known. */
	static const char *const engines[] = { "node", "libnode", "bun", "claude", "opencode",
		"deno", "electron", "python", "libpython", NULL };
	struct profile_state *s = run->state;
	bool has_all = run->options.profile_calls || run->options.profile_wait_ns;

	/* Calls come at once, where samples come over seconds. */
	if (interest && !(interest & INTEREST_FROM_EXEC))
		make_ahead(s, (pid_t)process->pid, has_all ? NULL : engines);
	return follow_set(&s->follow, run, process, interest, err);
}

/* --- the clocks --- */

static int open_clock(int cpu, uint64_t period_ns)
{
	struct perf_event_attr attr = { .size = sizeof(attr),
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = period_ns,
		.disabled = 1,
		.exclude_idle = 1 };
	long fd = syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : (int)fd;
}

static int start_clock(struct profile_state *s, int cpu, struct sooth_error *err)
{
	const struct bpf_program *program =
		bpf_object__find_program_by_name(s->follow.code.object, PROFILE_SAMPLES_PROGRAM);
	int fd = open_clock(cpu, s->period_ns), status;

	if (fd == -ENODEV) /* switched off */
		return 0;
	if (fd < 0) {
		error_errno(err, fd, "start a clock of CPU %d for samples", cpu);
		return fd;
	}
	/* The link owns the descriptor. */
	s->clocks[s->clock_count] = bpf_program__attach_perf_event(program, fd);
	if (!s->clocks[s->clock_count]) {
		status = -errno;
		close(fd);
		return error_errno(err, status, "attach the sampling program to CPU %d", cpu);
	}
	s->clock_count++;
	return 0;
}

/* In a switch no memory can be made for a stack: every thread has it before. */
static int start_waits(struct profile_state *s, struct backend_run *run, struct sooth_error *err)
{
	int status = follow_all(&s->follow, run, err);

	if (!status)
		status = bpf_code_attach(&s->follow.code, PROFILE_WAKING_PROGRAM, err);
	return status ? status : bpf_code_attach(&s->follow.code, PROFILE_SWITCH_PROGRAM, err);
}

static int profile_start(struct backend_run *run, struct sooth_error *err)
{
	struct profile_state *s = run->state;
	int cpus = libbpf_num_possible_cpus(), status = 0;

	if (run->options.profile_wait_ns)
		return start_waits(s, run, err);
	if (run->options.profile_calls)
		return bpf_code_attach(&s->follow.code, PROFILE_CALLS_PROGRAM, err);
	if (cpus <= 0 || cpus > CLOCKS_MAX)
		return error_set(err, -EINVAL, SOOTH_FAULT_UNSUPPORTED, "count the CPUs");
	s->clocks = calloc((size_t)cpus, sizeof(*s->clocks));
	if (!s->clocks)
		return error_no_memory(err);
	for (int cpu = 0; cpu < cpus && !status; cpu++)
		status = start_clock(s, cpu, err);
	return status;
}

/* --- samples --- */

static void take_sample(struct backend_run *run, const struct profile_raw *raw)
{
	struct profile_state *s = run->state;
	struct profile_sample sample = { .record = raw->record, .period_ns = s->period_ns };

	if (raw->js_file)
		jsc_names_meet(&s->stacks.jsc, raw);
	if (raw->flags & PROFILE_WAIT_OLD && run->options.profile_wait_ns) {
		profile_waits_put(&run->out, raw, 0);
		return;
	}
	sample.stack = profile_stacks_put(&s->stacks, raw, &run->out);
	if (run->options.profile_wait_ns) {
		profile_waits_put(&run->out, raw, sample.stack);
		return;
	}
	if (run->options.profile_calls) {
		profile_calls_put(&run->out, raw, sample.stack);
		return;
	}
	sample.record.kind = PROFILE_SAMPLE;
	memcpy(sample.process, raw->process, sizeof(sample.process));
	memcpy(sample.thread, raw->thread, sizeof(sample.thread));
	RECORD_APPEND(&run->out, &sample, NULL, 0);
}

/* A file that its process took away before it could be opened is reported again by the next sample
 * in it, perhaps of another process. */
static void take_file(struct profile_state *s, const struct profile_seen *seen)
{
	struct profile_known *known = profile_files_open(&s->files, seen);

	if (known && known->fd >= 0)
		make_table(s, seen->file, known);
	else if (known && known->tries < TRIES_MAX)
		bpf_map_delete_elem(s->tables.files, &seen->file);
	else
		profile_tables_none(&s->tables, seen->file);
}

static void take_records(struct backend_run *run)
{
	struct profile_state *s = run->state;
	struct batch batch = { s->raw.data, s->raw.size };

	batch_for_each (r, &batch) {
		if (r->kind == PROFILE_RAW)
			take_sample(run, (const void *)r);
		else if (r->kind == PROFILE_SEEN)
			take_file(s, (const void *)r);
		else
			buffer_append(&run->out, r, record_bytes(r));
		if (r->kind == PROCESS_EXEC)
			take_exec(s, (const void *)r);
	}
	buffer_reset(&s->raw);
}

static void emit_losses(struct backend_run *run)
{
	struct profile_state *s = run->state;
	struct profile_control now = *s->control;

	if (now.lost != s->reported.lost)
		backend_loss(run, now.lost - s->reported.lost, 0, s->follow.losing);
	if (s->stacks.refused != s->reported_refused)
		backend_loss(run, s->stacks.refused - s->reported_refused, 0,
			"more different stacks than sooth keeps: their samples have no frames");
	if (now.files_full && !s->reported.files_full)
		backend_limit(run, "stacks in some files",
			"more files have code than sooth keeps tables for", "");
	if ((s->tables.refused || s->tables.cut) && !s->has_reported_tables)
		backend_limit(run, "whole stacks in some files",
			"their unwind information is larger than sooth keeps", "");
	s->has_reported_tables |= s->tables.refused || s->tables.cut;
	s->reported = now;
	s->reported_refused = s->stacks.refused;
}

static int profile_drain(struct backend_run *run, struct sooth_error *err)
{
	struct profile_state *s = run->state;

	follow_read(&s->follow, run, &s->raw);
	take_records(run);
	emit_losses(run);
	return buffer_failed(&run->out) ? error_no_memory(err) : 0;
}

static bool find_entry(const void *user, uint64_t file, uint64_t offset, uint64_t *entry)
{
	return profile_tables_entry(user, file, offset, entry);
}

static void emit_short_waits(struct backend_run *run)
{
	const struct profile_control *c = ((struct profile_state *)run->state)->control;
	char text[160], least[UNITS_SIZE], all[UNITS_SIZE];

	if (!c->short_waits)
		return;
	snprintf(text, sizeof(text), "%llu waits were shorter than %s: %s together",
		(unsigned long long)c->short_waits, format_ns(least, c->least_ns),
		format_ns(all, c->short_ns));
	backend_limit(run, "stacks of short waits", text, "--min-wait TIME records shorter ones");
}

static int profile_stop(struct backend_run *run, struct sooth_error *err)
{
	struct profile_state *s = run->state;
	const struct profile_entries entries = { &s->tables, find_entry };
	size_t before = run->out.size;
	bool is_kernel_hidden = false;
	int status;

	stop_clocks(s);
	profile_tables_stop(&s->tables);
	status = follow_stop(&s->follow, run, err);
	buffer_append(&s->raw, buffer_at(&run->out, before), run->out.size - before);
	run->out.size = before;
	take_records(run);
	emit_losses(run);
	emit_short_waits(run);
	jsc_names_limits(&s->stacks.jsc, run);
	v8_names_limits(&s->stacks.v8, run);
	if (profile_stacks_name(&s->stacks, &s->files, &entries, &run->out, &is_kernel_hidden))
		return error_no_memory(err);
	if (is_kernel_hidden)
		backend_limit(run, "names of kernel functions",
			"the kernel hides its addresses from this caller (kptr_restrict)",
			"run sooth as root");
	return status;
}

static int profile_descriptor(struct backend_run *run)
{
	struct profile_state *s = run->state;

	return s->follow.ring.wake;
}

static const struct need *const needs[] = { &need_bpf, &need_btf, &need_bpf_ring,
	&need_pid_namespace, NULL };

const struct backend backend_profile_bpf = {
	.name = "bpf",
	.probe = "profile",
	.help = "stacks walked in BPF at a CPU clock; follows threads, forks and exec",
	.needs = needs,
	.lateness_ns = LATENESS_NS,
	.state_size = sizeof(struct profile_state),
	.open = profile_open,
	.set = profile_set,
	.start = profile_start,
	.drain = profile_drain,
	.stop = profile_stop,
	.descriptor = profile_descriptor,
	.close = profile_close,
};

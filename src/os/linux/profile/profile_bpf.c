/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stacks by BPF: src/bpf/profile.bpf.c at a CPU clock of each processor. The program walks the
 * stacks; this side makes it the tables for that, and turns what it sends into samples, stacks and
 * frames.
 *
 * Cannot be seen: what runs on a processor that is switched on later; time in which interrupts are
 * off; names in generated code.
 */
#include <sooth/field.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/units.h"
#include "bpf/profile.h"
#include "model/batch.h"
#include "os/linux/bpf/follow.h"
#include "os/linux/profile/kernel_symbols.h"
#include "os/linux/profile/profile_files.h"
#include "os/linux/profile/profile_tables.h"
#include "os/linux/rights/needs.h"
#include "os/os.h"
#include "symbols/elf_address.h"

#define RING_BYTES_DEFAULT (4u << 20)
#define LATENESS_NS	   (5 * NS_PER_MS)
#define RATE_DEFAULT	   99 /* not in step with what runs a hundred times a second */
#define CLOCKS_MAX	   4096
#define PROGRAMS_MAX	   256
#define TRIES_MAX	   16 /* to open a file, through as many processes */
#define PROFILE_STACK_NONE 0
#define FRAMES_MAX	   (1u << 20)
#define STACKS_MAX	   (1u << 20)
#define FILE_KERNEL	   UINT64_MAX /* beside profile_file_key() */

/* --- frames and stacks by number, and their definitions --- */

struct profile_stacks {
	struct map frames; /* file and offset -> uint32_t, from 1 on */
	struct map stacks; /* two hashes -> uint32_t, from 1 on */
	uint64_t refused;  /* samples whose stack found no room */
};

struct frame_key {
	uint64_t file;
	uint64_t offset;
};

/* Two hashes that begin differently: 128 bits. */
struct stack_key {
	uint64_t first, second;
};

static void profile_stacks_init(struct profile_stacks *s)
{
	map_init(&s->frames, sizeof(struct frame_key), sizeof(uint32_t), FRAMES_MAX);
	map_init(&s->stacks, sizeof(struct stack_key), sizeof(uint32_t), STACKS_MAX);
}

static void profile_stacks_fini(struct profile_stacks *s)
{
	map_fini(&s->frames);
	map_fini(&s->stacks);
}

static bool put_frame(struct profile_stacks *s, uint64_t file, uint64_t offset, uint32_t *number)
{
	struct frame_key key = { file, offset };
	bool is_new;
	uint32_t *known = map_put(&s->frames, &key, &is_new);

	if (!known)
		return false;
	if (is_new)
		*known = (uint32_t)s->frames.count;
	*number = *known;
	return true;
}

/* The kernel's frames are inside of the user's. Returns how many, 0 if there is no room. */
static size_t put_frames(
	struct profile_stacks *s, const struct profile_raw *raw, uint32_t numbers[])
{
	const struct profile_raw_frame *user = (const void *)(raw + 1);
	const uint64_t *kernel = (const void *)(user + raw->user_frames);
	size_t count = 0;

	for (uint32_t i = 0; i < raw->kernel_frames; i++) {
		if (!put_frame(s, FILE_KERNEL, kernel[i] - (i > 0), &numbers[count++]))
			return 0;
	}
	for (uint32_t i = 0; i < raw->user_frames; i++) {
		if (!put_frame(s, user[i].file, user[i].offset, &numbers[count++]))
			return 0;
	}
	return count;
}

/* The number of a sample's stack; a new one is written to `out`. */
static uint32_t profile_stacks_put(
	struct profile_stacks *s, const struct profile_raw *raw, struct buffer *out)
{
	uint32_t numbers[PROFILE_FRAMES_MAX + PROFILE_KERNEL_MAX + 1];
	size_t count = put_frames(s, raw, numbers) * sizeof(numbers[0]), seed = raw->end + 1;
	struct stack_key key = { hash_bytes(HASH_BEGIN + raw->end, numbers, count),
		hash_bytes(~HASH_BEGIN - seed, numbers, count) };
	bool is_new;
	uint32_t *number = count ? map_put(&s->stacks, &key, &is_new) : NULL;
	struct profile_stack stack = { .record = { .time_ns = raw->record.time_ns,
					       .kind = PROFILE_STACK,
					       .cpu = SOOTH_CPU_NONE },
		.end = (uint8_t)raw->end };
	struct record_tail tail[] = { { &stack.frames, numbers, count } };

	if (!number) {
		s->refused++;
		return PROFILE_STACK_NONE;
	}
	if (is_new) {
		*number = stack.stack = (uint32_t)s->stacks.count;
		RECORD_APPEND(out, &stack, tail, ARRAY_SIZE(tail));
	}
	return *number;
}

/* --- names --- */

struct to_name {
	struct frame_key key;
	uint32_t number;
};

static int by_place(const void *left, const void *right)
{
	const struct to_name *a = left, *b = right;

	if (a->key.file != b->key.file)
		return a->key.file < b->key.file ? -1 : 1;
	return a->key.offset < b->key.offset ? -1 : a->key.offset > b->key.offset;
}

static void write_frame(struct buffer *out, const struct to_name *frame,
	enum profile_frame_kind kind, const struct elf_address *found,
	const struct profile_known *file)
{
	bool has_begin = found->is_found || found->inside;
	const char *function = found->is_found ? found->name : NULL;
	const char *path = file ? file->path : NULL;
	const char *build_id = file ? file->identity.build_id : "";
	struct profile_frame f = {
		.record = { .time_ns = clock_monotonic_ns(),
			.kind = PROFILE_FRAME,
			.cpu = SOOTH_CPU_NONE },
		.offset = frame->key.offset,
		.frame = frame->number,
		.frame_kind = (uint8_t)kind,
		.function_state =
			function ? SOOTH_STATE_VALUE : SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED),
		.file_state = path ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.begin = has_begin ? frame->key.offset - found->inside : 0,
		.begin_state =
			has_begin ? SOOTH_STATE_VALUE : SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED),
		.build_id_state = build_id[0] ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
	};
	struct record_tail tail[] = {
		{ &f.function, function ? function : "", function ? strlen(function) : 0 },
		{ &f.file, path ? path : "", path ? strlen(path) : 0 },
		{ &f.build_id, build_id, strlen(build_id) },
	};

	RECORD_APPEND(out, &f, tail, ARRAY_SIZE(tail));
}

/* Without a symbol: the function that the unwind information knows there. */
static void find_entry(
	const struct profile_tables *tables, const struct frame_key *key, struct elf_address *found)
{
	uint64_t entry;

	if (!found->is_found && profile_tables_entry(tables, key->file, key->offset, &entry))
		found->inside = key->offset - entry;
}

static void name_user(struct profile_files *files, const struct profile_tables *tables,
	const struct to_name *frames, size_t count, struct buffer *out)
{
	struct profile_known *file = profile_files_get(files, frames[0].key.file);
	bool is_generated = frames[0].key.file == PROFILE_FILE_NONE;
	struct elf_address addresses[ELF_ADDRESSES_MAX];
	int status = 0;

	for (size_t from = 0; from < count; from += ELF_ADDRESSES_MAX) {
		size_t piece = count - from < ELF_ADDRESSES_MAX ? count - from : ELF_ADDRESSES_MAX;

		memset(addresses, 0, sizeof(addresses));
		for (size_t i = 0; i < piece; i++)
			addresses[i].offset = frames[from + i].key.offset;
		/* A file that did not answer once is not read again. */
		if (file && !status)
			status = profile_files_names(files, file, addresses, piece);
		for (size_t i = 0; i < piece; i++) {
			addresses[i].is_found &= !status;
			find_entry(tables, &frames[from + i].key, &addresses[i]);
			write_frame(out, &frames[from + i],
				is_generated ? PROFILE_GENERATED : PROFILE_USER, &addresses[i],
				file);
		}
	}
}

static int name_kernel(const struct to_name *frames, size_t count, struct buffer *out)
{
	_cleanup_free_ struct kernel_symbol *symbols = calloc(count, sizeof(*symbols));
	int status;

	if (!symbols)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		symbols[i].address = frames[i].key.offset;
	status = kernel_symbols(symbols, count);
	for (size_t i = 0; i < count; i++) {
		struct elf_address found = { .inside = symbols[i].address - symbols[i].begin,
			.is_found = !status && symbols[i].begin };

		memcpy(found.name, symbols[i].name, sizeof(symbols[i].name));
		write_frame(out, &frames[i], PROFILE_KERNEL, &found, NULL);
	}
	return status;
}

/* Names all frames and writes them. */
static int profile_stacks_name(struct profile_stacks *s, struct profile_files *files,
	const struct profile_tables *tables, struct buffer *out, bool *is_kernel_hidden)
{
	_cleanup_free_ struct to_name *frames = calloc(s->frames.count + 1, sizeof(*frames));
	size_t count = 0, position = 0, to;
	const void *key;
	void *value;

	if (!frames)
		return -ENOMEM;
	while (map_next(&s->frames, &position, &key, &value))
		frames[count++] = (struct to_name){ *(const struct frame_key *)key,
			*(const uint32_t *)value };
	qsort(frames, count, sizeof(*frames), by_place);
	for (size_t from = 0; from < count; from = to) {
		for (to = from; to < count && frames[to].key.file == frames[from].key.file; to++)
			;
		if (frames[from].key.file == FILE_KERNEL)
			*is_kernel_hidden = name_kernel(frames + from, to - from, out) == -EPERM;
		else
			name_user(files, tables, frames + from, to - from, out);
	}
	return 0;
}

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
	if (!known->has_table)
		profile_tables_add(&s->tables, key, known->fd);
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
	static const struct follow_options options = {
		.image = &bpf_image_profile,
		.image_hash = &bpf_image_profile_hash,
		.ring_bytes = RING_BYTES_DEFAULT,
		.losing = "the ring buffer was full: samples were lost; use a larger one: "
			  "--buffer 32M",
	};
	struct profile_state *s = run->state;
	uint32_t rate = run->options.profile_hz ? run->options.profile_hz : RATE_DEFAULT;
	int status;

	s->period_ns = (uint32_t)(NS_PER_S / rate);
	profile_files_init(&s->files);
	profile_stacks_init(&s->stacks);
	map_init(&s->programs, sizeof(uint64_t), sizeof(uint8_t), PROGRAMS_MAX);
	status = follow_open(&s->follow, run, &options, err);
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
	if (!status)
		make_common(s);
	if (status)
		profile_close(run);
	return status;
}

static int profile_set(struct backend_run *run, const struct process_id *process, unsigned interest,
	struct sooth_error *err)
{
	struct profile_state *s = run->state;

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
		bpf_object__find_program_by_name(s->follow.code.object, "on_sample");
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

static int profile_start(struct backend_run *run, struct sooth_error *err)
{
	struct profile_state *s = run->state;
	int cpus = libbpf_num_possible_cpus(), status = 0;

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

	sample.record.kind = PROFILE_SAMPLE;
	memcpy(sample.process, raw->process, sizeof(sample.process));
	memcpy(sample.thread, raw->thread, sizeof(sample.thread));
	sample.stack = profile_stacks_put(&s->stacks, raw, &run->out);
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

static int profile_stop(struct backend_run *run, struct sooth_error *err)
{
	struct profile_state *s = run->state;
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
	if (profile_stacks_name(&s->stacks, &s->files, &s->tables, &run->out, &is_kernel_hidden))
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

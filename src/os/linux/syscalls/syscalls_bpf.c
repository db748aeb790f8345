/* SPDX-License-Identifier: BSD-2-Clause */
/* System calls by BPF (src/bpf/syscalls.bpf.c): the parts that follow.h does not have, the table of
 * paths, and counts for which a thread had no room. */
#include <bpf/btf.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "bpf/syscalls.h"
#include "os/linux/bpf/follow.h"
#include "os/linux/rights/needs.h"
#include "os/linux/syscalls/error_output.h"
#include "os/linux/syscalls/syscalls_config.h"
#include "os/linux/syscalls/syscalls_windows.h"
#include "os/os.h"
#include "symbols/instruction.h"

/* --- syscalls uring --- */

/* The type is looked up here and not by a relocation: for a type that the kernel does not have
 * libbpf searches every module, which cap_bpf does not allow. */

#define EVENT	"trace_event_raw_io_uring_submit_sqe"
#define NOWHERE UINT32_MAX

static uint32_t offset_of(const struct btf *btf, const struct btf_type *event, const char *member)
{
	const struct btf_member *members = btf_members(event);

	for (uint32_t i = 0; i < btf_vlen(event); i++) {
		if (!strcmp(btf__name_by_offset(btf, members[i].name_off), member))
			return btf_member_bit_offset(event, i);
	}
	return NOWHERE;
}

/* In the tracepoint io_uring_submit_sqe: the argument that is the opcode; 0: the first argument is
 * the request, which contains it. Decided by the kernel's types and not by its release: 5.10.162
 * and others backported io_uring from later kernels. */
static uint32_t syscalls_uring_argument(void)
{
	struct btf *btf = btf__load_vmlinux_btf();
	int32_t id = btf ? btf__find_by_name_kind(btf, EVENT, BTF_KIND_STRUCT) : -1;
	const struct btf_type *event = id > 0 ? btf__type_by_id(btf, (uint32_t)id) : NULL;
	uint32_t argument = 1;

	if (event && offset_of(btf, event, "req") != NOWHERE)
		argument = offset_of(btf, event, "opcode") < offset_of(btf, event, "user_data") ? 2
												: 3;
	/* From 6.0 on the tracepoint has it in the request, too. */
	if (needs_kernel_release() >= KERNEL_RELEASE(6, 0))
		argument = 0;
	btf__free(btf);
	return argument;
}

/* --- syscalls bpf --- */

#define RING_BYTES_DEFAULT (8u << 20)
#define PERCENT_DEFAULT	   5 /* of one CPU, in a diagnosis */
/* from reading the clock to reserving the record, with a margin */
#define LATENESS_NS (5 * NS_PER_MS)

struct syscalls_state {
	struct follow follow;
	struct syscalls_control *control;
	struct syscalls_control reported; /* losses already reported */
	struct syscalls_windows *windows; /* NULL: calls have no budget */
	struct error_outputs error_outputs;
	uint64_t swept; /* overflow entries created until the last sweep */
};

static void syscalls_close(struct backend_run *run)
{
	struct syscalls_state *s = run->state;

	syscalls_windows_stop(TAKE_PTR(s->windows), NULL);
	error_outputs_fini(&s->error_outputs);
	follow_close(&s->follow);
}

static int load_programs(struct backend_run *run, struct sooth_error *err)
{
	const struct follow_options options = {
		.image = &bpf_image_syscalls,
		.image_hash = &bpf_image_syscalls_hash,
		.ring_bytes = RING_BYTES_DEFAULT,
		.losing = "the ring buffer was full: records of calls were lost; use a larger one: "
			  "--buffer 128M",
	};
	struct syscalls_state *s = run->state;
	struct syscalls_config *config;
	int status = follow_open(&s->follow, run, &options, err);

	if (status)
		return status;
	config = bpf_code_constants(&s->follow.code, ".rodata.config", sizeof(*config), err);
	if (!config)
		return -EINVAL;
	status = syscalls_config_set(config, &run->options, err);
	if (!status)
		status = follow_load(&s->follow, err);
	if (status)
		return status;
	s->control = bpf_code_variables(&s->follow.code, ".data.control", sizeof(*s->control), err);
	return s->control ? 0 : -EINVAL;
}

/* Refuses if ptrace is requested: a program in the kernel cannot let the target wait. The reason
 * stands in the report. */
static int refuse_if_ptrace(const struct probe_options *options, struct sooth_error *err)
{
	const struct sooth_calls_options *calls = &options->observer.calls;

	if (!calls->by_ptrace && !calls->must_hold)
		return 0;
	error_set(err, -ECANCELED, SOOTH_FAULT_USAGE, "use BPF");
	return error_why(
		err, calls->by_ptrace ? "--backend ptrace was given" : "--lossless was given");
}

static int syscalls_open(struct backend_run *run, struct sooth_error *err)
{
	struct syscalls_state *s = run->state;
	int status;

	error_outputs_init(&s->error_outputs);
	status = load_programs(run, err);
	if (status)
		syscalls_close(run);
	return status;
}

static int syscalls_set(struct backend_run *run, const struct process_id *process,
	unsigned interest, struct sooth_error *err)
{
	struct syscalls_state *s = run->state;
	int status = interest ? syscalls_target_check(run, process, err) : 0;

	return status ? status : follow_set_interest(&s->follow, run, process, interest, err);
}

/* Attaches to io_uring. Without it only io_uring requests are missing; a kernel without io_uring
 * has none. */
static void attach_uring(struct backend_run *run)
{
	static const char *const request[] = { "io_uring_submit_req", NULL };
	static const char *const complete[] = { "io_uring_complete", NULL };
	static const char *const entry[] = { "io_uring_submit_sqe", NULL };
	struct syscalls_state *s = run->state;
	struct sooth_error err;

	/* Without this program, requests are only counted. */
	bpf_code_attach_raw(&s->follow.code, "on_uring_complete", complete, &err);
	if (!bpf_code_attach_raw(&s->follow.code, "on_uring_request", request, &err))
		return;
	/* A program may not read beyond the last argument, so there is one for each form. */
	s->control->uring_argument = syscalls_uring_argument();
	if (!bpf_code_attach_raw(&s->follow.code,
		    s->control->uring_argument ? "on_uring_entry" : "on_uring_request", entry,
		    &err))
		return;
	if (syscall(SYS_io_uring_setup, 0, NULL) >= 0 || errno != ENOSYS)
		backend_limit_error(run, "requests submitted through io_uring", &err);
}

/* With a budget, the number of calls a second above which they are sampled: the cost of these takes
 * the allowed share of one CPU. 0: there is no budget. */
static double rate_most(const struct backend_run *run)
{
	uint64_t percent = run->options.observer.max_overhead_percent ?: PERCENT_DEFAULT;

	if (!run->options.observer.calls.has_call_budget)
		return 0;
	return (double)percent / 100 * (double)NS_PER_S / (double)run->backend->target_ns;
}

static int syscalls_start(struct backend_run *run, struct sooth_error *err)
{
	uint64_t most_percent = run->options.observer.max_overhead_percent;
	struct syscalls_state *s = run->state;
	int status;

	follow_limit(run);
	attach_uring(run);
	if (run->options.observer.calls.has_call_budget || most_percent)
		return syscalls_windows_start(
			&s->windows, &s->follow.code, s->control, rate_most(run), err);
	status = bpf_code_attach(&s->follow.code, "on_return", err);
	return status ? status : bpf_code_attach(&s->follow.code, "on_enter", err);
}

static void report_sampling_limit(struct backend_run *run, const struct syscalls_windows_sums *sums)
{
	char what[96], reason[768];

	/* Without a budget, a step was reported. */
	if (!sums->refusals && !(sums->windows && run->options.observer.calls.has_call_budget))
		return;
	/* analyze/diagnosis/diagnosis_input.c knows these words. */
	snprintf(what, sizeof(what), "system calls in %.0f %% of the time",
		100 * (double)sums->off_ns / (double)(sums->on_ns + sums->off_ns));
	if (sums->refusals) {
		snprintf(reason, sizeof(reason),
			"they are sampled in short windows, and %llu could not begin (%s: %s)",
			(unsigned long long)sums->refusals, sums->refusal.tried, sums->refusal.why);
		backend_limit(run, what, reason, "diagnose again");
		return;
	}
	snprintf(reason, sizeof(reason),
		"the target makes more than %u,%03u calls a second: they are sampled in short "
		"windows, and counts are estimates",
		(unsigned)rate_most(run) / 1000, (unsigned)rate_most(run) % 1000);
	backend_limit(
		run, what, reason, "count all, which slows the target: sooth trace -c -p PID");
}

static uint64_t syscalls_hits(struct backend_run *run)
{
	const struct syscalls_state *s = run->state;

	/* With a budget the windows limit the overhead. */
	return run->options.observer.calls.has_call_budget ? 0 : s->control->calls;
}

/* single calls, counts, counts in windows */
static bool syscalls_lighten(struct backend_run *run, struct backend_step *step)
{
	static const struct backend_step counts = { "single system calls",
		"calls are only counted" },
					 windows = { "system calls in 97 % of the time",
						 "calls are counted in 10 ms of every 300 ms" },
					 none = { "system calls", "sooth has detached" };
	struct syscalls_state *s = run->state;

	if (run->options.interest & INTEREST_STREAM && !s->control->counts_from_ns) {
		s->control->counts_from_ns = run->os->now_ns(run->os);
		*step = counts;
		return true;
	}
	*step = windows;
	if (syscalls_windows_begin(s->windows))
		return true;
	*step = none;
	return false;
}

static void emit_losses(struct backend_run *run)
{
	struct syscalls_state *s = run->state;
	struct syscalls_control now = *s->control;

	if (now.lost_counts != s->reported.lost_counts)
		backend_loss(run, now.lost_counts - s->reported.lost_counts, 0,
			"sooth's table in the kernel was full: some calls were not counted");
	if (now.lost_errors != s->reported.lost_errors)
		backend_loss(run, now.lost_errors - s->reported.lost_errors, 0,
			"sooth's table of errors was full: some errors were counted without their "
			"errno");
	if (now.lost_uring != s->reported.lost_uring)
		backend_loss(run, now.lost_uring - s->reported.lost_uring, 0,
			"the ring buffer was full: some io_uring requests were counted, but not "
			"recorded; use a larger one: --buffer 128M");
	/* With a call budget, a diagnosis reads from samples what a thread does. */
	if (now.silent != s->reported.silent && !run->options.observer.calls.has_call_budget)
		syscalls_target_silent(run, now.silent - s->reported.silent);
	s->reported = now;
}

static int syscalls_descriptor(struct backend_run *run)
{
	struct syscalls_state *s = run->state;

	return s->follow.ring.wake;
}

static void write_overflow(struct backend_run *run, struct buffer *out,
	const struct overflow_key *key, const struct overflow_value *v)
{
	struct sooth_record head = { .time_ns = run->os->now_ns(run->os),
		.start_ticks = key->start_ticks,
		.pid = key->pid,
		.tid = key->tid,
		.cpu = SOOTH_CPU_NONE };
	struct syscalls_count count = { .record = head,
		.from_ns = v->from_ns,
		.number = key->number,
		.abi = key->abi,
		.count = v->count,
		.errors = v->errors,
		.unfinished = v->unfinished,
		.total_ns = v->total_ns,
		.max_ns = v->max_ns,
		.untimed = v->untimed };
	struct syscalls_error error = { .record = head,
		.from_ns = v->from_ns,
		.number = key->number,
		.abi = key->abi,
		.count = v->count,
		.error = key->error };

	if (key->error) {
		error.record.kind = SYSCALLS_ERROR;
		RECORD_APPEND(out, &error, NULL, 0);
		return;
	}
	count.record.kind = SYSCALLS_COUNT;
	memcpy(count.histogram, v->histogram, sizeof(count.histogram));
	RECORD_APPEND(out, &count, NULL, 0);
}

static bool thread_is_gone(const struct overflow_key *key)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/task/%u", key->pid, key->tid);
	return access(path, F_OK) != 0;
}

static void emit_overflow(
	struct backend_run *run, struct buffer *out, int map, const struct overflow_key *key)
{
	struct overflow_value value;

	if (!bpf_map_lookup_elem(map, key, &value))
		write_overflow(run, out, key, &value);
	bpf_map_delete_elem(map, key);
}

static void drain_overflow(struct backend_run *run)
{
	struct syscalls_state *s = run->state;
	int map = bpf_code_map(&s->follow.code, "overflow");
	struct overflow_key key;

	for (int i = 0; i < OVERFLOW_ENTRIES && !bpf_map_get_next_key(map, NULL, &key); i++)
		emit_overflow(run, &run->out, map, &key);
}

/* Removes entries of threads that ended: their counts no longer change, and a long run needs the
 * room. */
static void sweep_overflow(struct backend_run *run, struct buffer *out)
{
	struct syscalls_state *s = run->state;
	int map = bpf_code_map(&s->follow.code, "overflow");
	struct overflow_key key, gone;
	bool has_key = !bpf_map_get_next_key(map, NULL, &key);

	for (int i = 0; i < 2 * OVERFLOW_ENTRIES && has_key; i++) {
		gone = key;
		has_key = !bpf_map_get_next_key(map, &gone, &key);
		if (thread_is_gone(&gone))
			emit_overflow(run, out, map, &gone);
	}
	s->swept = s->control->overflows;
}

static int syscalls_drain(struct backend_run *run, struct sooth_error *err)
{
	struct syscalls_state *s = run->state;
	struct buffer swept = { 0 };
	size_t begin = run->out.size;

	/* Swept before the ring is read, and appended after the ring's records: so the join record
	 * of a dead thread precedes its counts, and they can be attributed to it. */
	if (s->control->overflows - s->swept >= OVERFLOW_ENTRIES / 4)
		sweep_overflow(run, &swept);
	follow_read(&s->follow, run, &run->out);
	error_outputs_move_to(&s->error_outputs, &run->out, begin);
	buffer_append(&run->out, swept.data, swept.size);
	emit_losses(run);
	if (buffer_failed(&swept))
		error_no_memory(err);
	buffer_fini(&swept);
	return buffer_failed(&run->out) ? error_no_memory(err) : 0;
}

static int syscalls_stop(struct backend_run *run, struct sooth_error *err)
{
	struct syscalls_state *s = run->state;
	struct syscalls_windows_sums sums = { 0 };
	size_t begin;
	int status;

	syscalls_windows_stop(TAKE_PTR(s->windows), &sums);
	begin = run->out.size;
	status = follow_stop(&s->follow, run, err);
	error_outputs_move_to(&s->error_outputs, &run->out, begin);
	drain_overflow(run);
	report_sampling_limit(run, &sums);
	emit_losses(run);
	return status;
}

static const struct need *const needs[] = { &need_bpf, &need_btf, &need_bpf_ring, &need_procfs,
	&need_time_namespace, NULL };

static bool is_streamed(const struct probe_options *options)
{
	return options->interest & INTEREST_STREAM;
}

static const struct backend_mode modes[] = {
	{ .name = "bpf",
		.help = "each call as a record",
		.target_ns = 340,
		.bystander_ns = 160,
		.price_source = "bench/trace on Linux 6.18",
		.event = "system call",
		.is_on = is_streamed },
	{ 0 },
};

const struct backend backend_syscalls_bpf = {
	.name = "bpf",
	.probe = "syscalls",
	.help = "BTF-typed tracepoints, counting in task storage; follows threads, forks and exec",
	.needs = needs,
	.target_ns = 250,
	.bystander_ns = 160,
	.price_source = "bench/trace on Linux 6.18",
	.event = "system call",
	.modes = modes,
	.lateness_ns = LATENESS_NS,
	.state_size = sizeof(struct syscalls_state),
	.suits = refuse_if_ptrace,
	.open = syscalls_open,
	.set = syscalls_set,
	.start = syscalls_start,
	.hits = syscalls_hits,
	.lighten = syscalls_lighten,
	.drain = syscalls_drain,
	.stop = syscalls_stop,
	.descriptor = syscalls_descriptor,
	.close = syscalls_close,
};

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System calls by BPF: loads src/bpf/syscalls.bpf.c, marks the threads of the
 * target, and hands over what the programs counted or streamed.
 *
 * Order matters. Forks are watched before threads are marked, or a thread made
 * in between would be missed; calls are watched last. At the end threads are
 * muted first; once every program that ran meanwhile is through, what they
 * counted is flushed, and nobody is writing it any more.
 */
#include <errno.h>
#include <linux/membarrier.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/units.h"
#include "bpf/syscalls.h"
#include "os/linux/bpf.h"
#include "os/linux/caller.h"
#include "os/linux/needs.h"
#include "os/linux/ring.h"
#include "os/os.h"
#include "probes/syscall_names.h"

#define RING_BYTES_DEFAULT (8u << 20)
#define RING_BYTES_MIN	   (16u << 10)
#define MARK_PASSES_MAX	   16
#define LATENESS_NS	   (5 * NS_PER_MS) /* from reading the clock to reserving, generously */

struct syscalls_state {
	struct bpf_code code;
	struct bpf_link *visit;
	struct ring ring;
	struct syscalls_control *control;
	struct syscalls_control told; /* losses already reported */
	uint64_t swept;		      /* overflow entries made when they were last gone through */
};

static uint64_t ring_bytes(const struct backend_run *run)
{
	uint64_t wanted =
		run->options.buffer_bytes ? run->options.buffer_bytes : RING_BYTES_DEFAULT;
	uint64_t bytes = RING_BYTES_MIN;

	while (bytes < wanted && bytes < 1u << 30)
		bytes *= 2;
	return bytes;
}

static void path_arguments(uint8_t *by_number)
{
	for (uint32_t number = 0; number < 512; number++) {
#if defined(__x86_64__)
		const struct syscall_row *row = syscall_by_number(SYSCALL_ABI_X86_64, number);
#else
		const struct syscall_row *row = syscall_by_number(SYSCALL_ABI_AARCH64, number);
#endif
		const char *path = row ? strchr(row->signature, 's') : NULL;

		by_number[number] = path ? (uint8_t)(path - row->signature + 1) : 0;
	}
}

static void configure(const struct backend_run *run, struct syscalls_config *config)
{
	if (run->options.is_host)
		config->adopt = ADOPT_ALL;
	else if (run->options.has_uid)
		config->adopt = ADOPT_USER;
	config->uid = run->options.uid;
	config->own_pid = (uint32_t)getpid();
	config->interest = run->options.interest;
	config->is_elevated = caller_is_elevated();
	config->wakeup_bytes = (uint32_t)(ring_bytes(run) / 4);
	config->ticks_per_s = (uint32_t)sysconf(_SC_CLK_TCK);
	path_arguments(config->path_arguments);
}

static int attach_following(struct syscalls_state *s, struct sooth_error *err)
{
	static const char *const programs[] = { "on_fork", "on_exec", "on_exit", "on_visit" };
	int status = 0;

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]) && !status; i++)
		status = bpf_code_attach(&s->code, programs[i], err);
	if (!status)
		s->visit = s->code.links[s->code.link_count - 1];
	return status;
}

static void syscalls_close(struct backend_run *run)
{
	struct syscalls_state *s = run->state;

	ring_close(&s->ring);
	bpf_code_close(&s->code);
}

static int load(struct backend_run *run, struct sooth_error *err)
{
	struct syscalls_state *s = run->state;
	struct syscalls_config *config;
	int status = bpf_code_open(&s->code, &bpf_image_syscalls, run->log, err);

	if (status)
		return status;
	config = bpf_code_constants(&s->code, ".rodata.config", sizeof(*config), err);
	if (!config)
		return -EINVAL;
	configure(run, config);
	status = bpf_code_resize(&s->code, "ring", ring_bytes(run), err);
	if (!status)
		status = bpf_code_load(&s->code, err);
	if (status)
		return status;
	s->control = bpf_code_variables(&s->code, ".data.control", sizeof(*s->control), err);
	return s->control ? 0 : -EINVAL;
}

static int syscalls_open(struct backend_run *run, struct sooth_error *err)
{
	struct syscalls_state *s = run->state;
	int status = load(run, err);

	if (!status)
		status = ring_open(&s->ring, bpf_code_map(&s->code, "ring"), ring_bytes(run), err);
	if (!status)
		status = attach_following(s, err);
	if (status)
		syscalls_close(run);
	return status;
}

/* The threads of a process; NULL: of all that are followed. */
static int visit(struct syscalls_state *s, enum syscalls_visit what,
	const struct process_id *process, struct sooth_error *err)
{
	s->control->visit = what;
	s->control->pid = process ? (uint32_t)process->pid : 0;
	s->control->start_ticks = process ? process->start_ticks : 0;
	s->control->visited = 0;
	return bpf_code_walk(&s->code, s->visit, err);
}

/* Until a pass finds no thread unmarked: one made during a pass may lie behind it. */
static int mark(struct backend_run *run, const struct process_id *process, unsigned interest,
	struct sooth_error *err)
{
	struct syscalls_state *s = run->state;
	bool found = false;
	int status;

	s->control->interest = interest & (INTEREST_COUNT | INTEREST_STREAM);
	s->control->is_held = (interest & INTEREST_FROM_EXEC) != 0;
	for (int pass = 0; pass < MARK_PASSES_MAX; pass++) {
		status = visit(s, VISIT_MARK, process, err);
		if (status)
			return status;
		if (!s->control->visited)
			break;
		found = true;
	}
	if (found)
		return 0;
	if (!run->os->is_alive(run->os, process)) {
		error_set(err, -ESRCH, SOOTH_FAULT_NOT_FOUND, "follow process %u",
			(unsigned)process->pid);
		return error_why(err, "it has ended");
	}
	error_set(err, -EPERM, SOOTH_FAULT_PRIVILEGE, "follow process %u", (unsigned)process->pid);
	error_why(err, "this kernel shows none of its threads to BPF programs");
	return error_remedy(err, "a container or sandbox protects it; run sooth outside");
}

/* Programs run in RCU read-side sections: one grace period and none is left (membarrier(2)). */
static void wait_for_programs(void)
{
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		usleep(20000);
}

/* Mute until a walk finds no thread that is not, wait until programs that saw the old interest are
 * through, flush. */
static int flush(
	struct syscalls_state *s, const struct process_id *process, struct sooth_error *err)
{
	for (int pass = 0; pass < MARK_PASSES_MAX; pass++) {
		int status = visit(s, VISIT_MUTE, process, err);

		if (status)
			return status;
		if (!s->control->visited)
			break;
	}
	wait_for_programs();
	return visit(s, VISIT_FLUSH, process, err);
}

static int syscalls_set(struct backend_run *run, const struct process_id *process,
	unsigned interest, struct sooth_error *err)
{
	struct syscalls_state *s = run->state;
	int status;

	if (run->options.is_host || run->options.has_uid)
		return 0;
	if (!interest)
		return flush(s, process, err);
	/* A command of our own is the caller's: it runs with their ids. */
	if (interest & INTEREST_FROM_EXEC)
		return mark(run, process, interest, err);
	status = caller_may_watch(process, err);
	if (!status)
		status = mark(run, process, interest, err);
	/* Again: it may have gained privilege before it was marked; from then on its exec tells. */
	return status ? status : caller_may_watch(process, err);
}

static int syscalls_start(struct backend_run *run, struct sooth_error *err)
{
	struct syscalls_state *s = run->state;
	int status = 0;

	if (run->options.is_host || run->options.has_uid)
		status = caller_may_watch_all(err);
	if (!status)
		status = bpf_code_attach(&s->code, "on_return", err);
	return status ? status : bpf_code_attach(&s->code, "on_enter", err);
}

static void tell_silent(struct backend_run *run, uint64_t threads)
{
	char what[96];

	snprintf(what, sizeof(what), "what %llu threads did", (unsigned long long)threads);
	backend_limit(run, what,
		"they neither entered a call nor returned from one: in user code, or waiting in "
		"one entered before",
		"/proc/PID/task/TID/syscall names the call a thread waits in");
}

static void tell_losses(struct backend_run *run)
{
	struct syscalls_state *s = run->state;
	struct syscalls_control now = *s->control;

	if (now.lost_records != s->told.lost_records)
		backend_loss(run, now.lost_records - s->told.lost_records, 0,
			"calls did not fit the ring; a larger one: --buffer");
	if (now.lost_counts != s->told.lost_counts)
		backend_loss(run, now.lost_counts - s->told.lost_counts, 0,
			"calls had no place to be counted in");
	if (now.lost_errors != s->told.lost_errors)
		backend_loss(run, now.lost_errors - s->told.lost_errors, 0,
			"errors were counted, but which they were had no place");
	run->has_lost_comings |= now.lost_events != 0;
	if (now.lost_events != s->told.lost_events)
		backend_loss(run, now.lost_events - s->told.lost_events, 0,
			"comings and goings of processes did not fit the ring");
	if (now.lost_threads != s->told.lost_threads)
		backend_loss(run, now.lost_threads - s->told.lost_threads, 0,
			"threads could not be followed: the kernel had no memory for it");
	if (now.silent != s->told.silent)
		tell_silent(run, now.silent - s->told.silent);
	if (now.let_go != s->told.let_go)
		backend_limit(run, "a program that gained privilege at its exec",
			"sooth's capabilities are not its caller's to watch it with",
			"run sooth as root");
	s->told = now;
}

static int syscalls_descriptor(struct backend_run *run)
{
	struct syscalls_state *s = run->state;

	return s->ring.wake;
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
		.max_ns = v->max_ns };
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

static void take_overflow(
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
	int map = bpf_code_map(&s->code, "overflow");
	struct overflow_key key;

	for (int i = 0; i < OVERFLOW_ENTRIES && !bpf_map_get_next_key(map, NULL, &key); i++)
		take_overflow(run, &run->out, map, &key);
}

/* Of threads that ended: nobody adds to theirs any more, and a long run needs the room. */
static void sweep_overflow(struct backend_run *run, struct buffer *out)
{
	struct syscalls_state *s = run->state;
	int map = bpf_code_map(&s->code, "overflow");
	struct overflow_key key, gone;
	bool has_key = !bpf_map_get_next_key(map, NULL, &key);

	for (int i = 0; i < 2 * OVERFLOW_ENTRIES && has_key; i++) {
		gone = key;
		has_key = !bpf_map_get_next_key(map, &gone, &key);
		if (thread_is_gone(&gone))
			take_overflow(run, out, map, &gone);
	}
	s->swept = s->control->overflows;
}

static int syscalls_drain(struct backend_run *run, struct sooth_error *err)
{
	struct syscalls_state *s = run->state;
	struct buffer swept = { 0 };

	/* Swept before the ring is read and handed over behind it: whoever is gone by then has its
	 * coming in the ring already, and without that nobody would know whose counts these are. */
	if (s->control->overflows - s->swept >= OVERFLOW_ENTRIES / 4)
		sweep_overflow(run, &swept);
	ring_awake(&s->ring);
	ring_read(&s->ring, &run->out);
	buffer_append(&run->out, swept.data, swept.size);
	tell_losses(run);
	if (buffer_failed(&swept))
		error_no_memory(err);
	buffer_fini(&swept);
	return buffer_failed(&run->out) ? error_no_memory(err) : 0;
}

static int syscalls_stop(struct backend_run *run, struct sooth_error *err)
{
	struct syscalls_state *s = run->state;
	int status = flush(s, NULL, err);
	uint64_t missed;

	ring_read(&s->ring, &run->out);
	bpf_code_detach(&s->code);
	wait_for_programs(); /* one of an ending thread may still be writing */
	missed = bpf_code_misses(&s->code);
	if (missed)
		backend_loss(run, missed, 0,
			"entries or returns of calls: the kernel had the program preempted");
	ring_read(&s->ring, &run->out);
	drain_overflow(run);
	tell_losses(run);
	return status;
}

static const struct need *const needs[] = { &need_bpf, &need_btf, &need_task_storage,
	&need_pid_namespace, NULL };

const struct backend backend_syscalls_bpf = {
	.name = "bpf",
	.probe = "syscalls",
	.help = "BTF-typed tracepoints, counting in task storage; follows threads, forks and exec",
	.needs = needs,
	.target_ns = 250,
	.bystander_ns = 160,
	.price_source = "bench/trace on Linux 6.18",
	.lateness_ns = LATENESS_NS,
	.state_size = sizeof(struct syscalls_state),
	.open = syscalls_open,
	.set = syscalls_set,
	.start = syscalls_start,
	.drain = syscalls_drain,
	.stop = syscalls_stop,
	.descriptor = syscalls_descriptor,
	.close = syscalls_close,
};

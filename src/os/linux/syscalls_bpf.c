/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System calls by BPF (src/bpf/syscalls.bpf.c): what following does not know of,
 * the table of paths, and counts that found no room in their thread.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/units.h"
#include "bpf/syscalls.h"
#include "os/linux/caller.h"
#include "os/linux/follow.h"
#include "os/linux/needs.h"
#include "os/os.h"
#include "probes/syscall_names.h"

#define RING_BYTES_DEFAULT (8u << 20)
#define LATENESS_NS	   (5 * NS_PER_MS) /* from reading the clock to reserving, generously */

struct syscalls_state {
	struct follow follow;
	struct syscalls_control *control;
	struct syscalls_control told; /* losses already reported */
	uint64_t swept;		      /* overflow entries made when they were last gone through */
};

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

static void syscalls_close(struct backend_run *run)
{
	struct syscalls_state *s = run->state;

	follow_close(&s->follow);
}

static int load(struct backend_run *run, struct sooth_error *err)
{
	static const struct follow_options options = {
		.image = &bpf_image_syscalls,
		.image_hash = &bpf_image_syscalls_hash,
		.ring_bytes = RING_BYTES_DEFAULT,
		.losing = "calls did not fit the ring; a larger one: --buffer",
	};
	struct syscalls_state *s = run->state;
	struct syscalls_config *config;
	int status = follow_open(&s->follow, run, &options, err);

	if (status)
		return status;
	config = bpf_code_constants(&s->follow.code, ".rodata.config", sizeof(*config), err);
	if (!config)
		return -EINVAL;
	path_arguments(config->path_arguments);
	status = follow_load(&s->follow, err);
	if (status)
		return status;
	s->control = bpf_code_variables(&s->follow.code, ".data.control", sizeof(*s->control), err);
	return s->control ? 0 : -EINVAL;
}

static int syscalls_open(struct backend_run *run, struct sooth_error *err)
{
	int status = load(run, err);

	if (status)
		syscalls_close(run);
	return status;
}

static int syscalls_set(struct backend_run *run, const struct process_id *process,
	unsigned interest, struct sooth_error *err)
{
	struct syscalls_state *s = run->state;

	return follow_set(&s->follow, run, process, interest, err);
}

static int syscalls_start(struct backend_run *run, struct sooth_error *err)
{
	struct syscalls_state *s = run->state;
	int status = 0;

	if (run->options.is_host || run->options.has_uid)
		status = caller_may_watch_all(err);
	if (!status)
		status = bpf_code_attach(&s->follow.code, "on_return", err);
	return status ? status : bpf_code_attach(&s->follow.code, "on_enter", err);
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

	if (now.lost_counts != s->told.lost_counts)
		backend_loss(run, now.lost_counts - s->told.lost_counts, 0,
			"calls had no place to be counted in");
	if (now.lost_errors != s->told.lost_errors)
		backend_loss(run, now.lost_errors - s->told.lost_errors, 0,
			"errors were counted, but which they were had no place");
	if (now.silent != s->told.silent)
		tell_silent(run, now.silent - s->told.silent);
	s->told = now;
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
	int map = bpf_code_map(&s->follow.code, "overflow");
	struct overflow_key key;

	for (int i = 0; i < OVERFLOW_ENTRIES && !bpf_map_get_next_key(map, NULL, &key); i++)
		take_overflow(run, &run->out, map, &key);
}

/* Of threads that ended: nobody adds to theirs any more, and a long run needs the room. */
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
	follow_read(&s->follow, run, &run->out);
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
	int status = follow_stop(&s->follow, run, err);

	drain_overflow(run);
	tell_losses(run);
	return status;
}

static const struct need *const needs[] = { &need_bpf, &need_btf, &need_bpf_ring,
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

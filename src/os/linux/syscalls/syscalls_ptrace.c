/* SPDX-License-Identifier: BSD-2-Clause */
/* System calls by ptrace(2), for the caller's own processes. Only on request: each call stops the
 * target. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "os/linux/files/procfs.h"
#include "os/linux/files/task_files.h"
#include "os/linux/ptrace/tracer.h"
#include "os/linux/rights/needs.h"
#include "os/linux/syscalls/syscalls_config.h"
#include "os/os.h"
#include "symbols/instruction.h"

#define RING_BYTES_DEFAULT (8u << 20)
#define RING_BYTES_MIN	   (64u << 10)
/* from the stop at the return of a call to its record, on a busy host */
#define LATENESS_NS (20 * NS_PER_MS)

struct ptrace_state {
	struct tracer tracer;
	struct tracer_losses reported;
	bool has_ended; /* the tracer has ended before it was stopped */
};

/* --- needs --- */

static int test_syscall_info(const struct os *os, struct sooth_error *err)
{
	(void)os;
	if (needs_kernel_release() >= KERNEL_RELEASE(5, 3))
		return 0;
	error_set(err, -EOPNOTSUPP, SOOTH_FAULT_UNSUPPORTED, "trace system calls by ptrace");
	error_why(err, "this kernel has no PTRACE_GET_SYSCALL_INFO");
	error_missing(err, "Linux 5.3 or later");
	return error_remedy(err, "use a newer kernel");
}

static const struct need need_syscall_info = { "syscall-info", "Linux 5.3 or later",
	test_syscall_info };

/* --- the backend --- */

static uint64_t ring_bytes(const struct sooth_observer_options *options)
{
	uint64_t requested = options->buffer_bytes ? options->buffer_bytes : RING_BYTES_DEFAULT;
	uint64_t bytes = RING_BYTES_MIN;

	while (bytes < requested && bytes < 1u << 30)
		bytes *= 2;
	return bytes;
}

static int refuse_use(const char *why, struct sooth_error *err)
{
	error_set(err, -EOPNOTSUPP, SOOTH_FAULT_UNSUPPORTED, "trace system calls by ptrace");
	error_why(err, "%s", why);
	return error_remedy(err, "run sooth as root, without --backend ptrace");
}

static int ptrace_open(struct backend_run *run, struct sooth_error *err)
{
	const struct sooth_calls_options *calls = &run->options.observer.calls;
	struct ptrace_state *s = run->state;
	struct syscalls_config *config;
	int status;

	if (run->options.is_host || run->options.has_uid)
		return refuse_use("ptrace stops each process at each call: name processes with -p "
				  "PID",
			err);
	if (calls->has_call_budget || calls->records_api)
		return refuse_use("ptrace only counts and streams calls", err);
	config = calloc(1, sizeof(*config));
	if (!config)
		return error_no_memory(err);
	status = syscalls_config_set(config, &run->options, err);
	if (!status)
		status = tracer_start(&s->tracer, config, ring_bytes(&run->options.observer), err);
	free(config);
	if (status)
		tracer_close(&s->tracer);
	return status;
}

static void ptrace_close(struct backend_run *run)
{
	struct ptrace_state *s = run->state;

	tracer_close(&s->tracer);
}

static int refuse_process(const struct process_id *process, int code, struct sooth_error *err)
{
	return error_set(err, code,
		code == -ESRCH	 ? SOOTH_FAULT_NOT_FOUND
		: code == -EPERM ? SOOTH_FAULT_PRIVILEGE
				 : SOOTH_FAULT_IO,
		"trace process %u", (unsigned)process->pid);
}

static int ptrace_set(struct backend_run *run, const struct process_id *process, unsigned interest,
	struct sooth_error *err)
{
	struct ptrace_state *s = run->state;
	int status;

	if (!interest)
		return tracer_forget(&s->tracer, process) ? 0 : 0;
	status = syscalls_target_check(run, process, err);
	if (!status)
		status = tracer_seize(&s->tracer, process, interest);
	return status ? refuse_process(process, status, err) : 0;
}

static int ptrace_start(struct backend_run *run, struct sooth_error *err)
{
	struct ptrace_state *s = run->state;
	int status = tracer_begin(&s->tracer);

	return status ? error_errno(err, status, "start to trace") : 0;
}

static void emit_losses(struct backend_run *run)
{
	struct ptrace_state *s = run->state;
	struct tracer_losses now = *s->tracer.losses;

	if (now.calls != s->reported.calls)
		backend_loss(run, now.calls - s->reported.calls, 0,
			"the ring buffer was full: records of calls were lost; use a larger one: "
			"--buffer 128M");
	if (now.threads != s->reported.threads)
		backend_loss_of(run, "process", now.threads - s->reported.threads, 0,
			"some threads were not followed");
	if (now.silent != s->reported.silent)
		syscalls_target_silent(run, now.silent - s->reported.silent);
	if (now.urings && !s->reported.urings)
		backend_limit(run, "requests submitted through io_uring",
			"ptrace sees system calls only, and the target uses io_uring",
			"run sooth as root, without --backend ptrace");
	s->reported = now;
}

static int ptrace_drain(struct backend_run *run, struct sooth_error *err)
{
	struct ptrace_state *s = run->state;

	if (!s->has_ended && !tracer_is_alive(&s->tracer)) {
		s->has_ended = true;
		backend_limit(run,
			"system calls after the process sooth-tracer was ended or stopped",
			"it traces for sooth, and the target runs on without it",
			"run the command again");
	}
	shared_ring_read(&s->tracer.ring, &run->out);
	emit_losses(run);
	return buffer_failed(&run->out) ? error_no_memory(err) : 0;
}

static int ptrace_stop(struct backend_run *run, struct sooth_error *err)
{
	struct ptrace_state *s = run->state;

	tracer_stop(&s->tracer, &run->out);
	emit_losses(run);
	return buffer_failed(&run->out) ? error_no_memory(err) : 0;
}

static int ptrace_descriptor(struct backend_run *run)
{
	struct ptrace_state *s = run->state;

	return s->tracer.ring.wake;
}

/* Never chosen unasked. */
static uint64_t ptrace_cost(const struct probe_options *options)
{
	return options->observer.calls.by_ptrace ? 0 : UINT64_MAX;
}

static const struct need *const needs[] = { &need_procfs, &need_syscall_info, NULL };

const struct backend backend_syscalls_ptrace = {
	.name = "ptrace",
	.probe = "syscalls",
	.help = "ptrace(2) on request, for own processes without privilege; stops the target at "
		"each call",
	.needs = needs,
	.target_ns = 8000,
	.price_source = "bench/trace on Linux 6.18",
	.lateness_ns = LATENESS_NS,
	.sample_cost = ptrace_cost,
	.state_size = sizeof(struct ptrace_state),
	.open = ptrace_open,
	.set = ptrace_set,
	.start = ptrace_start,
	.drain = ptrace_drain,
	.stop = ptrace_stop,
	.descriptor = ptrace_descriptor,
	.close = ptrace_close,
};

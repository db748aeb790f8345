/* SPDX-License-Identifier: BSD-2-Clause */
/* System calls by ptrace(2), for the caller's own processes. Only on request: each call stops the
 * target. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "os/linux/ptrace/call_filter.h"
#include "os/linux/ptrace/tracer.h"
#include "os/linux/ptrace/tracer_refusal.h"
#include "os/linux/rights/needs.h"
#include "os/linux/syscalls/syscalls_config.h"
#include "os/os.h"

#define RING_BYTES_DEFAULT (8u << 20)
#define RING_BYTES_MIN	   (64u << 10)
#define LAUNCH_STEPS	   100
#define LAUNCH_STEP_US	   2000
/* from the stop at the return of a call to its record, on a busy host */
#define LATENESS_NS (20 * NS_PER_MS)

struct ptrace_state {
	struct tracer tracer;
	struct tracer_state reported;
	uint64_t event_ns; /* time of the stop that was handled before the last read; 0: none */
	bool has_ended;	   /* the tracer has ended before it was stopped */
};

static uint64_t ring_bytes(const struct sooth_observer_options *options)
{
	uint64_t requested = options->buffer_bytes ? options->buffer_bytes : RING_BYTES_DEFAULT;
	uint64_t bytes = RING_BYTES_MIN;

	while (bytes < requested && bytes < 1u << 30)
		bytes *= 2;
	return bytes;
}

static int refuse_use(const char *why, const char *remedy, struct sooth_error *err)
{
	error_set(err, -EOPNOTSUPP, SOOTH_FAULT_UNSUPPORTED, "trace system calls by ptrace");
	error_why(err, "%s", why);
	return error_remedy(err, "%s", remedy);
}

static int ptrace_suits(const struct probe_options *options, struct sooth_error *err)
{
	const struct sooth_calls_options *calls = &options->observer.calls;

	if (options->is_host || options->has_uid)
		return refuse_use("ptrace stops each process at each call",
			"name processes with -p PID", err);
	if (calls->by_seccomp && !options->is_launched)
		return refuse_use("--seccomp filters the calls of a command from its start",
			"sooth trace --backend ptrace --seccomp -e SET -- COMMAND", err);
	if (calls->has_call_budget || calls->records_api)
		return refuse_use("it only counts and streams calls", "run sooth as root", err);
	return 0;
}

static int ptrace_open(struct backend_run *run, struct sooth_error *err)
{
	struct ptrace_state *s = run->state;
	struct tracer_options options = { .ring_bytes = ring_bytes(&run->options.observer),
		.is_lossless = run->options.observer.calls.must_hold,
		.is_filtered = run->options.observer.calls.by_seccomp };
	int status;
	struct syscalls_config *config = calloc(1, sizeof(*config));

	if (!config)
		return error_no_memory(err);
	status = syscalls_config_set(config, &run->options, err);
	options.config = config;
	if (!status)
		status = tracer_start(&s->tracer, &options, err);
	free(config);
	if (status)
		tracer_close(&s->tracer);
	return status;
}

static int ptrace_launching(struct backend_run *run, struct launch *launch, struct sooth_error *err)
{
	struct syscalls_config *config;
	int status;

	if (!run->options.observer.calls.by_seccomp)
		return 0;
	config = calloc(1, sizeof(*config));
	if (!config)
		return error_no_memory(err);
	status = syscalls_config_set(config, &run->options, err);
	if (!status && (status = call_filter_make(config, &launch->preload.filter)))
		error_errno(err, status, "make a filter of the calls");
	free(config);
	return status;
}

static void ptrace_close(struct backend_run *run)
{
	struct ptrace_state *s = run->state;

	tracer_close(&s->tracer);
}

/* Yama allows sooth to trace a command that it launches only once the command has asked for it
 * (launch.c). */
static int seize_target(
	struct backend_run *run, const struct process_id *process, unsigned interest)
{
	struct ptrace_state *s = run->state;
	int status = tracer_seize(&s->tracer, process, interest, &run->out);

	for (int i = 0; i < LAUNCH_STEPS && status == -EPERM && interest & INTEREST_FROM_EXEC;
		i++) {
		usleep(LAUNCH_STEP_US);
		status = tracer_seize(&s->tracer, process, interest, &run->out);
	}
	return status;
}

static int ptrace_set(struct backend_run *run, const struct process_id *process, unsigned interest,
	struct sooth_error *err)
{
	struct ptrace_state *s = run->state;
	int status;

	if (!interest) {
		tracer_forget(&s->tracer, process, &run->out);
		return 0;
	}
	status = syscalls_target_check(run, process, err);
	if (!status && run->options.observer.calls.must_hold)
		status = tracer_refuse_reader(process, err);
	if (status)
		return status;
	status = seize_target(run, process, interest);
	return status ? tracer_refuse(process, status, err) : 0;
}

static int ptrace_start(struct backend_run *run, struct sooth_error *err)
{
	struct ptrace_state *s = run->state;
	int status = tracer_begin(&s->tracer, &run->out);

	return status ? error_errno(err, status, "start to trace") : 0;
}

static uint64_t ptrace_hits(struct backend_run *run)
{
	const struct ptrace_state *s = run->state;

	return __atomic_load_n(&s->tracer.state->hits, __ATOMIC_RELAXED);
}

/* A call that is only counted stops the target, too. */
static bool ptrace_lighten(struct backend_run *run, struct backend_step *step)
{
	(void)run;
	*step = (struct backend_step){ "system calls", "sooth has detached" };
	return false;
}

static void emit_losses(struct backend_run *run)
{
	struct ptrace_state *s = run->state;
	struct tracer_state now = *s->tracer.state;

	if (now.calls != s->reported.calls)
		backend_loss(run, now.calls - s->reported.calls, 0,
			"the ring buffer was full: records of calls were lost; use a larger one: "
			"--buffer 128M");
	if (now.lost_counts != s->reported.lost_counts)
		backend_loss(run, now.lost_counts - s->reported.lost_counts, 0,
			"sooth's table of calls was full: some calls were not counted");
	if (now.lost_errors != s->reported.lost_errors)
		backend_loss(run, now.lost_errors - s->reported.lost_errors, 0,
			"sooth's table of errors was full: some errors were counted without their "
			"errno");
	if (now.lost_events != s->reported.lost_events)
		backend_loss_of(run, "process", now.lost_events - s->reported.lost_events, 0,
			"some execs, begins and ends of processes were not recorded");
	if (now.threads != s->reported.threads)
		backend_loss_of(run, "process", now.threads - s->reported.threads, 0,
			"some threads were not followed");
	if (now.silent != s->reported.silent)
		syscalls_target_silent(run, now.silent - s->reported.silent);
	if (now.urings && !s->reported.urings)
		backend_limit(run, "requests submitted through io_uring",
			"ptrace sees system calls only, and the target uses io_uring",
			"run sooth as root, without --backend ptrace");
	if (now.released != s->reported.released)
		backend_limit(run, "a thread after an exec that may have gained privilege",
			"the kernel would withhold the privilege from a traced program, so sooth "
			"detached before the exec",
			"run sooth as root");
	s->reported = now;
}

static void note_end(struct backend_run *run)
{
	struct ptrace_state *s = run->state;

	if (s->has_ended)
		return;
	s->has_ended = true;
	backend_limit(run,
		"calls that are only counted, and calls after the process sooth-tracer was ended "
		"or stopped",
		"it traces for sooth, and the target runs on without it", "run the command again");
}

static int ptrace_drain(struct backend_run *run, struct sooth_error *err)
{
	struct ptrace_state *s = run->state;

	if (!s->has_ended && !tracer_is_alive(&s->tracer))
		note_end(run);
	s->event_ns = __atomic_load_n(&s->tracer.state->event_ns, __ATOMIC_ACQUIRE);
	shared_ring_read(&s->tracer.ring, &run->out);
	emit_losses(run);
	return buffer_failed(&run->out) ? error_no_memory(err) : 0;
}

static int ptrace_stop(struct backend_run *run, struct sooth_error *err)
{
	struct ptrace_state *s = run->state;

	if (tracer_stop(&s->tracer, &run->out))
		note_end(run);
	emit_losses(run);
	return buffer_failed(&run->out) ? error_no_memory(err) : 0;
}

/* Records are made in the order of their times: only that of the stop which is being handled, or
 * waits for room, may still come. */
static uint64_t ptrace_complete(struct backend_run *run, uint64_t now_ns)
{
	struct ptrace_state *s = run->state;
	uint64_t idle_ns = now_ns - LATENESS_NS;

	return s->event_ns && s->event_ns < idle_ns ? s->event_ns : idle_ns;
}

static int ptrace_descriptor(struct backend_run *run)
{
	struct ptrace_state *s = run->state;

	return s->tracer.ring.wake;
}

/* Never chosen unless requested: it slows the target. */
static uint64_t ptrace_cost(const struct probe_options *options)
{
	const struct sooth_calls_options *calls = &options->observer.calls;

	return calls->by_ptrace || calls->must_hold ? 0 : UINT64_MAX;
}

static const struct need *const needs[] = { &need_procfs, &need_ptrace, NULL };

const struct backend backend_syscalls_ptrace = {
	.name = "ptrace",
	.probe = "syscalls",
	.help = "ptrace(2) on request, for own processes without privilege; stops the target at "
		"each call",
	.needs = needs,
	.target_ns = 8000,
	.price_source = "bench/trace on Linux 6.18",
	.event = "system call",
	.lateness_ns = LATENESS_NS,
	.only_on_request = true,
	.sample_cost = ptrace_cost,
	.complete_ns = ptrace_complete,
	.state_size = sizeof(struct ptrace_state),
	.suits = ptrace_suits,
	.open = ptrace_open,
	.set = ptrace_set,
	.start = ptrace_start,
	.launching = ptrace_launching,
	.hits = ptrace_hits,
	.lighten = ptrace_lighten,
	.drain = ptrace_drain,
	.stop = ptrace_stop,
	.descriptor = ptrace_descriptor,
	.close = ptrace_close,
};

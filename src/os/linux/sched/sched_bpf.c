/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * States of threads by BPF: src/bpf/sched.bpf.c at switches and wake-ups. All programs are attached
 * before the first state begins, and all states end at one time.
 *
 * Cannot be seen: kernel threads; a wake-up by an interrupt within another BPF program's use of
 * task storage on kernels before 6.2 (the wait then ends when the thread runs).
 */
#include <errno.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "bpf/sched.h"
#include "os/linux/bpf/follow.h"
#include "os/linux/rights/needs.h"
#include "os/os.h"

#define RING_BYTES_DEFAULT   (4u << 20)
#define LATENESS_NS	     (5 * NS_PER_MS)
#define AHEAD_NS	     NS_PER_MS
#define SWITCH_WITHOUT_STATE 3 /* arguments of sched_switch */

struct sched_run {
	struct follow follow;
	struct sched_control *control;
	uint64_t reported_lost;
};

static void sched_close(struct backend_run *run)
{
	struct sched_run *s = run->state;

	follow_close(&s->follow);
}

static int set_config(struct follow *f, struct sooth_error *err)
{
	struct sched_config *config =
		bpf_code_constants(&f->code, ".rodata.config", sizeof(*config), err);

	if (!config)
		return -EINVAL;
	config->has_state = bpf_fitted_arguments(&f->code.fitted, "kernel_tp/sched_switch") >
			    SWITCH_WITHOUT_STATE;
	return 0;
}

static int sched_open(struct backend_run *run, struct sooth_error *err)
{
	static const struct follow_options options = { .image = &bpf_image_sched,
		.image_hash = &bpf_image_sched_hash,
		.ring_bytes = RING_BYTES_DEFAULT,
		.losing = "the ring buffer was full: states of threads were lost; use a larger "
			  "one: --buffer 128M" };
	struct sched_run *s = run->state;
	int status = follow_open(&s->follow, run, &options, err);

	if (!status)
		status = set_config(&s->follow, err);
	if (!status)
		status = follow_load(&s->follow, err);
	if (!status) {
		s->control = bpf_code_variables(
			&s->follow.code, ".data.control", sizeof(*s->control), err);
		status = s->control ? 0 : -EINVAL;
	}
	if (status)
		sched_close(run);
	return status;
}

static int sched_set(struct backend_run *run, const struct process_id *process, unsigned interest,
	struct sooth_error *err)
{
	struct sched_run *s = run->state;

	return follow_set_interest(&s->follow, run, process, interest, err);
}

/* Begins. A program that still reads 0 when its clock is past the begin misses a change: so the
 * begin is set ahead of its time, and sooth waits for it. A command that is launched may take
 * less. */
static void begin_states(struct sched_run *s, const struct backend_run *run)
{
	uint64_t from = run->os->now_ns(run->os) + AHEAD_NS;
	const struct timespec at = { (time_t)(from / NS_PER_S), (long)(from % NS_PER_S) };

	s->control->began_ns = from;
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
		;
}

static int sched_start(struct backend_run *run, struct sooth_error *err)
{
	static const char *const programs[] = { "on_waking", "on_wakeup", "on_switch" };
	struct sched_run *s = run->state;
	int status = follow_all(&s->follow, run, err);

	for (size_t i = 0; i < ARRAY_SIZE(programs) && !status; i++)
		status = bpf_code_attach(&s->follow.code, programs[i], err);
	if (!status)
		begin_states(s, run);
	return status;
}

static uint64_t sched_hits(struct backend_run *run)
{
	const struct sched_run *s = run->state;

	return s->control->switches;
}

/* single changes, times of threads */
static bool sched_lighten(struct backend_run *run, struct backend_step *step)
{
	struct sched_run *s = run->state;
	bool has_step = run->options.interest & INTEREST_STREAM && !s->control->is_light;

	*step = has_step ? (struct backend_step){ "single changes of states of threads",
		"their times are only added up" }
			 : (struct backend_step){ "times of threads", "sooth has detached" };
	s->control->is_light = true;
	return has_step;
}

static void emit_losses(struct backend_run *run)
{
	struct sched_run *s = run->state;
	uint64_t lost = ((volatile struct sched_control *)s->control)->lost;

	if (lost != s->reported_lost)
		backend_loss(run, lost - s->reported_lost, 0,
			"the ring buffer was full: times of some threads were lost; use a larger "
			"one: --buffer 128M");
	s->reported_lost = lost;
}

static int sched_drain(struct backend_run *run, struct sooth_error *err)
{
	struct sched_run *s = run->state;

	follow_read(&s->follow, run, &run->out);
	emit_losses(run);
	return buffer_failed(&run->out) ? error_no_memory(err) : 0;
}

static int sched_stop(struct backend_run *run, struct sooth_error *err)
{
	struct sched_run *s = run->state;
	int status;

	/* From here on no state is recorded: the ring has room for the sums. */
	s->control->ended_ns = run->os->now_ns(run->os);
	follow_read(&s->follow, run, &run->out);
	status = follow_stop(&s->follow, run, err);
	emit_losses(run);
	return status;
}

static int sched_descriptor(struct backend_run *run)
{
	struct sched_run *s = run->state;

	return s->follow.ring.wake;
}

static const struct need *const needs[] = { &need_bpf, &need_btf, &need_bpf_ring, &need_procfs,
	&need_time_namespace, NULL };

const struct backend backend_sched_bpf = {
	.name = "bpf",
	.probe = "sched",
	.target_ns = 1100,
	.bystander_ns = 400,
	.price_source = "bench/offcpu on Linux 6.18",
	.event = "switch of a thread",
	.help = "BTF-typed tracepoints at switches and wake-ups; follows threads, forks and exec",
	.needs = needs,
	.lateness_ns = LATENESS_NS,
	.state_size = sizeof(struct sched_run),
	.open = sched_open,
	.set = sched_set,
	.start = sched_start,
	.hits = sched_hits,
	.lighten = sched_lighten,
	.drain = sched_drain,
	.stop = sched_stop,
	.descriptor = sched_descriptor,
	.close = sched_close,
};

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Resident memory by BPF: src/bpf/resident.bpf.c at each change of the kernel's counters.
 *
 * Cannot be seen: kernel threads; before Linux 6.2 the last 64 page faults of each thread, which
 * the kernel adds up first.
 */
#include <errno.h>
#include <unistd.h>

#include "base/units.h"
#include "bpf/resident.h"
#include "os/linux/bpf/follow.h"
#include "os/linux/rights/needs.h"
#include "os/os.h"

#define RING_BYTES_DEFAULT (4u << 20)
#define LATENESS_NS	   (5 * NS_PER_MS)
#define LEAST_BATCH	   32 /* of the kernel's percpu_counter_batch */
#define THREAD_BATCH	   64 /* TASK_RSS_EVENTS_THRESH */

struct resident_run {
	struct follow follow;
	struct resident_control *control;
	struct resident_control reported;
};

static void resident_close(struct backend_run *run)
{
	struct resident_run *s = run->state;

	follow_close(&s->follow);
}

/* Linux 6.2 gave the tracepoint two arguments, and the counters batches by CPU. */
static bool counts_by_cpu(struct follow *f)
{
	return bpf_fitted_arguments(&f->code.fitted, "kernel_tp/rss_stat") == 2;
}

static int set_config(struct follow *f, struct sooth_error *err)
{
	struct resident_config *config =
		bpf_code_constants(&f->code, ".rodata.config", sizeof(*config), err);
	int cpus = libbpf_num_possible_cpus();
	uint32_t batch = 2 * (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);

	if (!config)
		return -EINVAL;
	config->page_bytes = (uint32_t)sysconf(_SC_PAGESIZE);
	config->cpus = cpus > 0 ? (uint32_t)cpus : 1;
	config->batch_pages = !counts_by_cpu(f)	    ? THREAD_BATCH
			      : batch > LEAST_BATCH ? batch
						    : LEAST_BATCH;
	return 0;
}

static int resident_open(struct backend_run *run, struct sooth_error *err)
{
	static const struct follow_options options = { .image = &bpf_image_resident,
		.image_hash = &bpf_image_resident_hash,
		.ring_bytes = RING_BYTES_DEFAULT,
		.losing = "the ring buffer was full: processes were lost; use a larger one: "
			  "--buffer 128M" };
	struct resident_run *s = run->state;
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
		resident_close(run);
	return status;
}

static int resident_set(struct backend_run *run, const struct process_id *process,
	unsigned interest, struct sooth_error *err)
{
	struct resident_run *s = run->state;

	return follow_set_interest(&s->follow, run, process, interest, err);
}

static int resident_start(struct backend_run *run, struct sooth_error *err)
{
	struct resident_run *s = run->state;
	int status = follow_all(&s->follow, run, err);

	return status ? status : bpf_code_attach(&s->follow.code, "on_change", err);
}

static uint64_t resident_hits(struct backend_run *run)
{
	const struct resident_run *s = run->state;

	return ((volatile struct resident_control *)s->control)->events;
}

static bool resident_lighten(struct backend_run *run, struct backend_step *step)
{
	struct resident_run *s = run->state;

	*step = (struct backend_step){ "changes of resident memory", "sooth has detached" };
	s->control->is_off = true;
	return false;
}

static void emit_losses(struct backend_run *run)
{
	struct resident_run *s = run->state;
	struct resident_control now = *(volatile struct resident_control *)s->control;

	if (now.lost != s->reported.lost)
		backend_loss(run, now.lost - s->reported.lost, 0,
			"the ring buffer was full: changes of resident memory were lost; peaks are "
			"complete; use a larger one: --buffer 128M");
	if (now.lost_spaces && !s->reported.lost_spaces)
		backend_limit(run, "resident memory of some processes",
			"there are more than 8192 processes", "select fewer with -p");
	s->reported = now;
}

static int resident_drain(struct backend_run *run, struct sooth_error *err)
{
	struct resident_run *s = run->state;

	follow_read(&s->follow, run, &run->out);
	emit_losses(run);
	return buffer_failed(&run->out) ? error_no_memory(err) : 0;
}

static int resident_stop(struct backend_run *run, struct sooth_error *err)
{
	struct resident_run *s = run->state;
	int status;

	follow_read(&s->follow, run, &run->out);
	status = follow_stop(&s->follow, run, err);
	emit_losses(run);
	return status;
}

static int resident_descriptor(struct backend_run *run)
{
	struct resident_run *s = run->state;

	return s->follow.ring.wake;
}

static const struct need *const needs[] = { &need_bpf, &need_btf, &need_bpf_ring, &need_procfs,
	&need_time_namespace, NULL };

const struct backend backend_resident_bpf = {
	.name = "bpf",
	.probe = "resident",
	.target_ns = 440,
	.bystander_ns = 30,
	.price_source = "faults of each page of 1 GiB on Linux 6.18",
	.event = "change of resident memory",
	.help = "the tracepoint of the kernel's counters; follows threads, forks and exec",
	.needs = needs,
	.lateness_ns = LATENESS_NS,
	.state_size = sizeof(struct resident_run),
	.open = resident_open,
	.set = resident_set,
	.start = resident_start,
	.hits = resident_hits,
	.lighten = resident_lighten,
	.drain = resident_drain,
	.stop = resident_stop,
	.descriptor = resident_descriptor,
	.close = resident_close,
};

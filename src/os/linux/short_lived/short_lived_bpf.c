/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * short_lived by BPF: a tracepoint where processes end (src/bpf/short_lived.bpf.c), on the whole
 * host. A caller without root sees only its own user's processes.
 *
 * Cannot be seen: the parent of a process, if it had ended before it.
 */
#include <unistd.h>

#include "base/units.h"
#include "bpf/short_lived.h"
#include "os/linux/bpf/bpf.h"
#include "os/linux/rights/needs.h"
#include "os/linux/bpf/ring.h"
#include "os/os.h"
#include "probes/short_lived.h"

#define RING_BYTES	(256u << 10)
#define LATENESS_NS	(5 * NS_PER_MS)
#define LIFE_NS_DEFAULT (10 * NS_PER_S) /* no samples are taken */

struct short_lived_state {
	struct bpf_code code;
	struct ring ring;
	volatile struct short_lived_control *control;
	uint64_t reported; /* losses already reported */
	uint64_t life_ns;
};

static void short_lived_close(struct backend_run *run)
{
	struct short_lived_state *s = run->state;

	ring_close(&s->ring);
	bpf_code_close(&s->code);
}

/* Returns twice the time between samples: a sample may be late. */
static uint64_t life_most_ns(const struct backend_run *run)
{
	return run->options.observer.sample_ns ? 2 * run->options.observer.sample_ns
					       : LIFE_NS_DEFAULT;
}

static int set_config(struct backend_run *run, struct sooth_error *err)
{
	struct short_lived_state *s = run->state;
	struct short_lived_config *config =
		bpf_code_constants(&s->code, ".rodata.config", sizeof(*config), err);

	if (!config)
		return err->code;
	s->life_ns = life_most_ns(run);
	*config = (struct short_lived_config){ .life_most_ns = s->life_ns,
		.ticks_per_s = (uint64_t)sysconf(_SC_CLK_TCK),
		.uid = getuid(),
		.is_of_all = !getuid() };
	return 0;
}

static int short_lived_open(struct backend_run *run, struct sooth_error *err)
{
	struct short_lived_state *s = run->state;
	int status = bpf_code_open(&s->code, &bpf_image_short_lived, run->log, err);

	if (!status)
		status = set_config(run, err);
	if (!status) {
		s->control = bpf_code_load_control(&s->code, sizeof(*s->control), err);
		status = s->control ? 0 : err->code;
	}
	if (!status)
		status = ring_open(&s->ring, bpf_code_map(&s->code, "ring"), RING_BYTES, err);
	if (status)
		short_lived_close(run);
	return status;
}

static int short_lived_start(struct backend_run *run, struct sooth_error *err)
{
	struct short_lived_state *s = run->state;
	struct short_lived_watch watch = { .record = { .time_ns = run->os->now_ns(run->os),
						   .kind = SHORT_LIVED_WATCH,
						   .cpu = SOOTH_CPU_NONE },
		.life_most_ns = s->life_ns,
		.uid = getuid(),
		.is_of_all = !getuid() };
	int status = bpf_code_attach(&s->code, "on_exit", err);

	if (!status)
		RECORD_APPEND(&run->out, &watch, NULL, 0);
	if (!status && getuid())
		backend_limit(run, "other users' processes that end between two samples",
			"only root can see exits of other users' processes", "run sooth as root");
	return status;
}

static int short_lived_drain(struct backend_run *run, struct sooth_error *err)
{
	struct short_lived_state *s = run->state;
	uint64_t lost = s->control->lost;

	(void)err;
	ring_read(&s->ring, &run->out);
	if (lost != s->reported)
		backend_loss(run, lost - s->reported, 0,
			"the ring buffer was full: records of process exits were lost");
	s->reported = lost;
	return 0;
}

static int short_lived_stop(struct backend_run *run, struct sooth_error *err)
{
	struct short_lived_state *s = run->state;

	bpf_code_detach(&s->code);
	again_emit(s->code.object, run,
		"some process exits: the kernel skipped the BPF program while a preempted thread "
		"was inside it");
	return short_lived_drain(run, err);
}

static const struct need *const needs[] = { &need_procfs, &need_time_namespace, &need_bpf,
	&need_bpf_ring, &need_btf, NULL };

const struct backend backend_short_lived_bpf = {
	.name = "bpf",
	.probe = "short_lived",
	.target_ns = 330,
	.bystander_ns = 330,
	.price_source = "the run time of its BPF programs, on Linux 6.18",
	.event = "start or end of a process",
	.is_bounded = true,
	.help = "a BTF-typed tracepoint where processes exit, on the whole host",
	.needs = needs,
	.lateness_ns = LATENESS_NS,
	.admits_itself = true,
	.state_size = sizeof(struct short_lived_state),
	.open = short_lived_open, /* no set: it watches the whole host */
	.start = short_lived_start,
	.drain = short_lived_drain,
	.stop = short_lived_stop,
	.close = short_lived_close,
};

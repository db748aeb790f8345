/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * signals by procfs, and handlers by an iteration over the kernel's tasks (src/bpf/signals.bpf.c).
 * Nothing is attached to the process.
 *
 * Cannot be seen: handlers of processes that the caller could not trace without sooth.
 */
#include "bpf/signals.h"

#include <string.h>

#include "os/linux/bpf/bpf.h"
#include "os/linux/rights/needs.h"
#include "os/linux/signals/signals_snapshot.h"

struct signals_bpf {
	struct signals_reader reader;
	struct bpf_code code;
	struct signals_control *control;
	struct buffer actions;
};

static uint8_t copy_actions(
	const struct buffer *actions, struct signals_place *places, size_t *count)
{
	struct cursor c = cursor_over(actions->data, actions->size);

	while (*count < SIGNALS_MAX && cursor_left(&c) >= sizeof(struct signals_action)) {
		struct span bytes = cursor_bytes(&c, sizeof(struct signals_action));
		struct signals_action from;

		memcpy(&from, bytes.data, sizeof(from));
		places[(*count)++] = (struct signals_place){ from.handler, from.flags, from.blocked,
			from.signal };
	}
	return cursor_at_end(&c) ? SOOTH_STATE_VALUE : SOOTH_STATE_TRUNCATED;
}

static uint8_t read_handlers(struct backend_run *run, const struct process_id *process,
	struct signals_place places[SIGNALS_MAX], size_t *count)
{
	struct signals_bpf *s = run->state;
	struct sooth_error err;
	int status;

	buffer_reset(&s->actions);
	*(volatile uint32_t *)&s->control->pid = process->pid;
	status = bpf_code_walk_thread(&s->code, "on_task", process, &s->actions, &err);
	if (status)
		return procfs_state(status);
	return copy_actions(&s->actions, places, count);
}

static void signals_close(struct backend_run *run)
{
	struct signals_bpf *s = run->state;

	bpf_code_close(&s->code);
	buffer_fini(&s->actions);
	signals_reader_close(run);
}

static int signals_open(struct backend_run *run, struct sooth_error *err)
{
	struct signals_bpf *s = run->state;
	int status = bpf_code_open(&s->code, &bpf_image_signals, run->log, err);

	signals_reader_open(run, err);
	s->reader.handlers = read_handlers;
	if (!status) {
		s->control = bpf_code_load_control(&s->code, sizeof(*s->control), err);
		status = s->control ? 0 : err->code;
	}
	if (status)
		signals_close(run);
	return status;
}

static const struct need *const needs[] = { &need_procfs, &need_time_namespace, &need_bpf,
	&need_bpf_ring, &need_btf, NULL };

/* Returns the cost of a sample: without handlers /proc has everything. */
static uint64_t signals_sample_cost(const struct probe_options *options)
{
	return options->interest & INTEREST_DETAIL ? 0 : UINT64_MAX;
}

const struct backend backend_signals_bpf = {
	.name = "bpf",
	.probe = "signals",
	.help = "reads /proc, and handlers with a BPF iterator; nothing stays attached",
	.needs = needs,
	.sample_cost = signals_sample_cost,
	.state_size = sizeof(struct signals_bpf),
	.open = signals_open,
	.set = members_backend_set,
	.start = signals_reader_sample,
	.sample = signals_reader_sample,
	.joined = signals_reader_joined,
	.stop = members_backend_stop,
	.close = signals_close,
};

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stacks by BPF: src/bpf/stacks.bpf.c iterates over the threads of a process and returns their
 * registers, also of those that wait or are about to run. Nothing is attached, and nothing stops.
 *
 * Cannot be seen: where a thread is that runs on a CPU just then; its registers are those of its
 * last entry into the kernel, at most some milliseconds ago.
 */
#include "bpf/stacks.h"

#include <errno.h>

#include "os/linux/bpf/bpf.h"
#include "os/linux/rights/needs.h"
#include "os/linux/stacks/stacks_reader.h"

struct stacks_bpf {
	struct stacks_reader reader;
	struct bpf_code code;
	struct stacks_control *control;
};

static int read_threads(
	struct backend_run *run, const struct process_snapshot *of, struct buffer *out)
{
	struct stacks_bpf *s = run->state;
	struct sooth_error err;
	int status;

	*(volatile uint32_t *)&s->control->pid = (uint32_t)of->id.pid;
	status = bpf_code_walk_process(&s->code, "on_task", &of->id, out, &err);
	if (status)
		return status == -EPERM || status == -ESRCH ? status : -EIO;
	return buffer_failed(out) ? -ENOMEM : 0;
}

static void stacks_close(struct backend_run *run)
{
	struct stacks_bpf *s = run->state;

	bpf_code_close(&s->code);
	stacks_reader_close(&s->reader);
}

static int stacks_open(struct backend_run *run, struct sooth_error *err)
{
	struct stacks_bpf *s = run->state;
	int status = stacks_reader_open(&s->reader, run, err);

	s->reader.read = read_threads;
	if (!status)
		status = bpf_code_open(&s->code, &bpf_image_stacks, run->log, err);
	if (!status) {
		s->control = bpf_code_load_control(&s->code, sizeof(*s->control), err);
		status = s->control ? 0 : err->code;
	}
	if (status)
		stacks_close(run);
	return status;
}

static const struct need *const needs[] = { &need_procfs, &need_time_namespace, &need_bpf,
	&need_btf, NULL };

const struct backend backend_stacks_bpf = {
	.name = "bpf",
	.probe = "stacks",
	.help = "registers by a BPF iterator, memory by process_vm_readv; nothing is stopped",
	.needs = needs,
	.state_size = sizeof(struct stacks_bpf),
	.open = stacks_open,
	.set = members_backend_set,
	.start = stacks_reader_sample,
	.sample = stacks_reader_sample,
	.stop = stacks_reader_stop,
	.defines_at_stop = true,
	.close = stacks_close,
};

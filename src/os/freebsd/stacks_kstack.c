/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stacks by kern.proc.kstack, like procstat -k: nothing is stopped. Users can read their own
 * processes, root can read all.
 *
 * Cannot be seen: frames of user space; the stack of a thread that runs; the call that it is in.
 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "os/bsd/members.h"
#include "os/bsd/named_stacks.h"
#include "os/bsd/sampling.h"
#include "os/freebsd/decode/kinfo_kstack.h"
#include "probes/stacks.h"

#define UNSUPPORTED SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED)

struct stacks_kstack {
	struct bsd_members members; /* first */
	struct named_stacks stacks;
	bool has_reported;
};

static int stacks_open(struct backend_run *run, struct sooth_error *err)
{
	struct stacks_kstack *s = run->state;
	int status = bsd_members_open(run, err);

	named_stacks_init(&s->stacks, STACKS_STACK, STACKS_FRAME);
	return status;
}

static void stacks_close(struct backend_run *run)
{
	struct stacks_kstack *s = run->state;

	bsd_members_close(run);
	named_stacks_fini(&s->stacks);
}

static uint32_t put_stack(struct backend_run *run, const struct kstack_thread *t)
{
	struct stacks_kstack *s = run->state;
	struct cursor trace = cursor_over(t->trace.data, t->trace.size);
	struct named_frame named[NAMED_FRAMES_MAX];
	struct kstack_frame f;
	size_t count = 0;

	while (count < NAMED_FRAMES_MAX && kstack_frame_next(&f, &trace))
		named[count++] = (struct named_frame){ .function = f.function,
			.file = span_of("", 0),
			.build_id = span_of("", 0),
			.offset = f.address,
			.begin = f.address - f.into,
			.kind = PROFILE_KERNEL };
	return named_stacks_put(&s->stacks, run, named, count, PROFILE_WHOLE);
}

static const struct bsd_thread *find_thread(const struct buffer *all, uint64_t tid)
{
	buffer_each (const struct bsd_thread, t, all) {
		if (t->tid == tid)
			return t;
	}
	return NULL;
}

static void write_thread(struct backend_run *run, const struct bsd_process *process,
	const struct kstack_thread *t, const struct bsd_thread *known)
{
	struct stacks_thread r = {
		.record = bsd_record(run, &process->id, t->tid, STACKS_THREAD),
		.cpu_ns = known ? known->cpu_ns : 0,
		.cpu_state = known ? SOOTH_STATE_VALUE : SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED),
		.state = known ? known->state : '?',
		.call_state = UNSUPPORTED,
		.channel_state =
			known && known->wait_channel[0] ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.is_on_cpu = t->state == KSTACK_RUNNING,
	};
	const char *channel = known ? known->wait_channel : "", *name = known ? known->name : "";
	struct record_tail tail[] = { { &r.wait_channel, channel, strlen(channel) } };

	r.stack = t->trace.size ? put_stack(run, t) : 0;
	r.stack_state =
		r.stack ? SOOTH_STATE_VALUE
			: (t->state == KSTACK_RUNNING ? UNSUPPORTED
						      : SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED));
	memcpy(r.process, process->name, strnlen(process->name, sizeof(r.process) - 1));
	memcpy(r.thread, name, strnlen(name, sizeof(r.thread) - 1));
	RECORD_APPEND(&run->out, &r, tail, ARRAY_SIZE(tail));
}

static void sample_process(struct backend_run *run, const struct bsd_process *process)
{
	const struct bsd_source *s = bsd_source_of(run->os);
	struct stacks_kstack *state = run->state;
	struct stacks_snapshot end = { 0 };
	struct buffer answer = { 0 }, threads = { 0 };
	int status = s->kernel_stacks(s, (pid_t)process->id.pid, &answer);
	struct cursor c = cursor_over(answer.data, answer.size);
	struct kstack_thread t;

	if (s->threads(s, (pid_t)process->id.pid, &threads))
		buffer_reset(&threads);
	while (!status && kstack_next(&t, &c)) {
		write_thread(run, process, &t, find_thread(&threads, t.tid));
		end.threads++;
	}
	if (!state->has_reported)
		backend_limit(run,
			status == -EOPNOTSUPP ? "stacks of threads" : "frames of user space",
			status == -EOPNOTSUPP ? "this kernel has no option STACK"
					      : "kern.proc.kstack has only frames of the kernel",
			"");
	state->has_reported = true;
	end.threads_state = bsd_state(status);
	end.record = bsd_record(run, &process->id, 0, STACKS_SNAPSHOT);
	RECORD_APPEND(&run->out, &end, NULL, 0);
	buffer_fini(&answer);
	buffer_fini(&threads);
}

static int stacks_sample(struct backend_run *run, struct sooth_error *err)
{
	return bsd_members_visit(run, sample_process, err);
}

const struct backend backend_stacks_kstack = {
	.name = "kstack",
	.probe = "stacks",
	.help = "reads kern.proc.kstack: waiting threads, frames of the kernel alone",
	.state_size = sizeof(struct stacks_kstack),
	.open = stacks_open,
	.set = bsd_members_set,
	.start = stacks_sample,
	.sample = stacks_sample,
	.stop = bsd_members_stop,
	.close = stacks_close,
};

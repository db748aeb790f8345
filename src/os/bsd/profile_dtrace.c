/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel counts stacks; each second dtrace names their frames and prints them. A stack is
 * written as many samples as its count, all with the time of that second.
 *
 * Cannot be seen: frames of the kernel, names of threads, functions of processes that have ended.
 */
#include <errno.h>
#include <string.h>

#include "base/units.h"
#include "os/bsd/dtrace_follow.h"
#include "os/bsd/named_stacks.h"
#include "os/os.h"

#define RATE_DEFAULT 97
#define SAMPLES_MAX  1000000 /* samples of one stack in a second; a higher count is an error */

struct profile_dtrace {
	struct dtrace_follow follow; /* first */
	struct named_stacks stacks;
	/* The stack whose lines are being read. */
	struct dtrace_process of;
	uint64_t tid, samples;
	struct buffer frames; /* struct kept_frame */
	struct buffer texts;
	bool is_in_stack;
};

static const struct need *const needs[] = { &need_dtrace, NULL };

/* A frame whose texts are offsets, because the buffer grows. */
struct kept_frame {
	size_t function, function_size, module, module_size;
	uint64_t address, into;
};

static int profile_dtrace_open(struct backend_run *run, struct sooth_error *err)
{
	struct profile_dtrace *s = run->state;

	if (probe_stack_trigger(&run->options) != STACK_BY_CLOCK) {
		error_set(err, -EOPNOTSUPP, SOOTH_FAULT_UNSUPPORTED, "sample stacks");
		return error_why(err, "the profile provider samples only running threads");
	}
	*s = (struct profile_dtrace){ 0 };
	named_stacks_init(&s->stacks, PROFILE_STACK, PROFILE_FRAME);
	return dtrace_follow_open(&s->follow, err);
}

static void profile_dtrace_close(struct backend_run *run)
{
	struct profile_dtrace *s = run->state;

	dtrace_follow_close(&s->follow);
	named_stacks_fini(&s->stacks);
	buffer_fini(&s->frames);
	buffer_fini(&s->texts);
}

static int profile_dtrace_set(struct backend_run *run, const struct process_id *process,
	unsigned interest, struct sooth_error *err)
{
	struct profile_dtrace *s = run->state;

	return dtrace_follow_set_interest(&s->follow, run, process, interest, err);
}

static uint32_t rate_of(const struct backend_run *run)
{
	return probe_rate_hz(&run->options, RATE_DEFAULT);
}

static void write_program(
	struct backend_run *run, const struct dtrace_targets *targets, struct buffer *out)
{
	dtrace_program_profile(out, targets, rate_of(run));
}

static void append_frame(struct profile_dtrace *s, struct span line)
{
	struct dtrace_frame f;
	struct kept_frame k;

	if (!dtrace_frame_decode(&f, line)) {
		s->follow.unread += line.size > 0;
		return;
	}
	k = (struct kept_frame){ .function = s->texts.size,
		.function_size = f.function.size,
		.module = s->texts.size + f.function.size,
		.module_size = f.module.size,
		.address = f.address,
		.into = f.into };
	buffer_append(&s->texts, f.function.data, f.function.size);
	buffer_append(&s->texts, f.module.data, f.module.size);
	buffer_append(&s->frames, &k, sizeof(k));
}

static void emit_finished_stack(struct backend_run *run)
{
	struct profile_dtrace *s = run->state;
	const struct kept_frame *kept = (const void *)s->frames.data;
	const char *texts = (const char *)s->texts.data;
	size_t count = s->frames.size / sizeof(*kept);
	struct named_frame named[NAMED_FRAMES_MAX];
	struct profile_sample r = { .record = { .time_ns = run->os->now_ns(run->os),
					    .start_ticks = s->of.id.start_ticks,
					    .pid = s->of.id.pid,
					    .tid = (uint32_t)s->tid,
					    .kind = PROFILE_SAMPLE,
					    .cpu = SOOTH_CPU_NONE },
		.period_ns = (uint32_t)(NS_PER_S / rate_of(run)) };

	s->is_in_stack = false;
	if (!s->samples || buffer_failed(&s->frames) || buffer_failed(&s->texts))
		return;
	for (size_t i = 0; i < count && i < NAMED_FRAMES_MAX; i++)
		named[i] = (struct named_frame){
			.function = span_of(texts + kept[i].function, kept[i].function_size),
			.file = span_of(texts + kept[i].module, kept[i].module_size),
			.offset = kept[i].function_size ? kept[i].into : kept[i].address,
			.kind = PROFILE_USER,
		};
	r.stack = named_stacks_put(&s->stacks, run, named, count, PROFILE_WHOLE);
	memcpy(r.process, s->of.name, strnlen(s->of.name, sizeof(r.process) - 1));
	memcpy(r.thread, r.process, sizeof(r.thread));
	for (uint64_t i = 0; i < s->samples; i++)
		RECORD_APPEND(&run->out, &r, NULL, 0);
}

static void handle_line(struct backend_run *run, struct dtrace_process *p,
	const struct dtrace_line *l, struct span whole, uint64_t time_ns)
{
	struct profile_dtrace *s = run->state;

	(void)time_ns;
	if (l->kind == 's') {
		s->is_in_stack = true;
		s->tid = l->tid;
		s->samples = p && l->count <= SAMPLES_MAX ? l->count : 0;
		if (p)
			s->of = *p;
		buffer_reset(&s->frames);
		buffer_reset(&s->texts);
	} else if (l->kind == 'S' && s->is_in_stack) {
		emit_finished_stack(run);
	} else if (!l->kind && s->is_in_stack) {
		append_frame(s, whole);
	} else if (!l->kind) {
		s->follow.unread++;
	}
}

static int profile_dtrace_start(struct backend_run *run, struct sooth_error *err)
{
	struct profile_dtrace *s = run->state;

	return dtrace_follow_start(&s->follow, run, write_program, err);
}

static int profile_dtrace_drain(struct backend_run *run, struct sooth_error *err)
{
	struct profile_dtrace *s = run->state;

	return dtrace_follow_drain(&s->follow, run, write_program, handle_line, err);
}

static int profile_dtrace_stop(struct backend_run *run, struct sooth_error *err)
{
	struct profile_dtrace *s = run->state;

	(void)err;
	dtrace_follow_stop(&s->follow, run, handle_line);
	if (s->follow.unread)
		backend_loss(run, s->follow.unread, 0, "lines of dtrace that could not be read");
	if (s->stacks.refused)
		backend_loss(run, s->stacks.refused, 0, "the table of stacks was full");
	s->follow.unread = s->stacks.refused = 0;
	return 0;
}

const struct backend backend_profile_dtrace = { .name = "dtrace",
	.probe = "profile",
	.help = "dtrace(1), its profile provider: stacks of user space, as root",
	.needs = needs,
	.lateness_ns = 2 * NS_PER_S,
	.state_size = sizeof(struct profile_dtrace),
	.open = profile_dtrace_open,
	.set = profile_dtrace_set,
	.start = profile_dtrace_start,
	.drain = profile_dtrace_drain,
	.stop = profile_dtrace_stop,
	.close = profile_dtrace_close };

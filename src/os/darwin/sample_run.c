/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/darwin/sample_run.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "os/darwin/decode/sample.h"

#define ANSWER_MS 60000 /* sample(1) looks up the names of functions */
#define STEP_MS	  100

int sample_run(struct tool *t, const struct bsd_source *s, uint32_t pid, struct sooth_error *err)
{
	char number[16];
	const char *const words[] = { s->sample, number, "1", "1000", "-mayDie", "-file",
		"/dev/stdout", NULL };
	uint64_t end_ns = clock_monotonic_ns() + (uint64_t)ANSWER_MS * NS_PER_MS;
	int status;

	snprintf(number, sizeof(number), "%u", pid);
	status = tool_start(t, words, err);
	if (status)
		return status;
	while (!tool_read(t) && clock_monotonic_ns() < end_ns)
		tool_wait(t, STEP_MS);
	if (t->has_ended)
		return 0;
	error_set(err, -ETIMEDOUT, SOOTH_FAULT_IO, "sample process %u", pid);
	return error_why(err, "sample(1) has not ended after a minute");
}

/* --- what threads wait in --- */

struct finding {
	struct bsd_thread *threads;
	size_t count;
	uint64_t tid, weight; /* thread and weight of the kept stack */
};

static struct bsd_thread *thread_of(struct finding *f, uint64_t tid)
{
	for (size_t i = 0; i < f->count; i++) {
		if (f->threads[i].tid == tid)
			return &f->threads[i];
	}
	return NULL;
}

/* Keeps the wait channel of a thread from its stack with the most samples. */
static void keep_wait_channel(void *user, const struct sample_thread *thread,
	const struct sample_frame *frames, size_t depth, uint64_t weight, bool is_cut)
{
	struct finding *f = user;
	struct bsd_thread *t = thread_of(f, thread->tid);
	struct span function;
	bool is_call, waits;
	size_t size;

	if (!t || (f->tid == thread->tid && weight <= f->weight))
		return;
	f->tid = thread->tid;
	f->weight = weight;
	memset(t->wait_channel, 0, sizeof(t->wait_channel));
	if (!depth || is_cut)
		return;
	function = frames[depth - 1].function;
	size = function.size < sizeof(t->wait_channel) ? function.size
						       : sizeof(t->wait_channel) - 1;
	/* Others wait in calls that rarely wait, like a lock of fcntl(2). */
	is_call = span_equal(frames[depth - 1].image, "libsystem_kernel.dylib");
	waits = sample_waits(function) || t->state == 'S' || t->state == 'D';
	if (is_call && waits)
		memcpy(t->wait_channel, function.data, size);
}

int darwin_wait_functions(
	const struct bsd_source *s, pid_t pid, struct buffer *threads, struct sooth_error *err)
{
	struct finding f = { .threads = (void *)threads->data,
		.count = threads->size / sizeof(*f.threads) };
	char complaint[200];
	struct sample_head head;
	struct span report;
	struct tool t;
	int status;

	tool_init(&t);
	status = sample_run(&t, s, (uint32_t)pid, err);
	report = span_of((const char *)t.lines.data, t.lines.size);
	if (!status && (!sample_head_decode(&head, report) || head.pid != (uint32_t)pid ||
			       !sample_walk(report, keep_wait_channel, &f))) {
		tool_first_complaint(&t, complaint, sizeof(complaint));
		status = error_set(err, -EIO, SOOTH_FAULT_IO, "sample process %d", (int)pid);
		error_why(err, "%s", complaint[0] ? complaint : "sample(1) gave no report");
	}
	tool_fini(&t);
	return status;
}

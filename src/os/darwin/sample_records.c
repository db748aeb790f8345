/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/darwin/sample_records.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "os/bsd/members.h"
#include "os/darwin/decode/sample.h"
#include "probes/stacks.h"

#define UNSUPPORTED SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED)

struct writing {
	struct named_stacks *stacks;
	struct backend_run *run;
	const struct process_id *process;
	struct sample_head head;
	struct sample_image *images;
	size_t image_count;
	struct sample_counts *counts;
	/* The current thread, for stacks. */
	uint64_t tid, weight;
	struct stacks_thread thread;
	struct span channel; /* function in which the thread waits */
	bool has_thread;
};

static const struct sample_image *image_of(const struct writing *w, const struct sample_frame *f)
{
	for (size_t i = 0; i < w->image_count; i++) {
		if (f->address >= w->images[i].begin && f->address <= w->images[i].end)
			return &w->images[i];
	}
	return NULL;
}

static struct named_frame frame_of(const struct writing *w, const struct sample_frame *f)
{
	const struct sample_image *image = image_of(w, f);
	struct named_frame named = { .function = f->function,
		.file = image && image->path.size ? image->path : f->image,
		.build_id = image ? image->uuid : span_of("", 0),
		.offset = f->address,
		.kind = PROFILE_USER };

	if (image)
		named.offset = f->address - image->begin;
	else if (!f->function.size)
		named.offset = f->into;
	named.begin = f->function.size && f->into <= named.offset ? named.offset - f->into : 0;
	return named;
}

static uint32_t put_stack(
	const struct writing *w, const struct sample_frame *frames, size_t depth, bool is_cut)
{
	struct named_frame named[NAMED_FRAMES_MAX];
	size_t count = depth < NAMED_FRAMES_MAX ? depth : NAMED_FRAMES_MAX;

	for (size_t i = 0; i < count; i++)
		named[i] = frame_of(w, &frames[depth - 1 - i]);
	return named_stacks_put(w->stacks, w->run, named, count,
		is_cut || count < depth ? PROFILE_DEPTH : PROFILE_WHOLE);
}

static void copy_name(char out[PROFILE_NAME_BYTES], struct span name)
{
	size_t size = name.size < PROFILE_NAME_BYTES ? name.size : PROFILE_NAME_BYTES - 1;

	memset(out, 0, PROFILE_NAME_BYTES);
	memcpy(out, name.data, size);
}

static void write_samples(void *user, const struct sample_thread *thread,
	const struct sample_frame *frames, size_t depth, uint64_t weight, bool is_cut)
{
	struct writing *w = user;
	struct profile_sample r = {
		.record = bsd_record(w->run, w->process, thread->tid, PROFILE_SAMPLE),
		.period_ns = (uint32_t)(w->head.interval_ns < UINT32_MAX ? w->head.interval_ns
									 : UINT32_MAX),
	};

	if (depth && sample_waits(frames[depth - 1].function)) {
		w->counts->waiting += weight;
		return;
	}
	r.stack = put_stack(w, frames, depth, is_cut);
	copy_name(r.process, w->head.name);
	copy_name(r.thread, thread->name.size ? thread->name : w->head.name);
	for (uint64_t i = 0; i < weight; i++)
		RECORD_APPEND(&w->run->out, &r, NULL, 0);
	w->counts->running += weight;
}

static void end_thread(struct writing *w)
{
	struct record_tail tail[] = { { &w->thread.wait_channel, w->channel.data,
		w->channel.size } };

	if (!w->has_thread)
		return;
	RECORD_APPEND(&w->run->out, &w->thread, tail, ARRAY_SIZE(tail));
	w->counts->threads++;
	w->has_thread = false;
}

static void keep_heaviest(void *user, const struct sample_thread *thread,
	const struct sample_frame *frames, size_t depth, uint64_t weight, bool is_cut)
{
	struct writing *w = user;
	bool waits = depth && sample_waits(frames[depth - 1].function);

	if (w->tid != thread->tid)
		end_thread(w);
	else if (w->has_thread && weight <= w->weight)
		return;
	w->tid = thread->tid;
	w->weight = weight;
	w->thread = (struct stacks_thread){
		.record = bsd_record(w->run, w->process, thread->tid, STACKS_THREAD),
		.stack = put_stack(w, frames, depth, is_cut),
		.state = waits ? 'S' : 'R',
		.cpu_state = UNSUPPORTED,
		.call_state = UNSUPPORTED,
		.channel_state = waits ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.has_moved = w->has_thread || weight < thread->samples,
	};
	w->channel = waits ? frames[depth - 1].function : (struct span){ 0 };
	w->thread.stack_state = w->thread.stack ? SOOTH_STATE_VALUE : SOOTH_STATE_TRUNCATED;
	copy_name(w->thread.process, w->head.name);
	copy_name(w->thread.thread, thread->name.size ? thread->name : w->head.name);
	w->has_thread = true;
}

static bool begin_report(struct writing *w, struct named_stacks *s, struct backend_run *run,
	const struct process_id *process, struct span report, struct sample_counts *counts)
{
	*w = (struct writing){ .stacks = s, .run = run, .process = process, .counts = counts };
	*counts = (struct sample_counts){ 0 };
	if (!sample_head_decode(&w->head, report) || w->head.pid != process->pid)
		return false;
	w->images = calloc(SAMPLE_IMAGES_MAX, sizeof(*w->images));
	if (w->images)
		w->image_count = sample_images(w->images, SAMPLE_IMAGES_MAX, report);
	return w->images != NULL;
}

bool sample_write_profile(struct named_stacks *s, struct backend_run *run,
	const struct process_id *process, struct span report, struct sample_counts *counts)
{
	struct writing w;
	bool is_whole = begin_report(&w, s, run, process, report, counts) &&
			sample_walk(report, write_samples, &w);

	free(w.images);
	return is_whole;
}

bool sample_write_stacks(struct named_stacks *s, struct backend_run *run,
	const struct process_id *process, struct span report, struct sample_counts *counts)
{
	struct writing w;
	bool is_whole = begin_report(&w, s, run, process, report, counts) &&
			sample_walk(report, keep_heaviest, &w);

	end_thread(&w);
	free(w.images);
	return is_whole;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Walks and names stacks as `sooth stack` does. */
#include "image_stacks.h"

#include <string.h>
#include <fcntl.h>
#include <unistd.h>

#include "model/batch.h"
#include "os/linux/files/procfs.h"
#include "os/linux/profile/stack_walker.h"
#include "probes/stacks.h"

#define FRAMES_MAX 4096

struct defined {
	const struct profile_frame *frames[FRAMES_MAX];
};

static struct span text_of(const void *record, const struct sooth_text *text)
{
	return span_of((const char *)record + text->offset, text->size);
}

static void put_frame(struct buffer *text, const struct profile_frame *f)
{
	struct span function = text_of(f, &f->function), file = text_of(f, &f->file);

	/* A script's place is a file with a line; the file of native code is told by its name. */
	if (f->frame_kind != PROFILE_SCRIPT)
		file = path_base(file);
	if (function.size)
		buffer_format(text, "  %.*s", (int)function.size, function.data);
	else if (f->frame_kind == PROFILE_GENERATED)
		buffer_string(text, "  (generated)");
	else
		buffer_format(text, "  0x%llx", (unsigned long long)f->offset);
	buffer_format(text, "  %.*s\n", (int)file.size, file.data);
}

static void put_stack(struct buffer *text, const struct profile_stack *s, const struct defined *all)
{
	struct span numbers = text_of(s, &s->frames);

	buffer_format(text, "thread%s\n", s->end == PROFILE_WHOLE ? "" : " (cut)");
	for (size_t i = 0; i < numbers.size / sizeof(uint32_t); i++) {
		uint32_t number;

		memcpy(&number, numbers.data + i * sizeof(number), sizeof(number));
		if (number < FRAMES_MAX && all->frames[number])
			put_frame(text, all->frames[number]);
	}
}

static void put_all(struct buffer *text, const struct buffer *records)
{
	const struct batch batch = { records->data, records->size };
	struct defined all = { 0 };

	batch_for_each (r, &batch) {
		const struct profile_frame *f = (const void *)r;

		if (r->kind == STACKS_FRAME && f->frame < FRAMES_MAX)
			all.frames[f->frame] = f;
	}
	batch_for_each (r, &batch) {
		if (r->kind == STACKS_STACK)
			put_stack(text, (const void *)r, &all);
	}
}

static void walk_threads(struct stack_walker *w, const struct image_thread *threads, size_t count,
	struct buffer *records)
{
	for (size_t i = 0; i < count; i++) {
		const struct stacks_seen seen = { .pc = threads[i].pc,
			.sp = threads[i].sp,
			.fp = threads[i].fp,
			.link = threads[i].link,
			.thread_pointer = threads[i].thread_pointer,
			.tid = i ? (uint32_t)threads[i].tid
				 : (uint32_t)w->process.pid, /* the first one's */
			.call = -1,
			.has_registers = 1 };

		stack_walker_walk(w, &seen, NULL, 1, records);
	}
}

bool image_stacks(pid_t pid, const struct image_thread *threads, size_t count, struct buffer *text)
{
	const struct process_id id = { .pid = (uint32_t)pid, .start_ticks = 1 };
	int directory = procfs_open(pid);
	struct buffer records = { 0 };
	const struct probe_options defaults = { 0 };
	struct stack_walker w = { 0 };
	bool is_hidden, is_read;

	stack_walker_open(&w, STACKS_STACK, STACKS_FRAME, &defaults, NULL);
	/* Debug information of the system that looks is none of the image. */
	close(w.files.root);
	w.files.root = open("/proc/self/fdinfo", O_PATH | O_DIRECTORY | O_CLOEXEC);
	is_read = directory >= 0 && stack_walker_process(&w, &id, directory) >= 0;
	if (is_read) {
		walk_threads(&w, threads, count, &records);
		stack_walker_name(&w, &records, &is_hidden);
	}
	buffer_reset(text);
	if (is_read) {
		put_all(text, &records);
		image_waits(pid, text);
	}
	stack_walker_fini(&w);
	buffer_fini(&records);
	if (directory >= 0)
		close(directory);
	return is_read;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stacks in the form that profiler formats share. Each thread is a list of time ranges, which have
 * a stack or are idle; stacks are nodes with parents. Aggregated stacks form one thread, in which
 * each stack lasts as long as its weight.
 */
#pragma once

#include "base/json.h"
#include "base/names.h"
#include "sinks/stack_walk.h"
#include "sinks/tabular.h"

#define SAMPLE_IDLE 0 /* the node without frames */

struct sample_frame {
	uint32_t kind;
	uint32_t file_at; /* offset of the file in the frame's text, after the name */
};

/* The number of a node is its index + 1; parents come before their children. */
struct sample_node {
	uint32_t parent; /* SAMPLE_IDLE: none */
	uint32_t frame;
};

struct sample_stretch {
	uint64_t begin, length; /* ns since the recording began; or units of the weight */
	uint32_t node;
	uint32_t samples; /* 0: idle */
};

struct sample_thread {
	struct names texts;	 /* texts of frames: name, then file */
	struct buffer frames;	 /* struct sample_frame, by number of the text */
	struct buffer nodes;	 /* struct sample_node */
	struct buffer stretches; /* struct sample_stretch */
	struct map by_place;	 /* parent and frame -> uint32_t node */
	uint64_t pid, tid;	 /* 0: stacks of no single thread */
	struct buffer process, thread;
	uint64_t end;	 /* end of the last time range */
	uint64_t period; /* period of the last sample */
};

/* The first member of the state of a sink for profiler formats. */
struct sample_threads {
	struct tabular out; /* the file, in JSON */
	struct json json;
	struct sample_thread current;
	struct stack_walk walk;
	const struct sooth_field *kind, *file, *time, *process, *pid, *thread, *tid;
	const struct section_samples *samples; /* samples of the section; NULL: aggregated */
	uint64_t at;			       /* time of the current sample */
	uint64_t start_unix_ns;		       /* start of the recording; 0: unknown */
	struct buffer title;		       /* title of the section */
	uint32_t frames[STACK_DEPTH_MAX];      /* frames of the current stack */
	bool is_open, has_thread, is_time, is_bytes, has_begun, failed;
	/* Called when a thread is complete; `state`: of the sink. */
	int (*done)(void *state, const struct sample_thread *t, struct sooth_error *err);
};

void sample_threads_open(struct sample_threads *s, FILE *stream, const char *doing,
	int (*done)(void *state, const struct sample_thread *t, struct sooth_error *err));
/* Writes the rest of the file, once its JSON is complete. */
int sample_threads_write_end(struct sample_threads *s, struct sooth_error *err);
/* Members of a sink (explain/sink.h). They take only the first section with stacks. */
int sample_threads_section(void *state, const struct section *section, struct sooth_error *err);
int sample_threads_rows(void *state, const struct section *section, const struct batch *batch,
	struct sooth_error *err);
int sample_threads_end(void *state, const struct section *section, struct sooth_error *err);
void sample_threads_close(void *state);

struct span sample_frame_name(const struct sample_thread *t, size_t frame);
struct span sample_frame_file(const struct sample_thread *t, size_t frame);

static inline size_t sample_frame_count(const struct sample_thread *t)
{
	return names_count(&t->texts);
}

static inline const struct sample_frame *sample_frame_at(
	const struct sample_thread *t, size_t frame)
{
	return (const struct sample_frame *)buffer_at(&t->frames, 0) + frame;
}

static inline size_t sample_node_count(const struct sample_thread *t)
{
	return t->nodes.size / sizeof(struct sample_node);
}

static inline const struct sample_node *sample_node_at(const struct sample_thread *t, size_t place)
{
	return (const struct sample_node *)buffer_at(&t->nodes, 0) + place;
}

static inline size_t sample_stretch_count(const struct sample_thread *t)
{
	return t->stretches.size / sizeof(struct sample_stretch);
}

static inline const struct sample_stretch *sample_stretch_at(
	const struct sample_thread *t, size_t place)
{
	return (const struct sample_stretch *)buffer_at(&t->stretches, 0) + place;
}

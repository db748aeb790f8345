/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The report of sample(1) of macOS: a head, a tree of calls for each thread ("Call graph:"), and
 * the programs in memory ("Binary Images:"). A line of the tree has a weight: the number of samples
 * with the frame. The weight that its callees lack is the frame's own.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cursor.h"

#define SAMPLE_DEPTH_MAX  512
#define SAMPLE_IMAGES_MAX 4096

struct sample_frame {
	struct span function; /* empty: unknown, "???" */
	struct span image;    /* name of the file, without a folder */
	uint64_t address;
	uint64_t into; /* bytes behind the begin of the function, or, if that is unknown, of the
			  image */
};

struct sample_thread {
	uint64_t tid;
	struct span name; /* name of the thread, else of its queue */
	uint64_t samples;
};

struct sample_image {
	struct span name, path, uuid;
	uint64_t begin, end;
};

struct sample_head {
	uint32_t pid;
	uint64_t interval_ns;
	struct span name; /* name of the process */
};

/* Gets a stack that was seen in `weight` samples: its frames, outermost first. */
typedef void (*sample_visitor)(void *user, const struct sample_thread *thread,
	const struct sample_frame *frames, size_t depth, uint64_t weight, bool is_cut);

/* Decodes the head. False: it is no report of sample(1). */
bool sample_head_decode(struct sample_head *out, struct span report);
/* Decodes the programs, `max` at most. Returns their number. */
size_t sample_images(struct sample_image *out, size_t max, struct span report);
/* Visits each stack. False: there is no tree, or its weights contradict each other. */
bool sample_walk(struct span report, sample_visitor visitor, void *user);
/* Returns whether a thread in this function of the system waits. */
bool sample_waits(struct span function);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Perf events for the threads of some processes and for all that they start, without privilege. A
 * thread is sampled at its CPU clock, with its registers and a copy of its stack. It needs one
 * event for each CPU, and all events of a CPU share a ring. */
#pragma once

#include <linux/perf_event.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "base/error.h"

struct perf_ring;

struct perf_rings {
	struct perf_ring *rings;
	size_t count;	      /* number of CPUs that are online */
	struct buffer events; /* int: descriptors */
	int wake;	      /* an epoll descriptor */
	uint64_t period_ns;
	uint32_t stack_bytes; /* copied for each sample */
	bool has_kernel;      /* also samples in the kernel, with kernel frames */
	bool has_no_samples;  /* records only mappings of code, execs, starts and ends */
};

struct perf_sample {
	uint32_t pid, tid, cpu;
	uint64_t time_ns; /* CLOCK_MONOTONIC */
	bool has_registers, is_foreign;
	uint64_t pc, sp, fp, link;
	const uint64_t *kernel;
	uint32_t kernel_frames;
	const unsigned char *stack;
	size_t stack_size;
};

/* Returns 0 if the caller may sample a process of its own. */
int perf_rings_test(struct sooth_error *err);
/* Opens rings of at most `bytes` each; 0: as much as this user may lock. */
int perf_rings_open(
	struct perf_rings *r, uint64_t period_ns, uint64_t bytes, struct sooth_error *err);
/* Opens rings of `bytes` each for events without samples. */
int perf_rings_open_mappings(struct perf_rings *r, uint64_t bytes, struct sooth_error *err);
/* Follows a thread, and all that it starts, from now on. -ESRCH: it has ended. */
int perf_rings_add(struct perf_rings *r, pid_t tid, struct sooth_error *err);
/* Stops all events; their records stay. */
void perf_rings_stop(struct perf_rings *r);
/* Appends all records of the rings, each a struct perf_event_header with the size of the record. */
void perf_rings_read(struct perf_rings *r, struct buffer *out);
/* Returns when a record was written; 0: the record has no time. */
uint64_t perf_record_time(const struct perf_event_header *header);
/* Parses a sample. False: the record is incomplete. */
bool perf_sample_parse(const struct perf_rings *r, const struct perf_event_header *header,
	struct perf_sample *out);
void perf_rings_close(struct perf_rings *r);

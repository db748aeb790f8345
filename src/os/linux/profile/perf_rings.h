/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Perf events of the threads of some processes and of all they start, without privilege: each is
 * sampled at its CPU clock, with its registers and a copy of its stack. A thread needs an event for
 * each CPU, and those of a CPU share a ring.
 */
#ifndef SOOTH_OS_LINUX_PERF_RINGS_H
#define SOOTH_OS_LINUX_PERF_RINGS_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "base/error.h"

struct perf_ring;

struct perf_rings {
	struct perf_ring *rings;
	size_t count;	      /* CPUs that are on */
	struct buffer events; /* int: descriptors */
	int wake;	      /* an epoll descriptor */
	uint64_t period_ns;
	uint32_t stack_bytes; /* copied for each sample */
	bool has_kernel;      /* samples in the kernel too, with its frames */
	bool has_no_samples;  /* only mappings of code, execs, starts and ends */
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

/* 0 when the caller may sample a process of its own. */
int perf_rings_test(struct sooth_error *err);
/* `bytes`: of each ring, at most; 0: what this user may lock. */
int perf_rings_open(
	struct perf_rings *r, uint64_t period_ns, uint64_t bytes, struct sooth_error *err);
/* The same without samples, of so many bytes. */
int perf_rings_open_mappings(struct perf_rings *r, uint64_t bytes, struct sooth_error *err);
/* From now on a thread, and what it starts. -ESRCH: it has ended. */
int perf_rings_add(struct perf_rings *r, pid_t tid, struct sooth_error *err);
/* Stops all events; their records stay. */
void perf_rings_stop(struct perf_rings *r);
/* Appends all records as they stand in the rings, each a struct perf_event_header with its size. */
void perf_rings_read(struct perf_rings *r, struct buffer *out);
/* When a record was written; 0: it does not say. */
uint64_t perf_record_time(const struct perf_event_header *header);
/* False: it is not whole. */
bool perf_sample_parse(const struct perf_rings *r, const struct perf_event_header *header,
	struct perf_sample *out);
void perf_rings_close(struct perf_rings *r);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a Go program keeps the data of its goroutines that sooth reads. The runtime exports no
 * table, and the structure `g` changes between versions. So the offsets are found in the goroutines
 * themselves, by known facts: the scheduler's buffer of a goroutine points back to the goroutine;
 * the first goroutine has the number 1 and began with runtime.main; numbers differ; states and
 * reasons are small (Go 1.19 to 1.24, src/runtime/runtime2.go). Offsets that do not fit are
 * refused.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GO_BYTES   448 /* that are read of a goroutine's structure, from its start */
#define GO_REASONS 64  /* number of reasons that a runtime may have */

/* Offsets in `g`. */
struct go_layout {
	uint16_t stack_pointer, frame, status, reason, since, start;
};

/* States of a goroutine (runtime/runtime2.go); a bit beside them says that its stack is scanned. */
enum go_status {
	GO_RUNNABLE = 1,
	GO_RUNNING = 2,
	GO_CALL = 3,
	GO_WAITING = 4,
	GO_DEAD = 6,
	GO_COPYING = 8,
	GO_PREEMPTED = 9,
	GO_STATES = 10,
};

struct go_goroutine {
	uint64_t address;
	unsigned char bytes[GO_BYTES];
};

/* Finds the layout by the first goroutines of a program. The very first of them runs `main`, the
 * address of runtime.main; `now_ns` is of CLOCK_MONOTONIC. False: they are no goroutines of a known
 * form. */
bool go_layout_find(struct go_layout *out, const struct go_goroutine *first, size_t count,
	uint64_t main, uint64_t now_ns);

enum go_status go_status_of(const struct go_layout *l, const struct go_goroutine *g);
uint64_t go_number_at(const struct go_goroutine *g, size_t offset);

/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Counts calls in memory of the thread. Each followed thread has this struct as its task storage.
 * Only the thread itself writes the struct, in its own system calls, so no lock, atomic or hash is
 * needed. A call number gets a slot at its first use; the caller keeps counts that find no slot.
 *
 * No BPF helper is called here: the same lines run in user-space tests.
 */
#pragma once

#include "bpf/log2.h"
#include "probes/syscalls.h"

#define AGGREGATE_NUMBERS   512	 /* native numbers that can have a slot */
#define AGGREGATE_ERROR_MAX 4095 /* the kernel's MAX_ERRNO */

struct aggregate_slot {
	uint32_t number;
	uint32_t unfinished;
	uint64_t count;
	uint64_t errors;
	uint64_t total_ns;
	uint64_t max_ns;
	uint64_t untimed; /* part of count */
	uint32_t histogram[SYSCALLS_BUCKETS];
};

struct aggregate_error {
	uint32_t number;
	uint32_t error;
	uint64_t count;
};

struct aggregate {
	uint32_t slots_used;
	uint32_t errors_used;
	uint8_t slot_of[AGGREGATE_NUMBERS]; /* 0: none yet, else slot + 1 */
	struct aggregate_error errors[SYSCALLS_ERROR_SLOTS];
	struct aggregate_slot slots[SYSCALLS_SLOTS];
};

static inline uint32_t aggregate_bucket(uint64_t ns)
{
	return log2_bucket(ns, SYSCALLS_BUCKETS);
}

/* Returns the slot of a native call, made if it is new; 0: no room. */
static inline struct aggregate_slot *aggregate_slot(struct aggregate *t, uint32_t number)
{
	uint32_t index;

	if (number >= AGGREGATE_NUMBERS)
		return 0;
	index = t->slot_of[number];
	if (!index) {
		index = t->slots_used;
		if (index >= SYSCALLS_SLOTS)
			return 0;
		t->slots_used = index + 1;
		t->slots[index].number = number;
		t->slot_of[number] = (uint8_t)(index + 1);
		return &t->slots[index];
	}
	index--;
	if (index >= SYSCALLS_SLOTS)
		return 0;
	return &t->slots[index];
}

static inline void aggregate_slot_add(struct aggregate_slot *s, int is_error, uint64_t duration_ns)
{
	s->count++;
	s->errors += is_error != 0;
	s->total_ns += duration_ns;
	if (duration_ns > s->max_ns)
		s->max_ns = duration_ns;
	s->histogram[aggregate_bucket(duration_ns) & (SYSCALLS_BUCKETS - 1)]++;
}

/* Counts a call without a measured time. */
static inline void aggregate_slot_add_untimed(struct aggregate_slot *s, int is_error)
{
	s->count++;
	s->errors += is_error != 0;
	s->untimed++;
}

/* Counts an error. Returns false if there is no room. */
static inline int aggregate_error(struct aggregate *t, uint32_t number, uint32_t error)
{
	for (uint32_t i = 0; i < SYSCALLS_ERROR_SLOTS; i++) {
		struct aggregate_error *e = &t->errors[i];

		if (i >= t->errors_used) {
			t->errors_used = i + 1;
			e->number = number;
			e->error = error;
			e->count = 1;
			return 1;
		}
		if (e->number == number && e->error == error) {
			e->count++;
			return 1;
		}
	}
	return 0;
}

static inline int aggregate_is_error(int64_t result)
{
	return result < 0 && result >= -AGGREGATE_ERROR_MAX;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The name of a process (see <sooth/record.h>) as a key. */
#pragma once

#include <stdbool.h>

#include <sooth/record.h>

/* Maps compare all bytes of the struct: initializers name the members, so that `zero` is 0. */
struct process_id {
	uint64_t start_ticks;
	uint32_t pid;
	uint32_t zero; /* instead of padding */
};

static inline struct process_id process_id_of(const struct sooth_record *r)
{
	return (struct process_id){ .start_ticks = r->start_ticks, .pid = r->pid };
}

static inline bool process_id_equal(const struct process_id *a, const struct process_id *b)
{
	return a->pid == b->pid && a->start_ticks == b->start_ticks;
}

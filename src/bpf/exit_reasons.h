/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Shared by the exit_reasons programs and their loader. */
#pragma once

#include "probes/exit_reasons.h"

#define EXIT_REASONS_MEMBERS_MAX  4096
#define EXIT_REASONS_CHILDREN_MAX 2048 /* descendants that are not watched themselves */

/* Set at load. */
struct exit_reasons_config {
	uint32_t page_bytes;
	uint32_t uid;	      /* if is_elevated: children with other ids are not reported */
	uint32_t is_elevated; /* sooth has more privileges than its caller */
	uint32_t unused;
};

struct exit_reasons_control {
	uint64_t lost_records; /* records that did not fit into the ring */
	uint64_t lost_members; /* processes whose signals found no room */
	uint64_t released;     /* processes no longer watched, because they gained privilege */
	uint64_t children;     /* children that are in the table now */
};

/* The last signal of each sort. If a signal is repeated, the first sender is kept. */
enum ends_slot {
	EXIT_REASONS_SLOT_KILL,
	EXIT_REASONS_SLOT_REQUESTED,
	EXIT_REASONS_SLOT_OTHER,
	EXIT_REASONS_SLOTS
};

struct exit_reasons_member {
	uint64_t start_ticks;
	uint64_t above_start_ticks; /* start of the watched ancestor of a child */
	uint32_t above_pid;	    /* 0: the process itself is watched */
	uint32_t unused;
	struct exit_reasons_signal sent[EXIT_REASONS_SLOTS]; /* signal 0: none */
};

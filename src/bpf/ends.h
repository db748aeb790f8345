/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the ends programs and their loader agree on. */
#ifndef SOOTH_BPF_ENDS_H
#define SOOTH_BPF_ENDS_H

#include "probes/ends.h"

#define ENDS_MEMBERS_MAX 4096

/* Fixed at load. */
struct ends_config {
	uint32_t page_bytes;
	uint32_t unused;
};

struct ends_control {
	uint64_t lost_records; /* that did not fit the ring */
	uint64_t lost_members; /* processes whose signals found no place */
	uint64_t let_go;       /* no longer watched, because they gained privilege */
};

/* The last signal of each sort; of the same number the first sender's stands. */
enum ends_slot { ENDS_SLOT_KILL, ENDS_SLOT_ASKED, ENDS_SLOT_OTHER, ENDS_SLOTS };

struct ends_member {
	uint64_t start_ticks;
	struct ends_signal sent[ENDS_SLOTS]; /* signal 0: none */
};

#endif

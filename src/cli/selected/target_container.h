/* SPDX-License-Identifier: BSD-2-Clause */
/* The container that an id, the begin of one, or a name selects in a process table. */
#pragma once

#include "analyze/process_table/process_table.h"

struct target_container {
	struct span id; /* in the table; empty: there is no such container */
	/* Its processes have its control group; else those below its monitor are its processes. */
	bool has_group;
	struct span group; /* the control group, in the table; valid with has_group */
	bool has_monitor;
	uint32_t monitor_uid;
};

/* Returns -E2BIG if several containers begin with the text, or have that name. */
int target_container_find(struct target_container *out, const struct process_table *c,
	const char *text, struct sooth_error *err);
bool target_container_has(const struct target_container *container, const struct process_entry *p);

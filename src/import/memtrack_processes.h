/* SPDX-License-Identifier: BSD-2-Clause */
/* Events of memtrack about processes and their resident memory, as records. */
#pragma once

#include "base/buffer.h"
#include "base/map.h"
#include "import/memtrack_event.h"

struct memtrack_processes {
	struct map levels; /* pid -> struct resident_level: the last one */
	bool has_any, has_levels;
};

void memtrack_processes_init(struct memtrack_processes *p);
void memtrack_processes_fini(struct memtrack_processes *p);
/* Appends the record of an event Rss, Fork, Exec or Exit. */
void memtrack_processes_add(
	struct memtrack_processes *p, const struct memtrack_event *e, struct buffer *records);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records proc.links: standard streams, markers in the environment, the processes that hold the
 * other end of standard input. Only processes of the same sample whose descriptors were read can be
 * found as holders: those close to an agent.
 */
#pragma once

#include "base/map.h"
#include "collect/backend.h"
#include "os/bsd/source.h"
#include "probes/proc.h"

struct bsd_links {
	struct map holders;    /* uint64_t, end of a pipe or socket -> struct bsd_holders */
	struct buffer pending; /* struct bsd_links_pending */
	struct buffer texts;   /* texts of `pending` */
	bool is_partial;       /* some descriptors could not be read */
};

void bsd_links_init(struct bsd_links *l);
void bsd_links_fini(struct bsd_links *l);
void bsd_links_begin(struct bsd_links *l);
/* Reads the descriptors. Returns how many the process itself opened, with the state of that number.
 * `markers`: from recognize/markers.h. */
uint32_t bsd_links_add(struct bsd_links *l, const struct backend_run *run,
	const struct bsd_process *process, const struct buffer *markers, uint8_t markers_state,
	uint8_t *state);
/* Writes the records, after all processes were added. */
void bsd_links_write(struct bsd_links *l, struct backend_run *run);

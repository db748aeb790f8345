/* SPDX-License-Identifier: BSD-2-Clause */
/* How complete the data of allocations is: probed functions, missed calls, pauses. */
#pragma once

#include "analyze/heap/heap_emit.h"
#include "analyze/pauses.h"

/*
 * Each segment of a capture repeats the definitions of sites, so sites are keyed by file and place.
 * A process may map one file several times (dlopen and dlclose), so the gaps of a file are added
 * up.
 */

struct heap_notes {
	struct map gaps;     /* process and file -> gap */
	struct map sites;    /* file and place -> site */
	struct map files;    /* the files of the sites */
	struct buffer texts; /* paths and reasons */
	struct pauses pauses;
	uint64_t attach_ns, forgotten_ns, sessions;
	bool has_cost;
	uint64_t unseen_ns_max;	    /* longest gap */
	uint64_t unfollowed_ns_max; /* longest gap with only frees of samples unseen; 0: none */
};

void heap_notes_init(struct heap_notes *n);
/* Notes that the values of stacks are estimates, if they are. */
void heap_notes_samples(struct output *output, const struct heap_live *live);
void heap_notes_fini(struct heap_notes *n);
void heap_notes_add_record(struct heap_notes *n, const struct sooth_record *r);
/* Sections "probes", "gaps", "pauses" and, if requested, "sites". */
int heap_notes_emit(
	struct heap_notes *n, struct heap_scope *scope, bool with_sites, struct sooth_error *err);

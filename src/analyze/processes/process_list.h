/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which processes of a host are listed, what is said of each, and in which order: by a
 * field, or as a tree.
 */
#ifndef SOOTH_ANALYZE_PROCESS_LIST_H
#define SOOTH_ANALYZE_PROCESS_LIST_H

#include "analyze/process_table/host_state.h"
#include "analyze/processes/process_rows.h"
#include "analyze/processes/processes.h"
#include "analyze/process_table/verdicts.h"

#define LISTED_DEPTH_MAX 60 /* deeper ones stand no deeper */

struct listed {
	struct process_entry *p;
	/* VERDICTS of them, owned; NULL: it has nothing to do with agents. */
	struct verdict *verdicts;
	double cpu_percent; /* negative: not measured */
	bool is_over_cpu, is_over_rss;
	bool is_over_unknown; /* of the CPU, which was not measured, and not over the other one */
	unsigned depth;
	struct process_row *row; /* for whoever makes rows; sorting by a field wants them */
	const struct processes_options *options;
	/* Of the tree, by index; LISTED_NONE. */
	size_t above, first, last, next;
};

#define LISTED_NONE SIZE_MAX

struct process_list {
	struct listed *all;
	size_t count;
	size_t unknown; /* who may not be looked at, and might be listed: process_table_is_unknown()
			 */
	size_t doubted; /* who would be listed as orphaned, if that could be decided */
};

/* Of a settled census; the options are borrowed. -ENOMEM. */
int process_list_make(
	struct process_list *list, const struct host_state *h, const struct processes_options *o);
/* By what the options say; in a tree whoever stands below the same one. -ENOMEM. */
int process_list_sort(struct process_list *list, const struct processes_options *o);
void process_list_fini(struct process_list *list);

static inline bool listed_holds(const struct listed *l, enum verdict_kind kind)
{
	return l->verdicts && l->verdicts[kind].holds;
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The listed processes of a host, with verdicts, sorted by a field or as a tree. */
#ifndef SOOTH_ANALYZE_PROCESS_LIST_H
#define SOOTH_ANALYZE_PROCESS_LIST_H

#include "analyze/process_table/host_state.h"
#include "analyze/processes/process_rows.h"
#include "analyze/processes/processes.h"
#include "analyze/process_table/verdicts.h"

#define LISTED_DEPTH_MAX 60 /* deeper rows are shown at this depth */

struct listed {
	struct process_entry *p;
	/* VERDICTS of them, owned; NULL: unrelated to agents. */
	struct verdict *verdicts;
	double cpu_percent; /* negative: not measured */
	bool is_over_cpu, is_over_rss;
	bool is_over_unknown; /* CPU was not measured, and no other threshold is exceeded */
	unsigned depth;
	struct process_row *row; /* for callers that make rows; also needed to sort by a field */
	const struct processes_options *options;
	/* Of the tree, by index; LISTED_NONE. */
	size_t above, first, last, next;
};

#define LISTED_NONE SIZE_MAX

struct process_list {
	struct listed *all;
	size_t count;
	size_t unknown; /* unreadable processes that might be listed: process_table_is_unknown() */
	size_t undecided; /* processes that may be orphaned: undecided */
};

/* The process table must be resolved; the options are borrowed. -ENOMEM. */
int process_list_make(
	struct process_list *list, const struct host_state *h, const struct processes_options *o);
/* By the options; in a tree among the children of one process. -ENOMEM. */
int process_list_sort(struct process_list *list, const struct processes_options *o);
void process_list_fini(struct process_list *list);

static inline bool listed_holds(const struct listed *l, enum verdict_kind kind)
{
	return l->verdicts && l->verdicts[kind].holds;
}

#endif

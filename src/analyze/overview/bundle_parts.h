/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables of a process in the view "bundle". */
#ifndef SOOTH_ANALYZE_BUNDLE_PARTS_H
#define SOOTH_ANALYZE_BUNDLE_PARTS_H

#include "analyze/diagnosis/diagnosed.h"
#include "analyze/overview/bundle_rows.h"

struct bundle_parts {
	struct buffer threads, descriptors, sockets, peers, memory; /* rows */
};

/* Fills the tables, and the values and states of the row that belong to them. -ENOMEM. */
int bundle_parts_make(struct bundle_parts *parts, const struct diagnosis_input *input,
	const struct diagnosed *j, struct bundle_process_row *row);
void bundle_parts_fini(struct bundle_parts *parts);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the view "traced". */
#ifndef SOOTH_ANALYZE_TRACED_H
#define SOOTH_ANALYZE_TRACED_H

#include "analyze/process_table/process_match.h"

struct traced_options {
	struct process_choice choice;
};

#endif

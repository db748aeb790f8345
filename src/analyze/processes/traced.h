/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the view "traced". */
#pragma once

#include "analyze/process_table/process_match.h"

struct traced_options {
	struct process_choice choice;
};

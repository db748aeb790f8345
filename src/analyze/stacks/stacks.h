/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the view of stacks. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "analyze/profile/profile_sums.h"

/* Zeroed: the defaults. */
struct stacks_options {
	uint32_t tid; /* only this thread; 0: all */
	struct frame_naming naming;
	/* Emit only the stack of the thread that matters: for use beside another view, in JSON and
	 * verbose text. */
	bool first_only;
};

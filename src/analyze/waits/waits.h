/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the view "waits". */
#pragma once

#include <stdbool.h>

struct waits_options {
	bool with_threads;    /* text output has the evidence of each thread */
	const char *if_empty; /* text line if there is no process; NULL: the default */
	struct first_answers
		*answers; /* what a diagnosis says of the same records; NULL: nothing */
};

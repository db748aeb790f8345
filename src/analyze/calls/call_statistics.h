/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the view "call-statistics". */
#pragma once

#include <stdbool.h>

struct call_statistics_options {
	/* Report once per interval, for that interval, and at the end for the whole run. */
	bool is_repeated;
};

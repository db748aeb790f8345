/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the view "call-statistics". */
#ifndef SOOTH_ANALYZE_CALL_STATISTICS_H
#define SOOTH_ANALYZE_CALL_STATISTICS_H

#include <stdbool.h>

struct call_statistics_options {
	/* Report once per interval, for that interval, and at the end for the whole run. */
	bool is_repeated;
};

#endif

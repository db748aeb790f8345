/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the view "processes". */
#ifndef SOOTH_ANALYZE_PROCESSES_H
#define SOOTH_ANALYZE_PROCESSES_H

#include <stdbool.h>

struct processes_options {
	bool only_agents; /* leave out what no recogniser knows */
	bool hide_ended;  /* leave out who was gone at the last sample */
};

#endif

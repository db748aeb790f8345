/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the view "processes". */
#ifndef SOOTH_ANALYZE_PROCESSES_H
#define SOOTH_ANALYZE_PROCESSES_H

#include <stdbool.h>

struct processes_options {
	/* Of a host or a user only what a recogniser knows; processes asked for by name are
	 * always shown. */
	bool only_agents;
	bool show_rules; /* a column that says why each is an agent */
	bool hide_ended; /* leave out who was gone at the last sample */
};

#endif

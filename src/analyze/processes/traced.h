/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the view "traced". */
#ifndef SOOTH_ANALYZE_TRACED_H
#define SOOTH_ANALYZE_TRACED_H

struct traced_options {
	const char *agent; /* only of its sessions; NULL: of all */
};

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the view "call-stacks". */
#ifndef SOOTH_ANALYZE_CALL_STACKS_H
#define SOOTH_ANALYZE_CALL_STACKS_H

struct call_stacks_options {
	const char *set; /* shown calls, in the syntax of probes/syscall_set.h; NULL: all */
};

#endif

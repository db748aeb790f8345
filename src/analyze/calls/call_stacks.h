/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the view "call-stacks". */
#pragma once

struct call_stacks_options {
	const char *set; /* shown calls, in the syntax of probes/syscall_set.h; NULL: all */
};

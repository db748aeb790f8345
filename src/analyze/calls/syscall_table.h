/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the view "syscall-table". */
#pragma once

#include <stdbool.h>

struct syscall_table_options {
	const char *set;  /* shown calls, in the syntax of probes/syscall_set.h; NULL: all */
	bool by_process;  /* a separate table for each process */
	bool is_repeated; /* report once per interval, for that interval, and at the end for the
			     whole run */
};

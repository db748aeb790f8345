/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the view "syscall-table". */
#ifndef SOOTH_ANALYZE_SYSCALL_TABLE_H
#define SOOTH_ANALYZE_SYSCALL_TABLE_H

#include <stdbool.h>

struct syscall_table_options {
	const char *set;  /* which are shown, as probes/syscall_set.h reads it; NULL: all */
	bool by_process;  /* of each process by itself */
	bool is_repeated; /* reported once an interval, each time of that interval; at the end all
			   */
};

#endif

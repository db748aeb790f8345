/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WORKLOAD_KILLED_H
#define WORKLOAD_KILLED_H

extern const char killed_call_name[];

/* Makes the child, waits until it is inside of the call, kills and reaps it. */
int killed_run(int parent_fd);

#endif

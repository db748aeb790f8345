/* SPDX-License-Identifier: BSD-2-Clause */
/* The functions of this program that probes stand in. */
#ifndef SOOTH_TESTS_UPROBES_TARGETS_H
#define SOOTH_TESTS_UPROBES_TARGETS_H

extern const void *const probed_functions[];
void refused_function(void);

#endif

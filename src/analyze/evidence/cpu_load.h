/* SPDX-License-Identifier: BSD-2-Clause */
/* How many runnable threads share a CPU. On a busy host a process gets less done in an interval, so
 * its rates are multiplied by this value. */
#ifndef SOOTH_ANALYZE_CPU_LOAD_H
#define SOOTH_ANALYZE_CPU_LOAD_H

#include "analyze/diagnosis/diagnosis_input.h"

/* Returns how many runnable threads share a CPU; 1: there are enough CPUs for all, or it was not
 * measured. */
double cpu_load_of(const struct diagnosis_input *input);

#endif

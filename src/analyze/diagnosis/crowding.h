/* SPDX-License-Identifier: BSD-2-Clause */
/* How many threads share a processor, besides what is diagnosed: on a crowded host a process gets
 * that much less done in an interval, and rates are compared with that in mind. */
#ifndef SOOTH_ANALYZE_CROWDING_H
#define SOOTH_ANALYZE_CROWDING_H

#include "analyze/diagnosis/diagnosis_input.h"

/* Returns how many runnable threads share a CPU; 1: there are enough CPUs for all, or it was not
 * measured. */
double crowding_of(const struct diagnosis_input *input);

#endif

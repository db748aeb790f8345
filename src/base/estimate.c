/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/estimate.h"

#include <math.h>

#define DEVIATIONS                                                                                 \
	2.576 /* standard deviations of a normal distribution that hold for 99 of 100              \
	       */

uint64_t estimate_error(double variance)
{
	/* Differences of large sums may be a little less than 0. */
	return variance > 0 ? (uint64_t)llround(DEVIATIONS * sqrt(variance)) : 0;
}

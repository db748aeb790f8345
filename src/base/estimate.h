/* SPDX-License-Identifier: BSD-2-Clause */
/* How far an estimate may be wrong. */
#pragma once

#include <stdint.h>

/* Returns half the width of the interval that contains the true value in 99 of 100 cases, if there
 * are enough samples. */
uint64_t estimate_error(double variance);

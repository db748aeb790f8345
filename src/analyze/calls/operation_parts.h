/* SPDX-License-Identifier: BSD-2-Clause */
/* Declarations that the parts of operation_sums.c share. */
#ifndef SOOTH_ANALYZE_OPERATION_PARTS_H
#define SOOTH_ANALYZE_OPERATION_PARTS_H

#include "analyze/calls/operation_sums.h"

#endif

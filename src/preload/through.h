/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls a real function within a recorded call. Probes leave such a call out: they recognize it by
 * the code to which it returns. Calls that are not recorded are passed on by a jump.
 */
#pragma once

#include <stdint.h>

extern uintptr_t through_call(
	uintptr_t first, uintptr_t second, uintptr_t third, const void *function);

#define THROUGH_3(function_, a_, b_, c_)                                                           \
	through_call((uintptr_t)(a_), (uintptr_t)(b_), (uintptr_t)(c_),                            \
		(const void *)(uintptr_t)(function_))
#define THROUGH_2(function_, a_, b_) THROUGH_3(function_, a_, b_, 0)
#define THROUGH_1(function_, a_)     THROUGH_3(function_, a_, 0, 0)

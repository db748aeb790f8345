/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stacks that end in a regular expression, by the names of the functions of known engines. An
 * expression that backtracks is a loop in the engine, not in a function of the program: its caller
 * has the cause.
 */
#pragma once

#include "analyze/profile/profile_sums.h"

#define PROFILE_REGEXP_REMEDY                                                                      \
	"repetitions inside repetitions, as in (a+)+, take exponential time: rewrite the "         \
	"expression, or limit the length of the text"

/* Returns how many of the innermost frames match a regular expression; 0: none. The next frame
 * called it. */
size_t profile_regexp_frames(
	const struct profile_sums *s, const struct profile_stacked *stacked);

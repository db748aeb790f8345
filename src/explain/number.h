/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A number that decides in a check, and that was chosen: neither a fact of a system nor the size of
 * a buffer. A file declares its numbers below its includes:
 *
 *   NUMBER(QUIET_PERCENT, 2, PERCENT, "of a CPU that a quiet program uses at most");
 *
 * In the program it is a constant. script/calibrate builds the checks with SOOTH_CALIBRATED, which
 * makes it a variable in a list of all numbers, changes one after another, and says which stored
 * inputs depend on it. A threshold that users may set is an option of its finding (THRESHOLD).
 */
#pragma once

#include "model/field.h"

#ifndef SOOTH_CALIBRATED
#define NUMBER(name, value, unit, why) static const double name = (value)
#else
struct number {
	const char *name, *file, *why;
	enum sooth_unit unit;
	double *now, usual;
};

/* Aligned, because the compiler gives a struct of this size more room. */
#define NUMBER(name, value, unit_word, why_text)                                                   \
	static double name = (value);                                                              \
	__attribute__((section("sooth_numbers"), used,                                             \
		aligned(8))) static const struct number number_##name = { #name, __FILE__,         \
		why_text, SOOTH_UNIT_##unit_word, &name, (value) }
#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of a comparison. */
#pragma once

#include "model/row_list.h"

enum change_kind { CHANGE_CHANGED, CHANGE_APPEARED, CHANGE_VANISHED, CHANGES };

#define CHANGE_ROW(F, S)                                                                           \
	F(S, NAMED, ENUM8, kind, change, ALWAYS,                                                   \
		"result of the comparison: changed, appeared, vanished", .names = &kind_names)     \
	F(S, TEXT, table, ALWAYS, "name of the table that has the changed row")                    \
	F(S, TEXT, row, ALWAYS, "changed row: its process and key", .may_shrink = true)            \
	F(S, TEXT, field, MAYBE(field_state), "name of the changed field; null: the whole row")    \
	F(S, NAMED, TEXT, before, before_text, MAYBE(before_state), "value in the first capture",  \
		.label = "BEFORE", .may_shrink = true)                                             \
	F(S, NAMED, TEXT, after, after_text, MAYBE(after_state), "value in the second capture",    \
		.label = "AFTER", .may_shrink = true)                                              \
	F(S, TEXT, difference, MAYBE(difference_state), "second value minus first value, as text") \
	F(S, REAL, percent, MAYBE(percent_state), "difference in percent of the first value",      \
		.decimals = 1, .is_hidden = true, .unit = SOOTH_UNIT_PERCENT)                      \
	F(S, REAL, before_value, MAYBE(value_state), "value in the first capture", .decimals = 3,  \
		.is_hidden = true)                                                                 \
	F(S, REAL, after_value, WITH(value_state), "value in the second capture", .decimals = 3,   \
		.is_hidden = true)                                                                 \
	F(S, REAL, noise, WITH(value_state),                                                       \
		"largest difference of the two values that counts as noise", .decimals = 3,        \
		.is_hidden = true)                                                                 \
	F(S, TEXT, unit, ALWAYS,                                                                   \
		"unit of the values: bytes, ns, percent, s; empty: a plain number",                \
		.is_hidden = true)                                                                 \
	F(S, BOOL, is_rate, ALWAYS, "both values are rates per second", .is_hidden = true)

ROW_STRUCT(change_row, CHANGE_ROW);

/* SPDX-License-Identifier: BSD-2-Clause */
/* The fields of rows that say what a method costs: target_ns, bystander_ns, price_source. */
#pragma once

#include "model/row_list.h"

#define METHOD_PRICE(F, S)                                                                         \
	F(S, NAMED, U32, target_ns, target_overhead_ns, MAYBE(price_state),                        \
		"overhead of one event for the target", .unit = SOOTH_UNIT_NS,                     \
		.label = "OVERHEAD")                                                               \
	F(S, NAMED, U32, bystander_ns, others_overhead_ns, WITH(price_state),                      \
		"overhead of one event for other processes", .unit = SOOTH_UNIT_NS,                \
		.label = "OTHERS")                                                                 \
	F(S, NAMED, TEXT, price_source, overhead_source, ALWAYS, "source of the overhead values",  \
		.is_hidden = true)

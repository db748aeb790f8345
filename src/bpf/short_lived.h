/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Configuration and counters shared by the program that sees processes exit and its loader. */
#pragma once

#ifndef SOOTH_BPF_TYPES_H
#include <stdint.h>
#endif

struct short_lived_config {
	uint64_t life_most_ns;
	uint64_t ticks_per_s;
	uint32_t uid;
	uint32_t is_of_all;
};

struct short_lived_control {
	uint64_t lost; /* no room in the ring */
};

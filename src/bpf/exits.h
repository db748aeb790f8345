/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the loader tells the program that sees processes end, and what that counts. */
#ifndef SOOTH_BPF_EXITS_H
#define SOOTH_BPF_EXITS_H

#ifndef SOOTH_BPF_TYPES_H
#include <stdint.h>
#endif

struct exits_config {
	uint64_t life_most_ns;
	uint64_t ticks_per_s;
	uint32_t uid;
	uint32_t is_of_all;
};

struct exits_control {
	uint64_t lost; /* no room in the ring */
};

#endif

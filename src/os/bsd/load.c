/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/bsd/load.h"

#include <sooth/field.h>

#define LOADAVG_SIZE 24

/* Decodes three 32-bit fixed-point numbers. The number at offset 16 stands for 1. */
void bsd_load_decode(struct host_load *load, const struct bsd_bytes *b, uint32_t cpus)
{
	double one = (double)bsd_u64(b, 16);

	load->load_state = SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);
	if (b->size != LOADAVG_SIZE || one == 0)
		return;
	load->load_1m = bsd_u32(b, 0) / one;
	load->load_5m = bsd_u32(b, 4) / one;
	load->load_15m = bsd_u32(b, 8) / one;
	load->load_state = SOOTH_STATE_VALUE;
	load->cpus = cpus;
}

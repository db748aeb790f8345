/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/bsd/load.h"

#include <sooth/field.h>

#include "os/bsd/bytes.h"

#define LOADAVG_SIZE 24

/* Decodes three 32-bit fixed-point numbers. The number at offset 16 stands for 1. */
void bsd_load_read(const struct bsd_sysctl *by_name, struct host_load *load)
{
	unsigned char bytes[LOADAVG_SIZE] = { 0 };
	const struct bsd_bytes b = { bytes, sizeof(bytes) };
	size_t size = sizeof(bytes);
	bool is_whole = !by_name->read(by_name, "vm.loadavg", bytes, &size) && size == LOADAVG_SIZE;
	double one = (double)bsd_u64(&b, 16);

	load->load_state = SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);
	if (!is_whole || one == 0)
		return;
	load->load_1m = bsd_u32(&b, 0) / one;
	load->load_5m = bsd_u32(&b, 4) / one;
	load->load_15m = bsd_u32(&b, 8) / one;
	load->load_state = SOOTH_STATE_VALUE;
	load->cpus = (uint32_t)bsd_sysctl_number(by_name, "hw.ncpu");
}

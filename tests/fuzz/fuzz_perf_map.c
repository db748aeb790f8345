/* SPDX-License-Identifier: BSD-2-Clause */
/* Perf maps: any process may write any bytes there. */
#include "fuzz.h"
#include "os/linux/profile/perf_map.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct perf_map_place places[6] = { { .address = 0 }, { .address = 0x1004 },
		{ .address = 0x100c }, { .address = 0x214ae5c57c90 }, { .address = 0x7f0000001020 },
		{ .address = UINT64_MAX } };

	perf_map_parse(places, 6, data, size);
	for (size_t i = 0; i < 6; i++) {
		size_t length = strnlen(places[i].name, sizeof(places[i].name));

		CHECK(length < sizeof(places[i].name));
		CHECK(!places[i].is_found || (length && places[i].begin <= places[i].address));
		CHECK(!places[i].is_reused || places[i].is_found);
	}
	return 0;
}

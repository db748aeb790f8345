/* SPDX-License-Identifier: BSD-2-Clause */
/* Jitdumps: any process may write any bytes there. */
#include "fuzz.h"
#include "os/linux/profile/jit_dump.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct perf_map_place places[4] = { { .address = 0 }, { .address = 0x1004 },
		{ .address = 0x7f0000001020 }, { .address = UINT64_MAX } };
	struct jit_dump d = { .pid = 4711 };
	size_t used = jit_dump_parse(&d, places, 4, data, size);

	CHECK(used <= size);
	CHECK(used == size || size - used < 16 + 48 + PERF_MAP_NAME_MAX + 1);
	for (size_t i = 0; i < 4; i++) {
		size_t length = strnlen(places[i].name, sizeof(places[i].name));

		CHECK(length < sizeof(places[i].name));
		CHECK(!places[i].is_found || (length && places[i].begin <= places[i].address));
		CHECK(!places[i].is_reused || places[i].is_found);
	}
	return 0;
}

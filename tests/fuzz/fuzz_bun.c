/* SPDX-License-Identifier: BSD-2-Clause */
/* Section .bun: whatever stands there, no place lies outside the section. */
#include "fuzz.h"
#include "symbols/bun.h"

static void check_place(const struct bun_place *place, uint64_t section)
{
	CHECK(place->offset >= BUN_HEAD_SIZE);
	CHECK(place->offset <= section && place->size <= section - place->offset);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bun_places places;
	struct bun_place name, contents;
	uint64_t end = bun_end(data, size, size);

	CHECK(end <= size);
	if (end)
		CHECK(end + BUN_END_SIZE <= size);
	if (bun_parse_end(&places, data, size, size)) {
		check_place(&places.modules, size);
		check_place(&places.options, size);
		for (unsigned row = 0; row <= BUN_ROW_MOST; row++) {
			if (bun_may_be_row(&places, row))
				CHECK((places.entry + 1ull) * row <= places.modules.size);
		}
	}
	if (bun_parse_row(&name, &contents, data, size, size)) {
		check_place(&name, size);
		check_place(&contents, size);
	}
	return 0;
}

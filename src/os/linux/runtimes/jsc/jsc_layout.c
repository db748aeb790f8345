/* SPDX-License-Identifier: BSD-2-Clause */
/* Known builds of JavaScriptCore. */
#include "os/linux/runtimes/jsc/jsc_layout.h"

#include <string.h>

#include "base/cleanup.h"

#define OFFSETS_OF_ALL                                                                             \
	.callee_executable = 24, .rare_executable = 48, .block_owner = 64, .block_unlinked = 56,   \
	.block_code = 120, .executable_provider = 40, .native_name = 64, .provider_url = 72,       \
	.code_tier = 12, .code_range = 24, .start_bits = 31, .origins = 80, .origins_ftl = 64

#define OFFSETS_1_3                                                                                \
	OFFSETS_OF_ALL, .executable_unlinked = 88, .unlinked_code = 56, .unlinked_name = 80,       \
			.unlinked_start = 16, .code_range_ftl = 336, .range_kind = JSC_RANGE_SIZE

#define OFFSETS_1_4_3                                                                              \
	OFFSETS_OF_ALL, .executable_unlinked = 80, .unlinked_code = 48, .unlinked_name = 64,       \
			.unlinked_start = 8, .start_shift = 1, .code_range_ftl = 400,              \
			.range_at = 48, .range_kind = JSC_RANGE_BOUNDS

#define TYPES_1_3 .type_block = 20, .type_executable = 14, .type_unlinked = 15, .type_native = 10

#define TYPES_1_4 .type_block = 18, .type_executable = 12, .type_unlinked = 13, .type_native = 8

static const struct jsc_layout bun_1_3 = { OFFSETS_1_3, TYPES_1_3, .type_function = 36 };
static const struct jsc_layout bun_1_4_0 = { OFFSETS_1_3, TYPES_1_4, .type_function = 36 };
static const struct jsc_layout bun_1_4_3 = { OFFSETS_1_4_3, TYPES_1_4, .type_function = 36 };
static const struct jsc_layout bun_1_4_4 = { OFFSETS_1_4_3, TYPES_1_4, .type_function = 37 };

static const struct {
	const char *build_id;
	const struct jsc_layout *layout;
} builds[] = {
	{ "a9a0d18db4f98a86ad4778800c5fa46943f81b2e", &bun_1_3 },   /* bun 1.3.14 */
	{ "c30f169b1bef81fa57467cd091ba53aab5235468", &bun_1_3 },   /* opencode 1.18.33 */
	{ "a9ea3707c32f242dc5ec7fee3c5fdd9bc99893b3", &bun_1_4_3 }, /* bun 1.4.3 */
	{ "2ba9a4dca997a53147167d7f967fdc840325054c", &bun_1_4_0 }, /* Claude Code 2.1.207 */
	{ "e8f68a0473d0cd6287466a52f53c5d64f7cf0a69", &bun_1_4_3 }, /* Claude Code 2.1.299 */
	{ "d72a729b5627657c0649e49ae9d771fec0783039", &bun_1_4_4 }, /* 2.1.328, 2.1.330 */
};

const struct jsc_layout *jsc_layout_of(const char *build_id)
{
	for (size_t i = 0; i < ARRAY_SIZE(builds); i++) {
		if (!strcmp(builds[i].build_id, build_id))
			return builds[i].layout;
	}
	return NULL;
}

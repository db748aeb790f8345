/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/runtimes/jsc/jsc_cache.h"

#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/linux/profile/symbol_cache.h"

#define HEAD	   "sooth layout of JavaScriptCore 1" /* another number stands for other members */
#define TAIL	   "end"
#define OFFSET_MAX 1024

struct member {
	uint16_t at;
	uint16_t size;
	uint16_t most;
};

#define OFFSET(name)                                                                               \
	{                                                                                          \
		offsetof(struct jsc_layout, name), sizeof(uint16_t), OFFSET_MAX                    \
	}
#define BYTE(name, most)                                                                           \
	{                                                                                          \
		offsetof(struct jsc_layout, name), sizeof(uint8_t), most                           \
	}

static const struct member members[] = {
	OFFSET(callee_executable),
	OFFSET(rare_executable),
	OFFSET(block_owner),
	OFFSET(block_unlinked),
	OFFSET(block_code),
	OFFSET(executable_provider),
	OFFSET(executable_unlinked),
	OFFSET(native_name),
	OFFSET(unlinked_code),
	OFFSET(unlinked_name),
	OFFSET(unlinked_start),
	BYTE(start_shift, 1),
	BYTE(start_bits, 31),
	OFFSET(provider_url),
	OFFSET(code_tier),
	OFFSET(code_range),
	OFFSET(code_range_ftl),
	OFFSET(range_at),
	OFFSET(origins),
	OFFSET(origins_ftl),
	BYTE(range_kind, JSC_RANGE_SIZE),
	BYTE(type_function, UINT8_MAX),
	BYTE(type_block, UINT8_MAX),
	BYTE(type_executable, UINT8_MAX),
	BYTE(type_unlinked, UINT8_MAX),
	BYTE(type_native, UINT8_MAX),
};

void jsc_cache_print(struct buffer *out, const char *build_id, const struct jsc_layout *layout)
{
	buffer_format(out, "%s\n%s\n", HEAD, build_id);
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		uint16_t value = 0;

		memcpy(&value, (const char *)layout + members[i].at, members[i].size);
		buffer_format(out, "%u\n", value);
	}
	buffer_string(out, TAIL "\n");
}

bool jsc_cache_parse(struct span text, const char *build_id, struct jsc_layout *out)
{
	struct cursor c = cursor_over(text.data, text.size);

	*out = (struct jsc_layout){ 0 };
	if (!span_equal(cursor_line(&c), HEAD) || !*build_id ||
		!span_equal(cursor_line(&c), build_id))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		uint64_t value;
		uint16_t kept;

		if (!span_decimal(cursor_line(&c), &value) || value > members[i].most)
			return false;
		kept = (uint16_t)value;
		memcpy((char *)out + members[i].at, &kept, members[i].size);
	}
	return span_equal(cursor_line(&c), TAIL) && !c.failed && cursor_at_end(&c);
}

/* --- files --- */

bool jsc_cache_read(const char *folder, const char *build_id, struct jsc_layout *out)
{
	_cleanup_close_ int directory = symbol_cache_open(folder, false);
	_cleanup_close_ int file = -1;
	char name[SYMBOL_CACHE_NAME], bytes[JSC_CACHE_BYTES];
	ssize_t size;

	if (directory < 0 || !symbol_cache_name(name, SYMBOL_CACHE_LAYOUT, build_id))
		return false;
	file = symbol_cache_get(directory, name);
	size = file < 0 ? -1 : read(file, bytes, sizeof(bytes));
	return size > 0 && (size_t)size < sizeof(bytes) &&
	       jsc_cache_parse(span_of(bytes, (size_t)size), build_id, out);
}

void jsc_cache_write(const char *folder, const char *build_id, const struct jsc_layout *layout)
{
	_cleanup_close_ int directory = -1;
	_cleanup_close_ int file = -1;
	struct buffer bytes = { 0 };
	char name[SYMBOL_CACHE_NAME], part[SYMBOL_CACHE_PART];

	if (!folder || !symbol_cache_name(name, SYMBOL_CACHE_LAYOUT, build_id))
		return;
	directory = symbol_cache_open(folder, true);
	if (directory < 0)
		return;
	jsc_cache_print(&bytes, build_id, layout);
	file = symbol_cache_begin(directory, name, part);
	if (file >= 0)
		symbol_cache_end(directory, name, part,
			!buffer_failed(&bytes) &&
				write(file, bytes.data, bytes.size) == (ssize_t)bytes.size);
	symbol_cache_trim(directory, SYMBOL_CACHE_LAYOUT, JSC_CACHE_BYTES_MAX);
	buffer_fini(&bytes);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/profile/unwind_common.h"

#include <assert.h>

uint64_t unwind_pointer(struct cursor *c, uint8_t form)
{
	assert(c);
	switch (form & POINTER_FORM) {
	case 0x00: /* an address */
	case 0x04:
	case 0x0c:
		return cursor_u64(c);
	case 0x01:
		return unwind_uleb(c);
	case 0x02:
		return cursor_u16(c);
	case 0x03:
		return cursor_u32(c);
	case 0x09:
		return (uint64_t)unwind_sleb(c);
	case 0x0a:
		return (uint64_t)(int64_t)(int16_t)cursor_u16(c);
	case 0x0b:
		return (uint64_t)(int64_t)(int32_t)cursor_u32(c);
	default:
		c->failed = true;
		return 0;
	}
}

static void read_augmentation(struct cursor *c, struct span letters, struct unwind_common *common)
{
	uint64_t size = unwind_uleb(c);
	struct span data = cursor_bytes(c, size > cursor_left(c) ? SIZE_MAX : (size_t)size);
	struct cursor d = cursor_over(data.data, data.size);

	common->has_size = true;
	for (size_t i = 1; i < letters.size && !d.failed; i++) {
		char letter = letters.data[i];

		if (letter == 'R') {
			common->encoding = cursor_u8(&d);
		} else if (letter == 'P') {
			uint8_t form = cursor_u8(&d);

			unwind_pointer(&d, form);
		} else if (letter == 'L') {
			cursor_u8(&d);
		} else if (letter == 'S') {
			common->is_signal = true;
		} else if (letter != 'B') {
			break; /* the remaining data is skipped by its length */
		}
	}
}

bool unwind_common_read(
	struct cursor *c, enum machine machine, uint64_t *budget, struct unwind_common *common)
{
	assert(c);

	struct unwind_run run = { .budget = *budget };
	uint8_t version = cursor_u8(c);
	struct span letters = cursor_until(c, '\0');
	uint64_t next;

	assert(common);
	*common = (struct unwind_common){ .encoding = POINTER_ABSOLUTE };
	if (version == 4)
		cursor_u16(c); /* sizes of addresses and of segment selectors */
	common->code_align = unwind_uleb(c);
	common->data_align = unwind_sleb(c);
	common->ra = version == 1 ? cursor_u8(c) : unwind_uleb(c);
	if (letters.size && letters.data[0] == 'z')
		read_augmentation(c, letters, common);
	else if (letters.size)
		return false;
	if (c->failed || (version != 1 && version != 3 && version != 4))
		return false;
	common->initial.kind = UNWIND_RULE;
	unwind_run_init(&run, machine, common);
	while (unwind_run_advance(&run, c, &next))
		;
	*budget = run.budget;
	common->initial = run.state;
	return !run.is_unknown && !c->failed;
}

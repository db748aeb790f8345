/* SPDX-License-Identifier: BSD-2-Clause */
/* Arguments of futex(2): its operation says which of them it looks at, and what they are. See
 * call_text.h. */
#include "analyze/calls/call_written.h"

#include "base/cleanup.h"

#define OPERATION	 1 /* which argument */
#define OPERATION_MASK	 0x7fu
#define FIRST		 2 /* whose parts a row begins with */
#define PARTS		 4
#define BITSET_MATCH_ANY 0xffffffffu
#define WAKE_OPARG_SHIFT 8u

enum time_range { UNUSED, COUNT, TIME, WORD, BITS, CHANGE, UNKNOWN };

/* Of those from the third on; the last row is of all others. */
static const struct use {
	int operation;
	uint8_t parts[PARTS];
} uses[] = {
	{ 0, { COUNT, TIME } },			 /* FUTEX_WAIT */
	{ 1, { COUNT } },			 /* FUTEX_WAKE */
	{ 2, { COUNT } },			 /* FUTEX_FD */
	{ 3, { COUNT, COUNT, WORD } },		 /* FUTEX_REQUEUE */
	{ 4, { COUNT, COUNT, WORD, COUNT } },	 /* FUTEX_CMP_REQUEUE */
	{ 5, { COUNT, COUNT, WORD, CHANGE } },	 /* FUTEX_WAKE_OP */
	{ 6, { UNUSED, TIME } },		 /* FUTEX_LOCK_PI */
	{ 7, { UNUSED } },			 /* FUTEX_UNLOCK_PI */
	{ 8, { UNUSED } },			 /* FUTEX_TRYLOCK_PI */
	{ 9, { COUNT, TIME, UNUSED, BITS } },	 /* FUTEX_WAIT_BITSET */
	{ 10, { COUNT, UNUSED, UNUSED, BITS } }, /* FUTEX_WAKE_BITSET */
	{ 11, { COUNT, TIME, WORD } },		 /* FUTEX_WAIT_REQUEUE_PI */
	{ 12, { COUNT, COUNT, WORD, COUNT } },	 /* FUTEX_CMP_REQUEUE_PI */
	{ 13, { UNUSED, TIME } },		 /* FUTEX_LOCK_PI2 */
	{ -1, { COUNT, UNKNOWN, WORD, UNKNOWN } },
};

static enum time_range part_of(const struct written *a)
{
	const struct use *use = uses;
	int operation = (int)(a->w->call->arguments[OPERATION] & OPERATION_MASK);

	while (use->operation >= 0 && use->operation != operation)
		use++;
	return a->i < FIRST || a->i - FIRST >= PARTS ? UNKNOWN : use->parts[a->i - FIRST];
}

bool written_futex_takes(const struct written *a)
{
	return part_of(a) != UNUSED;
}

/* "FUTEX_OP_ADD<<28|0x1<<12|FUTEX_OP_CMP_GT<<24|0x2": what FUTEX_WAKE_OP does to the second word,
 * and of what it was before it also wakes there. */
static void put_change(struct buffer *out, uint32_t change)
{
	if (change >> 28 & WAKE_OPARG_SHIFT)
		buffer_string(out, "FUTEX_OP_OPARG_SHIFT<<28|");
	call_put_flags(out, &flags_futex_change, 0, change >> 28 & ~WAKE_OPARG_SHIFT);
	buffer_string(out, "<<28|");
	written_put_hex(out, change >> 12 & 0xfff);
	buffer_string(out, "<<12|");
	call_put_flags(out, &flags_futex_compare, 0, change >> 24 & 0xf);
	buffer_string(out, "<<24|");
	written_put_hex(out, change & 0xfff);
}

void written_as_futex(const struct written *a)
{
	switch (part_of(a)) {
	case TIME:
		written_as_timespec(a);
		break;
	case WORD:
		written_as_pointer(a);
		break;
	case BITS:
		if ((uint32_t)a->value == BITSET_MATCH_ANY)
			buffer_string(a->w->out, "FUTEX_BITSET_MATCH_ANY");
		else
			written_put_hex(a->w->out, (uint32_t)a->value);
		break;
	case CHANGE:
		put_change(a->w->out, (uint32_t)a->value);
		break;
	case COUNT:
		buffer_u64(a->w->out, (uint32_t)a->value);
		break;
	default:
		written_as_hex(a);
	}
}

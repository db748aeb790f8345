/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/runtimes/go/go_layout.h"

#include <string.h>

#define SCAN_BIT   0x1000
#define NUMBER_MAX (UINT64_C(1) << 48) /* more goroutines than a program ever makes */

/* Offsets where a member may be: versions moved the members by some words. */
#define BUFFER_FROM 40
#define BUFFER_TO   96
#define NUMBER_FROM 112
#define NUMBER_TO   224
#define START_FROM  216
#define WORD	    sizeof(uint64_t)

/* In gobuf: sp, pc, g, ctxt, and the frame pointer one or two words later. */
#define BUFFER_SELF  (2 * WORD)
#define BUFFER_FRAME (6 * WORD)

/* Offsets from the number: the state is before it; the link, the time and the reason of the wait
 * are behind it. */
#define NUMBER_STATUS (-(int)WORD)
#define NUMBER_SINCE  (2 * (int)WORD)
#define NUMBER_REASON (3 * (int)WORD)

uint64_t go_number_at(const struct go_goroutine *g, size_t offset)
{
	uint64_t value = 0;

	if (offset + sizeof(value) <= GO_BYTES)
		memcpy(&value, g->bytes + offset, sizeof(value));
	return value;
}

static uint32_t raw_status(const struct go_goroutine *g, size_t offset)
{
	return (uint32_t)go_number_at(g, offset) & ~(uint32_t)SCAN_BIT;
}

enum go_status go_status_of(const struct go_layout *l, const struct go_goroutine *g)
{
	return (enum go_status)raw_status(g, l->status);
}

static bool is_on_stack(const struct go_goroutine *g, uint64_t address)
{
	return address >= go_number_at(g, 0) && address < go_number_at(g, WORD);
}

/* Finds the scheduler's buffer, which points back to its goroutine in every goroutine that is
 * neither new nor ending. */
static bool find_buffer(struct go_layout *out, const struct go_goroutine *first, size_t count)
{
	for (size_t at = BUFFER_FROM; at <= BUFFER_TO; at += WORD) {
		size_t met = 0;

		for (size_t i = 0; i < count; i++)
			met += go_number_at(&first[i], at + BUFFER_SELF) == first[i].address &&
			       is_on_stack(&first[i], go_number_at(&first[i], at));
		if (met < 2 || met * 2 < count)
			continue;
		out->stack_pointer = (uint16_t)at;
		out->frame = (uint16_t)(at + BUFFER_FRAME);
		return true;
	}
	return false;
}

static bool is_goroutine_number(const struct go_goroutine *first, size_t count, size_t i, size_t at)
{
	uint64_t number = go_number_at(&first[i], at);

	if (!number || number > NUMBER_MAX)
		return false;
	for (size_t k = i + 1; k < count; k++) {
		if (go_number_at(&first[k], at) == number)
			return false;
	}
	return true;
}

static bool fits_offset(const struct go_goroutine *g, size_t at, uint64_t now_ns)
{
	return raw_status(g, at + NUMBER_STATUS) < GO_STATES &&
	       go_number_at(g, at + NUMBER_SINCE) <= now_ns &&
	       (uint8_t)go_number_at(g, at + NUMBER_REASON) < GO_REASONS;
}

static bool find_number(
	struct go_layout *out, const struct go_goroutine *first, size_t count, uint64_t now_ns)
{
	for (size_t at = NUMBER_FROM; at <= NUMBER_TO; at += WORD) {
		size_t met = go_number_at(&first[0], at) == 1;

		for (size_t i = 0; met && i < count; i++)
			met += is_goroutine_number(first, count, i, at) &&
			       fits_offset(&first[i], at, now_ns);
		if (met != count + 1)
			continue;
		out->status = (uint16_t)(at + NUMBER_STATUS);
		out->since = (uint16_t)(at + NUMBER_SINCE);
		out->reason = (uint16_t)(at + NUMBER_REASON);
		return true;
	}
	return false;
}

static bool find_start(struct go_layout *out, const struct go_goroutine *first, uint64_t main)
{
	for (size_t at = START_FROM; at + WORD <= GO_BYTES; at += WORD) {
		if (go_number_at(first, at) == main) {
			out->start = (uint16_t)at;
			return true;
		}
	}
	return false;
}

bool go_layout_find(struct go_layout *out, const struct go_goroutine *first, size_t count,
	uint64_t main, uint64_t now_ns)
{
	memset(out, 0, sizeof(*out));
	return count >= 2 && main && find_buffer(out, first, count) &&
	       find_number(out, first, count, now_ns) && find_start(out, first, main);
}

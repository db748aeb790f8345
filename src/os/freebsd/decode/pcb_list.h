/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists net.*.pcblist: each socket begins with its size; a head and a tail are shorter than any
 * socket. */
#pragma once

#include "base/cursor.h"
#include "os/bsd/bytes.h"

/* Finds the next record of at least `least` bytes. False: the end, or (then the cursor has failed)
 * a cut record. */
static inline bool pcb_list_next(struct bsd_bytes *record, struct cursor *c, size_t least)
{
	struct span bytes;

	do {
		const struct bsd_bytes head = { c->at, cursor_left(c) };
		uint64_t size = bsd_u64(&head, 0);

		if (cursor_at_end(c) || c->failed)
			return false;
		if (size < sizeof(size) || size > head.size) {
			c->failed = true;
			return false;
		}
		bytes = cursor_bytes(c, (size_t)size);
	} while (bytes.size < least);
	*record = (struct bsd_bytes){ (const unsigned char *)bytes.data, bytes.size };
	return true;
}

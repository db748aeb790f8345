/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of records that begin with their own size: struct kinfo_file, struct kinfo_vmentry. */
#pragma once

#include "base/cursor.h"
#include "os/bsd/bytes.h"

/* Finds the next record. False: the end, which may be zeros. If a record is shorter than `least` or
 * cut off, the cursor has failed. */
static inline bool kinfo_list_next(struct bsd_bytes *record, struct cursor *c, size_t least)
{
	const struct bsd_bytes head = { c->at, cursor_left(c) };
	uint32_t size = bsd_u32(&head, 0);
	struct span bytes;

	if (cursor_at_end(c) || c->failed)
		return false;
	if (!size && head.size >= sizeof(size)) {
		c->at = c->end;
		return false;
	}
	bytes = size >= least ? cursor_bytes(c, size) : span_of("", 0);
	if (bytes.size < least) {
		c->failed = true;
		return false;
	}
	*record = (struct bsd_bytes){ (const unsigned char *)bytes.data, bytes.size };
	return true;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/trace_parent.h"

#define FORM "vv-tttttttttttttttttttttttttttttttt-ssssssssssssssss-ff"

bool trace_parent_parse(struct trace_parent *out, struct span text)
{
	static const unsigned char zeros[sizeof(out->trace)];
	unsigned char bytes[1 + sizeof(*out) + 1] = { 0 }; /* version, ids, flags */

	for (size_t i = 0; i < text.size && i < TRACE_PARENT_SIZE; i++) {
		if (text.data[i] >= 'A' && text.data[i] <= 'Z')
			return false;
	}
	if (!span_hex(text, FORM, bytes))
		return false;
	memcpy(out, bytes + 1, sizeof(*out));
	return !bytes[0] && memcmp(out->trace, zeros, sizeof(out->trace)) != 0 &&
	       memcmp(out->span, zeros, sizeof(out->span)) != 0;
}

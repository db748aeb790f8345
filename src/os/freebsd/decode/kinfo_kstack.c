/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/freebsd/decode/kinfo_kstack.h"

#include "os/bsd/bytes.h"

#define KINFO_KSTACK(name, member, offset) AT_##name = offset,
enum kinfo_kstack_at {
#include "os/freebsd/decode/layouts.def"
};

#define TRACE_SIZE  1024
#define KSTACK_SIZE 1096

bool kstack_next(struct kstack_thread *out, struct cursor *c)
{
	struct span bytes;
	struct bsd_bytes b;

	if (cursor_at_end(c))
		return false;
	bytes = cursor_bytes(c, KSTACK_SIZE);
	if (c->failed)
		return false;
	b = (struct bsd_bytes){ (const unsigned char *)bytes.data, bytes.size };
	*out = (struct kstack_thread){ .tid = bsd_u32(&b, AT_TID),
		.state = bsd_u32(&b, AT_STATE),
		.trace = bsd_string(&b, AT_TRACE, TRACE_SIZE) };
	return true;
}

bool kstack_frame_next(struct kstack_frame *out, struct cursor *trace)
{
	while (!cursor_at_end(trace)) {
		struct span line = cursor_line(trace), name;
		struct cursor c = cursor_over(line.data, line.size);
		const char *plus;

		if (!cursor_skip(&c, "#"))
			continue;
		cursor_decimal(&c);
		cursor_blanks(&c);
		if (!cursor_skip(&c, "0x"))
			continue;
		*out = (struct kstack_frame){ .address = cursor_hex(&c) };
		cursor_blanks(&c);
		if (c.failed || !cursor_skip(&c, "at "))
			continue;
		name = span_of((const char *)c.at, cursor_left(&c));
		plus = span_last(name, '+');
		out->function = name;
		if (plus) {
			out->function.size = (size_t)(plus - name.data);
			c = cursor_over(plus + 1, name.size - out->function.size - 1);
			out->into = cursor_skip(&c, "0x") ? cursor_hex(&c) : 0;
		}
		if (span_equal(out->function, "??"))
			out->function = span_of("", 0);
		return true;
	}
	return false;
}

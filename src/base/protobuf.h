/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes fields of protocol buffers (protobuf.dev/programming-guides/encoding). */
#pragma once

#include "base/buffer.h"

enum protobuf_wire {
	PROTOBUF_VARINT = 0,
	PROTOBUF_FIXED64 = 1,
	PROTOBUF_BYTES = 2,
};

#define PROTOBUF_VARINT_MAX 10 /* bytes */

static inline void protobuf_varint(struct buffer *out, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		buffer_char(out, (char)(value | 0x80));
	buffer_char(out, (char)value);
}

static inline void protobuf_tag(struct buffer *out, unsigned field, enum protobuf_wire wire)
{
	protobuf_varint(out, field << 3 | wire);
}

static inline void protobuf_number(struct buffer *out, unsigned field, uint64_t value)
{
	protobuf_tag(out, field, PROTOBUF_VARINT);
	protobuf_varint(out, value);
}

static inline void protobuf_fixed64(struct buffer *out, unsigned field, uint64_t value)
{
	protobuf_tag(out, field, PROTOBUF_FIXED64);
	for (unsigned bit = 0; bit < 64; bit += 8)
		buffer_char(out, (char)(value >> bit));
}

static inline void protobuf_bytes(struct buffer *out, unsigned field, const void *data, size_t size)
{
	protobuf_tag(out, field, PROTOBUF_BYTES);
	protobuf_varint(out, size);
	buffer_append(out, data, size);
}

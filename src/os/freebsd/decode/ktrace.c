/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/freebsd/decode/ktrace.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "os/bsd/bytes.h"

/* Since FreeBSD 14 the header also has a version, and at its end a CPU. */
#define KTR_HEADER(name, member, offset) AT_##name = offset,
enum header_at {
#include "os/freebsd/decode/layouts.def"
};

#define AT_VERSION 6
#define AT_CPU	   56

#define HEADER_OLD 56
#define HEADER_NEW 64

#define TYPE_VERSIONED 0x4000
#define TYPE_DROP      0x8000

#define NAME_MAX_ (KTRACE_NAME_SIZE - 1)

bool ktrace_next(struct ktrace_record *out, struct cursor *c)
{
	struct bsd_bytes b = { c->at, cursor_left(c) };
	uint16_t type = bsd_u16(&b, AT_TYPE);
	bool is_new = type & TYPE_VERSIONED;
	size_t header = is_new ? HEADER_NEW : HEADER_OLD;
	uint32_t length = bsd_u32(&b, AT_LENGTH);

	if (c->failed || b.size < header)
		return false;
	if (length > KTRACE_PAYLOAD_MAX || (is_new && bsd_u16(&b, AT_VERSION) != 1)) {
		c->failed = true;
		return false;
	}
	if (b.size - header < length)
		return false; /* the record is not completely written yet */
	*out = (struct ktrace_record){
		.utc_ns = bsd_u64(&b, AT_TIME) * NS_PER_S +
			  bsd_u64(&b, AT_TIME + 8) * (is_new ? 1 : NS_PER_US),
		.tid = bsd_u64(&b, AT_TID),
		.pid = bsd_u32(&b, AT_PID),
		.cpu = is_new ? bsd_u32(&b, AT_CPU) : KTRACE_CPU_NONE,
		.type = (uint16_t)(type & ~(TYPE_VERSIONED | TYPE_DROP)),
		.version = is_new,
		.is_after_drop = (type & TYPE_DROP) != 0,
	};
	bsd_copy(out->name, sizeof(out->name), &b, AT_NAME, NAME_MAX_);
	cursor_bytes(c, header);
	out->payload = cursor_bytes(c, length);
	return true;
}

static struct bsd_bytes payload_of(const struct ktrace_record *r)
{
	return (struct bsd_bytes){ (const unsigned char *)r->payload.data, r->payload.size };
}

bool ktrace_call(struct ktrace_call *out, const struct ktrace_record *r)
{
	struct bsd_bytes b = payload_of(r);

	if (b.size < 8)
		return false;
	*out = (struct ktrace_call){ .number = bsd_u16(&b, 0), .argument_count = bsd_u16(&b, 2) };
	if (out->argument_count > KTRACE_ARGUMENTS)
		out->argument_count = KTRACE_ARGUMENTS;
	for (size_t i = 0; i < out->argument_count; i++)
		out->arguments[i] = bsd_u64(&b, 8 + 8 * i);
	return true;
}

bool ktrace_return(struct ktrace_return *out, const struct ktrace_record *r)
{
	struct bsd_bytes b = payload_of(r);

	if (b.size < 16)
		return false;
	*out = (struct ktrace_return){
		.number = bsd_u16(&b, 0), .error = bsd_i32(&b, 4), .value = bsd_u64(&b, 8)
	};
	return true;
}

static struct span payload_from(const struct ktrace_record *r, size_t at)
{
	return at < r->payload.size ? span_of(r->payload.data + at, r->payload.size - at)
				    : span_of("", 0);
}

bool ktrace_io(struct ktrace_io *out, const struct ktrace_record *r)
{
	struct bsd_bytes b = payload_of(r);

	if (b.size < 8)
		return false;
	*out = (struct ktrace_io){
		.fd = bsd_u32(&b, 0), .is_write = bsd_u32(&b, 4) == 1, .data = payload_from(r, 8)
	};
	return true;
}

bool ktrace_signal(struct ktrace_signal *out, const struct ktrace_record *r)
{
	struct bsd_bytes b = payload_of(r);

	if (b.size < 36)
		return false;
	*out = (struct ktrace_signal){ .number = bsd_u32(&b, 0),
		.action = bsd_u64(&b, 8),
		.code = bsd_i32(&b, 16),
		.mask = bsd_u64(&b, 20) };
	return true;
}

bool ktrace_switch(struct ktrace_switch *out, const struct ktrace_record *r)
{
	struct bsd_bytes b = payload_of(r);

	if (b.size < 8)
		return false;
	/* Older systems have no wait channel. */
	*out = (struct ktrace_switch){ .is_out = bsd_u32(&b, 0), .is_user = bsd_u32(&b, 4) };
	bsd_copy(out->wait_channel, sizeof(out->wait_channel), &b, 8, 8);
	return true;
}

bool ktrace_struct(struct ktrace_struct *out, const struct ktrace_record *r)
{
	bool is_array = r->type == KTRACE_STRUCT_ARRAY;
	struct bsd_bytes b = payload_of(r);
	size_t at = is_array ? 8 : 0;
	struct span name = bsd_string(&b, at, b.size);

	/* The name ends with a NUL. */
	if (b.size <= at || at + name.size == b.size)
		return false;
	*out = (struct ktrace_struct){ .name = name,
		.each = is_array ? bsd_u64(&b, 0) : 0,
		.data = payload_from(r, at + name.size + 1) };
	return true;
}

bool ktrace_refusal(struct ktrace_refusal *out, const struct ktrace_record *r)
{
	struct bsd_bytes b = payload_of(r);

	if (b.size < 4)
		return false;
	out->kind = bsd_u32(&b, 0);
	return true;
}

bool ktrace_fault(struct ktrace_fault *out, const struct ktrace_record *r)
{
	struct bsd_bytes b = payload_of(r);

	if (b.size < 12)
		return false;
	*out = (struct ktrace_fault){ .address = bsd_u64(&b, 0), .type = bsd_i32(&b, 8) };
	return true;
}

bool ktrace_fault_end(int32_t *result, const struct ktrace_record *r)
{
	struct bsd_bytes b = payload_of(r);

	if (b.size < 4)
		return false;
	*result = bsd_i32(&b, 0);
	return true;
}

bool ktrace_program(uint32_t *flags, const struct ktrace_record *r)
{
	struct bsd_bytes b = payload_of(r);

	if (b.size < 4)
		return false;
	*flags = bsd_u32(&b, 0);
	return true;
}

/* --- utrace(2) --- */

#define MALLOC_SIZE 24 /* three words */

bool utrace_malloc(struct utrace_malloc *out, struct span payload)
{
	const struct bsd_bytes b = { (const unsigned char *)payload.data, payload.size };

	if (payload.size != MALLOC_SIZE)
		return false;
	*out = (struct utrace_malloc){
		.old_address = bsd_u64(&b, 0), .size = bsd_u64(&b, 8), .address = bsd_u64(&b, 16)
	};
	if (out->old_address == UINT64_MAX)
		out->kind = UTRACE_INIT;
	else if (!out->old_address)
		out->kind = UTRACE_MALLOC;
	else if (!out->size && !out->address)
		out->kind = UTRACE_FREE;
	else
		out->kind = UTRACE_REALLOC;
	return true;
}

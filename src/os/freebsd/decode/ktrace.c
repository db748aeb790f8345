/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/freebsd/decode/ktrace.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "os/bsd/bytes.h"

/* The header, as sys/ktrace.h of FreeBSD 13.4 and of 14 have it. */
enum header_at {
	AT_LENGTH = 0, /* of the payload alone */
	AT_TYPE = 4,
	AT_VERSION = 6, /* since 14 */
	AT_PID = 8,
	AT_NAME = 12,
	AT_TIME = 32, /* struct timeval, since 14 struct timespec */
	AT_TID = 48,
	AT_CPU = 56, /* since 14 */
};

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
		return false; /* it is not written to its end yet */
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

static struct span rest_of(const struct ktrace_record *r, size_t at)
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
		.fd = bsd_u32(&b, 0), .is_write = bsd_u32(&b, 4) == 1, .data = rest_of(r, 8)
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
		.data = rest_of(r, at + name.size + 1) };
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

/* --- errno --- */

/* Of FreeBSD (errno.h) by number: Linux's number. Those not here are the same, up to 34. */
static const uint8_t linux_errno[] = {
	[11] = 35,  /* EDEADLK */
	[35] = 11,  /* EAGAIN */
	[36] = 115, /* EINPROGRESS */
	[37] = 114, /* EALREADY */
	[38] = 88,  /* ENOTSOCK */
	[39] = 89,  /* EDESTADDRREQ */
	[40] = 90,  /* EMSGSIZE */
	[41] = 91,  /* EPROTOTYPE */
	[42] = 92,  /* ENOPROTOOPT */
	[43] = 93,  /* EPROTONOSUPPORT */
	[44] = 94,  /* ESOCKTNOSUPPORT */
	[45] = 95,  /* EOPNOTSUPP */
	[46] = 96,  /* EPFNOSUPPORT */
	[47] = 97,  /* EAFNOSUPPORT */
	[48] = 98,  /* EADDRINUSE */
	[49] = 99,  /* EADDRNOTAVAIL */
	[50] = 100, /* ENETDOWN */
	[51] = 101, /* ENETUNREACH */
	[52] = 102, /* ENETRESET */
	[53] = 103, /* ECONNABORTED */
	[54] = 104, /* ECONNRESET */
	[55] = 105, /* ENOBUFS */
	[56] = 106, /* EISCONN */
	[57] = 107, /* ENOTCONN */
	[58] = 108, /* ESHUTDOWN */
	[59] = 109, /* ETOOMANYREFS */
	[60] = 110, /* ETIMEDOUT */
	[61] = 111, /* ECONNREFUSED */
	[62] = 40,  /* ELOOP */
	[63] = 36,  /* ENAMETOOLONG */
	[64] = 112, /* EHOSTDOWN */
	[65] = 113, /* EHOSTUNREACH */
	[66] = 39,  /* ENOTEMPTY */
	[68] = 87,  /* EUSERS */
	[69] = 122, /* EDQUOT */
	[70] = 116, /* ESTALE */
	[82] = 43,  /* EIDRM */
	[83] = 42,  /* ENOMSG */
	[87] = 61,  /* ENOATTR: ENODATA */
	[90] = 72,  /* EMULTIHOP */
	[91] = 67,  /* ENOLINK */
	[77] = 37,  /* ENOLCK */
	[78] = 38,  /* ENOSYS */
	[84] = 75,  /* EOVERFLOW */
	[85] = 125, /* ECANCELED */
	[86] = 84,  /* EILSEQ */
	[89] = 74,  /* EBADMSG */
	[92] = 71,  /* EPROTO */
	[95] = 131, /* ENOTRECOVERABLE */
	[96] = 130, /* EOWNERDEAD */
};

#define SAME_UNTIL 35

uint32_t bsd_errno(uint32_t number)
{
	if (number < ARRAY_SIZE(linux_errno) && linux_errno[number])
		return linux_errno[number];
	/* Linux has another error there. */
	return number < SAME_UNTIL ? number : number + BSD_ERRNO_OWN;
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

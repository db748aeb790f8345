/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/freebsd/decode/kinfo_vmentry.h"
#include "os/freebsd/decode/kinfo_list.h"

#include "os/bsd/bytes.h"

#define FIXED_SIZE 136 /* the path begins there */
#define PATH_SIZE  1024

#define KINFO_VMENTRY(name, member, offset) AT_##name = offset,
enum kinfo_vmentry_at {
#include "os/freebsd/decode/layouts.def"
};

#define MAP_NUMBER(name, theirs, value) name = value,
enum kinfo_vmentry_number {
#include "os/freebsd/decode/layouts.def"
};

static uint8_t protection_of(uint32_t protection, uint32_t flags, uint32_t type)
{
	bool is_copied = flags & (FLAG_COW | FLAG_NEEDS_COPY);

	return (uint8_t)((protection & PROT_READ_ ? MAPS_READ : 0) |
			 (protection & PROT_WRITE_ ? MAPS_WRITE : 0) |
			 (protection & PROT_EXEC_ ? MAPS_EXECUTE : 0) |
			 (type == TYPE_VNODE && !is_copied && protection & PROT_WRITE_ ? MAPS_SHARED
										       : 0));
}

static uint8_t flags_of(uint32_t flags, uint32_t type)
{
	return (uint8_t)((flags & FLAG_NOCOREDUMP ? MAPS_NOT_IN_DUMPS : 0) |
			 (flags & FLAG_GROWS_DOWN ? MAPS_GROWS_DOWN : 0) |
			 (flags & FLAG_USER_WIRED ? MAPS_LOCKED : 0) |
			 (type == TYPE_GUARD ? MAPS_NO_RESERVE : 0));
}

static void decode_mapping(struct bsd_mapping *out, const struct bsd_bytes *b, uint32_t page_bytes)
{
	uint32_t type = bsd_u32(b, AT_TYPE), flags = bsd_u32(b, AT_FLAGS);
	uint64_t resident = (uint64_t)bsd_u32(b, AT_RESIDENT) * page_bytes;
	uint64_t own = (uint64_t)bsd_u32(b, AT_PRIVATE) * page_bytes;
	uint64_t device = bsd_u64(b, AT_FSID);
	bool is_file = type == TYPE_VNODE;

	*out = (struct bsd_mapping){
		.path = bsd_string(b, AT_PATH, PATH_SIZE),
		.mapping = { .from = bsd_u64(b, AT_START),
			.to = bsd_u64(b, AT_END),
			.offset = bsd_u64(b, AT_OFFSET),
			.inode = is_file ? bsd_u64(b, AT_FILEID) : 0,
			.rss_bytes = resident,
			.pss_bytes = own < resident ? own : resident,
			.private_dirty_bytes = own < resident ? own : resident,
			.shared_clean_bytes = own < resident ? resident - own : 0,
			.anonymous_bytes = is_file ? 0 : resident,
			.device_major = is_file ? (uint32_t)(device >> 32) : 0,
			.device_minor = is_file ? (uint32_t)device : 0,
			.page_bytes = page_bytes,
			.protection = protection_of(bsd_u32(b, AT_PROTECTION), flags, type),
			.flags = flags_of(flags, type) },
	};
	if (!out->path.size && flags & FLAG_GROWS_DOWN)
		out->path = span_of_string("[stack]");
	if (!out->path.size && type == TYPE_GUARD)
		out->path = span_of_string("[guard]");
	out->mapping.path_state = out->path.size ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
}

bool kinfo_vmentry_next(struct bsd_mapping *out, struct cursor *c, uint32_t page_bytes)
{
	struct bsd_bytes record;

	if (!kinfo_list_next(&record, c, FIXED_SIZE))
		return false;
	decode_mapping(out, &record, page_bytes);
	return true;
}

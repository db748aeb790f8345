/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/freebsd/decode/kinfo_lockf.h"

#include "os/freebsd/decode/kinfo_list.h"

#define KINFO_LOCKF(name, member, offset) AT_##name = offset,
enum kinfo_lockf_at {
#include "os/freebsd/decode/layouts.def"
};

#define LOCKF_NUMBER(name, theirs, value) name = value,
enum kinfo_lockf_number {
#include "os/freebsd/decode/layouts.def"
};

bool kinfo_lockf_next(struct bsd_file_lock *out, struct cursor *c)
{
	struct bsd_bytes b;
	uint64_t device;
	uint32_t type;

	/* Skip locks of other hosts, which have no process here. */
	do {
		if (!kinfo_list_next(&b, c, AT_PATH))
			return false;
		type = bsd_u32(&b, AT_TYPE);
	} while (type != OF_FILE && type != OF_PROCESS);
	device = bsd_u64(&b, AT_FSID);
	*out = (struct bsd_file_lock){ .inode = bsd_u64(&b, AT_FILEID),
		.device_major = (uint32_t)(device >> 32),
		.device_minor = (uint32_t)device,
		.pid = type == OF_PROCESS && bsd_i32(&b, AT_PID) > 0 ? bsd_u32(&b, AT_PID) : 0,
		.is_for_writing = bsd_u32(&b, AT_RW) == WRITES };
	return true;
}

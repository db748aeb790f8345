/* SPDX-License-Identifier: BSD-2-Clause */
/* The type is looked up here and not by a relocation: for a type that the kernel does not have
 * libbpf searches every module, which cap_bpf does not allow. */
#include "os/linux/syscalls/syscalls_uring.h"

#include <bpf/btf.h>
#include <string.h>

#include "os/linux/rights/needs.h"
#include "symbols/instruction.h"

#define EVENT	"trace_event_raw_io_uring_submit_sqe"
#define NOWHERE UINT32_MAX

static uint32_t offset_of(const struct btf *btf, const struct btf_type *event, const char *member)
{
	const struct btf_member *members = btf_members(event);

	for (uint32_t i = 0; i < btf_vlen(event); i++) {
		if (!strcmp(btf__name_by_offset(btf, members[i].name_off), member))
			return btf_member_bit_offset(event, i);
	}
	return NOWHERE;
}

uint32_t syscalls_uring_argument(void)
{
	struct btf *btf = btf__load_vmlinux_btf();
	int32_t id = btf ? btf__find_by_name_kind(btf, EVENT, BTF_KIND_STRUCT) : -1;
	const struct btf_type *event = id > 0 ? btf__type_by_id(btf, (uint32_t)id) : NULL;
	uint32_t argument = 1;

	if (event && offset_of(btf, event, "req") != NOWHERE)
		argument = offset_of(btf, event, "opcode") < offset_of(btf, event, "user_data") ? 2
												: 3;
	/* From 6.0 on the event has it in the request, too. */
	if (needs_kernel_release() >= KERNEL_RELEASE(6, 0))
		argument = 0;
	btf__free(btf);
	return argument;
}

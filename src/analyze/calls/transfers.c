/* SPDX-License-Identifier: BSD-2-Clause */
/* See transfers.h: a row of data a call. */
#include "analyze/calls/transfers.h"

#include <string.h>

#include "base/cleanup.h"
#include "bpf/aggregate.h"

#define LINUX_MSG_PEEK 2

static const struct {
	const char *name;
	struct transfer transfer;
} rows[] = {
	{ "read", { TRANSFER_READS, 0, 0, 2, 0, 0 } },
	{ "pread64", { TRANSFER_READS, 0, 0, 2, 3, 0 } },
	{ "readv", { TRANSFER_READS, 0, 0, 0, 0, 0 } },
	{ "preadv", { TRANSFER_READS, 0, 0, 0, 3, 0 } },
	{ "preadv2", { TRANSFER_READS, 0, 0, 0, 3, 0 } },
	{ "recvfrom", { TRANSFER_READS, 0, 0, 2, 0, 3 } },
	{ "recvmsg", { TRANSFER_READS, 0, 0, 0, 0, 2 } },
	{ "getdents", { TRANSFER_READS, 0, 0, 0, 0, 0 } },
	{ "getdents64", { TRANSFER_READS, 0, 0, 0, 0, 0 } },
	{ "write", { TRANSFER_WRITES, 0, 0, 2, 0, 0 } },
	{ "pwrite64", { TRANSFER_WRITES, 0, 0, 2, 3, 0 } },
	{ "writev", { TRANSFER_WRITES, 0, 0, 0, 0, 0 } },
	{ "pwritev", { TRANSFER_WRITES, 0, 0, 0, 3, 0 } },
	{ "pwritev2", { TRANSFER_WRITES, 0, 0, 0, 3, 0 } },
	{ "sendto", { TRANSFER_WRITES, 0, 0, 2, 0, 0 } },
	{ "sendmsg", { TRANSFER_WRITES, 0, 0, 0, 0, 0 } },
	{ "vmsplice", { TRANSFER_WRITES, 0, 0, 0, 0, 0 } },
	{ "sendfile", { TRANSFER_COPIES, 1, 0, 3, 0, 0 } },
	{ "splice", { TRANSFER_COPIES, 0, 2, 4, 0, 0 } },
	{ "tee", { TRANSFER_COPIES, 0, 1, 2, 0, 0 } },
	{ "copy_file_range", { TRANSFER_COPIES, 0, 2, 4, 0, 0 } },
};

void transfers_init(struct transfers *t)
{
	*t = (struct transfers){ 0 };
	for (unsigned abi = 0; abi < SYSCALL_TABLE_ABIS; abi++) {
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
			int32_t number = syscall_number(abi, rows[i].name, strlen(rows[i].name));

			if (number >= 0 && number < CALL_TYPES_NUMBERS)
				t->of[abi][number] = rows[i].transfer;
		}
	}
}

struct transfer transfer_of(const struct transfers *t, const struct syscalls_call *call)
{
	unsigned abi = call->abi == SYSCALL_ABI_X32 ? SYSCALL_ABI_X86_64 : call->abi;
	uint32_t number = call->number & ~SYSCALL_X32_BIT;

	if (abi >= SYSCALL_TABLE_ABIS || number >= CALL_TYPES_NUMBERS)
		return (struct transfer){ 0 };
	return t->of[abi][number];
}

uint64_t transfer_bytes(const struct transfer *t, const struct syscalls_call *call)
{
	if (!t->direction || aggregate_is_error(call->result))
		return 0;
	if (t->flags && call->arguments[t->flags] & LINUX_MSG_PEEK)
		return 0;
	return (uint64_t)call->result;
}

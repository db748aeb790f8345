/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Records system calls of followed threads that free pages. Together with the stacks of page faults
 * they show which code touched the remaining pages.
 */
#pragma once

#if defined(__TARGET_ARCH_x86)
#define NR_BRK	   12
#define NR_MMAP	   9
#define NR_MUNMAP  11
#define NR_MREMAP  25
#define NR_MADVISE 28
#else
#define NR_BRK	   214
#define NR_MMAP	   222
#define NR_MUNMAP  215
#define NR_MREMAP  216
#define NR_MADVISE 233
#endif

/* The same on all architectures that are supported: include/uapi/asm-generic/mman-common.h */
#define MAP_FIXED_BIT	     0x10
#define MADV_DONTNEED	     4
#define MADV_FREE	     8
#define MADV_REMOVE	     9
#define MADV_DONTNEED_LOCKED 24

static inline bool gives_back(uint64_t advice)
{
	return advice == MADV_DONTNEED || advice == MADV_FREE || advice == MADV_REMOVE ||
	       advice == MADV_DONTNEED_LOCKED;
}

/* Describes the freed range. Returns false if the call freed nothing. */
static inline bool release_of(
	struct profile_release *r, uint32_t number, const uint64_t *arguments, uint64_t result)
{
	r->from = arguments[0];
	r->bytes = arguments[1];
	r->moved_to = r->moved_bytes = 0;
	switch (number) {
	case NR_MUNMAP:
		r->how = PROFILE_UNMAPPED;
		return !result;
	case NR_MADVISE:
		r->how = PROFILE_ADVISED;
		return !result && gives_back(arguments[2]);
	case NR_MMAP:
		r->how = PROFILE_UNMAPPED;
		return (long)result > 0 && arguments[3] & MAP_FIXED_BIT;
	case NR_MREMAP:
		r->how = PROFILE_MOVED;
		r->moved_to = result;
		r->moved_bytes = arguments[2];
		return (long)result > 0;
	case NR_BRK:
		r->how = PROFILE_BREAK;
		r->from = result;
		r->bytes = 0;
		return true;
	default:
		return false;
	}
}

SEC("kernel_tp/sys_exit")
int BPF_PROG(on_release, struct pt_regs *regs, long result)
{
	struct task_struct *task = current_task();
	long number = abi_number(regs);
	uint32_t abi = abi_of(task, &number);
	struct profile_release r = {};
	uint64_t arguments[6];
	struct member m;

	if (abi != ABI_NATIVE || !is_followed(task, &m))
		return 0;
	abi_arguments(regs, abi, arguments);
	if (!release_of(&r, (uint32_t)number, arguments, (uint64_t)result))
		return 0;
	record_fill(&r.record, &m, PROFILE_RELEASE, RECORD_WORDS(struct profile_release),
		bpf_ktime_get_ns());
	if (bpf_ringbuf_output(&ring, &r, sizeof(r), ring_flags()))
		__sync_fetch_and_add(&control.lost, 1);
	return 0;
}

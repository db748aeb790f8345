/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls of the other ABIs all stop the command: few programs make them. */
#include "os/linux/ptrace/call_filter.h"

#include <assert.h>
#include <elf.h>
#include <errno.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>

#include "base/cleanup.h"
#include "os/linux/ptrace/tracee_pieces.h"
#include "os/linux/rights/filter_code.h"

#define TRACE FILTER_RETURN(SECCOMP_RET_TRACE | CALL_FILTER_DATA)
#define ALLOW FILTER_RETURN(SECCOMP_RET_ALLOW)

_Static_assert(sizeof(struct sock_filter) == sizeof(uint64_t), "an instruction is a word");

static int append_code(struct launch_filter *f, const struct sock_filter *code, size_t count)
{
	if (f->size + count > ARRAY_SIZE(f->code))
		return -E2BIG;
	memcpy(&f->code[f->size], code, count * sizeof(*code));
	f->size += count;
	return 0;
}

/* Returns whether sooth has to see the call: also an exec, which begins the command, and what it
 * reports or heeds whatever was selected. */
static bool is_traced(const struct syscalls_config *config, uint32_t number)
{
	uint64_t bit = 1ull << number % 64;

	return (config->wanted[0][number / 64] | config->followed[0][number / 64]) & bit ||
	       number == SYS_clone || number == SYS_clone3 || number == SYS_execve ||
	       number == SYS_execveat || number == SYS_io_uring_setup ||
	       number == SYS_io_uring_enter;
}

static int append_calls(struct launch_filter *filter, const struct syscalls_config *config)
{
	int status = 0;

	for (uint32_t from = 0, end; from < SYSCALLS_NUMBERS && !status; from = end) {
		bool traced = is_traced(config, from);

		for (end = from + 1; end < SYSCALLS_NUMBERS && is_traced(config, end) == traced;)
			end++;
		const struct sock_filter range[] = {
			BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, from, 0, 2),
			BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, end, 1, 0),
			TRACE,
		};

		if (traced)
			status = append_code(filter, range, ARRAY_SIZE(range));
	}
	return status;
}

void call_filter_refuse(pid_t tid)
{
#if defined(__x86_64__)
	/* The result is ENOSYS already. */
	ptrace(PTRACE_POKEUSER, tid, offsetof(struct user_regs_struct, orig_rax), -1L);
#else
	int none = -1;
	struct user_regs_struct regs;
	struct iovec number = { &none, sizeof(none) }, all = { &regs, sizeof(regs) };

	if (ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &all))
		return;
	regs.regs[0] = (uint64_t)-ENOSYS;
	ptrace(PTRACE_SETREGSET, tid, NT_PRSTATUS, &all);
	ptrace(PTRACE_SETREGSET, tid, NT_ARM_SYSTEM_CALL, &number);
#endif
}

static void put_first_argument(pid_t tid, uint64_t value)
{
#if defined(__x86_64__)
	ptrace(PTRACE_POKEUSER, tid, offsetof(struct user_regs_struct, rdi), value);
#else
	struct user_regs_struct regs;
	struct iovec all = { &regs, sizeof(regs) };

	if (ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &all))
		return;
	regs.regs[0] = value;
	ptrace(PTRACE_SETREGSET, tid, NT_PRSTATUS, &all);
#endif
}

void call_filter_keep_traced(pid_t tid, uint32_t machine, uint64_t number, uint64_t first)
{
	if (machine != FILTER_MACHINE)
		return;
	if (number == SYS_clone && first & CLONE_UNTRACED)
		put_first_argument(tid, first & ~(uint64_t)CLONE_UNTRACED);
	else if (number == SYS_clone3 && tracee_read_word(first) & CLONE_UNTRACED)
		call_filter_refuse(tid);
}

int call_filter_make(const struct syscalls_config *config, struct launch_filter *filter)
{
	static const struct sock_filter begin[] = {
		FILTER_LOAD(arch), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FILTER_MACHINE, 1, 0), TRACE,
		FILTER_LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, SYSCALLS_NUMBERS, 0, 1),
		TRACE, /* those of x32, too */
	};
	/* A page that the target itself serves may not be read while it is stopped. */
	static const struct sock_filter end[] = {
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 3),
		FILTER_LOAD(args[1]),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)UFFDIO_REGISTER, 0, 1),
		TRACE,
		ALLOW,
	};
	int status;

	assert(filter);
	filter->size = 0;
	status = append_code(filter, begin, ARRAY_SIZE(begin));
	if (!status)
		status = append_calls(filter, config);
	return status ? status : append_code(filter, end, ARRAY_SIZE(end));
}

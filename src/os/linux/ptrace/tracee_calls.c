/* SPDX-License-Identifier: BSD-2-Clause */
/* Counts and streams the system calls of traced threads, as bpf/syscalls.bpf.c does in the
 * kernel. */
#include <linux/audit.h>
#include <linux/userfaultfd.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#include <sooth/field.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "model/batch.h"
#include "model/probe.h"
#include "os/linux/ptrace/call_filter.h"
#include "os/linux/ptrace/tracee_pieces.h"
#include "os/linux/ptrace/tracees.h"
#include "probes/syscall_names.h"
#include "probes/syscalls.h"

#if defined(__x86_64__)
#define ABI_OWN	  SYSCALL_ABI_X86_64
#define AUDIT_OWN AUDIT_ARCH_X86_64
#define ABI_OTHER SYSCALL_ABI_I386
#else
#define ABI_OWN	  SYSCALL_ABI_AARCH64
#define AUDIT_OWN AUDIT_ARCH_AARCH64
#define ABI_OTHER SYSCALL_ABI_ARM
#endif

#define OTHER_EXIT	1 /* the same in i386 and Arm */
#define I386_EXIT_GROUP 252
#define ARM_EXIT_GROUP	248
#define CALLS_MAX	1024	     /* different calls of a thread */
#define COUNTS_MAX	(128u << 10) /* of all threads: less than 40 MB, and as many records */

/* --- counting --- */

void tracee_counts_init(struct tracee *t)
{
	map_init(&t->counts, sizeof(struct tracee_call), sizeof(struct aggregate_slot), CALLS_MAX);
	map_init(&t->failures, sizeof(struct tracee_call), sizeof(uint64_t), CALLS_MAX);
}

void tracee_counts_fini(struct tracees *all, struct tracee *t)
{
	all->counts -= t->counts.count + t->failures.count;
	map_fini(&t->counts);
	map_fini(&t->failures);
}

/* Returns the value of the key; NULL: there is no room for another one. */
static void *put_count(struct tracees *all, struct map *counts, const struct tracee_call *key)
{
	void *value = map_get(counts, key);

	if (value || all->counts == COUNTS_MAX)
		return value;
	value = map_put(counts, key, NULL);
	all->counts += value != NULL;
	return value;
}

static struct aggregate_slot *slot_of(struct tracees *all, struct tracee *t)
{
	const struct tracee_call key = { .abi = t->abi, .number = t->number };
	struct aggregate_slot *slot = put_count(all, &t->counts, &key);

	all->state->lost_counts += !slot;
	return slot;
}

static void count_call(struct tracees *all, struct tracee *t, int64_t result, uint64_t now)
{
	struct aggregate_slot *slot = slot_of(all, t);
	/* The "return value" of rt_sigreturn is a register of the interrupted code. */
	bool is_error =
		aggregate_is_error(result) && !(t->abi == ABI_OWN && t->number == SYS_rt_sigreturn);
	struct tracee_call key = { t->abi, t->number, (uint32_t)-result, 0 };
	uint64_t *failures = slot && is_error ? put_count(all, &t->failures, &key) : NULL;

	if (failures)
		++*failures;
	else
		all->state->lost_errors += slot && is_error;
	if (slot && t->entered_ns)
		aggregate_slot_add(slot, is_error, now - t->entered_ns);
	else if (slot)
		aggregate_slot_add_untimed(slot, is_error);
}

/* Returns whether the call ends the thread, and never returns. */
static bool is_last(const struct tracee *t)
{
	if (t->abi == SYSCALL_ABI_I386 || t->abi == SYSCALL_ABI_ARM)
		return t->number == OTHER_EXIT ||
		       t->number == (t->abi == SYSCALL_ABI_I386 ? I386_EXIT_GROUP : ARM_EXIT_GROUP);
	return t->number == SYS_exit || t->number == SYS_exit_group;
}

static void count_open_call(struct tracees *all, struct tracee *t)
{
	struct aggregate_slot *slot = slot_of(all, t);

	if (!slot)
		return;
	slot->count += is_last(t);
	slot->untimed += is_last(t);
	slot->unfinished += !is_last(t);
}

static void send_count(struct tracees *all, const struct tracee *t, const struct tracee_call *call,
	const struct aggregate_slot *s, uint64_t now)
{
	struct syscalls_count count = {
		.record = tracee_record(t, SYSCALLS_COUNT, now),
		.from_ns = t->from_ns,
		.number = call->number,
		.abi = call->abi,
		.count = s->count,
		.errors = s->errors,
		.unfinished = s->unfinished,
		.total_ns = s->total_ns,
		.max_ns = s->max_ns,
		.untimed = s->untimed,
	};

	memcpy(count.histogram, s->histogram, sizeof(count.histogram));
	RECORD_APPEND(&all->built, &count, NULL, 0);
	tracees_send(all);
}

static void send_failures(struct tracees *all, const struct tracee *t,
	const struct tracee_call *call, uint64_t count, uint64_t now)
{
	struct syscalls_error error = {
		.record = tracee_record(t, SYSCALLS_ERROR, now),
		.from_ns = t->from_ns,
		.number = call->number,
		.abi = call->abi,
		.count = count,
		.error = call->error,
	};

	RECORD_APPEND(&all->built, &error, NULL, 0);
	tracees_send(all);
}

bool tracee_is_in_call(const struct tracee *t)
{
	return t->in_call && t->entered_ns;
}

void tracee_flush(struct tracees *all, struct tracee *t, uint64_t now)
{
	if (!t->interest)
		return;
	if (tracee_is_in_call(t) && !t->is_unwanted && t->interest & INTEREST_COUNT)
		count_open_call(all, t);
	map_for_each (
		&t->counts, const struct tracee_call *, call, const struct aggregate_slot *, slot)
		send_count(all, t, call, slot, now);
	map_for_each (&t->failures, const struct tracee_call *, call, const uint64_t *, count)
		send_failures(all, t, call, *count, now);
	all->counts -= t->counts.count + t->failures.count;
	map_clear(&t->counts);
	map_clear(&t->failures);
	t->in_call = false;
}

/* --- streaming --- */

/* Returns the argument with the path of an exec; -1: the call is none. */
static int path_of_exec(const struct tracee *t)
{
	static const struct {
		uint16_t abi, number;
		int path;
	} execs[] = {
		{ ABI_OWN, SYS_execve, 0 },
		{ ABI_OWN, SYS_execveat, 1 },
		{ SYSCALL_ABI_X32, 520, 0 },
		{ SYSCALL_ABI_X32, 545, 1 },
		{ SYSCALL_ABI_I386, 11, 0 },
		{ SYSCALL_ABI_I386, 358, 1 },
		{ SYSCALL_ABI_ARM, 11, 0 },
		{ SYSCALL_ABI_ARM, 387, 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(execs); i++)
		if (t->number == execs[i].number && t->abi == execs[i].abi)
			return execs[i].path;
	return -1;
}

static bool is_exec(const struct tracee *t)
{
	return path_of_exec(t) >= 0;
}

static void fill_call(struct syscalls_call *call, const struct tracee *t, int64_t result,
	uint64_t now, uint8_t result_state)
{
	*call = (struct syscalls_call){
		.record = tracee_record(t, SYSCALLS_CALL, now),
		.duration_ns = t->entered_ns ? now - t->entered_ns : 0,
		.duration_state =
			t->entered_ns ? SOOTH_STATE_VALUE : SOOTH_NOT_MEASURED(SOOTH_REASON_UNSEEN),
		.result = result,
		.result_state = result_state,
		.number = t->number,
		.abi = t->abi,
		.path_state = SOOTH_STATE_ABSENT,
		.gaps = t->gaps,
	};
	memcpy(call->arguments, t->arguments, sizeof(call->arguments));
	memcpy(call->name, t->name, sizeof(call->name));
}

/* Returns the row of the call in the config's captures; SYSCALLS_ABIS * SYSCALLS_NUMBERS: none. */
static uint32_t captures_row(const struct tracee *t)
{
	if (t->number >= SYSCALLS_NUMBERS || t->abi == SYSCALL_ABI_X32)
		return SYSCALLS_ABIS * SYSCALLS_NUMBERS;
	return t->abi == ABI_OWN ? t->number : t->number + SYSCALLS_NUMBERS;
}

static void stream_call(
	struct tracees *all, struct tracee *t, int64_t result, uint64_t now, uint8_t result_state)
{
	static struct call_with_pieces whole; /* the tracing process has one thread */
	uint32_t row = captures_row(t);
	size_t bytes = sizeof(whole.call);

	tracee_read_name(t, now);
	fill_call(&whole.call, t, result, now, result_state);
	if (row < SYSCALLS_ABIS * SYSCALLS_NUMBERS && result_state == SOOTH_STATE_VALUE &&
		all->config->captures[row][0].keep) {
		whole.path_bytes = t->path_bytes;
		whole.requested_state = t->requested_state;
		memcpy(whole.arguments, t->arguments, sizeof(t->arguments));
		memcpy(whole.path, t->path, sizeof(whole.path));
		memcpy(whole.asked, t->asked, sizeof(whole.asked));
		tracee_read_for(all->config, (pid_t)t->process.pid, t->tid);
		bytes = tracee_keep_pieces(&whole, row);
	}
	whole.call.record.words = (uint16_t)(bytes / SOOTH_RECORD_WORD);
	whole.call.record.fixed_words = sizeof(whole.call) / SOOTH_RECORD_WORD;
	buffer_append(&all->built, &whole.call, bytes);
	tracees_send_call(all);
}

/* Reads what is gone, or overwritten, when the call returns. */
static void read_at_entry(const struct tracees *all, struct tracee *t)
{
	uint8_t argument = t->abi == ABI_OWN && t->number < SYSCALLS_NUMBERS
				   ? all->config->entry_arguments[t->number]
				   : 0;
	uint64_t from = argument ? t->arguments[argument - 1] : 0;

	t->path_bytes = 0;
	t->requested_state = SOOTH_STATE_VALUE;
	if (!argument)
		return;
	tracee_read_for(all->config, (pid_t)t->process.pid, t->tid);
	if (is_exec(t))
		t->path_bytes = tracee_read_path(t->path, from);
	else if (!t->entered_ns)
		t->requested_state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSEEN);
	else if (from)
		t->requested_state = tracee_read_requested(t->asked, from);
}

/* --- entry and return --- */

static bool has_bit(const uint64_t *bits, uint32_t number)
{
	return bits[number / 64] >> (number % 64) & 1;
}

/* Notes whether the call is selected; the thread has its ABI and number. */
static void choose_call(struct tracee *t, const struct syscalls_config *config)
{
	size_t other = t->abi != ABI_OWN && t->abi != SYSCALL_ABI_X32;
	bool is_known = t->number < SYSCALLS_NUMBERS;
	bool is_wanted = config->has_all || (is_known && has_bit(config->wanted[other], t->number));

	t->is_followed = is_known && (!is_wanted || config->only_failed) &&
			 has_bit(config->followed[other], t->number);
	t->is_unwanted = !is_wanted && !t->is_followed;
}

static void set_call(struct tracee *t, uint32_t audit_arch, uint64_t number)
{
	t->abi = audit_arch == AUDIT_OWN ? ABI_OWN : ABI_OTHER;
	t->number = (uint32_t)number;
	if (t->abi != SYSCALL_ABI_X86_64 || (int64_t)number <= 0 || !(number & SYSCALL_X32_BIT))
		return;
	t->abi = SYSCALL_ABI_X32;
	t->number &= ~SYSCALL_X32_BIT;
}

/* Returns whether the entry continues a call that attaching has interrupted: its begin was not
 * seen. restart_syscall(2) stands for calls with a timeout. */
static bool continues_call(struct tracee *t, uint64_t number, const uint64_t *arguments)
{
	struct task_call before = t->before;

	t->before.has_call = false;
	if (!before.has_call)
		return false;
	return (t->abi == ABI_OWN && number == SYS_restart_syscall) ||
	       (number == before.number &&
		       !memcmp(arguments, before.arguments, sizeof(before.arguments)));
}

static void enter_call(
	struct tracees *all, struct tracee *t, const struct __ptrace_syscall_info *info)
{
	uint64_t arguments[6];

	for (size_t i = 0; i < 6; i++)
		arguments[i] = info->entry.args[i];
	set_call(t, info->arch, info->entry.nr);
	all->state->hits++;
	if (t->is_before_exec && !is_exec(t))
		return;
	t->is_before_exec = false;
	t->in_call = true;
	t->entered_ns = clock_monotonic_ns();
	if (continues_call(t, info->entry.nr, arguments)) {
		t->entered_ns = 0;
		memcpy(arguments, t->before.arguments, sizeof(arguments));
		set_call(t, info->arch, t->before.number);
	}
	memcpy(t->arguments, arguments, sizeof(t->arguments));
	choose_call(t, all->config);
	if ((uint32_t)arguments[1] == UFFDIO_REGISTER)
		tracee_serves_pages(); /* an ioctl(2); in any other call it costs little time */
	if (t->interest & INTEREST_STREAM && !t->is_unwanted)
		read_at_entry(all, t);
	if (t->abi == ABI_OWN)
		all->state->urings +=
			t->number == SYS_io_uring_setup || t->number == SYS_io_uring_enter;
}

static void return_from_call(struct tracees *all, struct tracee *t, int64_t result, uint64_t now)
{
	if (!t->in_call)
		return;
	t->in_call = false;
	if (!all->has_begun)
		return;
	t->has_returned = true;
	if (t->abi == ABI_OWN && t->number == SYS_prctl)
		t->named_ns = 0;
	if (t->is_unwanted)
		return;
	if (t->interest & INTEREST_COUNT && !t->is_followed)
		count_call(all, t, result, now);
	if (t->interest & INTEREST_STREAM &&
		(!all->config->only_failed || t->is_followed || aggregate_is_error(result)))
		stream_call(all, t, result, now, SOOTH_STATE_VALUE);
}

void tracee_call_stop(struct tracees *all, struct tracee *t,
	const struct __ptrace_syscall_info *info, uint64_t now)
{
	if (info->op == PTRACE_SYSCALL_INFO_SECCOMP && info->seccomp.ret_data != CALL_FILTER_DATA)
		call_filter_refuse(t->tid);
	else if (info->op == PTRACE_SYSCALL_INFO_SECCOMP) {
		tracee_read_for(all->config, (pid_t)t->process.pid, t->tid);
		call_filter_keep_traced(
			t->tid, info->arch, info->seccomp.nr, info->seccomp.args[0]);
	}
	/* The members of a stop by a filter are those of an entry. */
	if (info->op == PTRACE_SYSCALL_INFO_ENTRY || info->op == PTRACE_SYSCALL_INFO_SECCOMP)
		enter_call(all, t, info);
	else if (info->op == PTRACE_SYSCALL_INFO_EXIT)
		return_from_call(all, t, info->exit.rval, now);
}

int tracee_exec_path(const struct tracee *t)
{
	return t->in_call ? path_of_exec(t) : -1;
}

uint64_t tracee_address(const struct tracee *t, int argument)
{
	return t->abi == ABI_OWN ? t->arguments[argument] : (uint32_t)t->arguments[argument];
}

void tracee_call_end(struct tracees *all, struct tracee *t, uint64_t now)
{
	if (!all->has_begun)
		return;
	if (t->interest & INTEREST_STREAM && tracee_is_in_call(t) && !t->is_unwanted)
		stream_call(all, t, 0, now, SOOTH_STATE_ABSENT);
	tracee_flush(all, t, now);
}

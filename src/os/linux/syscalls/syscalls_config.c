/* SPDX-License-Identifier: BSD-2-Clause */
/* The selection of system calls and of their arguments, and targets that make no calls. */
#include "os/linux/syscalls/syscalls_config.h"

#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "os/linux/files/procfs.h"
#include "os/linux/proc/proc_values.h"
#include "os/linux/syscalls/native_abi.h"
#include "os/os.h"
#include "probes/syscall_arguments.h"
#include "probes/syscall_set.h"

/* Arguments are captured only if requested: a call without captures costs half as much. Data that
 * was read is captured also for the status of an answer (keep_status() in bpf/pieces.bpf.h), data
 * on a connection for what shows an API call (bpf/api.bpf.h). */
static void captures_of(const struct syscall_row *row, const struct sooth_calls_options *o,
	struct syscalls_capture *captures)
{
	bool has_data = o->kept_data_bytes || o->records_api, has_status = o->has_call_budget;

	for (size_t i = 0, n = 0; i < row->argument_count && n < SYSCALLS_PIECES; i++) {
		const struct argument_type *type = syscall_argument(row, i);
		bool is_data = type->form == ARGUMENT_AS_DATA;

		if (type->keep && (has_data || !is_data ||
					  (has_status && type->keep == SYSCALLS_KEEP_BY_RESULT)))
			captures[n++] = (struct syscalls_capture){ .argument = (uint8_t)i,
				.keep = type->keep,
				.is_result = type->is_result,
				.is_data = is_data,
				.unit = syscall_argument_bytes(type, ABI_64) };
	}
}

/* Returns whether the data has the same form in a 32-bit program: strings, bytes, addresses, and no
 * struct with a long or a pointer. The path of an exec is gone when the call returns. */
static bool is_alike(const struct syscalls_capture *c)
{
	return c->keep == SYSCALLS_KEEP_STRING || c->keep == SYSCALLS_KEEP_NEAR_END ||
	       c->keep == SYSCALLS_KEEP_BY_LENGTH ||
	       ((c->keep == SYSCALLS_KEEP_BY_RESULT || c->keep == SYSCALLS_KEEP_BY_NEXT) &&
		       c->unit == 1);
}

static void captures_of_other(const struct syscall_row *row, const struct sooth_calls_options *o,
	struct syscalls_capture *captures)
{
	struct syscalls_capture all[SYSCALLS_PIECES] = { 0 };

	if (row->traits & SYSCALL_EXECS)
		return;
	captures_of(row, o, all);
	for (size_t i = 0, n = 0; i < SYSCALLS_PIECES; i++) {
		if (is_alike(&all[i]))
			captures[n++] = all[i];
	}
}

/* Sets bits by number: which calls are requested, and which only for their effect on
 * descriptors. */
static void choose_calls(
	struct syscalls_config *config, const struct syscall_set *set, bool follows)
{
	static const unsigned abis[SYSCALLS_ABIS] = { ABI_64, ABI_32_KNOWN };

	for (size_t i = 0; i < SYSCALLS_ABIS; i++) {
		syscall_set_numbers(set, abis[i], config->wanted[i], SYSCALLS_NUMBERS);
		for (uint32_t number = 0; follows && number < SYSCALLS_NUMBERS; number++) {
			const struct syscall_row *row = syscall_by_number(abis[i], number);

			if (row && syscall_moves_descriptors(row))
				config->followed[i][number / 64] |= 1ull << number % 64;
		}
	}
}

/* Returns the argument to read at the entry, from 1; 0: all can be read when the call returns. */
static uint8_t entry_argument(const struct syscall_row *row)
{
	bool execs = row->traits & SYSCALL_EXECS;

	for (size_t i = 0; i < row->argument_count; i++) {
		if (execs ? syscall_takes_path(row, i)
			  : syscall_argument(row, i)->keep == SYSCALLS_KEEP_ASKED)
			return (uint8_t)(i + 1);
	}
	return 0;
}

/* Returns whether a call must be known for other calls to be understood. */
static bool is_kept(const struct syscall_row *row)
{
	return syscall_moves_descriptors(row) ||
	       row->traits & (SYSCALL_CONNECTS | SYSCALL_ASKS_SOCKET | SYSCALL_REMOVES |
				     SYSCALL_RENAMES | SYSCALL_RESIZES | SYSCALL_MAKES_FILE);
}

/* Returns whether all calls that move bytes are requested: then io_uring requests are, too. */
static bool wants_requests(const struct syscalls_config *c)
{
	bool has_any = c->has_all;

	for (size_t i = 0; i < ARRAY_SIZE(c->moves); i++)
		has_any |= (c->wanted[0][i] & c->moves[i]) != 0;
	return has_any && !c->has_budget && !c->only_api && !c->only_failed;
}

int syscalls_config_set(struct syscalls_config *config, const struct probe_options *options,
	struct sooth_error *err)
{
	const struct sooth_calls_options *calls = &options->observer.calls;
	struct syscall_set set;
	int status = syscall_set_of(&set, calls, err);

	if (status)
		return status;
	for (uint32_t number = 0; number < SYSCALLS_NUMBERS; number++) {
		const struct syscall_row *row = syscall_by_number(ABI_64, number);
		const struct syscall_row *other = syscall_by_number(ABI_32_KNOWN, number);

		if (other)
			captures_of_other(
				other, calls, config->captures[SYSCALLS_NUMBERS + number]);
		if (!row)
			continue;
		config->entry_arguments[number] = entry_argument(row);
		captures_of(row, calls, config->captures[number]);
		if (is_kept(row))
			config->kept[number / 64] |= 1ull << number % 64;
		if (row->transfer.direction)
			config->moves[number / 64] |= 1ull << number % 64;
	}
	config->keeps_pieces = (options->interest & INTEREST_STREAM) != 0;
	config->data_bytes = calls->kept_data_bytes;
	config->has_all = set.is_all;
	config->only_failed = probe_skips_call(options, false);
	config->has_windows = calls->has_call_budget || options->observer.max_overhead_percent;
	config->has_budget = config->keeps_status = calls->has_call_budget;
	config->keeps_errors = calls->has_call_budget;
	config->keeps_api = calls->records_api;
	config->only_api = calls->records_only_api;
	choose_calls(config, &set, options->interest & INTEREST_STREAM && !calls->records_only_api);
	config->keeps_uring = wants_requests(config);
	return 0;
}

int syscalls_target_check(
	const struct backend_run *run, const struct process_id *process, struct sooth_error *err)
{
	_cleanup_close_ int folder = procfs_open((pid_t)process->pid);
	struct buffer bytes = { 0 };
	struct procfs_stat stat;
	int status = 0;

	if (!run->options.is_host && !run->options.has_uid && folder >= 0 &&
		!procfs_stat_at(folder, &stat, &bytes) && stat.flags & PROC_IS_KERNEL_THREAD) {
		error_set(err, -EOPNOTSUPP, SOOTH_FAULT_UNSUPPORTED,
			"observe the system calls of process %u", process->pid);
		error_why(err, "the process is a kernel thread, which makes no system calls");
		status = error_remedy(err, "sooth profile -p %u shows its functions", process->pid);
	}
	buffer_fini(&bytes);
	return status;
}

void syscalls_target_silent(struct backend_run *run, uint64_t threads)
{
	char what[96];

	snprintf(what, sizeof(what), "the activity of %llu thread%s", (unsigned long long)threads,
		threads == 1 ? "" : "s");
	backend_limit(run, what,
		"these threads computed, or waited in a call entered before attach",
		"sooth why PID says what a thread does");
}

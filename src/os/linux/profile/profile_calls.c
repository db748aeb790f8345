/* SPDX-License-Identifier: BSD-2-Clause */
/* Stacks of system calls. */
#include "os/linux/profile/profile_calls.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/batch.h"
#include "os/linux/syscalls/native_abi.h"
#include "probes/syscall_set.h"

static void select_calls(struct profile_calls *calls, const struct syscall_set *set)
{
	static const unsigned abis[] = { ABI_64, ABI_32_KNOWN };

	calls->has_all = set->is_all;
	for (size_t i = 0; i < ARRAY_SIZE(abis); i++)
		syscall_set_numbers(set, abis[i], calls->wanted[i], PROFILE_CALL_NUMBERS);
}

/* Loads only the programs in `loaded`, which ends with NULL: the verifier takes time for each
 * program. */
static int load_only(struct bpf_code *code, const char *const *loaded, struct sooth_error *err)
{
	static const char *const names[] = { PROFILE_SAMPLES_PROGRAM, PROFILE_CALLS_PROGRAM,
		PROFILE_RELEASE_PROGRAM, PROFILE_SWITCH_PROGRAM, PROFILE_WAKING_PROGRAM };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct bpf_program *program =
			bpf_object__find_program_by_name(code->object, names[i]);
		bool is_wanted = false;

		for (const char *const *name = loaded; *name; name++)
			is_wanted |= !strcmp(names[i], *name);
		if (program)
			bpf_program__set_autoload(program, is_wanted);
		else if (is_wanted)
			return error_set(err, -EINVAL, SOOTH_FAULT_INTERNAL,
				"find the BPF program %s", names[i]);
	}
	return 0;
}

int profile_calls_choose(
	struct bpf_code *code, const struct probe_options *options, struct sooth_error *err)
{
	static const char *const of_samples[] = { PROFILE_SAMPLES_PROGRAM, NULL };
	static const char *const of_calls[] = { PROFILE_CALLS_PROGRAM, NULL };
	static const char *const of_pages[] = { PROFILE_SAMPLES_PROGRAM, PROFILE_RELEASE_PROGRAM,
		NULL };
	enum stack_trigger trigger = probe_stack_trigger(options);
	const char *const of_waits[] = { PROFILE_SWITCH_PROGRAM, PROFILE_WAKING_PROGRAM,
		trigger == STACK_OF_WAIT_AND_CLOCK ? PROFILE_SAMPLES_PROGRAM : NULL, NULL };
	struct profile_calls *calls;
	struct syscall_set set;
	int status;

	if (trigger != STACK_OF_CALL)
		return load_only(code,
			trigger == STACK_OF_PAGE_FAULT ? of_pages
			: trigger == STACK_BY_CLOCK    ? of_samples
						       : of_waits,
			err);
	status = syscall_set_of(&set, &options->observer.calls, err);
	if (status)
		return status;
	calls = bpf_code_constants(code, ".rodata.calls", sizeof(*calls), err);
	if (!calls)
		return -EINVAL;
	select_calls(calls, &set);
	return load_only(code, of_calls, err);
}

void profile_calls_put(struct buffer *out, const struct profile_raw *raw, uint32_t stack)
{
	struct profile_call call = {
		.record = raw->record, .stack = stack, .number = raw->call, .abi = raw->abi
	};

	call.record.kind = PROFILE_CALL;
	memcpy(call.process, raw->process, sizeof(call.process));
	memcpy(call.thread, raw->thread, sizeof(call.thread));
	RECORD_APPEND(out, &call, NULL, 0);
}

void profile_pages_put(struct buffer *out, const struct profile_raw *raw, uint32_t stack)
{
	struct profile_page page = { .record = raw->record,
		.address = raw->hash,
		.stack = stack,
		.faults = (uint32_t)(raw->faults < UINT32_MAX ? raw->faults : UINT32_MAX) };

	page.record.kind = PROFILE_PAGE;
	memcpy(page.process, raw->process, sizeof(page.process));
	memcpy(page.thread, raw->thread, sizeof(page.thread));
	RECORD_APPEND(out, &page, NULL, 0);
}

void profile_waits_put(struct buffer *out, const struct profile_raw *raw, uint32_t stack)
{
	struct profile_wait wait = { .record = raw->record,
		.waited_ns = raw->waited_ns,
		.stack = stack,
		.number = raw->call,
		.abi = raw->abi,
		.waker_pid = raw->waker_pid,
		.waker_tid = raw->waker_tid,
		.state = (uint8_t)raw->state,
		.flags = (uint8_t)raw->flags,
		.call_state = raw->call == PROFILE_NO_CALL ? SOOTH_STATE_ABSENT : SOOTH_STATE_VALUE,
		.stack_state =
			raw->flags & PROFILE_WAIT_OLD ? SOOTH_STATE_ABSENT : SOOTH_STATE_VALUE,
		.waker_state = raw->waker_pid ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };

	wait.record.kind = PROFILE_WAIT;
	memcpy(wait.process, raw->process, sizeof(wait.process));
	memcpy(wait.thread, raw->thread, sizeof(wait.thread));
	memcpy(wait.waker, raw->waker, sizeof(wait.waker));
	RECORD_APPEND(out, &wait, NULL, 0);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/profile/wait_places.h"

#include "base/cleanup.h"
#include "probes/syscall_names.h"

static const char *const reason_texts[WAIT_REASONS] = {
	[WAIT_PREEMPTED] = "preempted",
	[WAIT_FOR_LOCK] = "locks",
	[WAIT_FOR_TIME] = "sleep",
	[WAIT_FOR_DESCRIPTORS] = "descriptors",
	[WAIT_FOR_DATA] = "data",
	[WAIT_FOR_TURN] = "shared lock",
	[WAIT_FOR_CHILD] = "child",
	[WAIT_FOR_SIGNAL] = "signals",
	[WAIT_FOR_DISK] = "disk",
	[WAIT_FOR_MEMORY] = "page fault",
	[WAIT_FOR_OTHER] = "other",
	[WAIT_SHORT] = "short waits",
	[WAIT_RUNNING] = "running",
};
const struct sooth_names wait_reason_names = { WAIT_REASONS, reason_texts };

enum wait_reason wait_reason_of(const struct profile_wait *w)
{
	static const uint8_t of[SYSCALL_WAITS] = { [SYSCALL_WAIT_OTHER] = WAIT_FOR_OTHER,
		[SYSCALL_WAIT_LOCK] = WAIT_FOR_LOCK,
		[SYSCALL_WAIT_TIME] = WAIT_FOR_TIME,
		[SYSCALL_WAIT_READY] = WAIT_FOR_DESCRIPTORS,
		[SYSCALL_WAIT_DATA] = WAIT_FOR_DATA,
		[SYSCALL_WAIT_TURN] = WAIT_FOR_TURN,
		[SYSCALL_WAIT_CHILD] = WAIT_FOR_CHILD,
		[SYSCALL_WAIT_SPAWN] = WAIT_FOR_CHILD,
		[SYSCALL_WAIT_SIGNAL] = WAIT_FOR_SIGNAL,
		[SYSCALL_WAIT_YIELD] = WAIT_PREEMPTED };
	const struct syscall_row *row;

	if (w->state == PROFILE_PREEMPTED)
		return WAIT_PREEMPTED;
	if (w->flags & PROFILE_WAIT_IO)
		return WAIT_FOR_DISK;
	if (w->call_state)
		return w->state == PROFILE_BLOCKS ? WAIT_FOR_MEMORY : WAIT_FOR_OTHER;
	row = syscall_by_number((uint16_t)w->abi, w->number);
	return row && row->wait.what < SYSCALL_WAITS ? of[row->wait.what] : WAIT_FOR_OTHER;
}

static bool is_library_of_c(struct span file)
{
	static const char *const names[] = { "libc.so", "libc-", "ld-", "ld.so", "ld-linux",
		"libpthread", "[vdso]", "libc.musl" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (span_starts(file, names[i]))
			return true;
	}
	return false;
}

/* What a person has written, rather than the interpreter that runs it. */
const struct profile_function *wait_place_of(
	const struct profile_sums *sums, const struct profile_stacked *stacked)
{
	const struct profile_function *best = NULL;

	for (size_t i = 0; i < stacked->depth; i++) {
		const struct profile_function *f = stacked->frames[i];

		if (f->kind == PROFILE_SCRIPT)
			return f;
		if (f->kind != PROFILE_KERNEL && !best &&
			!is_library_of_c(names_get(&sums->names, f->file)))
			best = f;
	}
	return best;
}

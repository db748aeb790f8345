/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/profile/wait_places.h"

#include <assert.h>

#define BEFORE	"[since before sooth attached]"
#define UNKNOWN "[unknown]"

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

static enum wait_reason reason_of(const struct profile_wait *w)
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

static const char *const color_texts[WAIT_COLORS] = { "several reasons", "disk", "lock",
	"socket, pipe or other data", "poll", "sleep", "child or signal", "page fault", "preempted",
	"other" };
const struct sooth_names wait_color_names = { WAIT_COLORS, color_texts };

uint32_t wait_color_of(const struct profile_wait *w)
{
	static const uint8_t of[WAIT_REASONS] = { [WAIT_PREEMPTED] = WAIT_COLOR_PREEMPTED,
		[WAIT_FOR_LOCK] = WAIT_COLOR_LOCK,
		[WAIT_FOR_TIME] = WAIT_COLOR_SLEEP,
		[WAIT_FOR_DESCRIPTORS] = WAIT_COLOR_POLL,
		[WAIT_FOR_DATA] = WAIT_COLOR_DATA,
		[WAIT_FOR_TURN] = WAIT_COLOR_LOCK,
		[WAIT_FOR_CHILD] = WAIT_COLOR_CHILD,
		[WAIT_FOR_SIGNAL] = WAIT_COLOR_CHILD,
		[WAIT_FOR_DISK] = WAIT_COLOR_DISK,
		[WAIT_FOR_MEMORY] = WAIT_COLOR_PAGE,
		[WAIT_FOR_OTHER] = WAIT_COLOR_OTHER };

	assert(w);
	return of[reason_of(w)];
}

/* Returns whether a file is a library of C or C++, or an allocator. */
static bool is_library_of_c(struct span file)
{
	static const char *const names[] = { "libc.so", "libc-", "ld-", "ld.so", "ld-linux",
		"libpthread", "[vdso]", "libc.musl", "libstdc++", "libc++", "libgcc_s",
		"libjemalloc", "libmimalloc", "libtcmalloc" };

	return SPAN_ANY(file, span_starts, names);
}

/* Returns whether a function is in the standard library of C++, Rust or Go: these are in
 * programs. */
static bool is_of_language(struct span name)
{
	static const char *const begins[] = { "std::", "void std::", "__gnu_cxx::", "operator new",
		"alloc::", "core::", "<alloc::", "<core::", "<u8 as ", "<T as ", "<I as ", "<[T]",
		"hashbrown::", "__rust_", "__rdl_", "runtime.", "_Znwm" };

	return SPAN_ANY(name, span_starts, begins);
}

bool wait_place_is_below(const struct profile_sums *sums, const struct profile_function *f)
{
	return f->kind == PROFILE_KERNEL || is_library_of_c(names_get(&sums->names, f->object));
}

const struct profile_function *wait_place_function(
	const struct profile_sums *sums, const struct profile_stacked *stacked)
{
	const struct profile_function *best = NULL, *script = NULL;
	bool is_own = false;

	assert(sums);
	assert(stacked);
	for (size_t i = 0; i < stacked->depth; i++) {
		const struct profile_function *f = stacked->frames[i];

		if (f->kind == PROFILE_SCRIPT && !f->is_of_runtime)
			return f;
		if (f->kind == PROFILE_SCRIPT && !script)
			script = f;
		if (is_own || wait_place_is_below(sums, f))
			continue;
		is_own = !is_of_language(names_get(&sums->names, f->name));
		if (!best || is_own)
			best = f;
	}
	return script ? script : best;
}

struct wait_place wait_place_of(struct profile_sums *sums, uint32_t stack)
{
	struct profile_stacked stacked = { .end = PROFILE_ENDS };
	const char *none = stack == WAIT_NOT_ANY ? BEFORE : UNKNOWN;
	const struct profile_function *f;

	assert(sums);
	if (stack != WAIT_NOT_ANY)
		profile_sums_stack(sums, stack, &stacked);
	f = wait_place_function(sums, &stacked);
	return (struct wait_place){
		.function = f ? f->name : names_put(&sums->names, span_of_string(none), NULL),
		.file = f ? f->file : names_put(&sums->names, span_of("", 0), NULL),
		.is_known = f != NULL,
		.is_whole = stacked.end == PROFILE_WHOLE,
		.is_script = f && f->kind == PROFILE_SCRIPT,
	};
}

struct wait_key wait_key_of(const struct profile_wait *w)
{
	assert(w);
	return (struct wait_key){ .stack = w->stack_state ? WAIT_NOT_ANY : w->stack,
		.number = w->call_state ? WAIT_NOT_ANY : w->number,
		.abi = w->call_state ? 0 : w->abi,
		.reason = reason_of(w) };
}

uint8_t wait_call_text(uint32_t abi, uint32_t number, char name[SYSCALL_NAME_SIZE])
{
	name[0] = 0;
	if (number == WAIT_NOT_ANY)
		return SOOTH_STATE_ABSENT;
	syscall_name((uint16_t)abi, number, name);
	return SOOTH_STATE_VALUE;
}

void wait_report_old_waits(struct output *output, uint64_t old)
{
	if (old)
		output_limit(output, "stacks of waits that began before sooth attached",
			"a stack is walked where a thread stops running",
			"sooth stack PID shows the stacks of now");
}

void wait_place_add(struct map *places, uint32_t function, uint32_t file, uint64_t amount)
{
	struct wait_place_key key = { function, file };
	uint64_t *sum = map_put(places, &key, NULL);

	if (sum)
		*sum += amount;
}

struct wait_place_key wait_place_most(const struct map *places, uint32_t function, uint64_t *sum)
{
	struct wait_place_key most = { 0 };

	assert(sum);
	*sum = 0;
	map_for_each (places, const struct wait_place_key *, key, const uint64_t *, amount) {
		if (*amount <= *sum || (function != NAMES_NONE && key->function != function))
			continue;
		*sum = *amount;
		most = *key;
	}
	return most;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "probes/syscall_names.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

/* The table spells categories in lower case. */
enum {
	CATEGORY_file = SYSCALL_CATEGORY_FILE,
	CATEGORY_network = SYSCALL_CATEGORY_NETWORK,
	CATEGORY_memory = SYSCALL_CATEGORY_MEMORY,
	CATEGORY_process = SYSCALL_CATEGORY_PROCESS,
	CATEGORY_event = SYSCALL_CATEGORY_EVENT,
	CATEGORY_time = SYSCALL_CATEGORY_TIME,
	CATEGORY_ipc = SYSCALL_CATEGORY_IPC,
	CATEGORY_signal = SYSCALL_CATEGORY_SIGNAL,
	CATEGORY_other = SYSCALL_CATEGORY_OTHER,
};

/* The table spells traits without their prefix. */
enum {
	LOOKS = SYSCALL_LOOKS,
	OPENS = SYSCALL_OPENS,
	RESIZES = SYSCALL_RESIZES,
	REMOVES = SYSCALL_REMOVES,
	RENAMES = SYSCALL_RENAMES,
	SEEKS = SYSCALL_SEEKS,
	CONNECTS = SYSCALL_CONNECTS,
	ASKS_SOCKET = SYSCALL_ASKS_SOCKET,
	POLLS = SYSCALL_POLLS,
	SLEEPS = SYSCALL_SLEEPS,
	FUTEX = SYSCALL_FUTEX,
	PATIENT = SYSCALL_PATIENT,
	WRITES_MANY = SYSCALL_WRITES_MANY,
	READS_LINK = SYSCALL_READS_LINK,
	EXIT_REASONS_THREAD = SYSCALL_ENDS_THREAD,
	EXIT_REASONS_PROCESS = SYSCALL_ENDS_PROCESS,
	EXECS = SYSCALL_EXECS,
	SUBMITS = SYSCALL_SUBMITS,
	SYNCS = SYSCALL_SYNCS,
	STARTS_TASK = SYSCALL_STARTS_TASK,
	SHUTS_DOWN = SYSCALL_SHUTS_DOWN,
	ADDS_WATCH = SYSCALL_ADDS_WATCH,
	REMOVES_WATCH = SYSCALL_REMOVES_WATCH,
	MAKES_WATCHER = SYSCALL_MAKES_WATCHER,
	MAKES_FILE = SYSCALL_MAKES_FILE,
	RESTORES = SYSCALL_RESTORES,
	UNMAPS = SYSCALL_UNMAPS,
	MAPS = SYSCALL_MAPS,
	BREAKS = SYSCALL_BREAKS,
	RETURNS_ADDRESS = SYSCALL_RETURNS_ADDRESS,
	RETURNS_MODE = SYSCALL_RETURNS_MODE,
};

/* Errors as Linux numbers them, whatever system this runs on. */
enum {
	ERROR_EPERM = 1,
	ERROR_ENOENT = 2,
	ERROR_ESRCH = 3,
	ERROR_EBADF = 9,
	ERROR_ECHILD = 10,
	ERROR_EEXIST = 17,
	ERROR_EINVAL = 22,
	ERROR_ENOTTY = 25,
	ERROR_ESPIPE = 29,
	ERROR_ENOTEMPTY = 39,
	ERROR_ENODATA = 61,
	ERROR_EOPNOTSUPP = 95,
	ERROR_ENOTCONN = 107,
};

/* --- the words of a row --- */

#define PICK(_1, _2, _3, _4, _5, _6, name, ...) name
#define EACH1(with, a)				with(a)
#define EACH2(with, a, ...)			with(a), EACH1(with, __VA_ARGS__)
#define EACH3(with, a, ...)			with(a), EACH2(with, __VA_ARGS__)
#define EACH4(with, a, ...)			with(a), EACH3(with, __VA_ARGS__)
#define EACH5(with, a, ...)			with(a), EACH4(with, __VA_ARGS__)
#define EACH6(with, a, ...)			with(a), EACH5(with, __VA_ARGS__)
#define EACH(with, ...)                                                                            \
	PICK(__VA_ARGS__, EACH6, EACH5, EACH4, EACH3, EACH2, EACH1)(with, __VA_ARGS__)
#define COUNT(...)    PICK(__VA_ARGS__, 6, 5, 4, 3, 2, 1)
#define TYPE_OF(id)   ARGUMENT_TYPE_##id
#define ERROR_OF(id)  ERROR_##id
#define TYPES(...)    .argument_count = COUNT(__VA_ARGS__), .arguments = { EACH(TYPE_OF, __VA_ARGS__) }
#define NO_TYPES      .argument_count = 0
#define ARG(position) ((position) + 1)
#define X32(number)   .x32 = number
#define IS(flags)     .traits = flags
#define READS(...)    .transfer = { .direction = SYSCALL_READS, .from = ARG(0), __VA_ARGS__ }
#define WRITES(...)   .transfer = { .direction = SYSCALL_WRITES, .to = ARG(0), __VA_ARGS__ }
#define COPIES(from_, to_, ...)                                                                    \
	.transfer = { .direction = SYSCALL_COPIES, .from = from_, .to = to_, __VA_ARGS__ }
#define WAITS(kind, ...)    .wait = { .what = SYSCALL_WAIT_##kind, .is_purpose = true, __VA_ARGS__ }
#define MAY_WAIT(kind, ...) .wait = { .what = SYSCALL_WAIT_##kind, __VA_ARGS__ }
#define MOVES(effect_, ...)                                                                        \
	.effect = { .what = SYSCALL_FD_##effect_, .is_needed = true, __VA_ARGS__ }
#define TEACHES(effect_, ...) .effect = { .what = SYSCALL_FD_##effect_, __VA_ARGS__ }
#define LIMIT(limit_)	      .limit = SYSCALL_LIMIT_##limit_
#define ANSWERS(...)	      .answers = { EACH(ERROR_OF, __VA_ARGS__) }

/*
 * A row's position in rows[]. Each constant is named after the row's line in the table, because a
 * macro can distinguish rows only by their line: two rows may have the same name.
 */
#define ROW_OF_LINE_(line)     ROW_##line
#define ROW_OF_LINE(line)      ROW_OF_LINE_(line)
#define BSD_ROW_OF_LINE_(line) BSD_ROW_##line
#define BSD_ROW_OF_LINE(line)  BSD_ROW_OF_LINE_(line)

enum {
#define SYSCALL(name_, x86_64, aarch64, i386, category_, ...) ROW_OF_LINE(__LINE__),
#include "probes/syscalls.def"
	ROW_LINUX_COUNT,
	ROW_BEFORE_BSD = ROW_LINUX_COUNT - 1, /* the next row is counted on from here */
#define BSD_CALL(...) BSD_ROW_OF_LINE(__LINE__),
#include "probes/syscalls_bsd.def"
	ROW_COUNT
};

static const struct syscall_row rows[] = {
#define SYSCALL(name_, x86_64, aarch64, i386, category_, ...)                                      \
	{ .name = #name_,                                                                          \
		.numbers = { x86_64, aarch64, i386 },                                              \
		.bsd_numbers = { -1, -1 },                                                         \
		.category = CATEGORY_##category_,                                                  \
		__VA_ARGS__ },
#include "probes/syscalls.def"
#define BSD_CALL(name_, freebsd, darwin, category_, ...)                                           \
	{ .name = #name_,                                                                          \
		.numbers = { -1, -1, -1 },                                                         \
		.bsd_numbers = { freebsd, darwin },                                                \
		.category = CATEGORY_##category_,                                                  \
		__VA_ARGS__ },
#include "probes/syscalls_bsd.def"
};

/*
 * Position in rows[] plus one, by number of the call; 0: there is no call. A row that the ABI lacks
 * gets an unused slot of its own behind the last number: if all such rows shared one slot, the
 * compiler would warn of an overridden initialiser.
 */
#define NUMBER_LIMIT 512
#define SLOT(number) ((number) < 0 ? NUMBER_LIMIT + __LINE__ : (number))

static const uint16_t index_x86_64[] = {
#define SYSCALL(name_, x86_64, aarch64, i386, category_, ...)                                      \
	[SLOT(x86_64)] = ROW_OF_LINE(__LINE__) + 1,
#include "probes/syscalls.def"
};

static const uint16_t index_aarch64[] = {
#define SYSCALL(name_, x86_64, aarch64, i386, category_, ...)                                      \
	[SLOT(aarch64)] = ROW_OF_LINE(__LINE__) + 1,
#include "probes/syscalls.def"
};

static const uint16_t index_i386[] = {
#define SYSCALL(name_, x86_64, aarch64, i386, category_, ...)                                      \
	[SLOT(i386)] = ROW_OF_LINE(__LINE__) + 1,
#include "probes/syscalls.def"
};

/* The same for the other systems, whose numbers go further. */
#define BSD_NUMBER_LIMIT 640
#define BSD_SLOT(number) ((number) < 0 ? BSD_NUMBER_LIMIT + __LINE__ : (number))

static const uint16_t index_freebsd[] = {
#define BSD_CALL(name_, freebsd, darwin, category_, ...)                                           \
	[BSD_SLOT(freebsd)] = BSD_ROW_OF_LINE(__LINE__) + 1,
#include "probes/syscalls_bsd.def"
};

static const uint16_t index_darwin[] = {
#define BSD_CALL(name_, freebsd, darwin, category_, ...)                                           \
	[BSD_SLOT(darwin)] = BSD_ROW_OF_LINE(__LINE__) + 1,
#include "probes/syscalls_bsd.def"
};

_Static_assert(COUNT_OF(index_freebsd) > BSD_NUMBER_LIMIT, "short index");
_Static_assert(COUNT_OF(index_darwin) > BSD_NUMBER_LIMIT, "short index");

#define BSD_CALL(name_, freebsd, darwin, category_, ...)                                           \
	_Static_assert((freebsd) < BSD_NUMBER_LIMIT && (darwin) < BSD_NUMBER_LIMIT,                \
		"number of " #name_ " beyond the index");
#include "probes/syscalls_bsd.def"

/* Each ABI lacks some row, so that every index reaches beyond NUMBER_LIMIT; lookups rely on it. */
_Static_assert(COUNT_OF(index_x86_64) > NUMBER_LIMIT, "short index");
_Static_assert(COUNT_OF(index_aarch64) > NUMBER_LIMIT, "short index");
_Static_assert(COUNT_OF(index_i386) > NUMBER_LIMIT, "short index");

#define SYSCALL(name_, x86_64, aarch64, i386, category_, ...)                                      \
	_Static_assert(                                                                            \
		(x86_64) < NUMBER_LIMIT && (aarch64) < NUMBER_LIMIT && (i386) < NUMBER_LIMIT,      \
		"number of " #name_ " beyond the index");
#include "probes/syscalls.def"

/*
 * x32 shares the numbers of x86-64, except for calls that have their own numbers from here on. The
 * kernel refuses the shared number of such a call; sooth still shows its name, because the program
 * wanted that call.
 */
#define X32_FIRST 512

static const char *const category_names[SYSCALL_CATEGORY_COUNT] = {
	[SYSCALL_CATEGORY_FILE] = "file",
	[SYSCALL_CATEGORY_NETWORK] = "network",
	[SYSCALL_CATEGORY_MEMORY] = "memory",
	[SYSCALL_CATEGORY_PROCESS] = "process",
	[SYSCALL_CATEGORY_EVENT] = "event",
	[SYSCALL_CATEGORY_TIME] = "time",
	[SYSCALL_CATEGORY_IPC] = "ipc",
	[SYSCALL_CATEGORY_SIGNAL] = "signal",
	[SYSCALL_CATEGORY_OTHER] = "other",
};

const struct sooth_names syscall_category_names = { SYSCALL_CATEGORY_COUNT, category_names };

const char *syscall_category_name(unsigned category)
{
	if (category >= SYSCALL_CATEGORY_COUNT)
		category = SYSCALL_CATEGORY_OTHER;
	return category_names[category];
}

const struct syscall_row *syscall_row_at(size_t position)
{
	return position < ROW_COUNT ? &rows[position] : NULL;
}

size_t syscall_row_position(const struct syscall_row *row)
{
	return (size_t)(row - rows);
}

/* Searches linearly: x32 is rare, and has few numbers of its own. */
static const struct syscall_row *x32_row(uint32_t number)
{
	for (size_t i = 0; i < ROW_COUNT; i++) {
		if (rows[i].x32 == number)
			return &rows[i];
	}
	return NULL;
}

const struct syscall_row *syscall_by_number(unsigned abi, uint32_t number)
{
	const uint16_t *index;
	uint32_t limit = NUMBER_LIMIT;

	switch (abi) {
	case SYSCALL_ABI_FREEBSD:
		index = index_freebsd;
		limit = BSD_NUMBER_LIMIT;
		break;
	case SYSCALL_ABI_DARWIN:
		index = index_darwin;
		limit = BSD_NUMBER_LIMIT;
		break;
	case SYSCALL_ABI_X32:
		number &= ~SYSCALL_X32_BIT;
		if (number >= X32_FIRST)
			return x32_row(number);
		index = index_x86_64;
		break;
	case SYSCALL_ABI_X86_64:
		index = index_x86_64;
		break;
	case SYSCALL_ABI_AARCH64:
		index = index_aarch64;
		break;
	case SYSCALL_ABI_I386:
		index = index_i386;
		break;
	default:
		return NULL;
	}
	if (number >= limit || !index[number])
		return NULL;
	return &rows[index[number] - 1];
}

const struct syscall_row *syscall_row_of(unsigned abi, uint32_t number)
{
	static const struct syscall_row unknown = { .category = CATEGORY_other,
		TYPES(hex, hex, hex, hex, hex, hex) };
	const struct syscall_row *row = syscall_by_number(abi, number);

	return row ? row : &unknown;
}

static int row_has_name(const struct syscall_row *row, const char *name, size_t size)
{
	return strlen(row->name) == size && !memcmp(row->name, name, size);
}

const struct syscall_row *syscall_by_name(const char *name, size_t size)
{
	if (!size)
		return NULL;
	for (size_t i = 0; i < ROW_COUNT; i++) {
		if (row_has_name(&rows[i], name, size))
			return &rows[i];
	}
	return NULL;
}

int32_t syscall_number(unsigned abi, const char *name, size_t size)
{
	unsigned column = abi == SYSCALL_ABI_X32 ? SYSCALL_ABI_X86_64 : abi;
	bool is_bsd = abi == SYSCALL_ABI_FREEBSD || abi == SYSCALL_ABI_DARWIN;
	int32_t number = -1;

	if ((column >= SYSCALL_TABLE_ABIS && !is_bsd) || !size)
		return -1;
	for (size_t i = 0; i < ROW_COUNT && number < 0; i++) {
		if (!row_has_name(&rows[i], name, size))
			continue;
		number = is_bsd ? rows[i].bsd_numbers[abi - SYSCALL_ABI_FREEBSD]
				: rows[i].numbers[column];
		if (abi == SYSCALL_ABI_X32 && rows[i].x32)
			number = rows[i].x32;
	}
	return number;
}

bool syscall_waits(const struct syscall_row *row)
{
	assert(row);
	return row->wait.is_purpose;
}

bool syscall_returns_descriptor(const struct syscall_row *row)
{
	assert(row);
	return row->effect.what > SYSCALL_FD_NOTHING_SEEN && row->effect.what < SYSCALL_FD_RESULTS;
}

bool syscall_moves_descriptors(const struct syscall_row *row)
{
	assert(row);
	return row->effect.is_needed;
}

bool syscall_never_returns(const struct syscall_row *row)
{
	assert(row);
	return row->traits & SYSCALL_ENDS_THREAD;
}

const char *syscall_of_function(const char *function)
{
	static const struct {
		const char *function, *call;
	} aliases[] = {
#define ALIAS(function, call) { #function, #call },
#include "probes/syscalls.def"
	};

	for (size_t i = 0; i < COUNT_OF(aliases); i++) {
		if (!strcmp(aliases[i].function, function))
			return aliases[i].call;
	}
	return NULL;
}

size_t syscall_name(unsigned abi, uint32_t number, char out[SYSCALL_NAME_SIZE])
{
	/* Native ABIs have no prefix: on their machines every call would carry it. */
	static const char *const prefixes[SYSCALL_ABI_COUNT] = {
		[SYSCALL_ABI_X86_64] = "",
		[SYSCALL_ABI_AARCH64] = "",
		[SYSCALL_ABI_I386] = "i386:",
		[SYSCALL_ABI_X32] = "x32:",
		[SYSCALL_ABI_ARM] = "arm:",
		[SYSCALL_ABI_FREEBSD] = "",
		[SYSCALL_ABI_DARWIN] = "",
	};
	const struct syscall_row *row = syscall_by_number(abi, number);
	const char *prefix = abi < SYSCALL_ABI_COUNT ? prefixes[abi] : "";
	int length;

	if (abi == SYSCALL_ABI_X32)
		number &= ~SYSCALL_X32_BIT;
	if (row)
		length = snprintf(out, SYSCALL_NAME_SIZE, "%s%s", prefix, row->name);
	else
		length = snprintf(out, SYSCALL_NAME_SIZE, "%ssyscall_%u", prefix, (unsigned)number);
	return length < 0 ? 0 : (size_t)length;
}

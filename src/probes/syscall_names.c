/* SPDX-License-Identifier: BSD-2-Clause */
#include "probes/syscall_names.h"

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

/*
 * A row's position in rows[]. Named after its line in the table, as the line is the one thing a
 * macro can tell rows apart by: a name may stand in two.
 */
#define ROW_OF_LINE_(line) ROW_##line
#define ROW_OF_LINE(line)  ROW_OF_LINE_(line)

enum {
#define SYSCALL(name, x86_64, aarch64, i386, category, signature) ROW_OF_LINE(__LINE__),
#include "probes/syscall_names.def"
#undef SYSCALL
	ROW_COUNT
};

static const struct syscall_row rows[] = {
#define SYSCALL(name, x86_64, aarch64, i386, category, signature)                                  \
	{ #name, { x86_64, aarch64, i386 }, CATEGORY_##category, signature },
#include "probes/syscall_names.def"
#undef SYSCALL
};

/*
 * Position in rows[] plus one by number, 0 where there is no call. A row the ABI lacks has to be
 * initialised somewhere: each gets a slot of its own behind the last number, never looked at, since
 * one shared by them all would be an initialiser overridden.
 */
#define NUMBER_LIMIT 512
#define SLOT(number) ((number) < 0 ? NUMBER_LIMIT + __LINE__ : (number))

static const uint16_t index_x86_64[] = {
#define SYSCALL(name, x86_64, aarch64, i386, category, signature)                                  \
	[SLOT(x86_64)] = ROW_OF_LINE(__LINE__) + 1,
#include "probes/syscall_names.def"
#undef SYSCALL
};

static const uint16_t index_aarch64[] = {
#define SYSCALL(name, x86_64, aarch64, i386, category, signature)                                  \
	[SLOT(aarch64)] = ROW_OF_LINE(__LINE__) + 1,
#include "probes/syscall_names.def"
#undef SYSCALL
};

static const uint16_t index_i386[] = {
#define SYSCALL(name, x86_64, aarch64, i386, category, signature)                                  \
	[SLOT(i386)] = ROW_OF_LINE(__LINE__) + 1,
#include "probes/syscall_names.def"
#undef SYSCALL
};

/* Each ABI lacks some row, so that every index reaches beyond NUMBER_LIMIT; lookups rely on it. */
_Static_assert(COUNT_OF(index_x86_64) > NUMBER_LIMIT, "short index");
_Static_assert(COUNT_OF(index_aarch64) > NUMBER_LIMIT, "short index");
_Static_assert(COUNT_OF(index_i386) > NUMBER_LIMIT, "short index");

#define SYSCALL(name, x86_64, aarch64, i386, category, signature)                                  \
	_Static_assert(                                                                            \
		(x86_64) < NUMBER_LIMIT && (aarch64) < NUMBER_LIMIT && (i386) < NUMBER_LIMIT,      \
		"number of " #name " beyond the index");
#include "probes/syscall_names.def"
#undef SYSCALL

/*
 * x32 shares the numbers of x86-64 but for these calls, which have a second one from 512 on. The
 * shared number of such a call is refused by the kernel; it is still shown by the name, as that is
 * what the program was after.
 */
#define X32_FIRST 512

static const uint16_t x32_to_x86_64[] = {
	13,  /* rt_sigaction */
	15,  /* rt_sigreturn */
	16,  /* ioctl */
	19,  /* readv */
	20,  /* writev */
	45,  /* recvfrom */
	46,  /* sendmsg */
	47,  /* recvmsg */
	59,  /* execve */
	101, /* ptrace */
	127, /* rt_sigpending */
	128, /* rt_sigtimedwait */
	129, /* rt_sigqueueinfo */
	131, /* sigaltstack */
	222, /* timer_create */
	244, /* mq_notify */
	246, /* kexec_load */
	247, /* waitid */
	273, /* set_robust_list */
	274, /* get_robust_list */
	278, /* vmsplice */
	279, /* move_pages */
	295, /* preadv */
	296, /* pwritev */
	297, /* rt_tgsigqueueinfo */
	299, /* recvmmsg */
	307, /* sendmmsg */
	310, /* process_vm_readv */
	311, /* process_vm_writev */
	54,  /* setsockopt */
	55,  /* getsockopt */
	206, /* io_setup */
	209, /* io_submit */
	322, /* execveat */
	327, /* preadv2 */
	328, /* pwritev2 */
};

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

const struct syscall_row *syscall_by_number(unsigned abi, uint32_t number)
{
	const uint16_t *index;

	switch (abi) {
	case SYSCALL_ABI_X32:
		number &= ~SYSCALL_X32_BIT;
		if (number >= X32_FIRST && number - X32_FIRST < COUNT_OF(x32_to_x86_64))
			number = x32_to_x86_64[number - X32_FIRST];
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
	if (number >= NUMBER_LIMIT || !index[number])
		return NULL;
	return &rows[index[number] - 1];
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
	int32_t number = -1;

	if (column >= SYSCALL_TABLE_ABIS || !size)
		return -1;
	for (size_t i = 0; i < ROW_COUNT && number < 0; i++) {
		if (row_has_name(&rows[i], name, size))
			number = rows[i].numbers[column];
	}
	if (abi != SYSCALL_ABI_X32 || number < 0)
		return number;
	for (size_t i = 0; i < COUNT_OF(x32_to_x86_64); i++) {
		if (x32_to_x86_64[i] == number)
			return X32_FIRST + (int32_t)i;
	}
	return number;
}

bool syscall_is_among(const struct syscall_row *row, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!strcmp(names[i], row->name))
			return true;
	}
	return false;
}

size_t syscall_name(unsigned abi, uint32_t number, char out[SYSCALL_NAME_SIZE])
{
	/* The two native ABIs go without: on their machines every call would carry the prefix. */
	static const char *const prefixes[SYSCALL_ABI_COUNT] = {
		[SYSCALL_ABI_X86_64] = "",
		[SYSCALL_ABI_AARCH64] = "",
		[SYSCALL_ABI_I386] = "i386:",
		[SYSCALL_ABI_X32] = "x32:",
		[SYSCALL_ABI_ARM] = "arm:",
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

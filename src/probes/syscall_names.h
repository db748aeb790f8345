/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <sooth/field.h>

#include "probes/syscall_traits.h"

/* The values stand in capture files: never renumber them, only append. */
enum syscall_abi {
	SYSCALL_ABI_X86_64 = 0,
	SYSCALL_ABI_AARCH64 = 1,
	SYSCALL_ABI_I386 = 2,
	SYSCALL_ABI_X32 = 3,
	SYSCALL_ABI_ARM = 4,
	SYSCALL_ABI_FREEBSD = 5,
	SYSCALL_ABI_DARWIN = 6,
	SYSCALL_ABI_COUNT = 7,
};

enum syscall_category {
	SYSCALL_CATEGORY_FILE,
	SYSCALL_CATEGORY_NETWORK,
	SYSCALL_CATEGORY_MEMORY,
	SYSCALL_CATEGORY_PROCESS,
	SYSCALL_CATEGORY_EVENT,
	SYSCALL_CATEGORY_TIME,
	SYSCALL_CATEGORY_IPC,
	SYSCALL_CATEGORY_SIGNAL,
	SYSCALL_CATEGORY_OTHER,
	SYSCALL_CATEGORY_COUNT,
};

/* ABIs with numbers of their own in the table: x86-64, aarch64, i386, as in enum syscall_abi. */
#define SYSCALL_TABLE_ABIS 3
/* ABIs with numbers in syscalls_bsd.def, from SYSCALL_ABI_FREEBSD on. */
#define SYSCALL_BSD_ABIS 2

/* Room for the longest name with its ABI in front and for every unknown number. */
#define SYSCALL_NAME_SIZE 48

/* The bit that the kernel sets in the number of an x32 call. */
#define SYSCALL_X32_BIT 0x40000000u

/* A row of syscalls.def, or of syscalls_bsd.def. */
struct syscall_row {
	const char *name;		     /* NULL: the table does not know the call */
	int16_t numbers[SYSCALL_TABLE_ABIS]; /* -1 where absent */
	uint16_t x32; /* number in the x32 ABI, if it differs from x86-64; else 0 */
	int16_t bsd_numbers[SYSCALL_BSD_ABIS]; /* -1 where absent, and in rows of Linux */
	uint8_t category;		       /* enum syscall_category */
	uint8_t argument_count;
	uint8_t arguments[SYSCALL_ARGUMENTS]; /* enum argument_type_id */
	uint8_t limit;			      /* enum syscall_limit */
	uint8_t answers[SYSCALL_ANSWERS];     /* errors that are ordinary answers; 0: no more */
	uint32_t traits;		      /* enum syscall_trait */
	struct syscall_transfer transfer;
	struct syscall_wait wait;
	struct syscall_effect effect;
};

extern const struct sooth_names syscall_category_names; /* names by enum syscall_category */
/* Returns the name of a category: "file", "network", ...; "other" for a value out of range. */
const char *syscall_category_name(unsigned category);

/*
 * Returns the row of a call; NULL: the table does not know the number. x32 numbers may come with or
 * without SYSCALL_X32_BIT. Takes constant time, except for numbers that only x32 has.
 */
const struct syscall_row *syscall_by_number(unsigned abi, uint32_t number);
/* Returns the same; for an unknown call, a row of six numbers without a name. */
const struct syscall_row *syscall_row_of(unsigned abi, uint32_t number);

/*
 * Returns the first row of that name, NULL if there is none. The name has no ABI in front and need
 * not end in a NUL. A few names (mmap, pread64) have a second row because i386 passes the arguments
 * in another shape; category and name are the same in both rows, but to learn the number of a name
 * use syscall_number(). Searches linearly: for options, not for every event.
 */
const struct syscall_row *syscall_by_name(const char *name, size_t size);

/* Returns whether the purpose of the call is to wait: for others, or for time to pass. Calls that
 * read or write wait depending on their descriptor. */
bool syscall_waits(const struct syscall_row *row);
/* Returns whether the result of the call is a descriptor. */
bool syscall_returns_descriptor(const struct syscall_row *row);
/* Returns whether names of descriptors and paths go wrong without this call. Such a call is
 * streamed even if it was not requested. */
bool syscall_moves_descriptors(const struct syscall_row *row);
/* Returns whether the call never returns. */
bool syscall_never_returns(const struct syscall_row *row);

/* Returns the call that a function of the C library makes under another name: recvfrom for recv.
 * NULL: none is known. */
const char *syscall_of_function(const char *function);

/* Returns the number of the call `name`; -1: the ABI has none. x32 numbers lack SYSCALL_X32_BIT. */
int32_t syscall_number(unsigned abi, const char *name, size_t size);

/*
 * Writes the name to show: "openat", "i386:open", "x32:read"; "syscall_471" or "i386:syscall_600"
 * if unknown. Returns the length without the NUL.
 */
size_t syscall_name(unsigned abi, uint32_t number, char out[SYSCALL_NAME_SIZE]);

/* Returns the position of a row in the table. */
size_t syscall_row_position(const struct syscall_row *row);
/* Returns the row at `position`, NULL behind the last: for listings and tests. */
const struct syscall_row *syscall_row_at(size_t position);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Types of the arguments of system calls: a row of syscall_types.def says which part of the target
 * is kept and how it is written.
 */
#pragma once

#include "probes/syscall_flags.h"
#include "probes/syscall_names.h"
#include "probes/syscalls.h"

/* How a value is written: analyze/calls/call_text.c has a function for each. */
enum argument_form {
	ARGUMENT_AS_HEX,
	ARGUMENT_AS_INT,  /* integer of 32 bits */
	ARGUMENT_AS_LONG, /* an offset in a file, with a sign */
	ARGUMENT_AS_UNSIGNED,
	ARGUMENT_AS_SIZE, /* size in bytes */
	ARGUMENT_AS_OCTAL,
	ARGUMENT_AS_POINTER,
	ARGUMENT_AS_FLAGS,
	ARGUMENT_AS_FD,
	ARGUMENT_AS_DIRECTORY, /* a descriptor of a directory, or AT_FDCWD */
	ARGUMENT_AS_PATH,
	ARGUMENT_AS_TEXT, /* a text up to a NUL that is no path of this system */
	ARGUMENT_AS_DATA,
	ARGUMENT_AS_VECTORS,
	ARGUMENT_AS_MESSAGE,
	ARGUMENT_AS_ADDRESS,
	ARGUMENT_AS_FD_PAIR,
	ARGUMENT_AS_POLLED,
	ARGUMENT_AS_EPOLL_EVENTS,
	ARGUMENT_AS_TIMESPEC,
	ARGUMENT_AS_TIMEVAL,
	ARGUMENT_AS_TIMER,    /* struct itimerspec */
	ARGUMENT_AS_TIMER_US, /* struct itimerval */
	ARGUMENT_AS_STATUS,   /* status of wait4(2) */
	ARGUMENT_AS_LENGTH,   /* a 32-bit number that is pointed to */
	ARGUMENT_AS_RLIMIT,
	ARGUMENT_AS_OPEN_HOW,
	ARGUMENT_AS_CLONE_ARGS,
	ARGUMENT_AS_SIGNALS,	    /* a set of signals */
	ARGUMENT_AS_WORDS,	    /* a command line, which the exec record has */
	ARGUMENT_AS_NOTHING,	    /* an argument that the kernel ignores */
	ARGUMENT_AS_MODE_OF_OPEN,   /* exists only with certain flags in the argument before */
	ARGUMENT_AS_FLAGS_AND_MODE, /* permissions are the lowest nine bits */
	ARGUMENT_AS_CONTROL,	    /* argument of fcntl(2): the command before it gives its type */
	ARGUMENT_AS_FUTEX,	    /* argument of futex(2): the operation gives its type */
	ARGUMENT_AS_OPTION,	    /* the value of an option of a socket: mostly one int */
	ARGUMENT_AS_QUOTA_COMMAND,  /* a command with the kind of quota in its lowest byte */
	ARGUMENT_AS_PROTOCOL,	    /* protocol of a socket; its family is two arguments before */
	ARGUMENT_AS_OPTION_NAME,    /* an option; the argument before is its level */
	ARGUMENT_FORMS,
};

struct argument_type {
	const char *name;
	uint8_t form;	   /* enum argument_form */
	uint8_t keep;	   /* enum syscalls_keep */
	uint8_t is_result; /* written by the kernel: nothing to read if the call failed */
	uint16_t unit;	   /* bytes, see enum syscalls_keep */
	const struct flag_table *flags;
};

/* Returns the type of the argument at `position`, which is below row->argument_count. */
const struct argument_type *syscall_argument(const struct syscall_row *row, size_t position);

/* Returns the size of a struct epoll_event, which ends with a number of 8 bytes: packed on x86
 * (include/uapi/linux/eventpoll.h), aligned on aarch64. */
static inline uint16_t epoll_event_bytes(uint32_t abi)
{
	return abi == SYSCALL_ABI_AARCH64 ? 16 : 12;
}

/* Returns the unit of a type on a machine. */
uint16_t syscall_argument_bytes(const struct argument_type *type, uint32_t abi);

/* Returns the position of the first argument that is a path, counted from 1; 0: there is none. */
uint8_t syscall_path_argument(const struct syscall_row *row);

/* Return whether the argument at `position` is a descriptor, the descriptor of a directory (or
 * AT_FDCWD), a path to read, a text of any kind. They return false beyond the last argument. */
bool syscall_takes_descriptor(const struct syscall_row *row, size_t position);
bool syscall_takes_directory(const struct syscall_row *row, size_t position);
bool syscall_takes_path(const struct syscall_row *row, size_t position);
bool syscall_takes_text(const struct syscall_row *row, size_t position);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a process's dynamic loader is, and whether it has finished.
 *
 * It has when code outside of it makes a system call. musl's loader is its libc, so that never
 * happens; there the state that every loader keeps for debuggers is used: the program's DT_DEBUG
 * points to struct r_debug (<link.h>), which is RT_CONSISTENT once all libraries are mapped. glibc
 * sets it too.
 */
#ifndef SOOTH_OS_LINUX_PAUSE_LOADER_H
#define SOOTH_OS_LINUX_PAUSE_LOADER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct loader_range {
	uint64_t begin, end;
};

struct loader {
	pid_t pid;
	bool is_compat; /* 4-byte words in an 8-byte sooth */
	struct loader_range interpreter, vdso;
	uint64_t debug; /* where the program stores the address of r_debug, 0: nowhere */
};

/* 1: found, 0: the program has none, or a negative errno. */
int loader_find(struct loader *l, pid_t pid);
/* `ip` is the address of a system call. */
bool loader_is_done(const struct loader *l, uint64_t ip);
/* Whether the process runs another program than sooth, which it was forked from. */
bool loader_is_other_program(pid_t pid);

#endif

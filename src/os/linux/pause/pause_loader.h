/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a process's dynamic loader is, and whether it has done its work.
 *
 * It has when code outside of it makes a system call. musl's loader is its libc, so that
 * never comes; there the word that every loader gives to debuggers tells: the program's
 * DT_DEBUG points to struct r_debug (<link.h>), which says RT_CONSISTENT once all
 * libraries are mapped. glibc keeps it too.
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
	bool is_compat; /* words of 4 bytes in an observer of 8 */
	struct loader_range interpreter, vdso;
	uint64_t debug; /* where the program keeps the address of r_debug, 0: nowhere */
};

/* 1: found, 0: the program has none, or a negative errno. */
int loader_find(struct loader *l, pid_t pid);
/* `ip` is where a system call is being made from. */
bool loader_is_done(const struct loader *l, uint64_t ip);
/* Whether the process runs another program than this one, of which it is a fork. */
bool loader_is_other_program(pid_t pid);

#endif

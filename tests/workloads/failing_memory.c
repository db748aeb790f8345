/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loaded before a program: its allocation number FAILING_MEMORY_AT finds no memory, all others do;
 * 0: none fails. Those within the C library's look-up of users neither fail nor count: it ends the
 * program then. At its exit the number of allocations goes to the descriptor FAILING_MEMORY_COUNT.
 */
#include <dlfcn.h>
#include <errno.h>
#include <pwd.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t number, size_t size);
extern void *__libc_realloc(void *block, size_t size);

static _Thread_local int is_looking_up;
static atomic_ulong calls;
static unsigned long failing;
static pid_t owner; /* not its children: they would fail again */

__attribute__((constructor)) static void begin(void)
{
	const char *at = getenv("FAILING_MEMORY_AT");

	owner = getpid();
	calls = 0;
	failing = at ? strtoul(at, NULL, 10) : 0;
}

__attribute__((destructor)) static void end(void)
{
	const char *fd = getenv("FAILING_MEMORY_COUNT");

	if (fd && getpid() == owner)
		dprintf(atoi(fd), "%lu\n", (unsigned long)calls);
}

static int fails(void)
{
	if (is_looking_up)
		return 0;
	if (!failing || atomic_fetch_add(&calls, 1) + 1 != failing || getpid() != owner) {
		calls += !failing;
		return 0;
	}
	errno = ENOMEM;
	return 1;
}

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t number, size_t size)
{
	return fails() ? NULL : __libc_calloc(number, size);
}

void *realloc(void *block, size_t size)
{
	return fails() ? NULL : __libc_realloc(block, size);
}

int getpwuid_r(uid_t uid, struct passwd *entry, char *bytes, size_t size, struct passwd **found)
{
	int (*next)(uid_t, struct passwd *, char *, size_t, struct passwd **);
	int status;

	is_looking_up = 1;
	next = (int (*)(uid_t, struct passwd *, char *, size_t, struct passwd **))dlsym(
		RTLD_NEXT, "getpwuid_r");
	status = next(uid, entry, bytes, size, found);
	is_looking_up = 0;
	return status;
}

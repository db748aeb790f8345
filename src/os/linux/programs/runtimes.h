/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which allocators and language runtimes a process has: by the names of the libraries
 * it has mapped, and by sections and functions of its executable, which is looked at
 * once, whoever runs it, through /proc/PID/exe.
 *
 * Cannot be seen: what is linked into an executable without symbols; what a library
 * under another name is.
 */
#ifndef SOOTH_OS_LINUX_RUNTIMES_H
#define SOOTH_OS_LINUX_RUNTIMES_H

#include "base/buffer.h"
#include "base/cursor.h"
#include "base/map.h"
#include "os/linux/files/timeout.h"
#include "probes/maps.h"

struct runtimes {
	struct map executables; /* identity -> evidence */
};

#define RUNTIMES_WHY_SIZE 128

/* What has been found of one process: why each runtime is thought to be there; "": it is not. */
struct runtimes_seen {
	char why[MAPS_RUNTIMES][RUNTIMES_WHY_SIZE];
};

void runtimes_init(struct runtimes *r);
void runtimes_fini(struct runtimes *r);
/* The path of a mapped file. */
void runtimes_see_file(struct runtimes_seen *seen, struct span path);
/* 0, or a negative errno: then the executable was not looked at. */
int runtimes_see_executable(
	struct runtimes *r, struct timeout *timeout, int process, struct runtimes_seen *seen);

#endif

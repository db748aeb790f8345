/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Allocators and language runtimes of a process, recognized by the names of its mapped libraries,
 * and by the sections and functions of its executable. The executable is read once for all its
 * processes, through /proc/PID/exe.
 *
 * Cannot be seen: runtimes linked into an executable without symbols; the content of a library with
 * another name.
 */
#pragma once

#include "base/buffer.h"
#include "base/cursor.h"
#include "base/map.h"
#include "os/linux/files/timeout.h"
#include "probes/maps.h"

struct runtimes {
	struct map executables; /* identity -> evidence */
};

#define RUNTIMES_WHY_SIZE 128

/* The runtimes found in one process, with the evidence for each; "": not found. */
struct runtimes_seen {
	char why[MAPS_RUNTIMES][RUNTIMES_WHY_SIZE];
};

void runtimes_init(struct runtimes *r);
void runtimes_fini(struct runtimes *r);
/* Notes the path of a mapped file. */
void runtimes_see_file(struct runtimes_seen *seen, struct span path);
/* Examines the executable. Returns 0, or a negative errno if it could not be read. */
int runtimes_see_executable(
	struct runtimes *r, struct timeout *timeout, int process, struct runtimes_seen *seen);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which allocator functions the files that a process has mapped define, and where
 * each is best probed. Every file is looked at once, whoever maps it: by what the
 * process has mapped, through /proc/PID/map_files, so a deleted file, one of another
 * mount namespace, any path is the file that is really run.
 *
 * Not seen: functions without a symbol (a stripped static program, an allocator that
 * was inlined), indirect functions (their resolver would be probed).
 */
#ifndef SOOTH_OS_LINUX_ALLOCATORS_H
#define SOOTH_OS_LINUX_ALLOCATORS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/map.h"
#include "symbols/errno_location.h"

#define ALLOCATOR_SITES_MAX 64

struct allocator_site {
	uint8_t place;	 /* enum heap_place: what stands there */
	bool has_return; /* its return is to be probed too, at the same instruction */
	bool is_emulated;
	uint64_t entry;	  /* of the function, in the file */
	uint64_t offset;  /* of the instruction, in the file */
	uint64_t address; /* of the instruction, as linked */
	const char *why;
};

struct allocator_file {
	int file;	  /* open while the handler runs */
	const char *path; /* as the process names it */
	uint64_t device, inode;
	size_t count; /* 0: it defines none */
	struct allocator_site sites[ALLOCATOR_SITES_MAX];
	/* An allocator with an operator new of its own, which need not come by its malloc. */
	bool has_operator_new;
	bool has_errno; /* it says where errno is */
	struct errno_location errno_location;
};

struct allocators {
	struct map files; /* identity -> whether it defines one: those looked at */
	uint32_t kernel;  /* the running one, as KERNEL_RELEASE() makes it */
};

/* A file not seen before that defines some. Negative: stop, and return that. */
typedef int (*allocator_handler)(
	void *user, const struct allocator_file *file, struct sooth_error *err);

/* Beside what only tells that libraries have come. */
bool allocator_file_defines(const struct allocator_file *file);
void allocators_init(struct allocators *a);
void allocators_fini(struct allocators *a);
/* Whether a file was looked at; or, as it is found at `path` (absolute) now, defines none. */
bool allocators_know(struct allocators *a, const char *path, uint64_t device, uint64_t inode);
/* The files of a process that were not looked at before, executable first, then as they
 * are mapped. 1: some of what it has mapped, known before or not, defines an allocator; 0: none.
 * -ESRCH: the process is gone; -EACCES, -EPERM: it may not be read. */
int allocators_look(struct allocators *a, pid_t pid, allocator_handler handler, void *user,
	struct sooth_error *err);

#endif

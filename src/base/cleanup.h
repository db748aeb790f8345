/* SPDX-License-Identifier: BSD-2-Clause */
/* Release at the end of a scope, as in systemd and the kernel: the declaration names how. */
#pragma once

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(function) __attribute__((cleanup(function)))

/* Yields the value of a pointer and leaves NULL in it: the new owner releases it. */
#define TAKE_PTR(pointer)                                                                          \
	({                                                                                         \
		typeof(pointer) _taken = (pointer);                                                \
		(pointer) = NULL;                                                                  \
		_taken;                                                                            \
	})

/* Yields a descriptor and leaves -1 in its variable: the new owner closes it. */
#define TAKE_FD(descriptor)                                                                        \
	({                                                                                         \
		int _taken = (descriptor);                                                         \
		(descriptor) = -1;                                                                 \
		_taken;                                                                            \
	})

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

static inline void cleanup_free(void *pointer)
{
	free(*(void **)pointer);
}

static inline void cleanup_close(int *descriptor)
{
	if (*descriptor >= 0)
		close(*descriptor);
}

static inline void cleanup_file(FILE **file)
{
	if (*file)
		fclose(*file);
}

static inline void cleanup_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

#define _cleanup_free_	_cleanup_(cleanup_free)
#define _cleanup_close_ _cleanup_(cleanup_close)
#define _cleanup_file_	_cleanup_(cleanup_file)
#define _cleanup_dir_	_cleanup_(cleanup_dir)

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Separate debug files of a program, below /usr/lib/debug by build id, or beside it and there by
 * its debug link, in a given root. Only files that their owner alone may write and that belong
 * to root, to this caller or to the owner of the program, and that are of the very same build.
 */
#ifndef SOOTH_OS_LINUX_DEBUG_FILE_H
#define SOOTH_OS_LINUX_DEBUG_FILE_H

#include "os/linux/files/timeout.h"
#include "os/linux/profile/file_names.h"

#define DEBUG_BUILD_ID_SIZE 129 /* 64 bytes in hexadecimal */
#define DEBUG_LINK_SIZE	    256

/* A program's own data about its debug file. */
struct debug_identity {
	char build_id[DEBUG_BUILD_ID_SIZE]; /* empty: none */
	char link[DEBUG_LINK_SIZE];	    /* a name without folders; empty: none */
	uint32_t link_crc;		    /* of the file's bytes: counts without a build id */
	uint32_t owner;			    /* of the program */
};

/* From an open ELF file. */
void debug_identity_read(int file, struct debug_identity *out);
/* Fills in those addresses and lines that were not found in the program (at
 * `path` in the root); whether a debug file was read. `root`: an open directory. */
bool debug_file_names(struct timeout *timeout, int root, const char *path,
	const struct debug_identity *identity, struct file_names *names);
/* Whether all its sections lie in it: one that was cut or overwritten on its way has others. */
bool debug_file_is_sound(int file);
/* The same from a file of sealed_file.h; false also if it is not whole, or of another build. */
bool debug_file_names_sealed(struct timeout *timeout, int file,
	const struct debug_identity *identity, struct file_names *names);

#endif

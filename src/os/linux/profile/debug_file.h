/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Separate debug files of a program: below /usr/lib/debug by build id, or by the program's debug
 * link in its folder and there, in a given root. A file is used only if no user but its owner may
 * write it, if it belongs to root, the caller or the owner of the program, and if it is of the very
 * same build.
 */
#pragma once

#include "os/linux/files/timeout.h"
#include "os/linux/profile/file_names.h"
#include "symbols/debug_identity.h"

/* Fills in the addresses and lines that were not found in the program (at `path` in the root).
 * Returns whether a debug file was read. `root`: an open directory. */
bool debug_file_names(struct timeout *timeout, int root, const char *path,
	const struct debug_identity *identity, struct file_names *names);
/* Returns whether all sections lie inside the file. A file that was cut or overwritten has
 * sections beyond its end. */
bool debug_file_is_sound(int file);
/* Fills them in from a file of sealed_file.h. False also if it is incomplete, or of another
 * build. */
bool debug_file_names_sealed(struct timeout *timeout, int file,
	const struct debug_identity *identity, struct file_names *names);

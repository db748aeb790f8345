/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that sooth can make or fetch again, in a folder of the user: "jsc-ID" has a layout of
 * JavaScriptCore, "debug-ID" a debug file, each for the build with that id. If sooth makes the
 * folder, its mode is 0700; files have 0600. Nothing is read or written through a link, or where
 * another user can write. Other files of the folder are left alone.
 *
 * Each kind has a limit in bytes: the file unused for longest is removed first. An open file stays
 * readable after its removal, and a file gets its name only when it is complete, so any number of
 * processes may use the folder.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SYMBOL_CACHE_ID	    128 /* digits of a build id, at most */
#define SYMBOL_CACHE_NAME   (SYMBOL_CACHE_ID + 16)
#define SYMBOL_CACHE_PART   (SYMBOL_CACHE_NAME + 16)
#define SYMBOL_CACHE_LAYOUT "jsc"
#define SYMBOL_CACHE_DEBUG  "debug"

#define SYMBOL_CACHE_DEBUG_BYTES (UINT64_C(512) << 20) /* where the user chose no other bound */

/* Opens the directory; negative: it cannot be used. `is_made`: a missing directory is made, also
 * the one above it. */
int symbol_cache_open(const char *folder, bool is_made);
/* Makes the name of a file. A build id comes from an untrusted file: only hexadecimal digits are
 * accepted. */
bool symbol_cache_name(char name[SYMBOL_CACHE_NAME], const char *kind, const char *build_id);
/* Opens a file that was written here; negative: there is none. It counts as used now. */
int symbol_cache_get(int directory, const char *name);
/* Makes an empty file with the temporary name `part`, open for reading and writing; negative:
 * failed. */
int symbol_cache_begin(int directory, const char *name, char part[SYMBOL_CACHE_PART]);
/* Ends a file: if is_whole, renames `part` to `name`, which replaces an older file; otherwise
 * removes `part`. */
bool symbol_cache_end(int directory, const char *name, const char *part, bool is_whole);
/* Removes files of a kind until they take at most `bytes_max`, and temporary files of processes
 * that were killed while they wrote. */
void symbol_cache_trim(int directory, const char *kind, uint64_t bytes_max);

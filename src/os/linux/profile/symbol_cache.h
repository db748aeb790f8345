/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that sooth can make or fetch again, in a folder of the user: "jsc-ID" has a layout of
 * JavaScriptCore, "debug-ID" a debug file, each of the build with that id. The folder has mode 0700
 * if it is made here, a file 0600. Nothing is read or written through a link, or where another user
 * can write. Other files of the folder are left alone.
 *
 * Each kind has a bound in bytes: what was not used for longest is removed. A file that is open
 * stays readable after that, and one that is written gets its name when it is whole, so any number
 * of processes may use the folder.
 */
#ifndef SOOTH_OS_LINUX_SYMBOL_CACHE_H
#define SOOTH_OS_LINUX_SYMBOL_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SYMBOL_CACHE_ID	    128 /* digits of a build id, at most */
#define SYMBOL_CACHE_NAME   (SYMBOL_CACHE_ID + 16)
#define SYMBOL_CACHE_PART   (SYMBOL_CACHE_NAME + 16)
#define SYMBOL_CACHE_LAYOUT "jsc"
#define SYMBOL_CACHE_DEBUG  "debug"

#define SYMBOL_CACHE_DEBUG_BYTES (UINT64_C(512) << 20) /* where the user chose no other bound */

/* An open directory, negative: it cannot be used. `is_made`: made, with the one above it, if it is
 * not there. */
int symbol_cache_open(const char *folder, bool is_made);
/* Build ids come from files: nothing but digits becomes part of a name. */
bool symbol_cache_name(char name[SYMBOL_CACHE_NAME], const char *kind, const char *build_id);
/* An open file that was written here, negative: there is none. It counts as used now. */
int symbol_cache_get(int directory, const char *name);
/* An empty file that has `part` for a name as yet, open for reading and writing; negative: none. */
int symbol_cache_begin(int directory, const char *name, char part[SYMBOL_CACHE_PART]);
/* Gives it its name, in place of an older one, if it is whole; else it is removed. */
bool symbol_cache_end(int directory, const char *name, const char *part, bool is_whole);
/* Removes files of that kind until they take no more than `bytes_max`, and what processes left that
 * were killed while they wrote. */
void symbol_cache_trim(int directory, const char *kind, uint64_t bytes_max);

#endif

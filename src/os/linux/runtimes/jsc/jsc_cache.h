/* SPDX-License-Identifier: BSD-2-Clause */
/* Keeps found layouts of JavaScriptCore in the folder of symbol_cache.h. */
#pragma once

#include "base/buffer.h"
#include "base/cursor.h"
#include "os/linux/runtimes/jsc/jsc_layout.h"

#define JSC_CACHE_BYTES	    1024		/* of a file, at most */
#define JSC_CACHE_BYTES_MAX (UINT64_C(1) << 20) /* of all files, in disk space */

/* Reads the layout of a build; false: none is kept. */
bool jsc_cache_read(const char *folder, const char *build_id, struct jsc_layout *out);
/* Writes a layout. If the folder cannot be used, nothing is kept, and the layout is found again
 * next time. */
void jsc_cache_write(const char *folder, const char *build_id, const struct jsc_layout *layout);
/* jsc_cache_print() writes the bytes of such a file, jsc_cache_parse() reads them. False: they are
 * not of that build. */
void jsc_cache_print(struct buffer *out, const char *build_id, const struct jsc_layout *layout);
bool jsc_cache_parse(struct span text, const char *build_id, struct jsc_layout *out);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Layouts of JavaScriptCore that were found, in the folder of symbol_cache.h. */
#ifndef SOOTH_OS_LINUX_JSC_CACHE_H
#define SOOTH_OS_LINUX_JSC_CACHE_H

#include "base/buffer.h"
#include "base/cursor.h"
#include "os/linux/runtimes/jsc/jsc_layout.h"

#define JSC_CACHE_BYTES	    1024		/* of a file, at most */
#define JSC_CACHE_BYTES_MAX (UINT64_C(1) << 20) /* of all, as the disk has them */

/* False: no layout of that build. */
bool jsc_cache_read(const char *folder, const char *build_id, struct jsc_layout *out);
/* A folder that cannot be used is left alone: the layout is found again next time. */
void jsc_cache_write(const char *folder, const char *build_id, const struct jsc_layout *layout);
/* The bytes of such a file; false: they are not one of that build. */
void jsc_cache_print(struct buffer *out, const char *build_id, const struct jsc_layout *layout);
bool jsc_cache_parse(struct span text, const char *build_id, struct jsc_layout *out);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Layouts of JavaScriptCore that were found, a file for each build in a folder of the user: mode
 * 0600, never through a link, and only where no other user can write.
 */
#ifndef SOOTH_OS_LINUX_JSC_CACHE_H
#define SOOTH_OS_LINUX_JSC_CACHE_H

#include "base/buffer.h"
#include "base/cursor.h"
#include "os/linux/profile/jsc_layout.h"

#define JSC_CACHE_BYTES 1024 /* of a file, at most */

/* False: no layout of that build. */
bool jsc_cache_read(const char *folder, const char *build_id, struct jsc_layout *out);
/* A folder that cannot be used is left alone: the layout is found again next time. */
void jsc_cache_write(const char *folder, const char *build_id, const struct jsc_layout *layout);
/* The bytes of such a file; false: they are not one of that build. */
void jsc_cache_print(struct buffer *out, const char *build_id, const struct jsc_layout *layout);
bool jsc_cache_parse(struct span text, const char *build_id, struct jsc_layout *out);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions of generated code from a jitdump, the file that a runtime writes for perf inject: a
 * head, then records; those of loaded code have address, size and name, and the code, which is
 * skipped. An address that records give different names has none, as in a perf map. Foreign bytes.
 */
#ifndef SOOTH_OS_LINUX_JIT_DUMP_H
#define SOOTH_OS_LINUX_JIT_DUMP_H

#include "os/linux/profile/perf_map.h"

struct jit_dump {
	uint32_t pid; /* that the file is for; for itself */
	bool has_head;
	bool is_bad;   /* no jitdump, or of another process or machine */
	uint64_t skip; /* bytes of the record at hand */
};

/* Whether the path of a mapping is that of a jitdump: jit-NUMBER.dump,
 * which may be removed. */
bool jit_dump_is_path(struct span path);
/* Fills in places that are sorted by address. Returns how many bytes were used; the rest comes
 * again, with more behind it. */
size_t jit_dump_take(struct jit_dump *d, struct perf_map_place *places, size_t count,
	const void *data, size_t size);

#endif

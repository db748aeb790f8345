/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions of generated code from a jitdump, the file that a runtime writes for perf inject. It
 * has a head, then records. A record of loaded code has address, size, name, and the code, which is
 * skipped. If records give an address different names, it gets none, as in a perf map. The bytes
 * come from an untrusted file.
 */
#pragma once

#include "os/linux/profile/perf_map.h"

struct jit_dump {
	uint32_t pid; /* PID for which the file is, as the process itself sees it */
	bool has_head;
	bool is_bad;   /* the file is no jitdump, or of another process or machine */
	uint64_t skip; /* remaining bytes of the current record */
};

/* Returns whether the path of a mapping is that of a jitdump: jit-NUMBER.dump. The file may be
 * removed. */
bool jit_dump_is_path(struct span path);
/* Fills in `places`, which are sorted by address. Returns how many bytes were used; the caller
 * passes the rest again, with more bytes behind it. */
size_t jit_dump_parse(struct jit_dump *d, struct perf_map_place *places, size_t count,
	const void *data, size_t size);

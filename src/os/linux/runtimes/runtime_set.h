/* SPDX-License-Identifier: BSD-2-Clause */
/* All runtimes (runtime.h), with their states in one recording. */
#pragma once

#include "os/linux/bpf/bpf.h"
#include "os/linux/runtimes/runtime.h"

struct runtime_set {
	struct names names;
	void *states[RUNTIMES]; /* NULL: the runtime has no state */
	char *cache_folder;
};

extern const struct runtime *const runtime_table[RUNTIMES];

/* Calls a member of all runtimes that have it. */
#define RUNTIME_CALL(set, member, ...)                                                             \
	do {                                                                                       \
		for (size_t i_ = 0; i_ < RUNTIMES; i_++) {                                         \
			if ((set)->states[i_] && runtime_table[i_]->member)                        \
				runtime_table[i_]->member((set)->states[i_], __VA_ARGS__);         \
		}                                                                                  \
	} while (0)

/* Sets up the runtimes. A zeroed set is valid, but without names. */
void runtime_set_init(struct runtime_set *s, const char *cache_folder);
void runtime_set_fini(struct runtime_set *s);
/* Prepares walks in the kernel, which need the data of files. */
void runtime_set_share(struct runtime_set *s, struct bpf_code *code, struct walks_control *control);
/* Returns whether the file has an engine with objects beside its frames. */
bool runtime_set_has(const struct runtime_set *s, uint64_t file);
/* Finds the functions that one runtime has for a frame; false: none. */
bool runtime_set_functions(struct runtime_set *s, enum runtime_id id,
	const struct runtime_frame *at, struct runtime_functions *out);
/* Sets a function's name (NULL: none), its place and the line that runs (NULL: unknown),
 * NUL-terminated; borrowed until the next sample. */
void runtime_set_name(const struct runtime_set *s, enum runtime_id id, uint32_t name,
	const char **function, const char **place, const char **line);

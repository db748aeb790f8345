/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of functions from the text of their module, if the names are not in memory. The text is
 * read from the executable on disk, where `bun build --compile` has put it. The offset of a
 * function in a module is the same there as in the engine. */
#pragma once

#include "base/map.h"
#include "os/linux/files/timeout.h"
#include "symbols/elf_sections.h"
#include "os/linux/runtimes/jsc/js_text.h"

#define JSC_TEXT_PATH 256 /* path of a module inside the executable */

struct jsc_text {
	int fd;			    /* the executable; negative: none */
	struct elf_section section; /* section with the modules; size 0: none */
	struct map modules;	    /* hash of a path -> struct jsc_module */
};

#define JSC_TEXT_SECTION ".bun"

/* Duplicates `fd`. */
void jsc_text_init(struct jsc_text *t, int fd, const struct elf_section *section);
void jsc_text_fini(struct jsc_text *t);
/* Appends the name that js_text_name() finds at `start` in the module with that path; false:
 * nothing is appended. */
bool jsc_text_name(struct jsc_text *t, struct timeout *timeout, const char *path, uint32_t start,
	struct buffer *out);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs and libraries whose functions have no names or no source lines, and what would give them
 * some. */
#ifndef SOOTH_ANALYZE_PROFILE_SYMBOLS_H
#define SOOTH_ANALYZE_PROFILE_SYMBOLS_H

#include "analyze/profile/profile_sums.h"
#include "explain/output.h"

struct profile_symbols {
	struct map files; /* number of a name -> struct of profile_symbols.c */
	bool has_lines;	  /* they are asked for */
	uint64_t not_asked; /* samples of a capture that was recorded without them */
};

void profile_symbols_init(struct profile_symbols *s, bool has_lines);
void profile_symbols_fini(struct profile_symbols *s);
void profile_symbols_count(struct profile_symbols *s, const struct profile_stacked *stacked);
/* A limit for each file in which a share of all samples worth a note was taken. */
void profile_symbols_note(const struct profile_symbols *s, const struct names *names,
	uint64_t samples, struct output *output);

#endif

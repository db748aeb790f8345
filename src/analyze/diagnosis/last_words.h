/* SPDX-License-Identifier: BSD-2-Clause */
/* The last line that processes wrote to standard error before they ended with an error. */
#pragma once

#include "analyze/diagnosis/check.h"

#define LAST_WORDS 4 /* different lines that are kept */

struct last_words {
	struct last_line {
		const struct syscalls_message *latest; /* NULL: none */
		uint64_t count; /* processes that wrote the same, but for numbers */
	} lines[LAST_WORDS];
};

void last_words_add(struct last_words *w, const struct check *e, const struct process_id *id);
/* Returns the line that most of the processes wrote last; its `latest` is NULL if none is known. */
struct last_line last_words_most(const struct last_words *w);
/* Appends the words to a claim about `failed` processes; nothing if none is known. */
void last_words_put(struct check_result *out, const struct last_words *w, uint64_t failed);

/* SPDX-License-Identifier: BSD-2-Clause */
/* The last line that processes wrote to standard error before they ended with an error. */
#pragma once

#include "analyze/diagnosis/check.h"

struct last_words {
	const struct syscalls_message *latest; /* NULL: none is known */
	uint64_t same;			       /* processes that wrote the same, but for numbers */
};

void last_words_add(struct last_words *w, const struct check *e, const struct process_id *id);
/* Appends the words to a claim about `failed` processes; nothing if none is known. */
void last_words_put(struct check_result *out, const struct last_words *w, uint64_t failed);

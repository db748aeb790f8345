/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The texts of a finding from a row of a table, with places for values: "held up for {time} by
 * {holder}". A detector sets the values of the open finding, then calls finding_claim_row().
 */
#pragma once

#include "base/buffer.h"
#include "base/cursor.h"

#define FINDING_VALUES_MAX 20

struct finding_values {
	struct {
		const char *name;
		struct buffer text;
	} all[FINDING_VALUES_MAX];
	size_t count;
};

/* The texts of one kind of finding; `unseen` may be NULL. {pid} is the process of the finding.
 * "{ in |place}" is left out if the value is empty. */
struct claim_row {
	const char *claim, *unseen, *remedy;
};

struct check_result;

/* Adds a value, and returns its buffer, empty. */
struct buffer *finding_value(struct check_result *out, const char *name);
void finding_value_text(struct check_result *out, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void finding_value_span(struct check_result *out, const char *name, struct span text);
/* Adds a duration: "3 min 20 s". */
void finding_value_time(struct check_result *out, const char *name, uint64_t ns);
/* Adds the claim, what was not seen, and the remedy. */
void finding_claim_row(struct check_result *out, const struct claim_row *row);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Redacts whole records by their fields (secrets/redact.h). First learn from all records: only then
 * all names are known. */
#pragma once

#include <sooth/field.h>

#include "secrets/redact.h"

void redact_learn_record(
	struct redactor *r, const struct sooth_schema *schema, const struct sooth_record *record);
/* Appends the redacted record. */
void redact_write_record(struct redactor *r, const struct sooth_schema *schema,
	const struct sooth_record *record, struct buffer *out);

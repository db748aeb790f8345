/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one place where secrets are masked in records, so that neither reports nor captures hold
 * them. The schema of the record says what is masked, and how: texts by their type, command lines
 * and runs of bytes by `masking` and `runs` (sooth/field.h).
 *
 * A command line that is cut has to be masked before, or half a secret may be left: its reader
 * calls secrets_mask_arguments(), and the schema says ARGUMENTS_CUT.
 */
#ifndef SOOTH_COLLECT_SECRETS_H
#define SOOTH_COLLECT_SECRETS_H

#include "base/buffer.h"
#include "model/field.h"

/* Zeroed is valid. */
struct secrets {
	uint16_t kind; /* of the last record, and what it has: kinds come in runs */
	bool has_texts;
	const struct sooth_field *arguments; /* that are masked here */
	const struct sooth_schema *schema;
	struct buffer scratch, rebuilt;
};

/* Whole records. A text never grows; a command line may, and its record with it. */
void secrets_mask(struct secrets *s, struct buffer *records);
/* A command line, NUL-separated, masked and then cut to what a record keeps of it; appended. True:
 * it was cut. */
bool secrets_mask_arguments(struct buffer *out, const char *raw, size_t size);
void secrets_fini(struct secrets *s);

#endif

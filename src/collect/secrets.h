/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one place where secrets are masked in records, so that neither reports nor captures have
 * them. The schema of a record determines what is masked, and how: texts by type, command lines and
 * runs of bytes by `masking` and `runs` (sooth/field.h).
 *
 * A command line must be masked before it is cut, or half a secret may be left: its reader calls
 * secrets_mask_arguments(), and the schema has ARGUMENTS_CUT.
 */
#pragma once

#include "base/buffer.h"
#include "model/field.h"

/* A zeroed struct is valid. */
struct secrets {
	uint16_t kind; /* kind of the last record; cached with its schema, as kinds come in runs */
	bool has_texts;
	const struct sooth_field *arguments; /* field with a command line to mask here */
	const struct sooth_schema *schema;
	struct buffer scratch, rebuilt;
};

/* Masks whole records. Texts never grow; a command line may grow, and its record with it. */
void secrets_mask(struct secrets *s, struct buffer *records);
/* Appends a NUL-separated command line, masked, then cut to a record's size. True: it was cut. */
bool secrets_mask_arguments(struct buffer *out, const char *raw, size_t size);
void secrets_fini(struct secrets *s);

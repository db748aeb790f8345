/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one place that every record passes before it is shown or stored: what looks like a secret in
 * its texts (paths, names, addresses of sockets) is replaced there, so that neither reports nor
 * captures have it. Argument lists are masked where they are read, because the argument
 * before it decides what an argument means.
 */
#ifndef SOOTH_CORE_SECRETS_H
#define SOOTH_CORE_SECRETS_H

#include "base/buffer.h"
#include "model/field.h"

/* Zeroed is valid. */
struct secrets {
	uint16_t kind; /* of the last record, and whether it has texts: kinds come in runs */
	bool has_texts;
	const struct sooth_schema *schema;
	struct buffer scratch;
};

/* Whole records, changed where they stand. A text never grows: its record stays as long. */
void secrets_mask(struct secrets *s, struct buffer *records);
/* A run of bytes in its place; what it is shortened by becomes NULs. Returns the new length. */
size_t secrets_mask_text(struct buffer *scratch, char *text, size_t size);
void secrets_fini(struct secrets *s);

#endif

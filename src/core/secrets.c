/* SPDX-License-Identifier: BSD-2-Clause */
/* See secrets.h. What a secret looks like is base/mask's business. */
#include "core/secrets.h"

#include <string.h>

#include "base/mask.h"
#include "core/registry.h"
#include "model/stream_records.h"

/* Definitions that others read by their words: nothing in them is the target's. */
static bool is_definition_of_words(uint16_t kind)
{
	return kind == STREAM_SCHEMA || kind == STREAM_AGENT;
}

static bool is_text(const struct sooth_field *f)
{
	return f->type == SOOTH_FIELD_TEXT || f->type == SOOTH_FIELD_CHARS;
}

static void turn_to(struct secrets *s, uint16_t kind)
{
	s->kind = kind;
	s->has_texts = false;
	s->schema = is_definition_of_words(kind) ? NULL : registry_schema(kind);
	for (size_t i = 0; s->schema && i < s->schema->field_count; i++)
		s->has_texts |= is_text(&s->schema->fields[i]);
}

/*
 * Returns the new length. "***" may be longer than the secret it stands for; what has no room
 * then is cut off. Without memory all of the text goes.
 */
size_t secrets_mask_text(struct buffer *scratch, char *text, size_t size)
{
	size_t length;

	if (!mask_may_change(text, size))
		return size;
	buffer_reset(scratch);
	mask_text(scratch, text, size);
	if (buffer_failed(scratch)) {
		memset(text, '*', size);
		return size;
	}
	length = scratch->size < size ? scratch->size : size;
	if (length)
		memcpy(text, scratch->data, length);
	memset(text + length, 0, size - length);
	return length;
}

static void mask_field(struct secrets *s, const struct sooth_field *f, struct sooth_record *r)
{
	struct sooth_value v = sooth_field_get(f, r);
	struct sooth_text text;
	unsigned char *at = (unsigned char *)r + f->offset;
	size_t length;

	if (!value_is_there(&v))
		return;
	/* The record is ours, so that its texts may be written through it. */
	length = secrets_mask_text(
		&s->scratch, (char *)r + (v.text.data - (const char *)r), v.text.size);
	if (f->type == SOOTH_FIELD_CHARS || length == v.text.size)
		return;
	v.text.size = length;
	memcpy(&text, at, sizeof(text));
	text.size = (uint32_t)v.text.size;
	memcpy(at, &text, sizeof(text));
}

void secrets_mask(struct secrets *s, struct buffer *records)
{
	for (size_t at = 0; at < records->size;) {
		struct sooth_record *r = (void *)(records->data + at);

		if (r->kind != s->kind)
			turn_to(s, r->kind);
		for (size_t i = 0; s->has_texts && i < s->schema->field_count; i++) {
			if (is_text(&s->schema->fields[i]))
				mask_field(s, &s->schema->fields[i], r);
		}
		at += record_bytes(r);
	}
}

void secrets_fini(struct secrets *s)
{
	buffer_fini(&s->scratch);
}

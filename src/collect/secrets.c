/* SPDX-License-Identifier: BSD-2-Clause */
/* The form of a secret is decided by secrets/mask. */
#include "collect/secrets.h"

#include <string.h>

#include "secrets/mask.h"
#include "model/probe.h"
#include "model/batch.h"
#include "model/stream_records.h"

#define ARGUMENTS_KEPT	  4096 /* bytes of a command line */
#define REBUILT_FIXED_MAX 256

/* Returns whether a kind is a definition that is read by its words, with no text of the target. */
static bool is_definition_of_words(uint16_t kind)
{
	return kind == STREAM_SCHEMA || kind == STREAM_AGENT;
}

static bool is_text(const struct sooth_field *f)
{
	return f->type == SOOTH_FIELD_TEXT || f->type == SOOTH_FIELD_CHARS;
}

static void select_kind(struct secrets *s, uint16_t kind)
{
	s->kind = kind;
	s->has_texts = false;
	s->arguments = NULL;
	s->schema = is_definition_of_words(kind) ? NULL : registry_schema(kind);
	for (size_t i = 0; s->schema && i < s->schema->field_count; i++) {
		const struct sooth_field *f = &s->schema->fields[i];

		s->has_texts |= is_text(f);
		if (f->masking == SOOTH_MASK_ARGUMENTS)
			s->arguments = f;
	}
}

/* Masks a text in place, and returns the new length. "***" may be longer than its secret; the text
 * is then cut. Without memory the whole text is removed. */
static size_t mask_in_place(struct secrets *s, char *text, size_t size)
{
	size_t length;

	if (!mask_may_change(text, size))
		return size;
	buffer_reset(&s->scratch);
	mask_text(&s->scratch, text, size);
	if (buffer_failed(&s->scratch)) {
		memset(text, '*', size);
		return size;
	}
	length = s->scratch.size < size ? s->scratch.size : size;
	if (length)
		memcpy(text, s->scratch.data, length);
	memset(text + length, 0, size - length);
	return length;
}

/* --- texts --- */

/* Clears the bytes behind a name. The kernel writes a name and its NUL; after these stands older
 * memory: the end of a longer name, which was never masked. */
static void clear_padding(const struct sooth_field *f, struct sooth_record *r, size_t used)
{
	if (f->type == SOOTH_FIELD_CHARS && used < f->size &&
		record_holds(r, (size_t)f->offset + f->size))
		memset((unsigned char *)r + f->offset + used, 0, f->size - used);
}

static void mask_field(struct secrets *s, const struct sooth_field *f, struct sooth_record *r)
{
	struct sooth_value v = sooth_field_get(f, r);
	struct sooth_text text;
	unsigned char *at = (unsigned char *)r + f->offset;
	size_t length;

	if (!value_is_there(&v)) {
		clear_padding(f, r, 0);
		return;
	}
	clear_padding(f, r, v.text.size);
	/* The record is ours, so its texts may be changed in place. */
	length = mask_in_place(s, (char *)r + (v.text.data - (const char *)r), v.text.size);
	if (f->type == SOOTH_FIELD_CHARS || length == v.text.size)
		return;
	v.text.size = length;
	memcpy(&text, at, sizeof(text));
	text.size = (uint32_t)v.text.size;
	memcpy(at, &text, sizeof(text));
}

/* --- runs of bytes --- */

/* Masks bytes. If the mask is shorter than the secret, more of the mask follows: zeros would look
 * like bytes of the target. A string keeps its end, or it would look cut. */
static void mask_run(struct secrets *s, char *bytes, size_t size)
{
	bool is_string = size && !bytes[size - 1];
	size_t length = mask_in_place(s, bytes, size);

	if (!is_string)
		memset(bytes + length, '*', size - length);
}

static void mask_runs(struct secrets *s, struct sooth_record *r)
{
	const struct sooth_runs *runs = s->schema->runs;
	struct sooth_text text;
	size_t at = 0, begin, length;
	char *bytes;

	if (!record_holds(r, runs->size))
		return;
	memcpy(&text, (const char *)r + runs->offset, sizeof(text));
	if (text.offset > record_bytes(r) || text.size > record_bytes(r) - text.offset)
		return;
	bytes = (char *)r + text.offset;
	while (runs->next(bytes, text.size, &at, &begin, &length))
		mask_run(s, bytes + begin, length);
}

/* --- command lines --- */

bool secrets_mask_arguments(struct buffer *out, const char *raw, size_t size)
{
	return mask_arguments(out, raw, size, ARGUMENTS_KEPT);
}

/* Returns the size of the whole arguments: a cut command line may end inside a secret, so its last
 * argument is left out. */
static size_t whole_arguments(const char *arguments, size_t size, bool is_cut)
{
	while (is_cut && size && arguments[size - 1])
		size--;
	return size;
}

/* Rebuilds a record whose tail is only the command line. A longer fixed part is not sooth's, and is
 * dropped rather than keeping its secrets. */
static void rebuild_record(struct secrets *s, const struct sooth_record *r)
{
	const struct sooth_field *f = s->arguments;
	struct sooth_value v = sooth_field_get(f, r);
	size_t fixed = (size_t)r->fixed_words * SOOTH_RECORD_WORD;
	union {
		struct sooth_record record;
		unsigned char bytes[REBUILT_FIXED_MAX];
	} copy;
	struct record_tail tail[1];

	if (fixed > sizeof(copy))
		return;
	buffer_reset(&s->scratch);
	if (value_is_there(&v))
		mask_arguments(&s->scratch, v.text.data,
			whole_arguments(v.text.data, v.text.size, v.state == SOOTH_STATE_TRUNCATED),
			0);
	memcpy(copy.bytes, r, fixed);
	tail[0] = (struct record_tail){ (void *)(copy.bytes + f->offset), s->scratch.data,
		s->scratch.size };
	record_append(&s->rebuilt, &copy.record, fixed, tail, 1);
}

static bool has_arguments(struct secrets *s, const struct batch *all)
{
	batch_for_each (r, all) {
		if (r->kind != s->kind)
			select_kind(s, r->kind);
		if (s->arguments)
			return true;
	}
	return false;
}

static void mask_command_lines(struct secrets *s, struct buffer *records)
{
	const struct batch all = { records->data, records->size };
	struct buffer masked;

	if (!has_arguments(s, &all))
		return;
	buffer_reset(&s->rebuilt);
	batch_for_each (r, &all) {
		if (r->kind != s->kind)
			select_kind(s, r->kind);
		if (s->arguments && record_holds(r, s->schema->fixed_size))
			rebuild_record(s, r);
		else
			buffer_append(&s->rebuilt, r, record_bytes(r));
	}
	masked = s->rebuilt;
	s->rebuilt = *records;
	*records = masked;
}

/* --- all of it --- */

void secrets_mask(struct secrets *s, struct buffer *records)
{
	mask_command_lines(s, records);
	for (size_t at = 0; at < records->size;) {
		struct sooth_record *r = (void *)(records->data + at);

		if (r->kind != s->kind)
			select_kind(s, r->kind);
		if (s->schema && s->schema->runs)
			mask_runs(s, r);
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
	buffer_fini(&s->rebuilt);
}

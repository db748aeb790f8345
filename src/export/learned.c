/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kinds that this build does not know, of a capture that a newer sooth made: it says itself what
 * their fields are (docs/capture-format.md), without help texts and names of enumerations. The
 * description is foreign data: what does not fit is not believed, and the kind stays unknown.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "model/probe.h"
#include "export/tables.h"
#include "model/stream_records.h"

#define FIELDS_MAX     64
#define FIELD_NAME_MAX 48
#define LETTERS	       "abcdefghijklmnopqrstuvwxyz0123456789_"

struct learned {
	struct sooth_schema schema;
	struct sooth_field fields[FIELDS_MAX];
	char names[FIELDS_MAX][FIELD_NAME_MAX];
	char name[TABLE_NAME_SIZE];
};

static bool take_word(char *to, size_t room, struct span word, const char *letters)
{
	if (!word.size || word.size >= room)
		return false;
	memcpy(to, word.data, word.size);
	to[word.size] = '\0';
	return strspn(to, letters) == word.size;
}

/* How many bytes a member of a type may have, as a mask of them. */
static unsigned sizes_of(uint64_t type)
{
	switch (type) {
	case SOOTH_FIELD_UNSIGNED:
		return 1 | 2 | 4 | 8;
	case SOOTH_FIELD_SIGNED:
		return 4 | 8;
	case SOOTH_FIELD_BOOL:
		return 1;
	case SOOTH_FIELD_ENUM:
	case SOOTH_FIELD_ERRNO:
		return 1 | 2 | 4;
	case SOOTH_FIELD_REAL:
	case SOOTH_FIELD_TEXT:
	case SOOTH_FIELD_ARGS:
	case SOOTH_FIELD_LIST:
	case SOOTH_FIELD_TEXTS:
		return 8;
	default:
		return 0;
	}
}

static bool has_size(uint64_t type, uint64_t size)
{
	if (type == SOOTH_FIELD_CHARS)
		return size && size <= 4096;
	if (type == SOOTH_FIELD_HISTOGRAM)
		return size && size <= 4096 && size % sizeof(uint32_t) == 0;
	return size && size <= 8 && (size & (size - 1)) == 0 && sizes_of(type) & size;
}

/* Columns that a table has beside its fields. */
static bool is_taken(const char *name)
{
	return !strcmp(name, "table") || !strcmp(name, "call") || !strcmp(name, "category") ||
	       !strcmp(name, "not_measured");
}

/* "name type unit offset size state_offset" */
static bool take_field(struct learned *l, struct span line)
{
	struct cursor c = cursor_over(line.data, line.size);
	size_t at = l->schema.field_count;
	struct span name = cursor_word(&c);
	uint64_t type = cursor_decimal(&c), unit = cursor_decimal(&c);
	uint64_t offset = cursor_decimal(&c), size = cursor_decimal(&c);
	uint64_t state = cursor_decimal(&c);

	if (c.failed || at == FIELDS_MAX || !take_word(l->names[at], FIELD_NAME_MAX, name, LETTERS))
		return false;
	if (!has_size(type, size) || offset + size > UINT16_MAX || offset > UINT16_MAX ||
		state > UINT16_MAX || is_taken(l->names[at]) ||
		sooth_schema_field(&l->schema, l->names[at]))
		return false;
	l->fields[at] = (struct sooth_field){ .name = l->names[at],
		.help = "field known only to the version of sooth that wrote the capture",
		.type = (enum sooth_field_type)type,
		.unit = unit <= SOOTH_UNIT_S ? (enum sooth_unit)unit : SOOTH_UNIT_NONE,
		.offset = (uint16_t)offset,
		.size = (uint16_t)size,
		.state_offset = (uint16_t)state };
	l->schema.field_count++;
	return true;
}

static struct span text_of(const struct sooth_record *r, const char *name)
{
	const struct sooth_schema *schema = registry_schema(STREAM_SCHEMA);
	struct sooth_value v = sooth_field_get(sooth_schema_field(schema, name), r);

	return v.state == SOOTH_STATE_VALUE ? span_of(v.text.data, v.text.size) : span_of("", 0);
}

static bool describe(struct learned *l, const struct sooth_record *r)
{
	const struct stream_schema *s = (const void *)r;
	struct span fields = text_of(r, "fields");
	struct cursor lines = cursor_over(fields.data, fields.size);

	l->schema.name = l->name;
	l->schema.kind = (uint16_t)s->kind;
	l->schema.class_ = (enum sooth_class)s->class_;
	l->schema.fields = l->fields;
	if (!take_word(l->name, sizeof(l->name), text_of(r, "name"), LETTERS "."))
		return false;
	while (!cursor_at_end(&lines)) {
		if (!take_field(l, cursor_line(&lines)))
			return false;
	}
	return true;
}

struct table *tables_of_kind(const struct tables *t, uint16_t kind)
{
	for (size_t i = 0; i < t->count; i++) {
		if (t->items[i]->learned && t->items[i]->schema->kind == kind)
			return t->items[i];
	}
	return NULL;
}

void tables_learn(struct tables *t, const struct sooth_record *r)
{
	const struct stream_schema *s = (const void *)r;
	struct learned *l;

	if ((size_t)r->fixed_words * SOOTH_RECORD_WORD < sizeof(*s) || s->kind > UINT16_MAX ||
		s->class_ >= SOOTH_CLASS_ROW || registry_schema((uint16_t)s->kind) ||
		tables_of_kind(t, (uint16_t)s->kind))
		return;
	l = calloc(1, sizeof(*l));
	if (!l)
		return;
	if (!describe(l, r) || tables_find(t, l->name) || !tables_add(t, &l->schema, l))
		free(l);
}

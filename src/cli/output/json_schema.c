/* SPDX-License-Identifier: BSD-2-Clause */
/* A field is nullable: it may be missing in a capture of an older version. */
#include "cli/output/json_schema.h"

#include <errno.h>
#include <string.h>

#include "base/buffer.h"
#include "base/json.h"
#include "cli/output/json_sections.h"
#include "sinks/json_types.h"

struct json_schema {
	struct json json;
	struct buffer text;
	struct json_sections all;
};

/* --- tables --- */

/* Tables of one name that differ have a number. */
static void put_name(
	const struct json_schema *s, const struct sooth_schema *schema, struct buffer *out)
{
	unsigned same = 0;
	size_t at = 0;

	while (!json_sections_same_table(s->all.tables[at], schema))
		at++;
	for (size_t i = 0; i < at; i++)
		same += !strcmp(s->all.tables[i]->name, s->all.tables[at]->name);
	buffer_string(out, s->all.tables[at]->name);
	if (same)
		buffer_format(out, "-%u", same + 1);
}

static void put_reference(struct json_schema *s, const struct sooth_schema *schema)
{
	struct buffer to = { 0 };

	buffer_string(&to, "#/$defs/");
	put_name(s, schema, &to);
	json_key(&s->json, "$ref");
	json_cstring(&s->json, buffer_cstr(&to));
	buffer_fini(&to);
}

static void put_object(struct json_schema *s, const char *key, const struct sooth_schema *schema)
{
	json_key(&s->json, key);
	json_begin_object(&s->json);
	put_reference(s, schema);
	json_end(&s->json);
}

static void put_pair(struct json_schema *s, const char *key, const char *value)
{
	json_types_pair(&s->json, key, value);
}

static void put_types(struct json_schema *s, const char *first)
{
	json_types_or_null(&s->json, first, NULL);
}

static void put_items(struct json_schema *s, const char *type, bool has_gaps)
{
	put_types(s, "array");
	json_key(&s->json, "items");
	json_begin_object(&s->json);
	if (has_gaps)
		put_types(s, type);
	else
		put_pair(s, "type", type);
	json_end(&s->json);
}

static void put_examples(struct json_schema *s, const struct sooth_names *names)
{
	if (!names)
		return;
	json_key(&s->json, "examples");
	json_begin_array(&s->json);
	for (size_t i = 0; i < names->count; i++) {
		if (names->names[i])
			json_cstring(&s->json, names->names[i]);
	}
	json_end(&s->json);
}

static void put_type(struct json_schema *s, const struct sooth_field *f);

/* An object whose keys are the rows' first fields; pairs: the second one is the value. */
static void put_keyed(struct json_schema *s, const struct sooth_schema *rows, bool has_pairs)
{
	put_types(s, "object");
	json_key(&s->json, "additionalProperties");
	json_begin_object(&s->json);
	if (has_pairs && rows->field_count == 2)
		put_type(s, &rows->fields[1]);
	else
		put_reference(s, rows);
	json_end(&s->json);
}

static void put_rows(struct json_schema *s, const struct sooth_field *f)
{
	if (f->is_keyed) {
		put_keyed(s, f->rows, true);
	} else if (f->is_single) {
		json_key(&s->json, "anyOf");
		json_begin_array(&s->json);
		json_begin_object(&s->json);
		put_reference(s, f->rows);
		json_end(&s->json);
		json_begin_object(&s->json);
		put_pair(s, "type", "null");
		json_end(&s->json);
		json_end(&s->json);
	} else {
		put_types(s, "array");
		put_object(s, "items", f->rows);
	}
}

static void put_type(struct json_schema *s, const struct sooth_field *f)
{
	if (json_types_scalar(&s->json, f)) {
		if (f->type == SOOTH_FIELD_ENUM || f->type == SOOTH_FIELD_ERRNO)
			put_examples(s, f->names);
		return;
	}
	switch (f->type) {
	case SOOTH_FIELD_TEXTS:
		put_items(s, "string", false);
		break;
	case SOOTH_FIELD_SERIES:
		put_items(s, "number", true);
		break;
	case SOOTH_FIELD_ROWS:
		put_rows(s, f);
		break;
	default:
		put_items(s, "integer", false);
		break;
	}
}

static void put_field(struct json_schema *s, const struct sooth_field *f)
{
	json_key(&s->json, f->name);
	json_begin_object(&s->json);
	put_type(s, f);
	if (f->help)
		put_pair(s, "description", f->help);
	json_end(&s->json);
}

static void put_not_measured(struct json_schema *s)
{
	json_key(&s->json, "not_measured");
	json_begin_object(&s->json);
	put_pair(s, "type", "object");
	put_pair(s, "description",
		"of fields that are null, cut or left out: why; others that are null have no "
		"value");
	json_key(&s->json, "additionalProperties");
	json_begin_object(&s->json);
	put_pair(s, "type", "string");
	json_end(&s->json);
	json_end(&s->json);
}

static void put_fields(struct json_schema *s, const struct sooth_schema *schema)
{
	bool has_key = false;

	for (size_t i = 0; i < schema->field_count; i++) {
		put_field(s, &schema->fields[i]);
		has_key |= schema->fields[i].is_key && schema->class_ != SOOTH_CLASS_EVENT;
	}
	if (!has_key)
		return;
	json_key(&s->json, "key");
	json_begin_object(&s->json);
	put_pair(s, "type", "string");
	put_pair(s, "description", "identifies the row among those of its process");
	json_end(&s->json);
}

/* All but the first, which is the key where rows are keyed: a member without a value is null. */
static void put_required(struct json_schema *s, const struct sooth_schema *schema)
{
	if (schema->field_count < 2)
		return;
	json_key(&s->json, "required");
	json_begin_array(&s->json);
	for (size_t i = 1; i < schema->field_count; i++)
		json_cstring(&s->json, schema->fields[i].name);
	json_end(&s->json);
}

static void put_definitions(struct json_schema *s)
{
	json_key(&s->json, "$defs");
	json_begin_object(&s->json);
	for (size_t i = 0; i < s->all.table_count; i++) {
		struct buffer name = { 0 };

		put_name(s, s->all.tables[i], &name);
		json_key(&s->json, buffer_cstr(&name));
		json_begin_object(&s->json);
		put_pair(s, "type", "object");
		json_key(&s->json, "properties");
		json_begin_object(&s->json);
		put_fields(s, s->all.tables[i]);
		put_not_measured(s);
		json_end(&s->json);
		put_required(s, s->all.tables[i]);
		json_end(&s->json);
		buffer_fini(&name);
	}
	json_end(&s->json);
}

/* --- documents --- */

static void put_shape(struct json_schema *s, const struct found_section *section)
{
	json_begin_object(&s->json);
	if (!section->schema) {
		put_items(s, "object", false);
		json_end(&s->json);
		return;
	}
	switch (section->shape) {
	case SECTION_KEYED:
		put_keyed(s, section->schema, false);
		break;
	case SECTION_OBJECT:
		put_reference(s, section->schema);
		break;
	default:
		put_pair(s, "type", "array");
		put_object(s, "items", section->schema);
		break;
	}
	json_end(&s->json);
}

/* Several commands may have a section of a name, with different rows. */
static void put_section(struct json_schema *s, const char *name)
{
	json_key(&s->json, name);
	json_begin_object(&s->json);
	json_key(&s->json, "anyOf");
	json_begin_array(&s->json);
	for (size_t i = 0; i < s->all.section_count; i++) {
		const struct found_section *section = &s->all.sections[i];

		if (section->shape != SECTION_INLINE && !strcmp(section->name, name))
			put_shape(s, section);
	}
	json_begin_object(&s->json); /* an object that never came */
	put_pair(s, "type", "null");
	json_end(&s->json);
	json_end(&s->json);
	json_end(&s->json);
}

static bool is_first(const struct json_schema *s, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (s->all.sections[k].shape != SECTION_INLINE &&
			!strcmp(s->all.sections[k].name, s->all.sections[i].name))
			return false;
	}
	return true;
}

static void put_report_name(struct json_schema *s)
{
	json_key(&s->json, "schema");
	json_begin_object(&s->json);
	put_pair(s, "type", "object");
	json_key(&s->json, "properties");
	json_begin_object(&s->json);
	json_key(&s->json, "name");
	json_begin_object(&s->json);
	put_pair(s, "type", "string");
	put_pair(s, "description", "which report: mostly the name of the command");
	json_end(&s->json);
	json_key(&s->json, "version");
	json_begin_object(&s->json);
	json_key(&s->json, "const");
	json_u64(&s->json, REPORT_SCHEMA_VERSION);
	json_end(&s->json);
	json_end(&s->json);
	json_end(&s->json);
}

static void put_sections(struct json_schema *s)
{
	for (size_t i = 0; i < s->all.section_count; i++) {
		if (s->all.sections[i].shape == SECTION_INLINE)
			put_fields(s, s->all.sections[i].schema);
		else if (is_first(s, i))
			put_section(s, s->all.sections[i].name);
	}
	put_not_measured(s);
}

static void put_title(struct json_schema *s, const char *title)
{
	put_pair(s, "$schema", JSON_SCHEMA_DRAFT);
	put_pair(s, "title", title);
	put_pair(s, "type", "object");
}

static void put_report(struct json_schema *s)
{
	put_title(s, "a report of sooth: sooth COMMAND -j");
	json_key(&s->json, "required");
	json_begin_array(&s->json);
	json_cstring(&s->json, "schema");
	json_end(&s->json);
	json_key(&s->json, "properties");
	json_begin_object(&s->json);
	put_report_name(s);
	put_sections(s);
	json_end(&s->json);
	put_definitions(s);
}

/* The rows of a section, if the line is one of them. */
static void put_line_of(struct json_schema *s, const struct found_section *section)
{
	json_begin_object(&s->json);
	json_key(&s->json, "allOf");
	json_begin_array(&s->json);
	if (section->schema) {
		json_begin_object(&s->json);
		put_reference(s, section->schema);
		json_end(&s->json);
	}
	if (!section->schema || !sooth_schema_field(section->schema, "type")) {
		json_begin_object(&s->json);
		json_key(&s->json, "properties");
		json_begin_object(&s->json);
		json_key(&s->json, "type");
		json_begin_object(&s->json);
		put_pair(s, "const", section->name);
		json_end(&s->json);
		json_end(&s->json);
		json_end(&s->json);
	}
	json_end(&s->json);
	json_end(&s->json);
}

/* The first line names the report, the last one has what stands below it. */
static void put_edge(struct json_schema *s, const char *type)
{
	json_begin_object(&s->json);
	json_key(&s->json, "properties");
	json_begin_object(&s->json);
	json_key(&s->json, "type");
	json_begin_object(&s->json);
	put_pair(s, "const", type);
	json_end(&s->json);
	if (!strcmp(type, "begin"))
		put_report_name(s);
	else
		put_sections(s);
	json_end(&s->json);
	json_end(&s->json);
}

static void put_line(struct json_schema *s)
{
	put_title(s, "a line of sooth: sooth COMMAND --format jsonl, and -j of what never ends");
	json_key(&s->json, "required");
	json_begin_array(&s->json);
	json_cstring(&s->json, "type");
	json_end(&s->json);
	json_key(&s->json, "anyOf");
	json_begin_array(&s->json);
	put_edge(s, "begin");
	put_edge(s, "end");
	for (size_t i = 0; i < s->all.section_count; i++)
		put_line_of(s, &s->all.sections[i]);
	json_end(&s->json);
	put_definitions(s);
}

/* "seq" and "type" of each line; then those of one of the tables. */
static void put_monitor_line(struct json_schema *s)
{
	put_title(s, "a line of sooth monitor and sooth tail");
	json_key(&s->json, "required");
	json_begin_array(&s->json);
	json_cstring(&s->json, "seq");
	json_cstring(&s->json, "type");
	json_end(&s->json);
	json_key(&s->json, "properties");
	json_begin_object(&s->json);
	json_key(&s->json, "seq");
	json_begin_object(&s->json);
	put_pair(s, "type", "integer");
	put_pair(s, "description", "number of the record since the reader came");
	json_end(&s->json);
	json_end(&s->json);
	json_key(&s->json, "anyOf");
	json_begin_array(&s->json);
	for (size_t i = 0; i < s->all.section_count; i++)
		put_line_of(s, &s->all.sections[i]);
	json_end(&s->json);
	put_definitions(s);
}

static const struct sooth_schema *schema_of_section(const struct json_schema *s, const char *name)
{
	size_t i = 0;

	while (strcmp(s->all.sections[i].name, name))
		i++;
	return s->all.sections[i].schema;
}

/* What has no value is left out of these lines. */
static void put_memtrack(struct json_schema *s)
{
	const struct sooth_schema *rows = schema_of_section(s, "allocation");

	put_title(s, "a line of memtrack and codspeed-memtrack: a call of an allocator");
	json_key(&s->json, "required");
	json_begin_array(&s->json);
	for (size_t i = 0; i < rows->field_count; i++) {
		if (!rows->fields[i].state_offset)
			json_cstring(&s->json, rows->fields[i].name);
	}
	json_end(&s->json);
	json_key(&s->json, "properties");
	json_begin_object(&s->json);
	put_fields(s, rows);
	json_end(&s->json);
}

static int put_document(struct json_schema *s, enum json_schema_of of, struct sooth_error *err)
{
	int status;

	if (of == JSON_SCHEMA_MONITOR)
		status = json_sections_collect_lines(&s->all, err);
	else if (of == JSON_SCHEMA_MEMTRACK)
		status = json_sections_collect_view(&s->all, "heap-lines", err);
	else
		status = json_sections_collect(&s->all, err);
	if (status)
		return status;
	json_begin_object(&s->json);
	if (of == JSON_SCHEMA_MEMTRACK)
		put_memtrack(s);
	else if (of == JSON_SCHEMA_MONITOR)
		put_monitor_line(s);
	else if (of == JSON_SCHEMA_LINE)
		put_line(s);
	else
		put_report(s);
	json_end(&s->json);
	buffer_char(&s->text, '\n');
	return s->json.failed || buffer_failed(&s->text) ? error_no_memory(err) : 0;
}

int json_schema_write(enum json_schema_of of, FILE *stream, struct sooth_error *err)
{
	struct json_schema s = { 0 };
	int status;

	json_init(&s.json, &s.text, 1);
	status = put_document(&s, of, err);
	if (!status && fwrite(s.text.data, 1, s.text.size, stream) != s.text.size)
		status = error_errno(err, -errno, "write JSON");
	buffer_fini(&s.text);
	return status;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes JSON schemas. Every field is nullable, as a capture of an older version may lack it. */
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

/* Puts the name of a table; different tables of one name also get a number. */
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
	json_format(&s->json, "{'$ref':%s}", buffer_cstr(&to));
	buffer_fini(&to);
}

static void put_examples(struct json_schema *s, const struct sooth_names *names)
{
	if (!names)
		return;
	json_format(&s->json, "'examples':[");
	for (size_t i = 0; i < names->count; i++) {
		if (names->names[i])
			json_cstring(&s->json, names->names[i]);
	}
	json_end(&s->json);
}

static void put_type(struct json_schema *s, const struct sooth_field *f);

/* Puts the values of an object whose keys are the first fields of rows; has_pairs: the second field
 * is the value. */
static void put_values(struct json_schema *s, const struct sooth_schema *rows, bool has_pairs)
{
	json_key(&s->json, "additionalProperties");
	if (has_pairs && rows->field_count == 2) {
		json_begin_object(&s->json);
		put_type(s, &rows->fields[1]);
		json_end(&s->json);
	} else {
		put_reference(s, rows);
	}
}

static void put_single(struct json_schema *s, const struct sooth_schema *row)
{
	json_format(&s->json, "'anyOf':[");
	put_reference(s, row);
	json_format(&s->json, "{'type':'null'}]");
}

static void put_type(struct json_schema *s, const struct sooth_field *f)
{
	if (f->type == SOOTH_FIELD_ROWS && f->is_single && !f->is_keyed) {
		put_single(s, f->rows);
		return;
	}
	json_types_put(&s->json, f);
	switch (f->type) {
	case SOOTH_FIELD_ENUM:
	case SOOTH_FIELD_ERRNO:
		put_examples(s, f->names);
		break;
	case SOOTH_FIELD_TEXTS:
		json_format(&s->json, "'items':{'type':'string'}");
		break;
	case SOOTH_FIELD_SERIES:
		json_format(&s->json, "'items':{'type':['number','null']}");
		break;
	case SOOTH_FIELD_LIST:
	case SOOTH_FIELD_HISTOGRAM:
		json_format(&s->json, "'items':{'type':'integer'}");
		break;
	case SOOTH_FIELD_ROWS:
		if (f->is_keyed) {
			put_values(s, f->rows, true);
		} else {
			json_key(&s->json, "items");
			put_reference(s, f->rows);
		}
		break;
	default:
		break;
	}
}

static void put_field(struct json_schema *s, const struct sooth_field *f)
{
	json_format(&s->json, "%s:{", f->name);
	put_type(s, f);
	if (f->help)
		json_format(&s->json, "'description':%s", f->help);
	json_end(&s->json);
}

static void put_not_measured(struct json_schema *s)
{
	json_format(&s->json,
		"'not_measured':{'type':'object','description':%s,'additionalProperties':"
		"{'type':'string'}}",
		"of fields that are null, cut or left out: why; others that are null have no "
		"value");
}

static void put_fields(struct json_schema *s, const struct sooth_schema *schema)
{
	bool has_key = false;

	for (size_t i = 0; i < schema->field_count; i++) {
		put_field(s, &schema->fields[i]);
		has_key |= schema->fields[i].is_key && schema->class_ != SOOTH_CLASS_EVENT;
	}
	if (has_key)
		json_format(&s->json, "'key':{'type':'string','description':%s}",
			"identifies the row among those of its process");
}

/* Puts the required members: all fields except the first if that is the key of rows. A member
 * without a value is null. */
static void put_required(struct json_schema *s, const struct sooth_schema *schema)
{
	if (schema->field_count < 2)
		return;
	json_format(&s->json, "'required':[");
	for (size_t i = 1; i < schema->field_count; i++)
		json_cstring(&s->json, schema->fields[i].name);
	json_end(&s->json);
}

static void put_definitions(struct json_schema *s)
{
	json_format(&s->json, "'$defs':{");
	for (size_t i = 0; i < s->all.table_count; i++) {
		struct buffer name = { 0 };

		put_name(s, s->all.tables[i], &name);
		json_format(&s->json, "%s:{'type':'object','properties':{", buffer_cstr(&name));
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
	if (!section->schema) {
		json_format(&s->json, "{'type':['array','null'],'items':{'type':'object'}}");
	} else if (section->shape == SECTION_OBJECT) {
		put_reference(s, section->schema);
	} else if (section->shape == SECTION_KEYED) {
		json_format(&s->json, "{'type':['object','null']");
		put_values(s, section->schema, false);
		json_end(&s->json);
	} else {
		json_format(&s->json, "{'type':'array','items':");
		put_reference(s, section->schema);
		json_end(&s->json);
	}
}

/* Puts a section. Several commands may have a section of that name, with different rows. The
 * section is null if no row of an object came. */
static void put_section(struct json_schema *s, const char *name)
{
	json_format(&s->json, "%s:{'anyOf':[", name);
	for (size_t i = 0; i < s->all.section_count; i++) {
		const struct found_section *section = &s->all.sections[i];

		if (section->shape != SECTION_INLINE && !strcmp(section->name, name))
			put_shape(s, section);
	}
	json_format(&s->json, "{'type':'null'}]}");
}

static bool is_first_table(const struct json_schema *s, size_t i)
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
	json_format(&s->json,
		"'schema':{'type':'object','properties':{'name':{'type':'string','description':%s},"
		"'version':{'const':%d}}}",
		"which report: mostly the name of the command", REPORT_SCHEMA_VERSION);
}

static void put_sections(struct json_schema *s)
{
	for (size_t i = 0; i < s->all.section_count; i++) {
		if (s->all.sections[i].shape == SECTION_INLINE)
			put_fields(s, s->all.sections[i].schema);
		else if (is_first_table(s, i))
			put_section(s, s->all.sections[i].name);
	}
	put_not_measured(s);
}

static void put_report(struct json_schema *s)
{
	json_types_begin(&s->json, "a report of sooth: sooth COMMAND -j");
	json_format(&s->json, "'required':['schema'],'properties':{");
	put_report_name(s);
	put_sections(s);
	json_end(&s->json);
	put_definitions(s);
}

/* Puts the rows of a section, if a line may be one of them. */
static void put_line_of(struct json_schema *s, const struct found_section *section)
{
	json_format(&s->json, "{'allOf':[");
	if (section->schema)
		put_reference(s, section->schema);
	if (!section->schema || !sooth_schema_field(section->schema, "type"))
		json_format(&s->json, "{'properties':{'type':{'const':%s}}}", section->name);
	json_format(&s->json, "]}");
}

static void put_lines(struct json_schema *s)
{
	for (size_t i = 0; i < s->all.section_count; i++)
		put_line_of(s, &s->all.sections[i]);
	json_end(&s->json);
	put_definitions(s);
}

/* Puts a line. The first line names the report, the last one has the notes below it. */
static void put_line(struct json_schema *s)
{
	json_types_begin(&s->json,
		"a line of sooth: sooth COMMAND --format jsonl, and -j of what never ends");
	json_format(
		&s->json, "'required':['type'],'anyOf':[{'properties':{'type':{'const':'begin'}");
	put_report_name(s);
	json_format(&s->json, "}},{'properties':{'type':{'const':'end'}");
	put_sections(s);
	json_format(&s->json, "}}");
	put_lines(s);
}

/* Puts a monitor line: "seq" and "type", then the fields of one of the tables. */
static void put_monitor_line(struct json_schema *s)
{
	json_types_begin(&s->json, "a line of sooth monitor and sooth tail");
	json_format(&s->json,
		"'required':['seq','type'],'properties':{'seq':{'type':'integer','description':%s}}"
		","
		"'anyOf':[",
		"number of the record since the reader came");
	put_lines(s);
}

static const struct sooth_schema *schema_of_section(const struct json_schema *s, const char *name)
{
	size_t i = 0;

	while (strcmp(s->all.sections[i].name, name))
		i++;
	return s->all.sections[i].schema;
}

/* Puts a memtrack line, which leaves out fields without a value. */
static void put_memtrack(struct json_schema *s)
{
	const struct sooth_schema *rows = schema_of_section(s, "allocation");

	json_types_begin(
		&s->json, "a line of memtrack and codspeed-memtrack: a call of an allocator");
	json_format(&s->json, "'required':[");
	for (size_t i = 0; i < rows->field_count; i++) {
		if (!rows->fields[i].state_offset)
			json_cstring(&s->json, rows->fields[i].name);
	}
	json_format(&s->json, "],'properties':{");
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

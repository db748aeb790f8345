/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stacks as a profile for pprof: a gzipped protocol buffer (profile.proto of
 * github.com/google/pprof), which `go tool pprof`, speedscope and Grafana read. Frames have their
 * places if the rows do, else only names, which include known files and addresses. The format has
 * no place for notes.
 */
#include <stdlib.h>
#include <string.h>

#include "base/names.h"
#include "base/protobuf.h"
#include "sinks/packer.h"
#include "sinks/stack_walk.h"

#define NAMES_MAX	(1u << 20)
#define NAMES_BYTES_MAX (256u << 20)

/* Numbers of fields. */
enum {
	PROFILE_SAMPLE_TYPE = 1,
	PROFILE_SAMPLE = 2,
	PROFILE_MAPPING = 3,
	PROFILE_LOCATION = 4,
	PROFILE_FUNCTION = 5,
	PROFILE_STRING = 6,
	PROFILE_DEFAULT_TYPE = 14
};
enum { TYPE_NAME = 1, TYPE_UNIT = 2 };
enum { SAMPLE_LOCATIONS = 1, SAMPLE_VALUES = 2 };
enum {
	MAPPING_ID = 1,
	MAPPING_LIMIT = 3,
	MAPPING_FILE = 5,
	MAPPING_BUILD_ID = 6,
	MAPPING_HAS_FUNCTIONS = 7,
	MAPPING_HAS_FILES = 8,
	MAPPING_HAS_LINES = 9,
	MAPPING_HAS_INLINED = 10
};
enum { LOCATION_ID = 1, LOCATION_MAPPING = 2, LOCATION_ADDRESS = 3, LOCATION_LINE = 4 };
enum { LINE_FUNCTION = 1, LINE_NUMBER = 2 };
enum { FUNCTION_ID = 1, FUNCTION_NAME = 2, FUNCTION_SYSTEM_NAME = 3, FUNCTION_FILE = 4 };

struct pprof_sink {
	struct packer packer;
	struct stack_walk walk;
	struct names strings; /* the first is empty, as the format demands */
	struct names keys;    /* what is defined: its number here, from 1, is its id */
	struct buffer profile;
	struct buffer part, list; /* buffers of the current message */
	struct buffer locations;  /* locations of the current sample */
	struct buffer text;	  /* a name, escaped, and then a key */
	bool has_stacks;	  /* the open section */
};

static void put_message(struct buffer *out, unsigned field, struct buffer *message)
{
	protobuf_bytes(out, field, message->data, message->size);
	out->failed |= buffer_failed(message);
	buffer_reset(message);
}

/* --- what it is made of --- */

/* Returns the number of a string that is not the name of a function. */
static uint32_t text_of(struct pprof_sink *s, const char *text, size_t size)
{
	uint32_t number = names_put(&s->strings, span_of(text, size), NULL);

	s->profile.failed |= number == NAMES_NONE;
	return number;
}

/* Returns the id of what has a key, in s->text; `is_new`: it has to be defined. */
static uint32_t id_of(struct pprof_sink *s, bool *is_new)
{
	uint32_t number =
		names_put(&s->keys, span_of((const char *)s->text.data, s->text.size), is_new);

	s->profile.failed |= number == NAMES_NONE || buffer_failed(&s->text);
	return number + 1;
}

struct place {
	struct span file, object, build_id;
	uint64_t line, address;
};

/* Takes apart what a row says of a frame's place. */
static struct place place_of(struct span texts)
{
	struct cursor c = cursor_over(texts.data, texts.size);
	struct span line = cursor_until(&c, 0);
	const char *colon = span_last(line, ':');
	struct place place = { .object = cursor_until(&c, 0) };

	/* A NUL ends each of the texts. */
	if (colon) {
		place.file = span_of(line.data, (size_t)(colon - line.data));
		place.line = strtoull(colon + 1, NULL, 10);
	}
	if (!cursor_at_end(&c))
		place.address = strtoull(cursor_until(&c, 0).data, NULL, 10);
	place.build_id = cursor_until(&c, 0);
	return place;
}

static uint32_t mapping_of(struct pprof_sink *s, const struct place *place)
{
	bool is_new;
	uint32_t id;

	buffer_reset(&s->text);
	buffer_char(&s->text, 'm');
	buffer_append(&s->text, place->object.data, place->object.size);
	buffer_char(&s->text, 0);
	buffer_append(&s->text, place->build_id.data, place->build_id.size);
	id = id_of(s, &is_new);
	if (!is_new)
		return id;
	protobuf_number(&s->part, MAPPING_ID, id);
	protobuf_number(
		&s->part, MAPPING_LIMIT, UINT64_MAX); /* addresses are offsets in the file */
	protobuf_number(&s->part, MAPPING_FILE, text_of(s, place->object.data, place->object.size));
	protobuf_number(
		&s->part, MAPPING_BUILD_ID, text_of(s, place->build_id.data, place->build_id.size));
	for (unsigned has = MAPPING_HAS_FUNCTIONS; has <= MAPPING_HAS_INLINED; has++)
		protobuf_number(&s->part, has, 1);
	put_message(&s->profile, PROFILE_MAPPING, &s->part);
	return id;
}

/* Returns a function; its name is in s->text. */
static uint32_t function_of(struct pprof_sink *s, const struct place *place)
{
	uint32_t name = text_of(s, (const char *)s->text.data, s->text.size), id;
	bool is_new;

	buffer_char(&s->text, 0);
	buffer_append(&s->text, place->file.data, place->file.size);
	buffer_append(&s->text, "\0f", 2);
	id = id_of(s, &is_new);
	if (!is_new)
		return id;
	protobuf_number(&s->part, FUNCTION_ID, id);
	protobuf_number(&s->part, FUNCTION_NAME, name);
	protobuf_number(&s->part, FUNCTION_SYSTEM_NAME, name);
	if (place->file.size)
		protobuf_number(
			&s->part, FUNCTION_FILE, text_of(s, place->file.data, place->file.size));
	put_message(&s->profile, PROFILE_FUNCTION, &s->part);
	return id;
}

static uint32_t location_of(struct pprof_sink *s, struct span name, struct span texts)
{
	struct place place = place_of(texts);
	uint32_t function, mapping, id;
	bool is_new;

	buffer_reset(&s->text);
	stack_name_put(&s->text, name);
	function = function_of(s, &place);
	mapping = place.object.size ? mapping_of(s, &place) : 0;
	buffer_reset(&s->text);
	buffer_format(&s->text, "l%u %u %llu %llu", function, mapping,
		(unsigned long long)place.line, (unsigned long long)place.address);
	id = id_of(s, &is_new);
	if (!is_new)
		return id;
	protobuf_number(&s->list, LINE_FUNCTION, function);
	if (place.line)
		protobuf_number(&s->list, LINE_NUMBER, place.line);
	protobuf_number(&s->part, LOCATION_ID, id);
	if (mapping) {
		protobuf_number(&s->part, LOCATION_MAPPING, mapping);
		protobuf_number(&s->part, LOCATION_ADDRESS, place.address);
	}
	put_message(&s->part, LOCATION_LINE, &s->list);
	put_message(&s->profile, PROFILE_LOCATION, &s->part);
	return id;
}

static void put_sample(void *user, const struct stack_walk *w, const uint64_t own[STACK_NUMBERS])
{
	struct pprof_sink *s = user;

	for (size_t i = w->count; i--;) /* the innermost frame first */
		protobuf_varint(&s->locations,
			location_of(s, stack_walk_name(w, i), stack_walk_place(w, i)));
	put_message(&s->part, SAMPLE_LOCATIONS, &s->locations);
	for (size_t i = 0; i < STACK_NUMBERS && w->numbers[i]; i++)
		protobuf_varint(&s->list, own[i]);
	put_message(&s->part, SAMPLE_VALUES, &s->list);
	put_message(&s->profile, PROFILE_SAMPLE, &s->part);
}

/* Writes the type of a value: the field "cpu_time_ns" is "cpu_time" in nanoseconds. */
static uint32_t put_type(struct pprof_sink *s, const struct sooth_field *f)
{
	bool is_time = f->unit == SOOTH_UNIT_NS;
	const char *unit = is_time			 ? "nanoseconds"
			   : f->unit == SOOTH_UNIT_BYTES ? "bytes"
							 : "count";
	size_t size = strlen(f->name);
	uint32_t name;

	if (is_time && size > 3 && !strcmp(f->name + size - 3, "_ns"))
		size -= 3;
	name = text_of(s, f->name, size);
	protobuf_number(&s->part, TYPE_NAME, name);
	protobuf_number(&s->part, TYPE_UNIT, text_of(s, unit, strlen(unit)));
	put_message(&s->profile, PROFILE_SAMPLE_TYPE, &s->part);
	return name;
}

static const struct sooth_field *time_of(const struct sooth_schema *schema)
{
	for (size_t i = 0; i < schema->field_count; i++) {
		if (schema->fields[i].type == SOOTH_FIELD_UNSIGNED &&
			schema->fields[i].unit == SOOTH_UNIT_NS)
			return &schema->fields[i];
	}
	return NULL;
}

/* --- the sink --- */

static int open_sink(void *state, const struct sink_options *options, struct sooth_error *err)
{
	struct pprof_sink *s = state;

	names_init(&s->strings, NAMES_MAX, NAMES_BYTES_MAX);
	names_init(&s->keys, NAMES_MAX, NAMES_BYTES_MAX);
	text_of(s, "", 0);
	return packer_open(&s->packer, PACKING_GZIP, options->stream, "write the profile", err);
}

/* Begins a section. A profile has one kind of samples: those of the first section with stacks. */
static int section_begin(void *state, const struct section *section, struct sooth_error *err)
{
	struct pprof_sink *s = state;
	struct stack_walk *w = &s->walk;
	const struct sooth_field *time;

	(void)err;
	s->has_stacks = false;
	w->take = put_sample;
	w->user = s;
	if (s->profile.size || !stack_walk_begin(w, section))
		return 0;
	w->numbers[0] = graph_field(section, section->graph->weight);
	if (!w->numbers[0])
		return 0;
	s->has_stacks = true;
	time = time_of(section->schema);
	w->numbers[1] = time == w->numbers[0] ? NULL : time;
	protobuf_number(&s->profile, PROFILE_DEFAULT_TYPE, put_type(s, w->numbers[0]));
	if (w->numbers[1])
		put_type(s, w->numbers[1]);
	return 0;
}

static int write_rows(void *state, const struct section *section, const struct batch *batch,
	struct sooth_error *err)
{
	struct pprof_sink *s = state;

	(void)section;
	if (!s->has_stacks)
		return 0;
	batch_for_each (r, batch)
		stack_walk_row(&s->walk, r);
	return buffer_failed(&s->profile) ? error_no_memory(err) : 0;
}

static int section_end(void *state, const struct section *section, struct sooth_error *err)
{
	struct pprof_sink *s = state;

	(void)section;
	if (s->has_stacks)
		stack_walk_end(&s->walk);
	s->has_stacks = false;
	return buffer_failed(&s->profile) || buffer_failed(&s->walk.names) ? error_no_memory(err)
									   : 0;
}

static int end(void *state, struct sooth_error *err)
{
	struct pprof_sink *s = state;

	for (size_t i = 0; i < names_count(&s->strings); i++) {
		struct span string = names_get(&s->strings, (uint32_t)i);

		protobuf_bytes(&s->profile, PROFILE_STRING, string.data, string.size);
	}
	return packer_write(&s->packer, &s->profile, true, err);
}

static void close_sink(void *state)
{
	struct pprof_sink *s = state;

	packer_fini(&s->packer);
	stack_walk_fini(&s->walk);
	names_fini(&s->strings);
	buffer_fini(&s->profile);
	buffer_fini(&s->part);
	buffer_fini(&s->list);
	buffer_fini(&s->locations);
	buffer_fini(&s->text);
	names_fini(&s->keys);
}

const struct sink_type sink_pprof = {
	.name = "pprof",
	.help = "stacks as a gzipped profile for pprof and speedscope",
	.is_of_stacks = true,
	.state_size = sizeof(struct pprof_sink),
	.open = open_sink,
	.section = section_begin,
	.rows = write_rows,
	.section_end = section_end,
	.end = end,
	.close = close_sink,
};

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stacks as a profile for pprof: a gzipped protocol buffer (profile.proto of
 * github.com/google/pprof), which `go tool pprof`, speedscope and Grafana read. Frames have only
 * names, which include known files and addresses. The format has no place for notes.
 */
#include <string.h>

#include "base/names.h"
#include "sinks/packer.h"
#include "sinks/stack_walk.h"

#define NAMES_MAX	(1u << 20)
#define NAMES_BYTES_MAX (256u << 20)

/* Numbers of fields. */
enum {
	PROFILE_SAMPLE_TYPE = 1,
	PROFILE_SAMPLE = 2,
	PROFILE_LOCATION = 4,
	PROFILE_FUNCTION = 5,
	PROFILE_STRING = 6,
	PROFILE_DEFAULT_TYPE = 14
};
enum { TYPE_NAME = 1, TYPE_UNIT = 2 };
enum { SAMPLE_LOCATIONS = 1, SAMPLE_VALUES = 2 };
enum { LOCATION_ID = 1, LOCATION_LINE = 4 };
enum { LINE_FUNCTION = 1 };
enum { FUNCTION_ID = 1, FUNCTION_NAME = 2, FUNCTION_SYSTEM_NAME = 3 };

enum wire { WIRE_VARINT = 0, WIRE_BYTES = 2 };

struct pprof_sink {
	struct packer packer;
	struct stack_walk walk;
	struct names strings;	  /* the first is empty, as the format demands */
	struct buffer is_defined; /* a byte for each string: whether it is defined as a function */
	struct buffer profile;
	struct buffer part, list; /* buffers of the current message */
	struct buffer locations;  /* locations of the current sample */
	struct buffer text;	  /* a name, escaped */
	bool has_stacks;	  /* the open section */
};

/* --- protocol buffers: protobuf.dev/programming-guides/encoding --- */

static void put_varint(struct buffer *out, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		buffer_char(out, (char)(value | 0x80));
	buffer_char(out, (char)value);
}

static void put_number(struct buffer *out, unsigned field, uint64_t value)
{
	put_varint(out, field << 3 | WIRE_VARINT);
	put_varint(out, value);
}

static void put_bytes(struct buffer *out, unsigned field, const void *data, size_t size)
{
	put_varint(out, field << 3 | WIRE_BYTES);
	put_varint(out, size);
	buffer_append(out, data, size);
}

static void put_message(struct buffer *out, unsigned field, struct buffer *message)
{
	put_bytes(out, field, message->data, message->size);
	out->failed |= buffer_failed(message);
	buffer_reset(message);
}

/* --- what it is made of --- */

/* Writes a function and its only location. The number of the name is the id of both. */
static void define_function(struct pprof_sink *s, uint32_t number)
{
	put_number(&s->part, FUNCTION_ID, number);
	put_number(&s->part, FUNCTION_NAME, number);
	put_number(&s->part, FUNCTION_SYSTEM_NAME, number);
	put_message(&s->profile, PROFILE_FUNCTION, &s->part);
	put_number(&s->list, LINE_FUNCTION, number);
	put_number(&s->part, LOCATION_ID, number);
	put_message(&s->part, LOCATION_LINE, &s->list);
	put_message(&s->profile, PROFILE_LOCATION, &s->part);
}

/* Returns whether a name needs a definition: a string may be known, but not as a function. */
static bool must_define(struct pprof_sink *s, uint32_t number)
{
	size_t known = s->is_defined.size;
	bool is_defined;

	if (number >= known && !buffer_zeros(&s->is_defined, number + 1 - known))
		return false;
	is_defined = s->is_defined.data[number];
	s->is_defined.data[number] = 1;
	return !is_defined;
}

static uint32_t function_of(struct pprof_sink *s, struct span name)
{
	uint32_t number;

	buffer_reset(&s->text);
	stack_name_put(&s->text, name);
	number = names_put(&s->strings, span_of((const char *)s->text.data, s->text.size), NULL);
	if (number == NAMES_NONE || buffer_failed(&s->text)) {
		s->profile.failed = true;
		return 0;
	}
	if (must_define(s, number))
		define_function(s, number);
	s->profile.failed |= buffer_failed(&s->is_defined);
	return number;
}

static void put_sample(void *user, const struct stack_walk *w, const uint64_t own[STACK_NUMBERS])
{
	struct pprof_sink *s = user;

	for (size_t i = w->count; i--;) /* the innermost frame first */
		put_varint(&s->locations, function_of(s, stack_walk_name(w, i)));
	put_message(&s->part, SAMPLE_LOCATIONS, &s->locations);
	for (size_t i = 0; i < STACK_NUMBERS && w->numbers[i]; i++)
		put_varint(&s->list, own[i]);
	put_message(&s->part, SAMPLE_VALUES, &s->list);
	put_message(&s->profile, PROFILE_SAMPLE, &s->part);
}

/* Returns the number of a string that is not the name of a function. */
static uint32_t text_of(struct pprof_sink *s, const char *text, size_t size)
{
	uint32_t number = names_put(&s->strings, span_of(text, size), NULL);

	s->profile.failed |= number == NAMES_NONE;
	return number;
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
	put_number(&s->part, TYPE_NAME, name);
	put_number(&s->part, TYPE_UNIT, text_of(s, unit, strlen(unit)));
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
	put_number(&s->profile, PROFILE_DEFAULT_TYPE, put_type(s, w->numbers[0]));
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

		put_bytes(&s->profile, PROFILE_STRING, string.data, string.size);
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
	buffer_fini(&s->is_defined);
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

/* SPDX-License-Identifier: BSD-2-Clause */
#include "otlp/message.h"

#include <assert.h>
#include <string.h>

#include "base/escape.h"
#include "base/protobuf.h"

#define REAL_DECIMALS 9
#define REPLACEMENT   "\xef\xbf\xbd"

static const struct {
	uint8_t number, type;
	bool is_many;
	const char *name;
} fields[OTLP_FIELD_COUNT] = {
#define FIELD(id, number, type, many, name)                                                        \
	[OTLP_##id] = { number, OTLP_##type, OTLP_##many == OTLP_MANY, name },
	OTLP_FIELDS(FIELD)
#undef FIELD
};

void otlp_message_fini(struct otlp_message *m)
{
	buffer_fini(&m->bytes);
	buffer_fini(&m->text);
}

void otlp_message_reset(struct otlp_message *m)
{
	buffer_reset(&m->bytes);
	m->is_begun = false;
	m->depth = 0;
}

bool otlp_message_failed(const struct otlp_message *m)
{
	return buffer_failed(&m->bytes) || buffer_failed(&m->text) ||
	       (m->is_begun && m->encoding == OTLP_JSON && m->json.failed);
}

static void begin_message(struct otlp_message *m)
{
	if (m->is_begun)
		return;
	m->is_begun = true;
	m->levels[0].array = 0;
	if (m->encoding == OTLP_JSON) {
		json_init(&m->json, &m->bytes, 0);
		json_begin_object(&m->json);
	}
}

static void end_array(struct otlp_message *m)
{
	if (m->levels[m->depth].array)
		json_end(&m->json);
	m->levels[m->depth].array = 0;
}

void otlp_message_finish(struct otlp_message *m)
{
	assert(!m->depth);
	begin_message(m);
	if (m->encoding != OTLP_JSON)
		return;
	end_array(m);
	json_end(&m->json);
}

/* Writes what comes before a value of JSON: the key, and for the first of several an array. */
static void begin_json_value(struct otlp_message *m, enum otlp_field field)
{
	begin_message(m);
	if (m->levels[m->depth].array == field + 1u)
		return;
	end_array(m);
	json_key(&m->json, fields[field].name);
	if (!fields[field].is_many)
		return;
	json_begin_array(&m->json);
	m->levels[m->depth].array = field + 1u;
}

void otlp_begin(struct otlp_message *m, enum otlp_field field)
{
	assert(fields[field].type == OTLP_MESSAGE);
	assert(m->depth + 1 < OTLP_DEPTH_MAX);

	if (m->encoding == OTLP_JSON) {
		begin_json_value(m, field);
		json_begin_object(&m->json);
	} else {
		begin_message(m);
		protobuf_tag(&m->bytes, fields[field].number, PROTOBUF_BYTES);
	}
	m->depth++;
	m->levels[m->depth].begin = m->bytes.size;
	m->levels[m->depth].array = 0;
}

/* Writes the size of a message before it: only now is it known. */
static void insert_size(struct otlp_message *m, size_t begin)
{
	size_t size = m->bytes.size - begin, at = m->bytes.size, width;

	protobuf_varint(&m->bytes, size);
	if (buffer_failed(&m->bytes))
		return;
	unsigned char length[PROTOBUF_VARINT_MAX];

	width = m->bytes.size - at;
	memcpy(length, m->bytes.data + at, width);
	memmove(m->bytes.data + begin + width, m->bytes.data + begin, size);
	memcpy(m->bytes.data + begin, length, width);
}

void otlp_end(struct otlp_message *m)
{
	assert(m->depth);
	if (m->encoding == OTLP_JSON) {
		end_array(m);
		json_end(&m->json);
	} else {
		insert_size(m, m->levels[m->depth].begin);
	}
	m->depth--;
}

/* Appends a text as valid UTF-8. */
static void append_clean(struct buffer *out, struct span text)
{
	for (size_t at = 0; at < text.size;) {
		size_t length = utf8_length(text.data + at, text.size - at);

		if (length)
			buffer_append(out, text.data + at, length);
		else
			buffer_string(out, REPLACEMENT);
		at += length ? length : 1;
	}
}

void otlp_text(struct otlp_message *m, enum otlp_field field, struct span text)
{
	assert(fields[field].type == OTLP_STRING);
	if (m->encoding == OTLP_JSON) {
		begin_json_value(m, field);
		json_chars(&m->json, text.data, text.size);
		return;
	}
	begin_message(m);
	buffer_reset(&m->text);
	append_clean(&m->text, text);
	protobuf_bytes(&m->bytes, fields[field].number, m->text.data, m->text.size);
}

static void write_json_number(struct otlp_message *m, enum otlp_field field, uint64_t value)
{
	begin_json_value(m, field);
	switch (fields[field].type) {
	case OTLP_INT64:
	case OTLP_FIXED64:
		buffer_reset(&m->text);
		buffer_u64(&m->text, value);
		json_chars(&m->json, (const char *)m->text.data, m->text.size);
		break;
	case OTLP_BOOL:
		json_bool(&m->json, value != 0);
		break;
	default:
		json_u64(&m->json, value);
	}
}

void otlp_number(struct otlp_message *m, enum otlp_field field, uint64_t value)
{
	if (m->encoding == OTLP_JSON) {
		write_json_number(m, field, value);
		return;
	}
	begin_message(m);
	if (fields[field].type == OTLP_FIXED64)
		protobuf_fixed64(&m->bytes, fields[field].number, value);
	else
		protobuf_number(&m->bytes, fields[field].number, value);
}

void otlp_real(struct otlp_message *m, enum otlp_field field, double value)
{
	uint64_t bits;

	assert(fields[field].type == OTLP_DOUBLE);
	if (m->encoding == OTLP_JSON) {
		begin_json_value(m, field);
		json_f64(&m->json, value, REAL_DECIMALS);
		return;
	}
	begin_message(m);
	memcpy(&bits, &value, sizeof(bits));
	protobuf_fixed64(&m->bytes, fields[field].number, bits);
}

void otlp_id(struct otlp_message *m, enum otlp_field field, const void *data, size_t size)
{
	assert(fields[field].type == OTLP_ID);
	if (m->encoding == OTLP_JSON) {
		begin_json_value(m, field);
		buffer_reset(&m->text);
		for (size_t i = 0; i < size; i++)
			buffer_format(&m->text, "%02x", ((const unsigned char *)data)[i]);
		json_chars(&m->json, (const char *)m->text.data, m->text.size);
		return;
	}
	begin_message(m);
	protobuf_bytes(&m->bytes, fields[field].number, data, size);
}

static void begin_attribute(struct otlp_message *m, enum otlp_field list, const char *key)
{
	otlp_begin(m, list);
	otlp_text(m, OTLP_KEY, span_of_string(key));
	otlp_begin(m, OTLP_VALUE);
}

static void end_attribute(struct otlp_message *m)
{
	otlp_end(m);
	otlp_end(m);
}

void otlp_attribute_text(
	struct otlp_message *m, enum otlp_field list, const char *key, struct span text)
{
	if (!text.size)
		return;
	begin_attribute(m, list, key);
	otlp_text(m, OTLP_STRING_VALUE, text);
	end_attribute(m);
}

void otlp_attribute_number(
	struct otlp_message *m, enum otlp_field list, const char *key, uint64_t value)
{
	begin_attribute(m, list, key);
	otlp_number(m, OTLP_INT_VALUE, value);
	end_attribute(m);
}

void otlp_attribute_bool(struct otlp_message *m, enum otlp_field list, const char *key, bool value)
{
	begin_attribute(m, list, key);
	otlp_number(m, OTLP_BOOL_VALUE, value);
	end_attribute(m);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes one message of OTLP as protobuf or as JSON: the same calls make both, by the table of
 * fields. Texts become valid UTF-8. A failure for lack of memory is sticky: otlp_message_failed().
 */
#pragma once

#include "base/cursor.h"
#include "base/json.h"
#include "otlp/fields.h"

#define OTLP_DEPTH_MAX 16

enum otlp_encoding { OTLP_PROTOBUF, OTLP_JSON };

/* Zeroed: an empty message in protobuf. */
struct otlp_message {
	enum otlp_encoding encoding;
	struct buffer bytes;
	struct buffer text; /* scratch */
	struct json json;
	bool is_begun;
	unsigned depth;
	struct {
		size_t begin;	/* where the message begins in `bytes` */
		unsigned array; /* field of the open array of JSON and 1; 0: none */
	} levels[OTLP_DEPTH_MAX];
};

void otlp_message_fini(struct otlp_message *m);
/* Empties it for the next message. */
void otlp_message_reset(struct otlp_message *m);
bool otlp_message_failed(const struct otlp_message *m);
/* Ends the message: its bytes are whole. */
void otlp_message_finish(struct otlp_message *m);

/* Begins a message in a field, to be ended by otlp_end(). */
void otlp_begin(struct otlp_message *m, enum otlp_field field);
void otlp_end(struct otlp_message *m);
void otlp_text(struct otlp_message *m, enum otlp_field field, struct span text);
/* Writes a number of any of the integer types, or an enum. */
void otlp_number(struct otlp_message *m, enum otlp_field field, uint64_t value);
void otlp_real(struct otlp_message *m, enum otlp_field field, double value);
void otlp_id(struct otlp_message *m, enum otlp_field field, const void *data, size_t size);

/* Attributes: KeyValue messages in the field `list`. An empty text is left out. */
void otlp_attribute_text(
	struct otlp_message *m, enum otlp_field list, const char *key, struct span text);
void otlp_attribute_number(
	struct otlp_message *m, enum otlp_field list, const char *key, uint64_t value);
void otlp_attribute_bool(struct otlp_message *m, enum otlp_field list, const char *key, bool value);

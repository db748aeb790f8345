/* SPDX-License-Identifier: BSD-2-Clause */
#include "explain/old_names.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/cursor.h"
#include "model/probe.h"
#include "model/stream_records.h"

/* A longer text is no name of a probe. */
#define NAME_SIZE 64

static struct span text_of(const struct sooth_record *r, const struct sooth_text *text)
{
	if ((uint64_t)text->offset + text->size > record_bytes(r))
		return span_of("", 0);
	return span_of((const char *)r + text->offset, text->size);
}

/* The text that names a probe; empty: the record has none. */
static struct span probe_of(const struct sooth_record *r)
{
	const struct stream_source *source = (const void *)r;
	const struct stream_loss *loss = (const void *)r;

	if (r->kind == STREAM_SOURCE && record_holds(r, sizeof(*source)))
		return text_of(r, &source->probe);
	if (r->kind == STREAM_LOSS && record_holds(r, sizeof(*loss)))
		return text_of(r, &loss->source);
	return span_of("", 0);
}

/* NULL: the name is in use now, or belongs to no probe. */
static const char *new_name(struct span name)
{
	char text[NAME_SIZE];
	const struct probe *probe;

	if (!name.size || name.size >= sizeof(text))
		return NULL;
	memcpy(text, name.data, name.size);
	text[name.size] = '\0';
	probe = registry_probe(text);
	return probe && strcmp(probe->name, text) ? probe->name : NULL;
}

static struct record_tail tail_of(
	struct sooth_text *to, const struct sooth_record *r, const struct sooth_text *from)
{
	struct span text = text_of(r, from);

	return (struct record_tail){ to, text.data, text.size };
}

static void append_renamed(struct buffer *out, const struct sooth_record *r, const char *name)
{
	if (r->kind == STREAM_SOURCE) {
		const struct stream_source *from = (const void *)r;
		struct stream_source to = *from;
		struct record_tail tail[] = { { &to.probe, name, strlen(name) },
			tail_of(&to.backend, r, &from->backend),
			tail_of(&to.fallback_reason, r, &from->fallback_reason) };

		RECORD_APPEND(out, &to, tail, ARRAY_SIZE(tail));
	} else {
		const struct stream_loss *from = (const void *)r;
		struct stream_loss to = *from;
		struct record_tail tail[] = { { &to.source, name, strlen(name) },
			tail_of(&to.reason, r, &from->reason) };

		RECORD_APPEND(out, &to, tail, ARRAY_SIZE(tail));
	}
}

/* Written by a version that did not record what a source costs others: both are 0. */
static bool has_no_price(const struct sooth_record *r)
{
	const struct stream_source *source = (const void *)r;

	return r->kind == STREAM_SOURCE && record_holds(r, sizeof(*source)) && !source->others_ns &&
	       !source->others_state;
}

static bool is_old(const struct sooth_record *r)
{
	return new_name(probe_of(r)) || has_no_price(r);
}

static bool has_old(const struct batch *batch)
{
	batch_for_each (record, batch) {
		if (is_old(record))
			return true;
	}
	return false;
}

static void append_replaced(struct buffer *out, const struct sooth_record *r)
{
	size_t at = out->size;
	const char *name = new_name(probe_of(r));

	if (name)
		append_renamed(out, r, name);
	else
		buffer_append(out, r, record_bytes(r));
	if (has_no_price(r) && out->size > at)
		((struct stream_source *)(out->data + at))->others_state = SOOTH_STATE_ABSENT;
}

struct batch old_names_replace(struct buffer *renamed, const struct batch *batch)
{
	if (!has_old(batch))
		return *batch;
	buffer_reset(renamed);
	batch_for_each (record, batch)
		append_replaced(renamed, record);
	return (struct batch){ renamed->data, renamed->size };
}

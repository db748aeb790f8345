/* SPDX-License-Identifier: BSD-2-Clause */
/* Building records and checking runs of them. */
#include "model/batch.h"

#include <assert.h>
#include <string.h>

#include <sooth/field.h>

bool sooth_record_check(const struct sooth_record *record, size_t size)
{
	if (size < sizeof(*record) || record_bytes(record) > size)
		return false;
	return record->fixed_words <= record->words &&
	       record->fixed_words * SOOTH_RECORD_WORD >= (int)sizeof(*record);
}

long batch_check(const struct batch *b)
{
	size_t at = 0;
	long count = 0;

	assert(b);
	while (at < b->size) {
		const struct sooth_record *r = (const void *)(b->data + at);

		if (!sooth_record_check(r, b->size - at))
			return -1;
		at += record_bytes(r);
		count++;
	}
	return count;
}

static size_t words_for(size_t bytes)
{
	return (bytes + SOOTH_RECORD_WORD - 1) / SOOTH_RECORD_WORD;
}

void record_append(struct buffer *out, struct sooth_record *record, size_t fixed,
	struct record_tail *tail, size_t tail_count)
{
	size_t fixed_bytes = words_for(fixed) * SOOTH_RECORD_WORD;
	size_t total = fixed_bytes;
	unsigned char *to;

	assert(record);
	assert(fixed >= sizeof(*record) && total <= SOOTH_RECORD_BYTES_MAX);
	for (size_t i = 0; i < tail_count; i++) {
		/* A text is a member of this record, and is copied with the record. */
		assert((char *)tail[i].text >= (char *)(record + 1) &&
			(char *)tail[i].text < (char *)record + fixed);
		assert(tail[i].data || !tail[i].size);
	}
	for (size_t i = 0; i < tail_count; i++) {
		size_t room = SOOTH_RECORD_BYTES_MAX - total;

		if (tail[i].size > room)
			tail[i].size = room;
		tail[i].text->offset = (uint32_t)total;
		tail[i].text->size = (uint32_t)tail[i].size;
		total += tail[i].size;
	}
	record->fixed_words = (uint16_t)(fixed_bytes / SOOTH_RECORD_WORD);
	record->words = (uint16_t)words_for(total);

	to = buffer_zeros(out, record_bytes(record));
	if (!to)
		return;
	memcpy(to, record, fixed);
	for (size_t i = 0; i < tail_count; i++) {
		if (tail[i].size)
			memcpy(to + tail[i].text->offset, tail[i].data, tail[i].size);
	}
}

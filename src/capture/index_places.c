/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding the indexes of a file; see index_places.h. Nothing they say is used to get memory. */
#include "capture/index_places.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

#define INDEXES_MAX  65536	 /* of one file; a writer's are 64 MiB or 65536 blocks apart */
#define SEARCH_BYTES (80u << 20) /* a segment, and what of the one before reaches into it */
#define WINDOW_BYTES (1u << 20)

bool index_read_at(int fd, void *data, size_t size, uint64_t offset)
{
	unsigned char *to = data;

	while (size) {
		ssize_t got = pread(fd, to, size, (off_t)offset);

		if (got <= 0)
			return false;
		to += got;
		size -= (size_t)got;
		offset += (size_t)got;
	}
	return true;
}

/* Its length stands in a header that was found good, so it is bounded. */
bool index_load(int fd, uint64_t offset, uint64_t end, struct index_view *v, unsigned char **block)
{
	unsigned char bytes[sizeof(struct block_header)];
	struct block_header h;

	*block = NULL;
	if (end - offset < sizeof(bytes) || !index_read_at(fd, bytes, sizeof(bytes), offset) ||
		!block_header_read(&h, bytes, sizeof(bytes)))
		return false;
	if (h.type != BLOCK_INDEX || h.codec != CODEC_NONE || h.stored_bytes != h.raw_bytes ||
		block_bytes(&h) > end - offset)
		return false;
	*block = malloc(h.stored_bytes);
	return *block && index_read_at(fd, *block, h.stored_bytes, offset + sizeof(h)) &&
	       block_payload_holds(&h, *block) && index_parse(v, *block, h.stored_bytes) &&
	       v->head.bytes <= offset;
}

/* The index that ends there. */
static bool find_at(int fd, uint64_t end, struct index_place *place)
{
	unsigned char trailer[INDEX_TRAILER_SIZE];
	_cleanup_free_ unsigned char *block = NULL;
	struct index_view v;
	uint64_t size;

	if (end < sizeof(trailer) ||
		!index_read_at(fd, trailer, sizeof(trailer), end - sizeof(trailer)))
		return false;
	size = index_trailer(trailer);
	if (size < sizeof(struct block_header) || size > end ||
		!index_load(fd, end - size, end, &v, &block))
		return false;
	*place = (struct index_place){ end - size - v.head.bytes, end - size, end };
	return true;
}

/* How many of these bytes end with a trailer, the last that is whole in them; 0: none is. */
static size_t last_trailer(const unsigned char *bytes, size_t size)
{
	const unsigned char *last;

	while (size >= INDEX_TRAILER_SIZE) {
		last = memrchr(bytes, INDEX_MAGIC[INDEX_MAGIC_SIZE - 1], size);
		if (!last)
			break;
		size = (size_t)(last - bytes) + 1;
		if (size >= INDEX_TRAILER_SIZE && index_trailer(bytes + size - INDEX_TRAILER_SIZE))
			return size;
		size--;
	}
	return 0;
}

/* The last index that ends before that, and is not too far from it. */
static bool find_before(int fd, uint64_t end, struct index_place *place)
{
	uint64_t stop = end > SEARCH_BYTES ? end - SEARCH_BYTES : 0;
	_cleanup_free_ unsigned char *bytes = malloc(WINDOW_BYTES);

	while (bytes && end - stop >= INDEX_TRAILER_SIZE) {
		uint64_t begin = end - stop > WINDOW_BYTES ? end - WINDOW_BYTES : stop;
		size_t size = (size_t)(end - begin);

		if (!index_read_at(fd, bytes, size, begin))
			return false;
		while ((size = last_trailer(bytes, size))) {
			if (find_at(fd, begin + size, place))
				return true;
			size--;
		}
		if (begin == stop)
			return false;
		end = begin + INDEX_TRAILER_SIZE - 1; /* one may lie across */
	}
	return false;
}

void index_find(int fd, uint64_t bytes, struct buffer *places)
{
	uint64_t end = bytes;
	struct index_place place;
	size_t count = 0;

	while (end && (find_at(fd, end, &place) || find_before(fd, end, &place))) {
		buffer_append(places, &place, sizeof(place));
		end = place.begin;
		if (++count > INDEXES_MAX || buffer_failed(places)) {
			buffer_reset(places);
			return;
		}
	}
}

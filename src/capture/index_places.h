/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the indexes of a file are, and which bytes each covers. They are found from the end:
 * each ends with its own length and covers the blocks since the index before it. If one is missing,
 * because a writer was killed or bytes are damaged, its last bytes are searched for as far back as
 * a segment reaches; the bytes between have no index.
 */
#ifndef SOOTH_CAPTURE_INDEX_PLACES_H
#define SOOTH_CAPTURE_INDEX_PLACES_H

#include "capture/index.h"

struct index_place {
	uint64_t begin;	 /* of the blocks it covers */
	uint64_t offset; /* where these end and the index begins */
	uint64_t end;	 /* where it ends */
};

/* As pread(2), but all of it or false. */
bool index_read_at(int fd, void *data, size_t size, uint64_t offset);
/* The index block at that place, taken apart. `block`, to be freed by the caller also when this is
 * false, is what the view points into. */
bool index_load(int fd, uint64_t offset, uint64_t end, struct index_view *v, unsigned char **block);
/* Appends the places in a file of so many bytes, the last one first; none when there are too many
 * or memory fails. */
void index_find(int fd, uint64_t bytes, struct buffer *places);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the indexes of a file stand, and what of it each tells of. They are found from the end:
 * each ends with its own length, and what it tells of begins where the index before it ends. Where
 * there is none, because a writer was killed or something was damaged, one is looked for as far
 * back as a segment reaches, by its last bytes; what lies between no index tells of.
 */
#ifndef SOOTH_CAPTURE_INDEX_PLACES_H
#define SOOTH_CAPTURE_INDEX_PLACES_H

#include "capture/index.h"

struct index_place {
	uint64_t begin;	 /* of the blocks that it tells of */
	uint64_t offset; /* where these end, and it stands */
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

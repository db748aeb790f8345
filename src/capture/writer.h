/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Blocks into a capture file: compressed, cut into segments, each of which
 * begins with every definition still needed, so that old segments can be
 * dropped and files concatenated. At the end of each, and of all, stands an
 * index.
 */
#ifndef SOOTH_CAPTURE_WRITER_H
#define SOOTH_CAPTURE_WRITER_H

#include "base/file.h"
#include "capture/index.h"

struct capture_options {
	enum block_codec codec;
	uint64_t segment_bytes; /* a new segment after so many; 0: 64 MiB */
	index_check judge;	/* NULL: only definitions matter later */
};

struct capture_writer;

/* The file is created 0600, beside its name, never through a symbolic link. "-" is standard output.
 */
int capture_writer_open(struct capture_writer **out, const char *path,
	const struct capture_options *options, struct sooth_error *err);
/* The observation has begun: from here on the file stands under its name, replacing an older one.
 */
int capture_writer_place(struct capture_writer *w, struct sooth_error *err);
int capture_writer_block(
	struct capture_writer *w, const struct block *block, struct sooth_error *err);
/* Writes the index of the rest and flushes; after a failure the file holds whole blocks up to it.
 */
int capture_writer_finish(struct capture_writer *w, struct sooth_error *err);
uint64_t capture_writer_bytes(const struct capture_writer *w);
void capture_writer_free(struct capture_writer *w);

#endif

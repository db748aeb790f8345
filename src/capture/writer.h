/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes blocks to a capture file, compressed, in segments. Each segment
 * begins with all definitions that it needs, so that old segments can be
 * dropped, and files concatenated. Each segment, and the file, ends with an
 * index.
 */
#pragma once

#include "base/file.h"
#include "capture/index.h"

struct capture_options {
	enum block_codec codec;
	uint64_t segment_bytes; /* size of a segment; 0: 64 MiB */
	index_check judge;	/* NULL: only definitions matter later */
};

struct capture_writer;

/* Opens the file: created with mode 0600, under a temporary name, never through a symbolic link.
 * "-" is standard output. */
int capture_writer_open(struct capture_writer **out, const char *path,
	const struct capture_options *options, struct sooth_error *err);
/* Gives the file its name when the observation has begun, replacing an older file. */
int capture_writer_place(struct capture_writer *w, struct sooth_error *err);
int capture_writer_block(
	struct capture_writer *w, const struct block *block, struct sooth_error *err);
/* Writes the last index and flushes. After a failure the file has whole blocks up to that point. */
int capture_writer_finish(struct capture_writer *w, struct sooth_error *err);
uint64_t capture_writer_bytes(const struct capture_writer *w);
void capture_writer_free(struct capture_writer *w);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A capture that is read from a file: all of it, or, with a valid index, only the selected blocks.
 * Both return the bytes of whole blocks, one after the other, so that consumers see no
 * difference.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "capture/index.h"

struct capture_file {
	const char *path; /* borrowed; "-" is standard input */
	int fd;
	bool is_chosen;		 /* only `stretches` are read */
	uint64_t bytes;		 /* size of a regular file when it was opened; else 0 */
	struct buffer places;	 /* struct index_place of each index, last one first */
	struct buffer stretches; /* byte ranges to read */
	size_t at;		 /* index of the current byte range */
	uint64_t done;
};

/* Returns whether to read a block, by its entry in the index. */
typedef bool (*entry_chooser)(void *user, const struct index_entry *e);

int capture_file_open(struct capture_file *f, const char *path, struct sooth_error *err);
/* Returns whether indexes cover the file or a part of it. They are searched for once. */
bool capture_file_is_indexed(struct capture_file *f);
/* Surveys the indexes and the byte ranges without one; false when there is no index, or reading
 * failed. */
bool capture_file_survey(struct capture_file *f, struct survey *s);
/* Selects the blocks to read from now on. The next block with a watermark after each is added, and
 * all blocks without an index. False, and nothing is selected: no index, or a wrong one. */
bool capture_file_choose(struct capture_file *f, entry_chooser choose, void *user);
/* Reads like read(2); the first call reads from the beginning. */
ssize_t capture_file_read(struct capture_file *f, void *data, size_t size, struct sooth_error *err);
/* Starts over from the beginning, with all blocks. False: the file cannot be read again. */
bool capture_file_rewind(struct capture_file *f);
void capture_file_close(struct capture_file *f);

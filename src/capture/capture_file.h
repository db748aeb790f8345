/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A capture that is read from a file: all of it, or, with a valid index, only the selected blocks.
 * Either way it returns the bytes of whole blocks, one after the other, so that the consumer need
 * not know.
 */
#ifndef SOOTH_CAPTURE_CAPTURE_FILE_H
#define SOOTH_CAPTURE_CAPTURE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "capture/index.h"

struct capture_file {
	const char *path; /* borrowed; "-" is standard input */
	int fd;
	bool is_chosen;		 /* only the stretches are read */
	uint64_t bytes;		 /* of a regular file, when it was opened; else 0 */
	struct buffer places;	 /* of its indexes (struct index_place), the last one first */
	struct buffer stretches; /* what is read of it */
	size_t at;		 /* the stretch at hand, and how far it was read */
	uint64_t done;
};

/* Whether a block is wanted, by what the index says of it. */
typedef bool (*entry_chooser)(void *user, const struct index_entry *e);

int capture_file_open(struct capture_file *f, const char *path, struct sooth_error *err);
/* Whether one or more indexes cover it, or some of it; they are searched for once. */
bool capture_file_is_indexed(struct capture_file *f);
/* Surveys the indexes, and the byte ranges without one; false when there is no index, or reading
 * failed. */
bool capture_file_survey(struct capture_file *f, struct survey *s);
/* From here on only those blocks are read, after each the next one with a watermark, and all
 * blocks without an index. False, and nothing selected, when there is no index or it is wrong about
 * one of them. */
bool capture_file_choose(struct capture_file *f, entry_chooser choose, void *user);
/* As read(2); from the beginning when nothing was read before. */
ssize_t capture_file_read(struct capture_file *f, void *data, size_t size, struct sooth_error *err);
/* From the beginning, all of it, once more. False where that cannot be. */
bool capture_file_rewind(struct capture_file *f);
void capture_file_close(struct capture_file *f);

#endif

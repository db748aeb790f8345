/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A capture that is read from a file: all of it, or, with a sound index, only the blocks that are
 * wanted. What it gives are bytes of whole blocks one behind the other either way, so that whoever
 * takes them need not know.
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
/* Whether an index, or several, tell of it, or of some of it; they are looked for once. */
bool capture_file_is_indexed(struct capture_file *f);
/* What the indexes say, and what is in the stretches that none tells of; false when there is no
 * index, or reading failed. */
bool capture_file_survey(struct capture_file *f, struct survey *s);
/* From here on only those blocks are read, and behind each the next that has a watermark; and all
 * that no index tells of. False, and nothing chosen, when there is no index or it says of one of
 * them what is not so. */
bool capture_file_choose(struct capture_file *f, entry_chooser choose, void *user);
/* As read(2); from the beginning when nothing was read before. */
ssize_t capture_file_read(struct capture_file *f, void *data, size_t size, struct sooth_error *err);
/* From the beginning, all of it, once more. False where that cannot be. */
bool capture_file_rewind(struct capture_file *f);
void capture_file_close(struct capture_file *f);

#endif

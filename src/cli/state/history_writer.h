/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes the history: records of phases, with what a capture needs before them. A disk that is
 * full, or a folder that is gone, costs records, which the next block states; never the monitor.
 */
#ifndef SOOTH_CLI_HISTORY_WRITER_H
#define SOOTH_CLI_HISTORY_WRITER_H

#include "capture/block.h"
#include "cli/state/user_folder.h"

#define HISTORY_BYTES_DEFAULT (64u << 20)

struct history_writer {
	struct user_folder folder;
	int fd;		       /* of the file that grows; -1: none */
	uint64_t most_bytes;   /* of all files */
	uint64_t file_bytes;   /* of this one */
	uint64_t sequence;     /* of blocks */
	uint32_t number;       /* of the file */
	struct buffer head;    /* definitions: the begin of each file */
	struct buffer pending; /* records that are not written yet */
	struct buffer bytes;   /* of a block */
	struct block_encoder encoder;
	int64_t realtime_offset_ns;
	uint64_t written_ns; /* when that was last tried */
	uint64_t lost;	     /* records, since the last block */
	bool is_failing;     /* the last try failed */
	bool is_gone;	     /* because its folder is gone */
};

/* `path` NULL: the default folder. */
int history_writer_open(
	struct history_writer *w, const char *path, uint64_t most_bytes, struct sooth_error *err);
/* A record of the stream that the spans are made of: its definitions are kept for the heads. */
void history_writer_learn(struct history_writer *w, const struct sooth_record *r);
void history_writer_add_spans(struct history_writer *w, const struct batch *spans);
/* Writes when it is time. A failure is returned once; it is tried again later. */
int history_writer_step(struct history_writer *w, uint64_t now_ns, struct sooth_error *err);
void history_writer_close(struct history_writer *w);

#endif

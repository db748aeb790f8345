/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes the history: records of phases, and the definitions that a capture needs before them. If
 * the disk is full or the folder gone, records are lost, which the next block reports; the monitor
 * goes on. */
#pragma once

#include "capture/block.h"
#include "cli/state/user_folder.h"

#define HISTORY_BYTES_DEFAULT (64u << 20)

struct history_writer {
	struct user_folder folder;
	int fd;		       /* descriptor of the current file; -1: none */
	uint64_t most_bytes;   /* limit of the size of all files */
	uint64_t file_bytes;   /* size of the current file */
	uint64_t sequence;     /* number of the next block */
	uint32_t number;       /* number of the current file */
	struct buffer head;    /* definitions, for the begin of each file */
	struct buffer pending; /* records that are not written yet */
	struct buffer bytes;   /* an encoded block */
	struct block_encoder encoder;
	int64_t realtime_offset_ns;
	uint64_t written_ns; /* time of the last try to write */
	uint64_t lost;	     /* records lost since the last block */
	bool is_failing;     /* the last try failed */
	bool is_gone;	     /* the last try failed because the folder is gone */
};

/* Opens the history; `path` NULL: the default folder. */
int history_writer_open(
	struct history_writer *w, const char *path, uint64_t most_bytes, struct sooth_error *err);
/* Handles a record of the observed stream: definitions are kept for the heads of files. */
void history_writer_learn(struct history_writer *w, const struct sooth_record *r);
void history_writer_add_spans(struct history_writer *w, const struct batch *spans);
/* Writes if it is time. Returns a failure once; later calls try again. */
int history_writer_step(struct history_writer *w, uint64_t now_ns, struct sooth_error *err);
void history_writer_close(struct history_writer *w);

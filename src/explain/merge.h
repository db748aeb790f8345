/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes one stream in time order out of blocks of several sources. A block's watermark promises
 * that no earlier record follows: records up to the watermark are sorted (by time, then by arrival)
 * and released. A record that breaks the promise is released at once and counted as late. The
 * waiting records are bounded: above MERGE_BYTES_MAX all are released, and later records that are
 * too late are counted.
 *
 * Names of probes in captures of earlier versions are replaced by the present names.
 */
#pragma once

#include "base/buffer.h"
#include "base/error.h"
#include "capture/block.h"
#include "model/batch.h"

/* Returns the batch with present names: the same batch if it has no old name, else a copy in
 * `renamed`, valid until the next call. Without memory the buffer has failed. */
struct batch old_names_replace(struct buffer *renamed, const struct batch *batch);

#define MERGE_BYTES_MAX (64u << 20)

typedef int (*batch_handler)(void *user, const struct batch *batch, struct sooth_error *err);

struct merge {
	batch_handler handler;
	void *user;
	struct buffer waiting;	    /* records in the order of arrival */
	struct buffer sorted;	    /* records that are being released */
	struct buffer rest, merged; /* memory for sorting */
	struct buffer order;	    /* struct merge_entry */
	uint64_t released_ns;	    /* no earlier record is waiting */
	uint64_t late_records;
	uint64_t forced; /* releases because of the bound */
};

int merge_block(struct merge *m, const struct block *block, struct sooth_error *err);
int merge_finish(struct merge *m, struct sooth_error *err);
void merge_fini(struct merge *m);

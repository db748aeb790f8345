/* SPDX-License-Identifier: BSD-2-Clause */
/* Compresses the bytes of a sink into its file as one stream. */
#pragma once

#include <stdio.h>
#include <zlib.h>
#include <zstd.h>

#include "base/buffer.h"
#include "base/error.h"
#include "explain/sink.h"

struct packer {
	enum packing packing;
	FILE *to;
	const char *doing; /* for errors: "write CSV" */
	z_stream gzip;
	ZSTD_CCtx *zstd;
	struct buffer packed;
};

int packer_open(struct packer *p, enum packing packing, FILE *to, const char *doing,
	struct sooth_error *err);
void packer_fini(struct packer *p);
/* Writes and empties `bytes`. The last call, even without bytes, ends the stream and flushes `to`.
 */
int packer_write(struct packer *p, struct buffer *bytes, bool is_last, struct sooth_error *err);

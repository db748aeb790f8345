/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes of a sink, compressed as one stream on their way into its file. */
#ifndef SOOTH_SINKS_PACKER_H
#define SOOTH_SINKS_PACKER_H

#include <stdio.h>
#include <zlib.h>
#include <zstd.h>

#include "base/buffer.h"
#include "base/error.h"
#include "explain/sink.h"

struct packer {
	enum packing packing;
	FILE *to;
	const char *doing; /* what failed if it does: "write CSV" */
	z_stream gzip;
	ZSTD_CCtx *zstd;
	struct buffer packed;
};

int packer_open(struct packer *p, enum packing packing, FILE *to, const char *doing,
	struct sooth_error *err);
void packer_fini(struct packer *p);
/* Empties `bytes`. The last call, even of no bytes, ends the stream, and nothing waits in `to`. */
int packer_write(struct packer *p, struct buffer *bytes, bool is_last, struct sooth_error *err);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The way of converted records into a capture. */
#include <errno.h>

#include "import/import_state.h"

int import_write(struct import *i, bool is_last, struct sooth_error *err)
{
	struct block block = { .header = { .type = i->sequence ? BLOCK_RECORDS : BLOCK_SEGMENT,
				       .sequence = i->sequence } };
	int status;

	if (buffer_failed(&i->records))
		return error_no_memory(err);
	if (i->records.size < BLOCK_RAW_BYTES_AIM && !is_last)
		return 0;
	block.batch = (struct batch){ i->records.data, i->records.size };
	block_describe(&block);
	block.header.watermark_ns = is_last ? block.header.last_ns : i->watermark_ns;
	buffer_reset(&i->bytes);
	status = block_encode(&i->encoder, &i->bytes, &block, CODEC_ZSTD, err);
	if (!status && fwrite(i->bytes.data, 1, i->bytes.size, i->to) != i->bytes.size)
		status = error_errno(err, -errno, "convert into a capture");
	buffer_reset(&i->records);
	i->sequence++;
	return status;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/gzip.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#define WINDOW	    (MAX_WBITS + 16) /* zlib(3): with a head as gzip writes it */
#define MEMORY	    8
#define CODINGS_MAX 16 /* of a header */

bool gzip_pack(struct buffer *out, const void *data, size_t size)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)data, .avail_in = (uInt)size };
	size_t most;
	int status;

	if (size > UINT32_MAX || deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, WINDOW, MEMORY,
					 Z_DEFAULT_STRATEGY) != Z_OK)
		return false;
	most = deflateBound(&z, size);
	z.next_out = buffer_reserve(out, most);
	z.avail_out = (uInt)most;
	status = z.next_out ? deflate(&z, Z_FINISH) : Z_MEM_ERROR;
	if (status == Z_STREAM_END)
		buffer_commit(out, z.total_out);
	deflateEnd(&z);
	return status == Z_STREAM_END;
}

bool gzip_is_accepted(const char *header)
{
	for (unsigned i = 0; header && i < CODINGS_MAX; i++) {
		char name[6] = "", weight[8] = "1";

		sscanf(header, " %5[^;, \t] ; %*1[qQ]=%7[0-9.]", name, weight);
		if (!strcasecmp(name, "gzip"))
			return strspn(weight, "0.") < strlen(weight);
		header = strchr(header, ',');
		if (header)
			header++;
	}
	return false;
}

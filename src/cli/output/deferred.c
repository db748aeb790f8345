/* SPDX-License-Identifier: BSD-2-Clause */
/* A report that is buffered until it is known to be one. */
#include "cli/output/deferred.h"

#include <errno.h>
#include <stdlib.h>

#include "cli/output/pager.h"

int held_begin(
	struct held *h, const struct output_options *options, FILE *to, struct sooth_error *err)
{
	*h = (struct held){ .to = to, .is_paged = pager_may_show(options, to) };
	if (!options->filter && !h->is_paged)
		return 0;
	h->stream = open_memstream(&h->text, &h->size);
	return h->stream ? 0 : error_no_memory(err);
}

int held_release(struct held *h, struct sooth_error *err)
{
	if (!h->stream)
		return 0;
	if (fflush(h->stream))
		return error_no_memory(err);
	if (h->is_paged)
		return pager_show(h->to, h->text, h->size, err);
	if (fwrite(h->text, 1, h->size, h->to) != h->size || fflush(h->to))
		return error_errno(err, -errno, "write the report");
	return 0;
}

void held_fini(struct held *h)
{
	if (h->stream)
		fclose(h->stream);
	free(h->text);
	*h = (struct held){ 0 };
}

int held_commit(struct held *h, struct out_file *file, int status, struct sooth_error *err)
{
	if (!status)
		status = held_release(h, err);
	held_fini(h);
	if (!status)
		status = out_file_commit(file, err);
	out_file_close(file);
	return status;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Buffers and writes lines of rows. */
#include "sinks/tabular.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/csv.h"

#define WRITE_BYTES (64u << 10)

void tabular_open(struct tabular *t, FILE *stream, const char *doing)
{
	assert(t);
	t->stream = stream;
	t->doing = doing;
}

void tabular_fini(struct tabular *t)
{
	assert(t);
	buffer_fini(&t->bytes);
}

int tabular_write(struct tabular *t, struct sooth_error *err)
{
	assert(t);
	if (buffer_failed(&t->bytes))
		return error_no_memory(err);
	if (t->bytes.size && fwrite(t->bytes.data, 1, t->bytes.size, t->stream) != t->bytes.size)
		return error_errno(err, -errno, "%s", t->doing);
	buffer_reset(&t->bytes);
	return 0;
}

int tabular_write_full(struct tabular *t, struct sooth_error *err)
{
	assert(t);
	return t->bytes.size < WRITE_BYTES ? 0 : tabular_write(t, err);
}

int tabular_flush(struct tabular *t, struct sooth_error *err)
{
	int status = tabular_write(t, err);

	return status || !fflush(t->stream) ? status : error_errno(err, -errno, "%s", t->doing);
}

int tabular_sink_end(void *state, struct sooth_error *err)
{
	return tabular_flush(state, err);
}

void tabular_sink_close(void *state)
{
	tabular_fini(state);
}

void tabular_cell(struct tabular *t, const char *text, size_t size, bool may_be_formula)
{
	assert(t);
	if (t->has_cell)
		buffer_char(&t->bytes, ',');
	t->has_cell = true;
	csv_put(&t->bytes, text, size, may_be_formula);
}

void tabular_name(struct tabular *t, const char *name)
{
	tabular_cell(t, name, strlen(name), false);
}

void tabular_line_end(struct tabular *t)
{
	assert(t);
	buffer_string(&t->bytes, "\r\n");
	t->has_cell = false;
}

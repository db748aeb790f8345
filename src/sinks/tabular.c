/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of rows, gathered and written. */
#include "sinks/tabular.h"

#include <errno.h>
#include <string.h>

#include "base/csv.h"
#include "base/escape.h"
#include "sinks/json_members.h"

#define WRITE_BYTES (64u << 10)

void tabular_open(struct tabular *t, FILE *stream, const char *doing)
{
	t->stream = stream;
	t->doing = doing;
}

void tabular_fini(struct tabular *t)
{
	buffer_fini(&t->bytes);
}

int tabular_write(struct tabular *t, struct sooth_error *err)
{
	return json_write_out(&t->bytes, t->stream, t->doing, err);
}

int tabular_write_full(struct tabular *t, struct sooth_error *err)
{
	return t->bytes.size < WRITE_BYTES ? 0 : tabular_write(t, err);
}

int tabular_flush(struct tabular *t, struct sooth_error *err)
{
	int status = tabular_write(t, err);

	return status || !fflush(t->stream) ? status : error_errno(err, -errno, "%s", t->doing);
}

void tabular_cell(struct tabular *t, const char *text, size_t size, bool may_be_formula)
{
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
	buffer_string(&t->bytes, "\r\n");
	t->has_cell = false;
}

void tabular_key(struct tabular_keys *k, const char *name)
{
	if (k->count == TABULAR_KEYS_MAX) {
		k->bytes.failed = true;
		return;
	}
	buffer_char(&k->bytes, '"');
	escape_json(&k->bytes, name, strlen(name));
	buffer_append(&k->bytes, "\":", 2);
	k->ends[k->count++] = (uint32_t)k->bytes.size;
}

void tabular_put_key(const struct tabular_keys *k, size_t index, struct buffer *out)
{
	size_t from = index ? k->ends[index - 1] : 0;

	buffer_append(out, k->bytes.data + from, k->ends[index] - from);
}

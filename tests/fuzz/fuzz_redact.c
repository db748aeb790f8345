/* SPDX-License-Identifier: BSD-2-Clause */
/* Redacting of any bytes, and of a name planted between them: what was learnt must not come out as
 * a word of its own. */
#include <string.h>

#include "secrets/redact.h"
#include "fuzz.h"

#define NAME "zebulon"

static struct span name(void)
{
	return span_of(NAME, strlen(NAME));
}

static void write_between(struct redactor *r, const uint8_t *data, size_t size, const char *dress)
{
	struct buffer in = { 0 }, out = { 0 };

	buffer_append(&in, data, size / 2);
	buffer_string(&in, dress);
	buffer_append(&in, data + size / 2, size - size / 2);
	redactor_write(r, span_of((char *)in.data, in.size), &out);
	CHECK(!memmem(out.data, out.size, NAME, strlen(NAME)));
	buffer_fini(&in);
	buffer_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_of((const char *)data, size);
	struct buffer out = { 0 };
	struct redactor r;

	redactor_init(&r);
	redactor_learn_paths(&r, text);
	redactor_learn_name(&r, "user", name());
	redactor_write(&r, text, &out);
	redactor_write_arguments(&r, text, &out);
	buffer_fini(&out);
	if (!size || !memmem(data, size, NAME, strlen(NAME))) {
		write_between(&r, data, size, " " NAME " ");
		write_between(&r, data, size, " /home/" NAME "/x ");
		write_between(&r, data, size, " \"" NAME "\" ");
	}
	redactor_fini(&r);
	return 0;
}

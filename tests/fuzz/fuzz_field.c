/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The input is a batch of records. What the check lets through is read by every
 * schema there is, also by those of other kinds, and written as a line.
 */
#include <string.h>

#include "model/probe.h"
#include "fuzz.h"
#include "model/batch.h"
#include "model/schema.h"

static void read_field(const struct sooth_field *f, const struct sooth_record *r)
{
	const unsigned char *base = (const unsigned char *)r;
	struct sooth_value v = sooth_field_get(f, r);
	struct buffer out = { 0 };

	CHECK(v.type == f->type && v.state <= SOOTH_STATE_NOT_MEASURED);
	if (v.state == SOOTH_STATE_VALUE &&
		(f->type == SOOTH_FIELD_TEXT || f->type == SOOTH_FIELD_ARGS)) {
		CHECK((const unsigned char *)v.text.data >= base);
		CHECK((const unsigned char *)v.text.data + v.text.size <= base + record_bytes(r));
	}
	value_format(&out, f, &v);
	CHECK(!buffer_failed(&out));
	for (size_t i = 0; i < out.size; i++)
		CHECK(out.data[i] >= ' ' && out.data[i] != 0x7f);
	buffer_fini(&out);
}

static void read_as(const struct sooth_schema *s, const struct sooth_record *r)
{
	struct buffer line = { 0 };
	struct line_plan plan;

	for (size_t i = 0; i < s->field_count; i++)
		read_field(&s->fields[i], r);
	if (s->line) {
		line_plan(&plan, s);
		line_format(&line, &plan, r);
	}
	CHECK(!buffer_failed(&line));
	buffer_fini(&line);
}

static void read_all(const struct sooth_schema *const *schemas, const struct sooth_record *r)
{
	for (; *schemas; schemas++)
		read_as(*schemas, r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Records stand on words; the copy is as long as the input, to the byte. */
	struct batch batch = { malloc(size ? size : 1), size };

	CHECK(batch.data);
	if (size)
		memcpy((void *)batch.data, data, size);
	if (batch_check(&batch) > 0) {
		batch_for_each (r, &batch) {
			read_all(stream_schemas, r);
			for (size_t i = 0; registry_probes[i]; i++)
				read_all(registry_probes[i]->schemas, r);
		}
	}
	free((void *)batch.data);
	return 0;
}

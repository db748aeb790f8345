/* SPDX-License-Identifier: BSD-2-Clause */
/* An expression over fields: refused with a reason, or it holds or not for any record. */
#include <string.h>

#include "model/probe.h"
#include "fuzz.h"
#include "model/batch.h"
#include "model/filter.h"

static void use(struct filter *f, const struct sooth_schema *schema)
{
	struct buffer record = { 0 };
	struct sooth_record *head = buffer_zeros(&record, schema->fixed_size);
	struct sooth_error err;
	int holds;

	CHECK(head);
	head->words = head->fixed_words = (uint16_t)(schema->fixed_size / SOOTH_RECORD_WORD);
	holds = filter_matches_record(f, schema, head, &err);
	CHECK(holds == 0 || holds == 1 || (holds < 0 && err.why[0]));
	CHECK(filter_matches_record(f, schema, head, &err) == holds);
	buffer_fini(&record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sooth_error err;
	struct filter *f;
	char *text = malloc(size + 1);

	CHECK(text);
	memcpy(text, data, size);
	text[size] = '\0';
	if (filter_new(&f, text, &err)) {
		CHECK(err.why[0] && err.remedy[0]);
		free(text);
		return 0;
	}
	for (size_t i = 0; registry_probes[i]; i++) {
		for (size_t k = 0; registry_probes[i]->schemas[k]; k++) {
			if (filter_fits_schema(f, registry_probes[i]->schemas[k]))
				use(f, registry_probes[i]->schemas[k]);
		}
	}
	filter_free(f);
	free(text);
	return 0;
}

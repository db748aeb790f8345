/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of a log: any bytes; the first ones choose where the new part begins. */
#include <stdlib.h>
#include <string.h>

#include "probes/log_tail.h"
#include "fuzz.h"

static void within(struct span part, const char *text, size_t size)
{
	CHECK(!part.size || (part.data >= text && part.data + part.size <= text + size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct log_tail tail;
	const struct log_form *worst[4];
	size_t count;
	char *text;

	if (size < 2)
		return 0;
	text = malloc(size - 1);
	memcpy(text, data + 1, size - 1);
	log_tail_read(&tail, text, size - 1, data[0], data[0] & 1, data[0] & 2);
	CHECK(tail.lines_new <= tail.lines && tail.errors <= tail.lines);
	CHECK(tail.errors_new <= tail.errors && tail.form_count <= LOG_TAIL_FORMS);
	count = log_tail_worst(&tail, worst, 4);
	CHECK(count <= 4 && (count > 0) == (tail.errors > 0 && tail.form_count > 0));
	for (size_t i = 0; i < count; i++) {
		struct logs_error r =
			log_tail_error(&tail, worst[i], &(struct logs_file){ .fd = 2 });

		within(worst[i]->text, text, size - 1);
		within(worst[i]->end, text, size - 1);
		CHECK(worst[i]->times && worst[i]->times_new <= worst[i]->times);
		CHECK(r.behind < r.messages || r.messages == LOG_TAIL_LINES);
		CHECK(r.other_most <= r.messages);
	}
	free(text);
	return 0;
}

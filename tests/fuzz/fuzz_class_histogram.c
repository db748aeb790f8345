/* SPDX-License-Identifier: BSD-2-Clause */
/* A class histogram of a JVM, whose user may be hostile. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "os/linux/runtimes/java/class_histogram.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A copy of this size: a read beyond it is found. */
	char *copy = malloc(size + !size);
	struct cursor text = cursor_over(memcpy(copy, data, size), size);
	struct buffer name = { 0 };
	struct class_row row;

	while (class_histogram_next(&text, &row)) {
		if (row.name.size > CLASS_NAME_MOST || !row.name.size)
			abort();
		buffer_reset(&name);
		class_name_put(&name, row.name);
		/* Each [ becomes [] at most. */
		if (name.size > 2 * row.name.size + sizeof("boolean"))
			abort();
	}
	class_histogram_is_whole(span_of(copy, size));
	buffer_fini(&name);
	free(copy);
	return 0;
}

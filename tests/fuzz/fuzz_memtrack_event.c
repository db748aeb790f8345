/* SPDX-License-Identifier: BSD-2-Clause */
/* Events of memtrack's artifact, which any program may have written. */
#include "fuzz.h"
#include "import/memtrack_event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct memtrack_event event;
	size_t done = 0;
	ssize_t length = 1;

	for (size_t at = 0; at < size && length > 0; at += (size_t)length) {
		length = memtrack_line_parse(data + at, size - at, &event);
		CHECK(length <= (ssize_t)(size - at));
		CHECK(length <= 0 || (data[at + (size_t)length - 1] == '\n' && event.pid));
	}
	length = 1;
	while (done < size && length > 0) {
		length = memtrack_event_parse(data + done, size - done, &event);
		CHECK(length <= (ssize_t)(size - done));
		CHECK(length <= MEMTRACK_EVENT_BYTES_MAX);
		/* What ends here ends here, whatever follows. */
		if (length > 0) {
			CHECK(memtrack_event_parse(data + done, (size_t)length, &event) == length);
			CHECK(event.type <= MEMTRACK_OTHER && event.pid);
			done += (size_t)length;
		}
	}
	return 0;
}

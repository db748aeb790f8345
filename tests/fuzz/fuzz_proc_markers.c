/* SPDX-License-Identifier: BSD-2-Clause */
/* Markers in an environment, which is the process's own memory: whatever stands there, nothing but
 * declared names and plain identifiers leaves it. */
#include <string.h>

#include "base/cursor.h"
#include "base/trace_parent.h"
#include "fuzz.h"
#include "recognize/markers.h"

static void check_entry(struct span entry)
{
	const char *equals = memchr(entry.data, '=', entry.size);
	size_t name = equals ? (size_t)(equals - entry.data) : entry.size;

	CHECK(name && name < 64);
	for (size_t i = 0; i < name; i++)
		CHECK((entry.data[i] >= 'A' && entry.data[i] <= 'Z') || entry.data[i] == '_');
	if (!equals)
		return;
	if (name == strlen(TRACE_PARENT_VARIABLE) &&
		!memcmp(entry.data, TRACE_PARENT_VARIABLE, name)) {
		struct trace_parent parsed;

		CHECK(trace_parent_parse(&parsed, span_of(equals + 1, entry.size - name - 1)));
	}
	CHECK(entry.size - name - 1 >= 1 && entry.size - name - 1 <= MARKER_VALUE_MAX);
	for (size_t i = name + 1; i < entry.size; i++) {
		char c = entry.data[i];

		CHECK((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			(c && strchr("._:-", c)));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer out = { 0 };
	struct cursor c;

	if (!size)
		return 0;
	proc_markers_find(&out, NULL, data + 1, size - 1, data[0] & 1);
	CHECK(!out.size || !out.data[out.size - 1]);
	c = cursor_over(out.data, out.size);
	while (!cursor_at_end(&c))
		check_entry(cursor_until(&c, '\0'));
	buffer_fini(&out);
	return 0;
}

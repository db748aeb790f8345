/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/csv.h"

#include <string.h>

static bool needs_quotes(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (strchr(",\"\r\n", text[i]) && text[i])
			return true;
	}
	return false;
}

void csv_put(struct buffer *out, const char *text, size_t size, bool may_be_formula)
{
	bool is_formula = may_be_formula && size && text[0] && strchr("=+-@", text[0]);

	if (!needs_quotes(text, size)) {
		if (is_formula)
			buffer_char(out, '\'');
		buffer_append(out, text, size);
		return;
	}
	buffer_string(out, is_formula ? "\"'" : "\"");
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '"')
			buffer_char(out, '"');
		buffer_char(out, text[i]);
	}
	buffer_char(out, '"');
}

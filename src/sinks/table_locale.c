/* SPDX-License-Identifier: BSD-2-Clause */
/* See table_locale.h. */
#include "sinks/table_locale.h"

#include <langinfo.h>
#include <string.h>

#define ARROW "→"
#define PLAIN "->"

bool table_is_utf8(void)
{
	return !strcmp(nl_langinfo(CODESET), "UTF-8");
}

void table_plain_arrows(struct buffer *text)
{
	const size_t wide = strlen(ARROW), plain = strlen(PLAIN);
	size_t to = 0;

	if (!text->size || buffer_failed(text) || table_is_utf8())
		return;
	for (size_t from = 0; from < text->size;) {
		if (text->size - from >= wide && !memcmp(text->data + from, ARROW, wide)) {
			memcpy(text->data + to, PLAIN, plain);
			to += plain;
			from += wide;
		} else {
			text->data[to++] = text->data[from++];
		}
	}
	text->size = to;
}

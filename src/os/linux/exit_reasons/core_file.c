/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/exit_reasons/core_file.h"

#include <string.h>

static void add_literal(struct buffer *out, char c)
{
	if (strchr("*?[]\\", c))
		buffer_char(out, '\\');
	buffer_char(out, c);
}

static struct span without_end(struct span text)
{
	while (text.size && (text.data[text.size - 1] == '\n' || text.data[text.size - 1] == ' '))
		text.size--;
	return text;
}

bool core_file_pattern(struct buffer *out, struct span pattern, uint32_t pid, bool uses_pid)
{
	bool has_pid = false;

	pattern = without_end(pattern);
	if (!pattern.size || pattern.data[0] == '|' || memchr(pattern.data, '\0', pattern.size))
		return false;
	for (size_t i = 0; i < pattern.size; i++) {
		char c = pattern.data[i];

		if (c != '%') {
			add_literal(out, c);
			continue;
		}
		if (++i == pattern.size) /* a lone % at the end is dropped */
			break;
		c = pattern.data[i];
		if (c == 'p' || c == 'P')
			buffer_u64(out, pid);
		else if (c == '%')
			buffer_char(out, '%');
		else
			buffer_char(out, '*');
		has_pid |= c == 'p';
	}
	if (uses_pid && !has_pid) {
		buffer_char(out, '.');
		buffer_u64(out, pid);
	}
	return !buffer_failed(out);
}

struct span core_file_handler(struct span pattern)
{
	struct cursor c;

	pattern = without_end(pattern);
	if (!pattern.size || pattern.data[0] != '|')
		return span_of("", 0);
	c = cursor_over(pattern.data + 1, pattern.size - 1);
	return cursor_word(&c);
}

/* The process name may contain dots: the boot id is what can be found. */
bool core_file_stored(struct span name, struct span boot_id, uint32_t *pid)
{
	struct cursor c;
	uint64_t value;
	size_t at = 0;

	if (!span_starts(name, "core.") || !boot_id.size)
		return false;
	while (at + boot_id.size + 2 <= name.size &&
		!(name.data[at] == '.' && name.data[at + boot_id.size + 1] == '.' &&
			!memcmp(name.data + at + 1, boot_id.data, boot_id.size)))
		at++;
	if (at + boot_id.size + 2 > name.size)
		return false;
	at += boot_id.size + 2;
	c = cursor_over(name.data + at, name.size - at);
	value = cursor_decimal(&c);
	if (c.failed || value > UINT32_MAX || !cursor_skip(&c, "."))
		return false;
	*pid = (uint32_t)value;
	return true;
}

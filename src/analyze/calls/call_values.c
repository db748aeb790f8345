/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes values of arguments and results: numbers, flags, descriptors, quoted bytes. */
#include "analyze/calls/call_written.h"

#include <inttypes.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "model/field.h"

/* --- numbers --- */

void written_put_hex(struct buffer *out, uint64_t value)
{
	if (value)
		buffer_format(out, "0x%" PRIx64, value);
	else
		buffer_char(out, '0');
}

void written_put_octal(struct buffer *out, uint64_t value)
{
	buffer_format(out, value ? "0%" PRIo64 : "%" PRIo64, value);
}

void written_put_pointer(struct buffer *out, uint64_t value)
{
	if (value)
		buffer_format(out, "0x%" PRIx64, value);
	else
		buffer_string(out, "NULL");
}

void written_as_hex(const struct written *a)
{
	written_put_hex(a->w->out, a->value);
}

void written_as_int(const struct written *a)
{
	buffer_i64(a->w->out, call_int(a->value));
}

void written_as_pointer(const struct written *a)
{
	written_put_pointer(a->w->out, a->value);
}

bool written_read(const struct written *a, void *out, size_t size)
{
	if (a->target.bytes.size < size) {
		written_as_pointer(a);
		return false;
	}
	memcpy(out, a->target.bytes.data, size);
	return true;
}

/* --- flags --- */

static bool has_several_bits(uint64_t value)
{
	return value & (value - 1);
}

/* Writes the names of set flags, those of `several` bits first: O_SYNC includes O_DSYNC. */
static uint64_t put_set(
	struct buffer *out, const struct flag_table *t, uint64_t left, bool several, bool *has_any)
{
	for (size_t i = 0; i < t->count; i++) {
		uint64_t value = t->names[i].value;

		if (!value || value & t->one_of || has_several_bits(value) != several ||
			(left & value) != value)
			continue;
		buffer_format(out, "%s%s", *has_any ? "|" : "", t->names[i].name);
		*has_any = true;
		left &= ~value;
	}
	return left;
}

void call_put_flags(
	struct buffer *out, const struct flag_table *table, unsigned abi, uint64_t value)
{
	const struct flag_table *t =
		abi == SYSCALL_ABI_AARCH64 && table->aarch64 ? table->aarch64 : table;
	bool is_one = t->one_of == ~0ull, has_any = false;
	const char *name = flag_name(t, is_one ? value : value & t->one_of);

	/* The value is a C int: the upper half of the register may hold anything. */
	if (is_one && !name)
		name = flag_name(t, (uint32_t)value);
	if (is_one) {
		if (name)
			buffer_string(out, name);
		else if (t == &flags_ioctl)
			written_put_hex(out,
				(uint32_t)value); /* a command consists of several bit fields */
		else
			buffer_i64(out, call_int(value));
		return;
	}
	if (t->one_of || !value) {
		if (name && *name != '0') {
			buffer_string(out, name);
			has_any = true;
			value &= ~t->one_of;
		}
	}
	value = put_set(out, t, value, true, &has_any);
	value = put_set(out, t, value, false, &has_any);
	if (!value && has_any)
		return;
	buffer_string(out, has_any ? "|" : "");
	written_put_hex(out, value);
}

/* --- bytes and descriptors --- */

/* Writes text with `end` and backslashes escaped, so that the end of the text is clear. */
static void put_delimited(struct buffer *out, struct span left, char end)
{
	for (size_t i = 0; i < left.size; i++) {
		if (left.data[i] != end && left.data[i] != '\\')
			continue;
		escape_terminal(out, left.data, i);
		buffer_char(out, '\\');
		buffer_char(out, left.data[i]);
		left = span_of(left.data + i + 1, left.size - i - 1);
		i = (size_t)-1;
	}
	escape_terminal(out, left.data, left.size);
}

void written_put_quoted(struct buffer *out, const struct call_piece *piece)
{
	buffer_char(out, '"');
	put_delimited(out, piece->bytes, '"');
	buffer_string(out, piece->state == SOOTH_STATE_TRUNCATED ? "\"..." : "\"");
}

void written_put_fd(const struct call_text *w, int64_t fd)
{
	struct process_id id = process_id_of(&w->call->record);
	struct buffer name = { 0 };

	buffer_i64(w->out, fd);
	if (fd < 0 || !w->fds)
		return;
	fd_follow_put(w->fds, &id, fd, &name);
	buffer_char(w->out, '<');
	put_delimited(w->out, span_of((const char *)name.data, name.size), '>');
	buffer_char(w->out, '>');
	buffer_fini(&name);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Arguments of a call as text: `writers` has a function for each form of argument. */
#include "analyze/calls/call_written.h"

#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "bpf/aggregate.h"
#include "model/field.h"

#define O_CREAT_LINUX	  0x40 /* the same on x86-64 and aarch64 */
#define FAMILY_UNIX_LINUX 1
#define O_TMPFILE_LINUX	  0x400000

/* --- plain values --- */

/* Writes a signed number; 32-bit programs pass it without sign extension. */
static void print_long(const struct written *a)
{
	bool is_short = a->w->call->abi == SYSCALL_ABI_I386 || a->w->call->abi == SYSCALL_ABI_ARM;

	buffer_i64(a->w->out, is_short ? (int32_t)a->value : (int64_t)a->value);
}

static void print_unsigned(const struct written *a)
{
	buffer_u64(a->w->out, a->value);
}

static void print_octal(const struct written *a)
{
	written_put_octal(a->w->out, a->value);
}

/* --- flags --- */

static void print_flags(const struct written *a)
{
	call_put_flags(a->w->out, a->type->flags, a->w->call->abi, a->value);
}

/* Writes flags and permissions, which are the lowest nine bits. */
static void print_flags_and_mode(const struct written *a)
{
	uint64_t mode = a->value & 0777, flags = a->value & ~0777ull & UINT32_MAX;

	if (flags)
		call_put_flags(a->w->out, a->type->flags, a->w->call->abi, flags);
	buffer_string(a->w->out, flags && mode ? "|" : "");
	if (mode || !flags)
		written_put_octal(a->w->out, mode);
}

/* --- descriptors --- */

static void print_fd(const struct written *a)
{
	written_put_fd(a->w, call_int(a->value));
}

static void print_directory(const struct written *a)
{
	if (call_int(a->value) == AT_FDCWD_LINUX)
		buffer_string(a->w->out, "AT_FDCWD");
	else
		print_fd(a);
}

static void print_fd_pair(const struct written *a)
{
	int32_t fds[2];

	if (!written_read(a, fds, sizeof(fds)))
		return;
	buffer_char(a->w->out, '[');
	written_put_fd(a->w, fds[0]);
	buffer_string(a->w->out, ", ");
	written_put_fd(a->w, fds[1]);
	buffer_char(a->w->out, ']');
}

/* --- bytes --- */

static bool is_piece_unread(const struct call_piece *piece)
{
	return !piece->is_there || state_is_unmeasured(piece->state);
}

static void print_path(const struct written *a)
{
	struct call_piece path = call_path(a->w->call, a->i);

	if (is_piece_unread(&path)) {
		written_put_pointer(a->w->out, a->value);
		if (path.is_there && a->value)
			buffer_string(a->w->out, " (not readable)");
		return;
	}
	/* getcwd(2) counts the NUL. */
	if (path.bytes.size && !path.bytes.data[path.bytes.size - 1])
		path.bytes.size--;
	written_put_quoted(a->w->out, &path);
}

/* Writes the arguments of a successful exec. Others are only pointers to unrecorded memory. */
static void print_words(const struct written *a)
{
	struct process_id id = process_id_of(&a->w->call->record);
	struct span left;
	bool is_first = true;

	if (!a->w->fds || !call_succeeded(a->w->call) ||
		!fd_follow_arguments(a->w->fds, &id, &left)) {
		written_as_pointer(a);
		return;
	}
	buffer_char(a->w->out, '[');
	while (left.size) {
		size_t size = strnlen(left.data, left.size);
		struct call_piece word = { .is_there = true, .bytes = span_of(left.data, size) };

		buffer_string(a->w->out, is_first ? "" : ", ");
		is_first = false;
		written_put_quoted(a->w->out, &word);
		size += size < left.size;
		left = span_of(left.data + size, left.size - size);
	}
	if (fd_follow_arguments_are_cut(a->w->fds, &id))
		buffer_string(a->w->out, is_first ? "..." : ", ...");
	buffer_char(a->w->out, ']');
}

/* The data of reads and writes is kept only when requested. */
static void print_data(const struct written *a)
{
	if (is_piece_unread(&a->target))
		written_put_pointer(a->w->out, a->value);
	else
		written_put_quoted(a->w->out, &a->target);
}

static void print_vectors(const struct written *a)
{
	struct call_piece data = call_piece(a->w->call, a->i, SYSCALLS_PART_DATA);
	size_t count = a->target.bytes.size / 16;

	if (!count) {
		written_as_pointer(a);
		return;
	}
	buffer_char(a->w->out, '[');
	for (size_t i = 0; i < count && i < ITEMS_SHOWN; i++) {
		uint64_t length;

		memcpy(&length, a->target.bytes.data + 16 * i + 8, sizeof(length));
		buffer_format(a->w->out, "%s%" PRIu64, i ? ", " : "", length);
		if (!i && !is_piece_unread(&data)) {
			buffer_char(a->w->out, ' ');
			written_put_quoted(a->w->out, &data);
		}
	}
	buffer_string(a->w->out,
		count > ITEMS_SHOWN || a->target.state == SOOTH_STATE_TRUNCATED ? ", ...]" : "]");
}

/* --- addresses --- */

/* Writes a unix address: "name", or @"abstract", which may hold any byte. */
static bool put_unix_address(struct buffer *out, struct span path)
{
	struct call_piece piece = { .is_there = true, .bytes = path };

	if (!path.size) {
		buffer_string(out, "unnamed");
		return true;
	}
	if (!path.data[0]) {
		buffer_char(out, '@');
		piece.bytes = span_of(path.data + 1, path.size - 1);
	} else {
		piece.bytes.size = strnlen(path.data, path.size);
	}
	written_put_quoted(out, &piece);
	return true;
}

static bool put_address(struct buffer *out, struct span bytes)
{
	char text[FD_FOLLOW_ADDRESS];

	if (bytes.size >= 2 && bytes.data[0] == FAMILY_UNIX_LINUX && !bytes.data[1])
		return put_unix_address(out, span_of(bytes.data + 2, bytes.size - 2));
	if (!call_address(bytes, text, sizeof(text)))
		return false;
	buffer_string(out, text);
	return true;
}

static void print_address(const struct written *a)
{
	uint16_t family;

	if (put_address(a->w->out, a->target.bytes))
		return;
	if (!written_read(a, &family, sizeof(family)))
		return;
	buffer_char(a->w->out, '{');
	call_put_flags(a->w->out, &flags_family, a->w->call->abi, family);
	buffer_char(a->w->out, '}');
}

static void print_message(const struct written *a)
{
	struct call_piece address = call_piece(a->w->call, a->i, SYSCALLS_PART_ADDRESS);
	struct call_piece data = call_piece(a->w->call, a->i, SYSCALLS_PART_DATA);
	uint64_t vectors, control;

	if (a->target.bytes.size < 48) {
		written_as_pointer(a);
		return;
	}
	memcpy(&vectors, a->target.bytes.data + 24, sizeof(vectors));
	memcpy(&control, a->target.bytes.data + 40, sizeof(control));
	buffer_char(a->w->out, '{');
	if (address.bytes.size) {
		put_address(a->w->out, address.bytes);
		buffer_string(a->w->out, ", ");
	}
	buffer_format(a->w->out, "%" PRIu64 " parts", vectors);
	if (!is_piece_unread(&data)) {
		buffer_char(a->w->out, ' ');
		written_put_quoted(a->w->out, &data);
	}
	if (control)
		buffer_format(a->w->out, ", control %" PRIu64, control);
	buffer_char(a->w->out, '}');
}

/* More writers are in call_controls.c. */
static const call_writer writers[ARGUMENT_FORMS] = {
	[ARGUMENT_AS_HEX] = written_as_hex,
	[ARGUMENT_AS_INT] = written_as_int,
	[ARGUMENT_AS_LONG] = print_long,
	[ARGUMENT_AS_UNSIGNED] = print_unsigned,
	[ARGUMENT_AS_SIZE] = print_unsigned,
	[ARGUMENT_AS_OCTAL] = print_octal,
	[ARGUMENT_AS_POINTER] = written_as_pointer,
	[ARGUMENT_AS_FLAGS] = print_flags,
	[ARGUMENT_AS_FD] = print_fd,
	[ARGUMENT_AS_DIRECTORY] = print_directory,
	[ARGUMENT_AS_PATH] = print_path,
	[ARGUMENT_AS_TEXT] = print_path,
	[ARGUMENT_AS_DATA] = print_data,
	[ARGUMENT_AS_VECTORS] = print_vectors,
	[ARGUMENT_AS_MESSAGE] = print_message,
	[ARGUMENT_AS_ADDRESS] = print_address,
	[ARGUMENT_AS_FD_PAIR] = print_fd_pair,
	[ARGUMENT_AS_WORDS] = print_words,
	[ARGUMENT_AS_NOTHING] = written_as_pointer,
	[ARGUMENT_AS_MODE_OF_OPEN] = print_octal,
	[ARGUMENT_AS_FLAGS_AND_MODE] = print_flags_and_mode,
};

/* Returns whether the kernel reads the argument: otherwise its register may hold anything. */
static bool is_targeted(const struct written *a)
{
	uint64_t flags = a->i ? a->w->call->arguments[a->i - 1] : 0;

	if (a->w->call->gaps & SYSCALLS_GAP_ARGUMENTS)
		return a->type->form != ARGUMENT_AS_NOTHING;
	if (a->type->form == ARGUMENT_AS_MODE_OF_OPEN)
		return flags & (O_CREAT_LINUX | O_TMPFILE_LINUX);
	return a->type->form != ARGUMENT_AS_NOTHING && call_control_is_read(a);
}

static void put_argument(const struct written *a)
{
	enum argument_form form = a->type->form;
	call_writer own = writers[form], of_structs = call_struct_writers[form];

	(own ? own : of_structs ? of_structs : call_control_writers[form])(a);
}

void call_put_arguments(const struct call_text *w)
{
	bool has_any = false;

	for (size_t i = 0; i < w->row->argument_count; i++) {
		struct written a = { .w = w,
			.i = i,
			.type = syscall_argument(w->row, i),
			.value = w->call->arguments[i],
			.target = call_piece(w->call, i, SYSCALLS_PART_TARGET) };

		if (!is_targeted(&a))
			continue;
		buffer_string(w->out, has_any ? ", " : "");
		has_any = true;
		if (w->call->gaps & SYSCALLS_GAP_ARGUMENTS && i + 1 != w->call->path_argument)
			buffer_char(w->out, '?');
		else
			put_argument(&a);
	}
}

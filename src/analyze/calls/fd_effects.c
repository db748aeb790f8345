/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers are those of Linux; O_DIRECTORY differs between x86-64 and aarch64. */
#include "analyze/calls/fd_follow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/calls/call_pieces.h"
#include "base/cleanup.h"
#include "model/errno_names.h"
#include "model/field.h"
#include "probes/syscall_names.h"

#define CLOSE_ON_EXEC		  02000000 /* O_CLOEXEC, SOCK_CLOEXEC, EFD_CLOEXEC ... */
#define MFD_CLOSE_ON_EXEC	  1
#define DIRECTORY_X86_64	  0200000
#define DIRECTORY_AARCH64	  040000
#define UNNAMED_FILE		  020000000
#define F_DUPFD_LINUX		  0
#define F_SETFD_LINUX		  2
#define F_DUPFD_CLOEXEC_LINUX	  1030
#define FIONCLEX_LINUX		  0x5450
#define FIOCLEX_LINUX		  0x5451
#define CLOSE_RANGE_CLOEXEC_LINUX 4
#define SOCKET_TYPE_MASK	  0xf

/* The current call, and the table that its effect changes. */
struct effect {
	struct fd_follow *follow;
	struct fd_table *table;
	struct process_id id;
	const struct syscalls_call *call;
	const struct syscall_effect *row;
};

/* Returns the value of argument `argument`, counted from 1; 0 if the call's row names no
 * argument. */
static uint64_t argument_of_row(const struct effect *e, uint8_t argument)
{
	return syscall_value(e->call->arguments, argument, 0);
}

static uint64_t argument(const struct effect *e, size_t i)
{
	return e->call->arguments[i];
}

/* --- files --- */

/* Notes that a descriptor is a directory: an open does not show that, a later call does. */
static void shows_directory(const struct effect *e)
{
	uint8_t directory = e->row->directory ? e->row->directory : 1;
	struct fd_followed *known = (struct fd_followed *)fd_follow_get(
		e->follow, &e->id, call_int(argument_of_row(e, directory)));

	if (known && known->kind == FD_FOLLOWED_FILE)
		known->kind = FD_FOLLOWED_DIRECTORY;
}

static bool is_piece_read(const struct call_piece *p)
{
	return p->is_there && !state_is_unmeasured(p->state);
}

/* Appends the whole path; nothing if the path was not read, even if its directory is known. */
static void put_path(const struct effect *e, int64_t directory, const struct call_piece *path,
	struct buffer *out)
{
	if (is_piece_read(path))
		fd_follow_resolve(e->follow, &e->id, directory, path->bytes, out);
}

static void apply_open_with_flags(const struct effect *e, uint64_t flags)
{
	struct call_piece path = call_path(e->call, e->row->path - 1u);
	int64_t directory = call_int(
		syscall_value(e->call->arguments, e->row->directory, (uint64_t)AT_FDCWD_LINUX));
	uint64_t directory_flag =
		e->call->abi == SYSCALL_ABI_AARCH64 ? DIRECTORY_AARCH64 : DIRECTORY_X86_64;
	/* With O_TMPFILE, which includes the directory flag, the path names a directory. */
	bool is_unnamed = flags & UNNAMED_FILE;
	struct fd_followed *known;
	struct buffer whole = { 0 };

	put_path(e, directory, &path, &whole);
	if (e->row->directory && path.bytes.size && *path.bytes.data != '/')
		shows_directory(e);
	if (is_unnamed && whole.size)
		buffer_string(&whole, "/(no name)");
	known = fd_follow_set(e->follow, e->table, e->call->result,
		flags & directory_flag && !is_unnamed ? FD_FOLLOWED_DIRECTORY : FD_FOLLOWED_FILE);
	if (known) {
		known->closes_on_exec = flags & CLOSE_ON_EXEC;
		if (whole.size)
			fd_follow_name(known, span_of((const char *)whole.data, whole.size));
	}
	buffer_fini(&whole);
}

static void apply_open(const struct effect *e)
{
	apply_open_with_flags(e, argument_of_row(e, e->row->flags));
}

static void apply_openat2(const struct effect *e)
{
	struct call_piece how = call_piece(e->call, e->row->flags - 1u, SYSCALLS_PART_TARGET);
	uint64_t flags = 0;

	if (how.bytes.size >= sizeof(flags))
		memcpy(&flags, how.bytes.data, sizeof(flags));
	apply_open_with_flags(e, flags);
}

static void apply_make(const struct effect *e)
{
	struct fd_followed *known =
		fd_follow_set(e->follow, e->table, e->call->result, FD_FOLLOWED_OTHER);

	if (!known)
		return;
	known->closes_on_exec = argument_of_row(e, e->row->flags) & CLOSE_ON_EXEC;
	fd_follow_name(known, span_of_string(e->row->text));
}

/* Makes a descriptor that is always closed on exec. */
static void makes_closing(const struct effect *e)
{
	struct fd_followed *known;

	apply_make(e);
	known = (struct fd_followed *)fd_follow_get(e->follow, &e->id, e->call->result);
	if (known)
		known->closes_on_exec = true;
}

static void apply_make_memory(const struct effect *e)
{
	struct call_piece name = call_path(e->call, 0);
	struct fd_followed *known =
		fd_follow_set(e->follow, e->table, e->call->result, FD_FOLLOWED_OTHER);
	char text[300];

	if (!known)
		return;
	snprintf(text, sizeof(text), "memfd%s%.*s", is_piece_read(&name) ? ":" : "",
		SPAN_ARGS(name.bytes));
	known->closes_on_exec = argument(e, 1) & MFD_CLOSE_ON_EXEC;
	fd_follow_name(known, span_of_string(text));
}

static void apply_make_two(const struct effect *e)
{
	struct call_piece pair = call_piece(e->call, e->row->pair - 1u, SYSCALLS_PART_TARGET);
	int32_t fds[2];

	if (pair.bytes.size < sizeof(fds))
		return;
	memcpy(fds, pair.bytes.data, sizeof(fds));
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		struct fd_followed *known = fd_follow_set(e->follow, e->table, fds[i],
			e->row->text ? FD_FOLLOWED_PIPE : FD_FOLLOWED_SOCKET);
		char text[64];

		if (!known)
			continue;
		known->closes_on_exec = argument_of_row(e, e->row->flags) & CLOSE_ON_EXEC;
		snprintf(text, sizeof(text), "%s with %d", e->row->text ? e->row->text : "pair",
			fds[!i]);
		if (e->row->text)
			fd_follow_name(known, span_of_string(text));
		else
			snprintf(known->protocol, sizeof(known->protocol), "UNIX");
	}
}

/* Forgets the file that had the number of a new descriptor: the file of the new one is unknown. */
static void makes_unknown(const struct effect *e)
{
	fd_follow_close(e->follow, e->table, e->call->result);
}

/* --- sockets --- */

static const char *protocol_of(uint64_t family, uint64_t type)
{
	static const struct {
		uint8_t family, type;
		const char *name;
	} known[] = { { 1, 0, "UNIX" }, { 2, 1, "TCP" }, { 2, 2, "UDP" }, { 10, 1, "TCP6" },
		{ 10, 2, "UDP6" }, { 16, 0, "NETLINK" }, { 17, 0, "PACKET" }, { 40, 0, "VSOCK" },
		{ 38, 0, "ALG" }, { 2, 3, "RAW" }, { 10, 3, "RAW6" } };

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (known[i].family == family &&
			(!known[i].type || known[i].type == (type & SOCKET_TYPE_MASK)))
			return known[i].name;
	}
	return "socket";
}

static void apply_make_socket(const struct effect *e)
{
	struct fd_followed *known =
		fd_follow_set(e->follow, e->table, e->call->result, FD_FOLLOWED_SOCKET);

	if (!known)
		return;
	known->closes_on_exec = argument(e, 1) & CLOSE_ON_EXEC;
	snprintf(known->protocol, sizeof(known->protocol), "%s",
		protocol_of(argument(e, 0), argument(e, 1)));
}

static struct fd_followed *own_descriptor(const struct effect *e)
{
	return (struct fd_followed *)fd_follow_get(e->follow, &e->id, call_int(argument(e, 0)));
}

static bool address_of(const struct effect *e, uint8_t i, char out[FD_FOLLOW_ADDRESS])
{
	struct call_piece address = call_piece(e->call, i, SYSCALLS_PART_TARGET);

	return address.is_there && call_address(address.bytes, out, FD_FOLLOW_ADDRESS);
}

static void apply_connect(const struct effect *e)
{
	struct fd_followed *known = own_descriptor(e);
	char address[FD_FOLLOW_ADDRESS];

	if (known && address_of(e, 1, address))
		memcpy(known->peer, address, sizeof(address));
}

/* Sets the peer of a connection, also of one under way (EINPROGRESS). */
static void connects(const struct effect *e)
{
	struct fd_followed *known = own_descriptor(e);

	if (known)
		*known->peer =
			'\0'; /* the former peer is gone, even if the new address was not read */
	apply_connect(e);
	if (known)
		call_near_end(e->call, known->local, sizeof(known->local));
}

static void apply_bind(const struct effect *e)
{
	struct fd_followed *known = own_descriptor(e);
	char address[FD_FOLLOW_ADDRESS];

	if (known &&
		(call_near_end(e->call, address, sizeof(address)) || address_of(e, 1, address)))
		memcpy(known->local, address, sizeof(address));
}

static void apply_listen(const struct effect *e)
{
	struct fd_followed *known = own_descriptor(e);

	if (known)
		known->is_listening = true;
}

static void apply_accept(const struct effect *e)
{
	const struct fd_followed *from = own_descriptor(e);
	struct fd_followed copy = from ? *from : (struct fd_followed){ 0 };
	struct fd_followed *known =
		fd_follow_set(e->follow, e->table, e->call->result, FD_FOLLOWED_SOCKET);

	if (!known)
		return;
	memcpy(known->protocol, copy.protocol, sizeof(known->protocol));
	if (!call_near_end(e->call, known->local, sizeof(known->local)))
		memcpy(known->local, copy.local, sizeof(known->local));
	known->closes_on_exec = argument_of_row(e, e->row->flags) & CLOSE_ON_EXEC;
	if (!address_of(e, 1, known->peer))
		*known->peer = '\0';
}

/* --- numbers --- */

static void apply_duplicate(const struct effect *e)
{
	const struct fd_followed *from = own_descriptor(e);

	if (from)
		fd_follow_copy(e->follow, e->table, e->call->result, from,
			argument_of_row(e, e->row->flags) & CLOSE_ON_EXEC);
	else
		fd_follow_close(e->follow, e->table, e->call->result);
}

static void apply_control(const struct effect *e)
{
	uint64_t command = argument(e, 1);
	struct fd_followed *known = own_descriptor(e);

	if (command == F_DUPFD_LINUX || command == F_DUPFD_CLOEXEC_LINUX) {
		apply_duplicate(e);
		known = (struct fd_followed *)fd_follow_get(e->follow, &e->id, e->call->result);
		if (known)
			known->closes_on_exec = command == F_DUPFD_CLOEXEC_LINUX;
	} else if (command == F_SETFD_LINUX && known) {
		known->closes_on_exec = argument(e, 2) & 1;
	}
}

/* Sets close-on-exec by ioctl(2), as some runtimes do instead of fcntl(2). */
static void apply_close_on_exec(const struct effect *e)
{
	uint32_t command = (uint32_t)argument(e, 1);
	struct fd_followed *known = own_descriptor(e);

	if (known && (command == FIOCLEX_LINUX || command == FIONCLEX_LINUX))
		known->closes_on_exec = command == FIOCLEX_LINUX;
}

static void apply_close(const struct effect *e)
{
	fd_follow_close(e->follow, e->table, call_int(argument(e, 0)));
}

static void apply_close_range(const struct effect *e)
{
	uint32_t first = (uint32_t)argument(e, 0), last = (uint32_t)argument(e, 1);
	bool only_marks = argument(e, 2) & CLOSE_RANGE_CLOEXEC_LINUX;

	map_for_each (&e->table->fds, const uint32_t *, key, struct fd_followed *, value) {
		uint32_t fd = *key;

		if (fd < first || fd > last)
			continue;
		if (only_marks)
			value->closes_on_exec = true;
		else
			fd_follow_close(e->follow, e->table, fd);
	}
}

/* --- directories --- */

/* Sets the directory; unknown if the path is relative to an unknown directory. */
static void set_directory(const struct effect *e, struct span path)
{
	bool is_whole = path.size && *path.data == '/';

	free(e->table->directory);
	e->table->directory = is_whole ? strndup(path.data, path.size) : NULL;
	e->table->has_moved = true;
}

static void apply_chdir(const struct effect *e)
{
	struct call_piece path = call_path(e->call, 0);
	struct buffer whole = { 0 };

	put_path(e, AT_FDCWD_LINUX, &path, &whole);
	set_directory(e, span_of((const char *)whole.data, whole.size));
	buffer_fini(&whole);
}

static void apply_fchdir(const struct effect *e)
{
	const struct fd_followed *known = own_descriptor(e);

	shows_directory(e);
	set_directory(e, known && known->name ? span_of_string(known->name) : span_of("", 0));
}

/* --- all of them --- */

static void (*const effects[SYSCALL_FD_EFFECTS])(const struct effect *e) = {
	[SYSCALL_FD_OPENS_FILE] = apply_open,
	[SYSCALL_FD_OPENS_HOW] = apply_openat2,
	[SYSCALL_FD_MAKES] = apply_make,
	[SYSCALL_FD_MAKES_CLOSING] = makes_closing,
	[SYSCALL_FD_MAKES_MEMORY] = apply_make_memory,
	[SYSCALL_FD_MAKES_SOCKET] = apply_make_socket,
	[SYSCALL_FD_MAKES_UNKNOWN] = makes_unknown,
	[SYSCALL_FD_MAKES_TWO] = apply_make_two,
	[SYSCALL_FD_ACCEPTS] = apply_accept,
	[SYSCALL_FD_DUPLICATES] = apply_duplicate,
	[SYSCALL_FD_CONTROLS] = apply_control,
	[SYSCALL_FD_MARKS] = apply_close_on_exec,
	[SYSCALL_FD_CLOSES] = apply_close,
	[SYSCALL_FD_CLOSES_RANGE] = apply_close_range,
	[SYSCALL_FD_BEGINS_CONNECTION] = connects,
	[SYSCALL_FD_NAMES_PEER] = apply_connect,
	[SYSCALL_FD_NAMES_LOCAL] = apply_bind,
	[SYSCALL_FD_LISTENS] = apply_listen,
	[SYSCALL_FD_SHOWS_DIRECTORY] = shows_directory,
	[SYSCALL_FD_CHANGES_DIRECTORY] = apply_chdir,
	[SYSCALL_FD_CHANGES_TO_DESCRIPTOR] = apply_fchdir,
};

/* Returns whether the call changes descriptors: also a connect under way, or a failed close. */
static bool has_effect(const struct syscalls_call *call, const struct syscall_effect *effect)
{
	if (call->result_state != SOOTH_STATE_VALUE)
		return false;
	return call_succeeded(call) || effect->what == SYSCALL_FD_CLOSES ||
	       (effect->what == SYSCALL_FD_BEGINS_CONNECTION && call->result == -LINUX_EINPROGRESS);
}

static void call_effects_apply(struct fd_follow *f, const struct syscalls_call *call)
{
	struct effect e = {
		.follow = f, .call = call, .row = &syscall_row_of(call->abi, call->number)->effect
	};

	if (!effects[e.row->what] || !has_effect(call, e.row))
		return;
	e.id = process_id_of(&call->record);
	e.table = fd_follow_table(f, &e.id);
	if (e.table)
		effects[e.row->what](&e);
}

void fd_follow_add_record(struct fd_follow *f, const struct sooth_record *r)
{
	const struct syscalls_call *call = record_as(r, SYSCALLS_CALL, SYSCALLS_CALL_LEAST);

	if (call)
		call_effects_apply(f, call);
	else
		fd_follow_add_state(f, r);
}

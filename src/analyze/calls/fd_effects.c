/* SPDX-License-Identifier: BSD-2-Clause */
/* See fd_effects.h. Numbers are those of Linux; the two of O_DIRECTORY are of x86-64, aarch64. */
#include "analyze/calls/fd_effects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/calls/call_pieces.h"
#include "base/cleanup.h"

#define NO_ARGUMENT		  6
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

/* What happens at hand. */
struct effect {
	struct fd_follow *follow;
	struct fd_table *table;
	struct process_id id;
	const struct syscalls_call *call;
	const struct effect_row *row;
};

struct effect_row {
	const char *name;
	void (*apply)(const struct effect *e);
	uint8_t a, b, c;  /* arguments, what each is says the function */
	const char *text; /* what it makes */
};

static uint64_t argument(const struct effect *e, uint8_t i)
{
	return i < SYSCALL_ARGUMENTS ? e->call->arguments[i] : 0;
}

/* --- files --- */

/* Who opens one need not say so: it shows by what works on it. */
static void shows_directory(const struct effect *e)
{
	struct fd_followed *known = (struct fd_followed *)fd_follow_get(
		e->follow, &e->id, call_int(argument(e, e->row->b)));

	if (known && known->kind == FD_FOLLOWED_FILE)
		known->kind = FD_FOLLOWED_DIRECTORY;
}

/* a: the path, b: the directory it is of, c: flags. */
static void opens(const struct effect *e)
{
	struct call_piece path = call_path(e->call, e->row->a);
	int64_t directory =
		e->row->b < SYSCALL_ARGUMENTS ? call_int(argument(e, e->row->b)) : AT_FDCWD_LINUX;
	uint64_t flags = argument(e, e->row->c);
	uint64_t directory_flag =
		e->call->abi == SYSCALL_ABI_AARCH64 ? DIRECTORY_AARCH64 : DIRECTORY_X86_64;
	/* O_TMPFILE: the path is that of a directory, and includes its flag. */
	bool is_unnamed = flags & UNNAMED_FILE;
	struct fd_followed *known;
	struct buffer whole = { 0 };

	fd_follow_resolve(e->follow, &e->id, directory, path.bytes, &whole);
	if (e->row->b < SYSCALL_ARGUMENTS && path.bytes.size && *path.bytes.data != '/')
		shows_directory(e);
	if (is_unnamed)
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

/* The flags stand in what argument c points to. */
static void opens_how(const struct effect *e)
{
	struct call_piece how = call_piece(e->call, e->row->c, SYSCALLS_PART_TARGET);
	struct effect as_open = *e;
	struct effect_row row = *e->row;
	struct fd_followed *known;
	uint64_t flags = 0;

	if (how.bytes.size >= sizeof(flags))
		memcpy(&flags, how.bytes.data, sizeof(flags));
	row.c = NO_ARGUMENT;
	as_open.row = &row;
	opens(&as_open);
	known = (struct fd_followed *)fd_follow_get(e->follow, &e->id, e->call->result);
	if (known)
		known->closes_on_exec = flags & CLOSE_ON_EXEC;
}

/* `text` says what; a: flags. */
static void makes(const struct effect *e)
{
	struct fd_followed *known =
		fd_follow_set(e->follow, e->table, e->call->result, FD_FOLLOWED_OTHER);

	if (!known)
		return;
	known->closes_on_exec = argument(e, e->row->a) & CLOSE_ON_EXEC;
	fd_follow_name(known, span_of(e->row->text, strlen(e->row->text)));
}

/* Always closed on exec, as the manual says. */
static void makes_closing(const struct effect *e)
{
	struct fd_followed *known;

	makes(e);
	known = (struct fd_followed *)fd_follow_get(e->follow, &e->id, e->call->result);
	if (known)
		known->closes_on_exec = true;
}

static void makes_memory(const struct effect *e)
{
	struct call_piece name = call_path(e->call, 0);
	struct fd_followed *known =
		fd_follow_set(e->follow, e->table, e->call->result, FD_FOLLOWED_OTHER);
	char text[300];

	if (!known)
		return;
	snprintf(text, sizeof(text), "memfd:%.*s", (int)name.bytes.size, name.bytes.data);
	known->closes_on_exec = argument(e, 1) & MFD_CLOSE_ON_EXEC;
	fd_follow_name(known, span_of(text, strlen(text)));
}

/* a: where the two numbers are, b: flags; `text`: what they are, NULL: sockets. */
static void makes_two(const struct effect *e)
{
	struct call_piece pair = call_piece(e->call, e->row->a, SYSCALLS_PART_TARGET);
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
		known->closes_on_exec = argument(e, e->row->b) & CLOSE_ON_EXEC;
		snprintf(text, sizeof(text), "%s with %d", e->row->text ? e->row->text : "pair",
			fds[!i]);
		if (e->row->text)
			fd_follow_name(known, span_of(text, strlen(text)));
		else
			snprintf(known->protocol, sizeof(known->protocol), "UNIX");
	}
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

static void makes_socket(const struct effect *e)
{
	struct fd_followed *known =
		fd_follow_set(e->follow, e->table, e->call->result, FD_FOLLOWED_SOCKET);

	if (!known)
		return;
	known->closes_on_exec = argument(e, 1) & CLOSE_ON_EXEC;
	snprintf(known->protocol, sizeof(known->protocol), "%s",
		protocol_of(argument(e, 0), argument(e, 1)));
}

static struct fd_followed *own(const struct effect *e)
{
	return (struct fd_followed *)fd_follow_get(e->follow, &e->id, call_int(argument(e, 0)));
}

static bool address_of(const struct effect *e, uint8_t i, char out[FD_FOLLOW_ADDRESS])
{
	struct call_piece address = call_piece(e->call, i, SYSCALLS_PART_TARGET);

	return address.is_there && call_address(address.bytes, out, FD_FOLLOW_ADDRESS);
}

static void names_peer(const struct effect *e)
{
	struct fd_followed *known = own(e);
	char address[FD_FOLLOW_ADDRESS];

	if (known && address_of(e, 1, address))
		memcpy(known->peer, address, sizeof(address));
}

/* Also what is still under way: EINPROGRESS. */
static void connects(const struct effect *e)
{
	struct fd_followed *known = own(e);

	names_peer(e);
	if (known)
		call_near_end(e->call, known->local, sizeof(known->local));
}

static void names_local(const struct effect *e)
{
	struct fd_followed *known = own(e);
	char address[FD_FOLLOW_ADDRESS];

	if (known &&
		(call_near_end(e->call, address, sizeof(address)) || address_of(e, 1, address)))
		memcpy(known->local, address, sizeof(address));
}

static void listens(const struct effect *e)
{
	struct fd_followed *known = own(e);

	if (known)
		known->is_listening = true;
}

/* c: flags. */
static void accepts(const struct effect *e)
{
	const struct fd_followed *from = own(e);
	struct fd_followed copy = from ? *from : (struct fd_followed){ 0 };
	struct fd_followed *known =
		fd_follow_set(e->follow, e->table, e->call->result, FD_FOLLOWED_SOCKET);

	if (!known)
		return;
	memcpy(known->protocol, copy.protocol, sizeof(known->protocol));
	if (!call_near_end(e->call, known->local, sizeof(known->local)))
		memcpy(known->local, copy.local, sizeof(known->local));
	known->closes_on_exec = argument(e, e->row->c) & CLOSE_ON_EXEC;
	if (!address_of(e, 1, known->peer))
		*known->peer = '\0';
}

/* --- numbers --- */

static void duplicates(const struct effect *e)
{
	const struct fd_followed *from = own(e);

	if (from)
		fd_follow_copy(e->follow, e->table, e->call->result, from,
			argument(e, e->row->c) & CLOSE_ON_EXEC);
	else
		fd_follow_close(e->follow, e->table, e->call->result);
}

static void controls(const struct effect *e)
{
	uint64_t command = argument(e, 1);
	struct fd_followed *known = own(e);

	if (command == F_DUPFD_LINUX || command == F_DUPFD_CLOEXEC_LINUX) {
		duplicates(e);
		known = (struct fd_followed *)fd_follow_get(e->follow, &e->id, e->call->result);
		if (known)
			known->closes_on_exec = command == F_DUPFD_CLOEXEC_LINUX;
	} else if (command == F_SETFD_LINUX && known) {
		known->closes_on_exec = argument(e, 2) & 1;
	}
}

/* As runtimes that have it by another way than fcntl(2) do. */
static void marks(const struct effect *e)
{
	uint32_t command = (uint32_t)argument(e, 1);
	struct fd_followed *known = own(e);

	if (known && (command == FIOCLEX_LINUX || command == FIONCLEX_LINUX))
		known->closes_on_exec = command == FIOCLEX_LINUX;
}

static void closes(const struct effect *e)
{
	fd_follow_close(e->follow, e->table, call_int(argument(e, 0)));
}

static void closes_range(const struct effect *e)
{
	uint32_t first = (uint32_t)argument(e, 0), last = (uint32_t)argument(e, 1);
	bool only_marks = argument(e, 2) & CLOSE_RANGE_CLOEXEC_LINUX;
	size_t position = 0;
	const void *key;
	void *value;

	while (map_next(&e->table->fds, &position, &key, &value)) {
		uint32_t fd = *(const uint32_t *)key;

		if (fd < first || fd > last)
			continue;
		if (only_marks)
			((struct fd_followed *)value)->closes_on_exec = true;
		else
			fd_follow_close(e->follow, e->table, fd);
	}
}

/* --- directories --- */

/* Of a path from an unknown directory on it is not known where that leads to. */
static void set_directory(const struct effect *e, struct span path)
{
	bool is_whole = path.size && *path.data == '/';

	free(e->table->directory);
	e->table->directory = is_whole ? strndup(path.data, path.size) : NULL;
	e->table->has_moved = true;
}

static void changes_directory(const struct effect *e)
{
	struct call_piece path = call_path(e->call, 0);
	struct buffer whole = { 0 };

	fd_follow_resolve(e->follow, &e->id, AT_FDCWD_LINUX, path.bytes, &whole);
	set_directory(e, span_of((const char *)whole.data, whole.size));
	buffer_fini(&whole);
}

static void changes_to_descriptor(const struct effect *e)
{
	const struct fd_followed *known = own(e);

	shows_directory(e);
	set_directory(e,
		known && known->name ? span_of(known->name, strlen(known->name)) : span_of("", 0));
}

/* --- the rows --- */

static const struct effect_row rows[] = {
	{ "open", opens, 0, NO_ARGUMENT, 1, NULL },
	{ "openat", opens, 1, 0, 2, NULL },
	{ "openat2", opens_how, 1, 0, 2, NULL },
	{ "creat", opens, 0, NO_ARGUMENT, NO_ARGUMENT, NULL },
	{ "open_tree", opens, 1, 0, 2, NULL },
	{ "close", closes, 0, 0, 0, NULL },
	{ "close_range", closes_range, 0, 0, 0, NULL },
	{ "dup", duplicates, 0, 0, NO_ARGUMENT, NULL },
	{ "dup2", duplicates, 0, 0, NO_ARGUMENT, NULL },
	{ "dup3", duplicates, 0, 0, 2, NULL },
	{ "fcntl", controls, 0, 0, NO_ARGUMENT, NULL },
	{ "fcntl64", controls, 0, 0, NO_ARGUMENT, NULL },
	{ "ioctl", marks, 0, 0, 0, NULL },
	{ "pipe", makes_two, 0, NO_ARGUMENT, 0, "pipe" },
	{ "pipe2", makes_two, 0, 1, 0, "pipe" },
	{ "socketpair", makes_two, 3, 1, 0, NULL },
	{ "socket", makes_socket, 0, 0, 0, NULL },
	{ "connect", connects, 0, 0, 0, NULL },
	{ "bind", names_local, 0, 0, 0, NULL },
	{ "listen", listens, 0, 0, 0, NULL },
	{ "accept", accepts, 0, 0, NO_ARGUMENT, NULL },
	{ "accept4", accepts, 0, 0, 3, NULL },
	{ "getsockname", names_local, 0, 0, 0, NULL },
	{ "getpeername", names_peer, 0, 0, 0, NULL },
	{ "epoll_create", makes, NO_ARGUMENT, 0, 0, "epoll" },
	{ "epoll_create1", makes, 0, 0, 0, "epoll" },
	{ "eventfd", makes, NO_ARGUMENT, 0, 0, "eventfd" },
	{ "eventfd2", makes, 1, 0, 0, "eventfd" },
	{ "timerfd_create", makes, 1, 0, 0, "timerfd" },
	{ "signalfd", makes, NO_ARGUMENT, 0, 0, "signalfd" },
	{ "signalfd4", makes, 3, 0, 0, "signalfd" },
	{ "inotify_init", makes, NO_ARGUMENT, 0, 0, "inotify" },
	{ "inotify_init1", makes, 0, 0, 0, "inotify" },
	{ "fanotify_init", makes, NO_ARGUMENT, 0, 0, "fanotify" },
	{ "memfd_create", makes_memory, 0, 0, 0, NULL },
	{ "memfd_secret", makes, 0, 0, 0, "secret memory" },
	{ "mq_open", makes_closing, NO_ARGUMENT, 0, 0, "message queue" },
	{ "pidfd_open", makes_closing, NO_ARGUMENT, 0, 0, "pidfd" },
	{ "userfaultfd", makes, 0, 0, 0, "userfaultfd" },
	{ "perf_event_open", makes, NO_ARGUMENT, 0, 0, "perf event" },
	{ "io_uring_setup", makes_closing, NO_ARGUMENT, 0, 0, "io_uring" },
	{ "chdir", changes_directory, 0, 0, 0, NULL },
	{ "fchdir", changes_to_descriptor, 0, 0, 0, NULL },
	{ "getdents", shows_directory, 0, 0, 0, NULL },
	{ "getdents64", shows_directory, 0, 0, 0, NULL },
};

struct call_effects {
	/* By number; NULL: it does nothing. */
	const struct effect_row *of[SYSCALL_TABLE_ABIS][CALL_TYPES_NUMBERS];
};

struct call_effects *call_effects_new(void)
{
	struct call_effects *e = calloc(1, sizeof(*e));

	for (unsigned abi = 0; e && abi < SYSCALL_TABLE_ABIS; abi++) {
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
			int32_t number = syscall_number(abi, rows[i].name, strlen(rows[i].name));

			if (number >= 0 && number < CALL_TYPES_NUMBERS)
				e->of[abi][number] = &rows[i];
		}
	}
	return e;
}

void call_effects_free(struct call_effects *e)
{
	free(e);
}

/* A connection that is still being made, and a close that was interrupted, have their effect. */
static bool has_effect(const struct syscalls_call *call, const struct effect_row *row)
{
	if (call->result_state != SOOTH_STATE_VALUE)
		return false;
	return call_succeeded(call) || row->apply == closes ||
	       (row->apply == connects && call->result == -115); /* EINPROGRESS */
}

void call_effects_apply(
	struct call_effects *e, struct fd_follow *f, const struct syscalls_call *call)
{
	unsigned abi = call->abi == SYSCALL_ABI_X32 ? SYSCALL_ABI_X86_64 : call->abi;
	uint32_t number = call->number & ~SYSCALL_X32_BIT;
	struct effect effect = { .follow = f, .call = call };

	if (abi >= SYSCALL_TABLE_ABIS || number >= CALL_TYPES_NUMBERS || !e->of[abi][number])
		return;
	effect.row = e->of[abi][number];
	if (!has_effect(call, effect.row))
		return;
	effect.id = process_id_of(&call->record);
	effect.table = fd_follow_table(f, &effect.id);
	if (effect.table)
		effect.row->apply(&effect);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The paths on which calls fail, the files that are found, and the durations of successful calls
 * (see call_history.h). */
#include <string.h>

#include <assert.h>

#include "analyze/calls/call_history_parts.h"
#include "base/hash.h"
#include "base/lock_name.h"
#include "base/units.h"
#include "bpf/aggregate.h"
#include "model/errno_names.h"
#include "base/cleanup.h"

#define PLACED_NS (NS_PER_MS / 2) /* faster calls are not counted by path */
#define MOVED_NS  2		  /* time allowed for moving one byte: 500 MB/s */

/* --- paths --- */

struct call_path call_path_key(struct span path)
{
	struct call_path key = { { 0 } };

	if (path.size)
		memcpy(key.text, path.data,
			path.size < sizeof(key.text) - 1 ? path.size : sizeof(key.text) - 1);
	return key;
}

struct call_path call_path_folder(const char *path)
{
	const char *slash = strrchr(path, '/');

	return call_path_key(span_of(path, slash == path ? 1 : slash ? (size_t)(slash - path) : 0));
}

bool call_is_on_disk(const char *path)
{
	static const char *const others[] = { "/dev/", "/proc/", "/sys/" };

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		if (!strncmp(path, others[i], strlen(others[i])))
			return false;
	}
	return *path == '/';
}

bool call_is_optional_peer(const char *address)
{
	static const char cache[] = "/nscd/socket";
	size_t size = strlen(address);

	return size >= sizeof(cache) && !strcmp(address + size - (sizeof(cache) - 1), cache);
}

bool call_is_in_shared_memory(const char *path)
{
	static const char folder[] = "/dev/shm/";

	return !strncmp(path, folder, sizeof(folder) - 1);
}

bool call_takes_space(const char *path)
{
	return call_is_on_disk(path) || call_is_in_shared_memory(path);
}

/* --- names that are searched for --- */

/* Hashes the last part of a path without its extension: programs try x, x.js and x.json in turn. */
static uint64_t name_hash(struct span path)
{
	size_t begin = path.size, end = path.size;

	while (begin && path.data[begin - 1] != '/')
		begin--;
	for (size_t i = begin + 1; i < path.size; i++)
		end = path.data[i] == '.' ? i : end;
	return hash_bytes(HASH_BEGIN, path.data + begin, end - begin);
}

uint64_t call_history_found(const struct call_history *h, const char *path)
{
	assert(h);

	uint64_t hash = name_hash(span_of_string(path));
	const uint64_t *count = map_get(&h->found, &hash);

	return count ? *count : 0;
}

static void note_found_path(const struct call_at_hand *c)
{
	uint64_t hash = name_hash(c->path);
	uint64_t *count = map_put(&c->history->found, &hash, NULL);

	if (count)
		*count += c->weight;
}

/* --- errors --- */

static bool is_answer_of_any_call(unsigned error)
{
	return error == LINUX_EINTR || error == LINUX_EAGAIN || error == LINUX_ETIMEDOUT ||
	       error == LINUX_EALREADY || error == LINUX_EINPROGRESS ||
	       (error >= LINUX_ERESTARTSYS && error <= LINUX_ERESTARTSYS + 4);
}

bool call_error_is_no_room(const struct syscall_row *row, unsigned error)
{
	assert(row);
	return row->traits & SYSCALL_STARTS_TASK && error == LINUX_EAGAIN;
}

/* Returns whether an error is an ordinary answer of that call: no data yet, not a terminal, exists
 * already. ENOENT and ENOTDIR of a path do not count: a single call does not show whether the
 * program only searches for a file. */
static bool is_ordinary_answer(const struct syscall_row *row, unsigned error)
{
	if (call_error_is_no_room(row, error))
		return false;
	/* Failed connects are reported by connection. sigreturn restores a value that is no
	 * error. */
	if (is_answer_of_any_call(error) || row->traits & (SYSCALL_CONNECTS | SYSCALL_RESTORES))
		return true;
	for (size_t i = 0; i < SYSCALL_ANSWERS && row->answers[i]; i++) {
		if (row->answers[i] == error)
			return true;
	}
	return false;
}

bool call_error_is_grave(unsigned error)
{
	/* EIO, ENOMEM, ENFILE, EMFILE, ENOSPC, EROFS, ESTALE, EDQUOT */
	static const uint8_t grave[] = { 5, 12, 23, 24, 28, 30, 116, 122 };

	for (size_t i = 0; i < ARRAY_SIZE(grave); i++) {
		if (grave[i] == error)
			return true;
	}
	return false;
}

/* Writes the address that a failed bind(2) names. */
static bool put_own_address(const struct folded_call *call, char *out, size_t size)
{
	struct call_piece address = call_piece(call->call, 1, SYSCALLS_PART_TARGET);

	return call->row->effect.what == SYSCALL_FD_NAMES_LOCAL && address.is_there &&
	       call_address(address.bytes, out, size);
}

static void put_path_of_call(const struct call_at_hand *c, struct call_path *out)
{
	const struct fd_followed *file = c->folded->file;
	struct span made =
		c->folded->error == LINUX_EEXIST ? folded_second_path(c->folded) : span_of("", 0);

	if (made.size) /* link(2): the new name exists */
		*out = call_path_key(made);
	else if (c->path.size)
		*out = call_path_key(c->path);
	else if (put_own_address(c->folded, out->text, sizeof(out->text)))
		return;
	else if (file && file->kind == FD_FOLLOWED_SOCKET)
		fd_followed_connection(file, out->text, sizeof(out->text));
	else if (file && file->name)
		*out = call_path_key(span_of_string(file->name));
}

static struct call_place place_of(const struct call_at_hand *c, bool has_text)
{
	struct call_place place = { .number = c->folded->call->number,
		.abi = c->folded->call->abi,
		.error = (uint16_t)c->folded->error };
	struct call_path path = { { 0 } };

	if (has_text)
		put_path_of_call(c, &path);
	memcpy(place.text, path.text, sizeof(place.text));
	return place;
}

/* Returns whether a lock is not free: an ordinary answer that explains why a command gives up. */
static bool is_lock_refused(const struct folded_call *call, const char *text)
{
	const struct syscall_row *row = call->row;
	const char *slash = strrchr(text, '/');
	bool locks = row->wait.what == SYSCALL_WAIT_TURN;

	if (locks && call->error == LINUX_EAGAIN && is_database_name(span_of_string(text)))
		return true;
	return slash && is_lock_name(slash + 1) &&
	       (call->error == LINUX_EEXIST || (locks && call->error == LINUX_EAGAIN));
}

void call_failures_count(struct call_failures *f, uint64_t weight, uint64_t time_ns)
{
	assert(f);
	f->count += weight;
	if (!f->seen || f->last_ns / NS_PER_S != time_ns / NS_PER_S)
		f->seconds++;
	if (!f->seen++)
		f->first_ns = time_ns;
	f->last_ns = time_ns;
}

static void add_failure(const struct call_at_hand *c, const struct call_place *place)
{
	struct call_failures *f = map_put(&c->history->failures, place, NULL);

	if (f)
		call_failures_count(f, c->weight, c->folded->call->record.time_ns);
}

void call_failures_add(struct call_failures *sum, const struct call_failures *f)
{
	assert(sum);
	assert(f);
	if (!sum->count || f->first_ns < sum->first_ns)
		sum->first_ns = f->first_ns;
	if (f->last_ns > sum->last_ns)
		sum->last_ns = f->last_ns;
	sum->count += f->count;
	sum->seen += f->seen;
}

static void add_error(const struct call_at_hand *c)
{
	struct call_place place;
	bool is_answer = is_ordinary_answer(c->folded->row, c->folded->error);

	if (is_answer && c->folded->error != LINUX_EEXIST && c->folded->error != LINUX_EAGAIN)
		return;
	place = place_of(c, true);
	if (is_answer && !is_lock_refused(c->folded, place.text))
		return;
	if (place.error == LINUX_ENOENT && folded_makes_file(c->folded))
		place.error = CALL_NO_DIRECTORY;
	add_failure(c, &place);
}

static bool is_file(const struct fd_followed *fd)
{
	return fd && fd->name && call_is_on_disk(fd->name) &&
	       (fd->kind == FD_FOLLOWED_FILE || fd->kind == FD_FOLLOWED_DIRECTORY);
}

static void add_short_write(const struct call_at_hand *c)
{
	const struct folded_call *call = c->folded;
	const struct syscall_transfer *t = &call->row->transfer;
	struct call_place place;

	if (t->direction != SYSCALL_WRITES || !t->size || !call->file || !call->file->name ||
		call->file->kind != FD_FOLLOWED_FILE || !call_takes_space(call->file->name) ||
		call->bytes >= syscall_value(call->call->arguments, t->size, 0))
		return;
	place = place_of(c, true);
	place.error = CALL_SHORT_WRITE;
	add_failure(c, &place);
}

/* --- times --- */

/* Returns whether the call only worked for the process, and did not wait for other processes. */
static bool is_working_call(const struct call_at_hand *c)
{
	const struct folded_call *call = c->folded;

	if (syscall_waits(call->row) || call->row->traits & SYSCALL_PATIENT)
		return false;
	if (call->row->transfer.direction == SYSCALL_COPIES &&
		!(is_file(call->from.file) && is_file(call->to.file)))
		return false;
	if (call->has_fd)
		return is_file(call->file);
	if (call->row->category == SYSCALL_CATEGORY_NETWORK)
		return false;
	return !c->path.size || c->path.data[0] != '/' || call_is_on_disk(c->path.data);
}

/* Returns the duration of the call less the time that moving its bytes takes. */
static uint64_t work_ns(const struct call_at_hand *c)
{
	uint64_t moving_ns = c->folded->bytes * MOVED_NS;

	return c->folded->call->duration_ns > moving_ns ? c->folded->call->duration_ns - moving_ns
							: 0;
}

static void add_time(const struct call_at_hand *c, bool has_text, uint64_t ns)
{
	struct call_place place = place_of(c, has_text);
	struct call_times *t;

	place.error = 0;
	t = map_put(&c->history->times, &place, NULL);
	if (!t)
		return;
	t->count += c->weight;
	t->seen++;
	t->total_ns += ns * c->weight;
	t->max_ns = ns > t->max_ns ? ns : t->max_ns;
	t->histogram[aggregate_bucket(ns) & (SYSCALLS_BUCKETS - 1)] += (uint32_t)c->weight;
}

static void add_times(const struct call_at_hand *c)
{
	uint64_t ns = work_ns(c);

	add_time(c, false, ns);
	if (ns >= PLACED_NS)
		add_time(c, true, ns);
}

void call_places_add_call(const struct call_at_hand *c)
{
	if (c->folded->is_error)
		add_error(c);
	else if (c->path.size && c->folded->row->traits & SYSCALL_LOOKS)
		note_found_path(c);
	if (!c->folded->is_error)
		add_short_write(c);
	if (call_is_timed(c->folded->call) && is_working_call(c))
		add_times(c);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/made_files.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "analyze/evidence/file_space.h"
#include "base/escape.h"
#include "base/sentence_units.h"

/* --- inodes --- */

NUMBER(MADE_LEAST, 20, NONE, "least files made during the observation");
NUMBER(SHARE_LEAST, 0.5, NONE, "of the inodes taken meanwhile: other processes make files too");
NUMBER(LEFT_PART, 20, NONE, "fewer than 1/LEFT_PART of the inodes left are nearly none");

struct inode_use {
	const struct fds_filesystem *space;
	uint64_t taken; /* inodes used meanwhile, by all processes */
	uint64_t made;	/* files that the process made or wrote, and that still exist */
	uint64_t interval_ns;
	const char *path; /* one path on the file system */
};

static void count_made(const struct check *e, const struct call_history *h, struct inode_use *u)
{
	const struct snapshot *last = check_last(e, &e->input->fds);

	map_for_each (&h->files, const struct call_path *, path, const struct call_file *, f) {
		if ((!f->contents.there_bytes && !f->contents.is_made) ||
			file_space_of_path(last, path->text) != u->space)
			continue;
		u->made++;
		u->path = path->text;
	}
}

/* Returns false if the file system loses no inodes, or other processes use them. */
static bool read_use(const struct check *e, const struct call_history *h,
	const struct fds_filesystem *now, struct inode_use *u)
{
	double taken;

	*u = (struct inode_use){ .space = now,
		.interval_ns = check_interval_ns(e, &e->input->fds) };
	if (!u->interval_ns || !file_space_inodes_taken(e, now, &taken) || taken < MADE_LEAST)
		return false;
	u->taken = (uint64_t)taken;
	count_made(e, h, u);
	return u->made >= MADE_LEAST && (double)u->made >= SHARE_LEAST * (double)u->taken;
}

static double left_ns(const struct inode_use *u)
{
	return (double)u->space->files_available * (double)u->interval_ns / (double)u->taken;
}

static bool is_short(const struct inode_use *u, double max_ns)
{
	double reach_ns = growth_foresight_ns(u->interval_ns);

	return u->space->files_available < u->space->files / LEFT_PART ||
	       left_ns(u) <= (max_ns < reach_ns ? max_ns : reach_ns);
}

static void report_inodes(
	const struct check *e, struct check_result *out, const struct inode_use *u, double high_ns)
{
	struct span point = file_space_point(u->space);
	double rate = (double)u->taken * (double)NS_PER_S / (double)u->interval_ns;
	char what[CALL_PATH];

	snprintf(what, sizeof(what), "inodes %.*s", SPAN_ARGS(point));
	finding_begin(out, check_calls_confidence(e), what);
	if (left_ns(u) <= high_ns)
		finding_severity(out, FINDING_HIGH);
	finding_path(out, span_of_string(u->path));
	finding_claim(out,
		"uses up the inodes of %.*s: %.0f new files a second, such as %s; none are left in "
		"%s",
		SPAN_ARGS(point), rate, u->path, SENTENCE_DURATION((uint64_t)left_ns(u)));
	finding_count(out, "inodes left", u->space->files_available, 0);
	finding_count(out, "inodes", u->space->files, 0);
	finding_count(out, "inodes taken meanwhile", u->taken, u->interval_ns);
	finding_count(out, "files that the process made", u->made, u->interval_ns);
	finding_bytes(out, "space left", u->space->available_bytes);
	check_calls_unseen(e, out);
	if (escape_is_shell_word(point.data, point.size))
		finding_remedy(out,
			"remove what is not needed: du -x --inodes %.*s | sort -n | tail; df -i "
			"shows what is left",
			SPAN_ARGS(point));
	else
		finding_remedy(out, "remove what is not needed; df -i shows what is left");
}

size_t inode_use_report(
	const struct check *e, struct check_result *out, double max_ns, double high_ns)
{
	size_t count = 0;

	assert(e);
	snapshot_each (struct fds_filesystem, f, check_last(e, &e->input->fds), FDS_FILESYSTEM) {
		struct inode_use u;

		if (!read_use(e, e->calls.history, f, &u) || !is_short(&u, max_ns))
			continue;
		report_inodes(e, out, &u, high_ns);
		count++;
	}
	return count;
}

/* --- temporary files --- */

/* A file is temporary by its name or its directory's name: programs that unpack or build make as
 * many files, but keep them on purpose. */
#define DIRECTORIES_MAX 256

NUMBER(REMOVED_SHARE, 0.5, NONE, "least share of the inodes in use if the files still exist");

struct left_files {
	uint64_t count, bytes;
	const char *path; /* path of one of the files */
	bool is_memory;	  /* POSIX shared memory: its size is set, not written */
};

static bool is_equal_any_case(struct span s, const char *text)
{
	return strlen(text) == s.size && !strncasecmp(s.data, text, s.size);
}

/* Returns whether a file is temporary. `name` follows the last slash of `path`. */
static bool is_temporary(const char *path, const char *name)
{
	static const char *const folders[] = { "tmp", "temp", "scratch", "shm" };
	const char *end = name - 1, *begin = end;

	while (begin > path && begin[-1] != '/')
		begin--;
	return SPAN_ANY(span_of(begin, (size_t)(end - begin)), is_equal_any_case, folders) ||
	       !strncasecmp(name, "tmp", 3) || strstr(name, ".tmp");
}

#define SHARED_MEMORY "/dev/shm" /* directory of the files of shm_open(3) */

static bool is_shared_memory(const char *path)
{
	return span_starts(span_of_string(path), SHARED_MEMORY "/");
}

static void read_left(struct map *out, const struct call_history *h)
{
	map_init(out, sizeof(struct call_path), sizeof(struct left_files), DIRECTORIES_MAX);
	map_for_each (&h->files, const struct call_path *, path, const struct call_file *, f) {
		const char *slash = strrchr(path->text, '/');
		struct call_path folder = { { 0 } };
		struct left_files *l;

		if (f->kind != FD_FOLLOWED_FILE || !slash || slash == path->text ||
			!is_temporary(path->text, slash + 1) ||
			!(f->contents.there_bytes ||
				(f->contents.is_made && is_shared_memory(path->text))))
			continue;
		memcpy(folder.text, path->text, (size_t)(slash - path->text));
		l = map_put(out, &folder, NULL);
		if (!l)
			continue;
		l->count++;
		l->bytes += f->contents.there_bytes;
		l->path = path->text;
		l->is_memory = is_shared_memory(path->text);
	}
}

static double weigh_left_files(const void *key, const void *value, const void *user)
{
	const struct left_files *l = value;
	double least = check_option(user, l->is_memory ? "min-memory-files" : "min-files");

	(void)key;
	return (double)l->count >= least ? (double)l->count : 0;
}

/* Returns whether another process may remove the files, by the inodes of the file system. Those of
 * shared memory are known only if the process has such a file open. */
static bool are_removed(const struct check *e, const struct left_files *l, bool *is_known)
{
	const struct fds_filesystem *space =
		file_space_of_path(check_last(e, &e->input->fds), l->path);
	double taken = 0;

	if (l->is_memory && space && !span_equal(file_space_point(space), SHARED_MEMORY))
		space = NULL;
	*is_known = space && file_space_inodes_taken(e, space, &taken);
	return *is_known && taken < REMOVED_SHARE * (double)l->count;
}

static void report_left(const struct check *e, struct check_result *out, const char *folder,
	const struct left_files *l, bool is_known)
{
	finding_begin(out, is_known ? FINDING_CONFIDENCE_MEDIUM : FINDING_CONFIDENCE_LOW, folder);
	finding_severity(out, FINDING_LOW);
	finding_path(out, span_of_string(l->path));
	finding_claim(out, "leaves %s behind: %.1f new a second in %s, none removed",
		l->is_memory ? "shared memory" : "temporary files",
		check_calls_rate(e, (double)l->count), folder);
	finding_calls_count(out, "files", l->count);
	if (l->bytes)
		finding_number(out, "written to them", (double)l->bytes, SOOTH_UNIT_BYTES,
			e->calls.interval_ns);
	else
		finding_unseen(out, "how large they are: no call wrote to them");
	finding_text(out, "for example", "%s", l->path);
	if (!is_known)
		finding_unseen(out, "whether another process removes them");
	check_calls_unseen(e, out);
	if (l->is_memory)
		finding_remedy(out,
			"it is memory until it is removed: shm_unlink() (unlink() in Python) when "
			"the last user is done; du -ah %s | sort -h | tail shows what is there",
			folder);
	else if (escape_is_shell_word(folder, strlen(folder)))
		finding_remedy(out,
			"remove each file when it is done with; find %s -maxdepth 1 -type f | wc "
			"-l counts what is there",
			folder);
	else
		finding_remedy(out, "remove each file when it is done with");
}

size_t left_files_report(const struct check *e, struct check_result *out)
{
	struct check_ranked top;
	bool is_known = false;
	size_t count;
	struct map all;

	assert(e);
	read_left(&all, e->calls.history);
	count = check_rank(&all, weigh_left_files, e, &top, 1);
	if (count && are_removed(e, top.value, &is_known))
		count = 0;
	if (count)
		report_left(e, out, ((const struct call_path *)top.key)->text, top.value, is_known);
	map_fini(&all);
	return count;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* filling-up: the files that a process writes grow so fast that their file system is full soon,
 * or grow on a file system that is nearly full. Less severe: a deleted file that du does not
 * show, files in memory that the size of no process shows, and a log that fills its file system
 * in hours. */
#include <string.h>

#include "analyze/evidence/file_space.h"
#include "analyze/evidence/made_files.h"
#include "base/cleanup.h"
#include "base/sentence_units.h"

#define SHOWN_MAX	      4
#define FILE_GROWTH_OF_MEMORY UINT32_MAX /* the key of files in memory, which have no mount */
#define MOUNTS_MAX	      256
#define FILES_MAX	      65536

#define O_APPEND_LINUX 02000

NUMBER(SPARSE_PART, 4, NONE, "of what grew, the file system lost less than this part");

/* --- what was written to each file system --- */

/* The sizes of open files are compared at both ends of the observation. A file that is emptied or
 * overwritten meanwhile does not grow, whatever its sizes are at these two moments; only the calls
 * show that. */

struct file_growth {
	const struct fds_filesystem *space; /* NULL: memory files */
	uint64_t gained_bytes;
	uint64_t files;
	/* The file that grew most. */
	uint64_t most_bytes, size_bytes;
	struct call_path path;
	bool is_deleted;
	bool is_open;		/* false: it was written to and closed */
	bool is_append;		/* opened to append, as logs are */
	uint64_t written_bytes; /* part of gained_bytes that writes added, not truncate */
	uint32_t fd;
	uint64_t interval_ns;
};

struct file_key {
	uint64_t inode;
	uint32_t device_major, device_minor;
};

struct first_size {
	uint64_t bytes;
	bool is_known, is_counted; /* is_counted: by another descriptor */
};

struct look_at_sizes {
	struct map *out;
	const struct call_history *calls;
	const struct snapshot *last;
	struct map files; /* file_key -> struct first_size */
	struct map open;  /* call_path of a file that is open at the end -> uint8_t */
	uint64_t interval_ns;
};

static bool is_written(const struct fds_descriptor *d)
{
	bool is_file = d->type == FDS_FILE || d->type == FDS_DELETED || d->type == FDS_MEMFD;

	return is_file && d->size_state == SOOTH_STATE_VALUE && !d->inode_state &&
	       !d->flags_state && (d->access == FDS_ACCESS_WRITE || d->access == FDS_ACCESS_BOTH);
}

static struct file_key file_key_of(const struct fds_descriptor *d)
{
	return (struct file_key){ d->inode, d->device_major, d->device_minor };
}

static void read_first_sizes(struct look_at_sizes *l, const struct snapshot *first)
{
	snapshot_each (struct fds_descriptor, d, first, FDS_DESCRIPTOR) {
		struct file_key key = file_key_of(d);
		struct first_size *size = is_written(d) ? map_put(&l->files, &key, NULL) : NULL;

		if (size)
			*size = (struct first_size){ .bytes = d->size_bytes, .is_known = true };
	}
}

static const struct call_contents *contents_of(
	const struct look_at_sizes *l, const struct call_path *path)
{
	const struct call_file *f = l->calls ? map_get(&l->calls->files, path) : NULL;

	return f && f->moves[CALL_WRITTEN].calls ? &f->contents : NULL;
}

/* Returns whether at least as many bytes were replaced or overwritten as the file has. */
static bool is_rewritten(const struct call_contents *c)
{
	return c && c->replaced_bytes + c->overwritten_bytes >= c->there_bytes &&
	       c->replaced_bytes + c->overwritten_bytes;
}

static void add_growth(struct look_at_sizes *l, uint32_t mount, const struct file_growth *one)
{
	struct file_growth *g = one->most_bytes ? map_put(l->out, &mount, NULL) : NULL;
	struct file_growth sum;

	if (!g)
		return;
	sum = one->most_bytes > g->most_bytes ? *one : *g;
	sum.gained_bytes = g->gained_bytes + one->most_bytes;
	sum.written_bytes = g->written_bytes + one->written_bytes;
	sum.files = g->files + 1;
	sum.interval_ns = l->interval_ns;
	*g = sum;
}

static uint64_t bytes_gained(const struct fds_descriptor *d, const struct first_size *before,
	const struct call_contents *c)
{
	if (is_rewritten(c))
		return 0;
	if (before->is_known)
		return d->size_bytes > before->bytes ? d->size_bytes - before->bytes : 0;
	/* The file was opened after the first sample: only the calls show how much of it is new. */
	return c ? (c->there_bytes < d->size_bytes ? c->there_bytes : d->size_bytes) : 0;
}

/* Returns the written bytes of a gain. Memory files are not followed by name. Their position shows
 * how they were filled: writes leave it at the end of the file, while a file whose size was set and
 * that is filled through a mapping keeps its position. */
static uint64_t bytes_written(
	const struct fds_descriptor *d, const struct call_contents *c, uint64_t gained)
{
	if (d->type == FDS_MEMFD)
		return d->offset >= d->size_bytes ? gained : 0;
	return !c ? 0 : c->there_bytes < gained ? c->there_bytes : gained;
}

static void add_open_file(struct look_at_sizes *l, const struct fds_descriptor *d)
{
	struct file_growth one = { .size_bytes = d->size_bytes, .fd = d->fd, .is_open = true };
	bool is_memory = d->type == FDS_MEMFD;
	struct file_key key = file_key_of(d);
	struct first_size *before = map_put(&l->files, &key, NULL);
	const struct call_contents *c;

	one.path = call_path_key(record_text(&d->record, &d->path));
	map_put(&l->open, &one.path, NULL);
	if (!before || before->is_counted)
		return;
	before->is_counted = true;
	one.is_deleted = d->type == FDS_DELETED || (!d->deleted_state && d->is_deleted);
	one.is_append = (d->flags & O_APPEND_LINUX) != 0;
	c = contents_of(l, &one.path);
	one.most_bytes = bytes_gained(d, before, c);
	one.written_bytes = bytes_written(d, c, one.most_bytes);
	one.space = is_memory ? NULL : file_space_of_mount(l->last, d->mount);
	if (one.space || is_memory)
		add_growth(l, is_memory ? FILE_GROWTH_OF_MEMORY : d->mount, &one);
}

/* Finds the file system of the file; NULL and true: memory, or a tmpfs that was not measured. */
static bool find_space(
	const struct look_at_sizes *l, const char *path, const struct fds_filesystem **space)
{
	bool is_shared_memory = call_is_in_shared_memory(path);

	*space = file_space_of_path(l->last, path);
	if (is_shared_memory && *space && !(*space)->is_memory)
		*space = NULL;
	return *space ? call_takes_space(path) : is_shared_memory;
}

static void add_closed_files(struct look_at_sizes *l)
{
	map_for_each_key (map_while(l->calls, &l->calls->files), const void *, key) {
		const struct call_contents *c = contents_of(l, key);
		struct file_growth one = { .path = *(const struct call_path *)key };

		if (!c || is_rewritten(c) || map_get(&l->open, key) ||
			!find_space(l, one.path.text, &one.space))
			continue;
		one.most_bytes = one.written_bytes = c->there_bytes;
		one.size_bytes = c->end;
		add_growth(l, one.space ? one.space->mount : FILE_GROWTH_OF_MEMORY, &one);
	}
}

static void compare_sizes(struct look_at_sizes *l, const struct snapshot *first)
{
	map_init(&l->files, sizeof(struct file_key), sizeof(struct first_size), FILES_MAX);
	map_init(&l->open, sizeof(struct call_path), 1, FILES_MAX);
	read_first_sizes(l, first);
	snapshot_each (struct fds_descriptor, d, l->last, FDS_DESCRIPTOR) {
		if (is_written(d))
			add_open_file(l, d);
	}
	add_closed_files(l);
	map_fini(&l->files);
	map_fini(&l->open);
}

/* Fills `out` with uint32_t mount -> struct file_growth. `calls` may be NULL. False: the
 * descriptors were not listed twice. Call map_fini() afterwards in any case. */
static bool file_growth_read(
	struct map *out, const struct check *e, const struct call_history *calls)
{
	struct look_at_sizes l = {
		.out = out, .calls = calls, .last = check_last(e, &e->input->fds)
	};
	const struct fds_process *end = snapshot_end(l.last, sizeof(*end));

	map_init(out, sizeof(uint32_t), sizeof(struct file_growth), MOUNTS_MAX);
	l.interval_ns = check_interval_ns(e, &e->input->fds);
	if (!l.interval_ns || end->descriptors_state > SOOTH_STATE_TRUNCATED)
		return false;
	compare_sizes(&l, check_first(e, &e->input->fds));
	return true;
}

static const struct finding_option options[] = {
	TIME_THRESHOLD(
		"max-time", 300e9, 1e9, 86400e9, "maximum time until the file system is full"),
	TIME_THRESHOLD("max-time-high", 60e9, 0, 86400e9,
		"maximum time until the file system is full, for severity high"),
	BYTES_THRESHOLD(
		"min-gain", 1 << 20, 1, 1e15, "minimum growth of its files during the observation"),
	UNLISTED_PERCENT("nearly-full", 95, 1, 100,
		"minimum percentage in use of a nearly full file system"),
	UNLISTED_BYTES(
		"max-left", 1 << 30, 1, 1e15, "maximum bytes left on a nearly full file system"),
	UNLISTED_BYTES("deleted-rate", 512 << 10, 1, 1e12,
		"minimum growth per second of a deleted file, or of files in memory, reported "
		"whatever the space left"),
	UNLISTED_BYTES("deleted-size", 16 << 20, 1, 1e15,
		"minimum size of such a deleted file, and growth of such files in memory"),
	UNLISTED_BYTES("append-rate", 1 << 20, 1, 1e12,
		"minimum growth per second of a file that is appended to, for severity info "
		"whatever the space left"),
	UNLISTED_TIME("append-time", 86400e9, 1e9, 1e15,
		"maximum time until such a file fills its file system"),
	UNLISTED("min-files", 20, 1, 1e9,
		"minimum number of temporary files made in one directory and not removed"),
	UNLISTED("min-memory-files", 5, 1, 1e9,
		"the same of shared memory (/dev/shm), also if its size is set and nothing "
		"written"),
	UNLISTED_BYTES(
		"log-rate", 64 << 10, 1, 1e12, "the same growth per second of a deleted log"),
	UNLISTED_BYTES("log-size", 1 << 20, 1, 1e15, "minimum size of a deleted log"),
};

static double per_s(const struct file_growth *g, uint64_t bytes)
{
	return (double)bytes * (double)NS_PER_S / (double)g->interval_ns;
}

static double rate_of(const struct file_growth *g)
{
	return per_s(g, g->gained_bytes);
}

static bool is_on_disk(const struct file_growth *g)
{
	return g->space && !g->space->is_memory;
}

/* Returns the bytes that can still be written; negative: unknown. Files in memory need memory too.
 */
static double bytes_left(const struct check *e, const struct file_growth *g)
{
	const struct host_memory *memory = &e->input->memory;
	bool has_memory = memory->record.time_ns && memory->available_state == SOOTH_STATE_VALUE;
	double of_memory = has_memory ? (double)memory->available_bytes : -1, of_space;

	if (!g->space)
		return of_memory;
	of_space = file_space_is_measured(g->space) ? (double)g->space->available_bytes : -1;
	return g->space->is_memory && has_memory && of_memory < of_space ? of_memory : of_space;
}

static bool is_sparse(const struct check *e, const struct file_growth *g)
{
	const struct snapshot *first = check_first(e, &e->input->fds);
	const struct fds_filesystem *before =
		g->space ? file_space_of_mount(first, g->space->mount) : NULL;

	/* Free space proves nothing alone: other processes may free some. Bytes that calls wrote
	 * are not a hole. */
	return file_space_is_measured(before) && g->written_bytes < g->gained_bytes / SPARSE_PART &&
	       before->free_bytes < g->space->free_bytes + g->gained_bytes / SPARSE_PART;
}

static bool will_fill_soon(const struct check *e, const struct file_growth *g, double left)
{
	double most_ns = check_option(e, "max-time");
	double reach_ns = growth_foresight_ns(g->interval_ns);

	return check_is_over(e, "min-gain", g->gained_bytes, g->path.text) &&
	       left * (double)NS_PER_S <= rate_of(g) * (most_ns < reach_ns ? most_ns : reach_ns);
}

static bool is_nearly_full(const struct check *e, const struct file_growth *g, double left)
{
	return g->space && left <= check_option(e, "max-left") &&
	       file_space_used(g->space) >= check_option(e, "nearly-full");
}

static bool is_deleted_and_grows(const struct check *e, const struct file_growth *g)
{
	bool is_log = g->is_append || strstr(g->path.text, ".log");

	return g->is_deleted && g->is_open && is_on_disk(g) &&
	       g->size_bytes >= check_option(e, is_log ? "log-size" : "deleted-size") &&
	       check_is_over(e, is_log ? "log-rate" : "deleted-rate", per_s(g, g->most_bytes),
		       g->path.text);
}

static bool is_appended(const struct check *e, const struct file_growth *g, double left)
{
	return g->is_append && !g->is_deleted && is_on_disk(g) &&
	       left * (double)NS_PER_S <= rate_of(g) * check_option(e, "append-time") &&
	       check_is_over(e, "append-rate", per_s(g, g->most_bytes), g->path.text);
}

/* Returns whether the file is memory that the size of no process shows. Only writes count: the size
 * of shared memory is often set long before it is used. On another tmpfs files are as ordinary as
 * on a disk. */
static bool is_kept_in_memory(const struct check *e, const struct file_growth *g)
{
	bool is_hidden =
		!g->space ||
		(g->space->is_memory &&
			(g->is_deleted || span_equal(file_space_point(g->space), "/dev/shm")));

	return is_hidden && g->written_bytes >= check_option(e, "deleted-size") &&
	       check_is_over(e, "deleted-rate", rate_of(g), g->path.text);
}

enum filling {
	FILLING_NOTHING,
	FILLING_APPENDED,
	FILLING_DELETED,
	FILLING_MEMORY,
	FILLING_NEARLY_FULL,
	FILLING_SOON,
};

static enum filling filling_of(const struct check *e, const struct file_growth *g)
{
	double left = bytes_left(e, g);

	if (left < 0 || is_sparse(e, g))
		return FILLING_NOTHING;
	if (will_fill_soon(e, g, left))
		return FILLING_SOON;
	if (is_nearly_full(e, g, left))
		return FILLING_NEARLY_FULL;
	if (is_deleted_and_grows(e, g))
		return FILLING_DELETED;
	if (is_kept_in_memory(e, g))
		return FILLING_MEMORY;
	return is_appended(e, g, left) ? FILLING_APPENDED : FILLING_NOTHING;
}

/* Weighs a file system: the less time is left, the heavier. */
static double weigh_file_system(const void *key, const void *value, const void *user)
{
	const struct check *e = user;
	const struct file_growth *g = value;

	(void)key;
	return filling_of(e, g) == FILLING_NOTHING ? 0 : rate_of(g) / (bytes_left(e, g) + 1);
}

static struct span place_of(const struct file_growth *g)
{
	return g->space ? file_space_point(g->space) : span_of_string("memory");
}

static void emit_claim(
	struct check_result *out, const struct file_growth *g, enum filling filling, double left)
{
	const char *path = g->path.text, *grow = g->files > 1 ? "grow" : "grows";
	char rate[UNITS_SIZE], used[FILE_SPACE_TEXT];
	_cleanup_(buffer_fini) struct buffer file = { 0 };

	buffer_format(&file, "%s%s", path, g->is_deleted ? " (deleted)" : "");
	if (g->files > 1)
		buffer_format(&file, " and %llu more file%s", (unsigned long long)g->files - 1,
			g->files == 2 ? "" : "s");
	sentence_size(rate, (uint64_t)rate_of(g));
	if (filling == FILLING_DELETED)
		finding_claim(out,
			"writes %s a second to a deleted file, %s: its space is not given back "
			"until it is closed",
			SENTENCE_SIZE((uint64_t)per_s(g, g->most_bytes)), path);
	else if (filling == FILLING_MEMORY)
		finding_claim(out,
			"adds %s a second to %s, %s in memory: this memory is not counted as "
			"memory of the process",
			rate, buffer_cstr(&file), g->files > 1 ? "files" : "a file");
	else if (filling == FILLING_NEARLY_FULL)
		finding_claim(out,
			"writes to a nearly full file system: %.*s is %s, %s left; %s %s",
			SPAN_ARGS(place_of(g)), file_space_text(g->space, used),
			SENTENCE_SIZE((uint64_t)left), buffer_cstr(&file), grow);
	else
		finding_claim(out, "fills %.*s: %s %s by %s a second; full in %s",
			SPAN_ARGS(place_of(g)), buffer_cstr(&file), grow, rate,
			SENTENCE_DURATION((uint64_t)(left / rate_of(g) * (double)NS_PER_S)));
}

static void put_remedy(const struct check *e, struct check_result *out, const struct file_growth *g)
{
	char command[FILE_SPACE_COMMAND];

	if (!g->space && !g->is_open)
		finding_remedy(out, "remove what is not needed: du -ah /dev/shm | sort -h | tail");
	else if (g->is_deleted || !g->space)
		finding_remedy(out,
			"%s: its space is free when the process closes it or exits (sooth inspect "
			"--fds %u)",
			g->space ? "the file is deleted but open" : "the file has no name",
			e->id.pid);
	else
		finding_remedy(out,
			"stop or limit what it writes (sooth trace --io -p %u); free space: %s",
			e->id.pid, file_space_command(g->space, command));
}

static void report_growth(
	const struct check *e, struct check_result *out, const struct file_growth *g)
{
	bool is_exact = !e->calls.is_sampled && !e->calls.lost;
	enum filling filling = filling_of(e, g);
	double left = bytes_left(e, g);

	finding_begin(out, e->calls.is_read ? confidence_high_if(is_exact) : FINDING_CONFIDENCE_LOW,
		g->path.text);
	if (left * (double)NS_PER_S <= rate_of(g) * check_option(e, "max-time-high"))
		finding_severity(out, FINDING_HIGH);
	else if (filling < FILLING_NEARLY_FULL)
		finding_severity(out, filling == FILLING_APPENDED ? FINDING_INFO : FINDING_LOW);
	if (g->is_open)
		finding_descriptor(out, g->fd);
	finding_path(out, span_of_string(g->path.text));
	emit_claim(out, g, filling, left);
	finding_text(out, "file", "%s%s", g->path.text,
		g->is_deleted ? " (deleted)"
		: !g->is_open ? " (closed)"
			      : "");
	finding_rate(out, "growth", rate_of(g), SOOTH_UNIT_BYTES, g->interval_ns);
	finding_text(out, "file system", "%.*s%s", SPAN_ARGS(place_of(g)),
		g->space && g->space->is_memory ? " (in memory)" : "");
	finding_number(out, "space left", left, SOOTH_UNIT_BYTES, 0);
	finding_number(out, "time until it is full", left / rate_of(g) * (double)NS_PER_S,
		SOOTH_UNIT_NS, 0);
	if (g->space)
		finding_percent(out, "used", file_space_used(g->space), 0);
	finding_number(out, "gained", (double)g->gained_bytes, SOOTH_UNIT_BYTES, g->interval_ns);
	finding_bytes(out, "size of the file", g->size_bytes);
	if (g->files > 1)
		finding_count(out, "files that grew", g->files, 0);
	if (e->calls.is_read)
		check_calls_unseen(e, out);
	else
		finding_unseen(out, "whether the file is emptied from time to time, and files that "
				    "were closed: calls were not observed");
	put_remedy(e, out, g);
}

static void report_fine(struct check_result *out, const struct map *all)
{
	uint64_t gained = 0, interval_ns = 0;

	map_for_each_value (all, const struct file_growth *, value) {
		gained += value->gained_bytes;
		interval_ns = value->interval_ns;
	}
	if (gained)
		check_fine(out, "its files grew by %s in %s", SENTENCE_SIZE(gained),
			SENTENCE_DURATION(interval_ns));
	else
		check_fine(out, "no file of it grew");
}

static void diagnose(const struct check *e, struct check_result *out)
{
	struct check_ranked top[SHOWN_MAX];
	struct map all;
	size_t count = 0;

	if (file_growth_read(&all, e, e->calls.is_read ? e->calls.history : NULL)) {
		count = check_rank(&all, weigh_file_system, e, top, SHOWN_MAX);
		for (size_t i = 0; i < count; i++)
			report_growth(e, out, top[i].value);
		if (e->calls.is_read)
			count += inode_use_report(e, out, check_option(e, "max-time"),
				check_option(e, "max-time-high"));
		if (e->calls.is_read && !count)
			count = left_files_report(e, out);
		if (!count)
			report_fine(out, &all);
	} else {
		check_blind(out, SOOTH_NOT_MEASURED(SOOTH_REASON_INTERVAL));
	}
	map_fini(&all);
}

const struct finding_detector finding_filling_up = { diagnose, FINDING_OPTIONS(options) };

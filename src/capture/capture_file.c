/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading by index; see capture_file.h. An index is not trusted about a block: the header of each
 * block that is read is checked. */
#include "capture/capture_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/cursor.h"
#include "base/read_at.h"
#include "capture/index.h"

/* --- index places --- */

/* The places of the indexes in a file, and the bytes that each covers. They are found from the end:
 * each index ends with its own length and covers the blocks since the index before. If an index is
 * missing, because a writer was killed or bytes are damaged, the last bytes of an index are
 * searched for as far back as a segment reaches; the bytes between have no index. */

struct index_place {
	uint64_t begin;	 /* begin of the covered blocks */
	uint64_t offset; /* end of these blocks, and begin of the index */
	uint64_t end;	 /* end of the index */
};

#define INDEXES_MAX  65536	 /* of one file; a writer's are 64 MiB or 65536 blocks apart */
#define SEARCH_BYTES (80u << 20) /* a segment and the end of the previous one */
#define WINDOW_BYTES (1u << 20)

/* Reads an index. Its length is in a checked header, so it is bounded. */
static bool index_load(
	int fd, uint64_t offset, uint64_t end, struct index_view *v, unsigned char **block)
{
	unsigned char bytes[sizeof(struct block_header)];
	struct block_header h;

	*block = NULL;
	if (end - offset < sizeof(bytes) || !read_all_at(fd, bytes, sizeof(bytes), offset) ||
		!block_header_read(&h, bytes, sizeof(bytes)))
		return false;
	if (h.type != BLOCK_INDEX || h.codec != CODEC_NONE || h.stored_bytes != h.raw_bytes ||
		block_bytes(&h) > end - offset)
		return false;
	*block = malloc(h.stored_bytes);
	return *block && read_all_at(fd, *block, h.stored_bytes, offset + sizeof(h)) &&
	       block_payload_holds(&h, *block) && index_parse(v, *block, h.stored_bytes) &&
	       v->head.bytes <= offset;
}

/* Finds the index that ends at `end`. */
static bool find_at(int fd, uint64_t end, struct index_place *place)
{
	unsigned char trailer[INDEX_TRAILER_SIZE];
	_cleanup_free_ unsigned char *block = NULL;
	struct index_view v;
	uint64_t size;

	if (end < sizeof(trailer) ||
		!read_all_at(fd, trailer, sizeof(trailer), end - sizeof(trailer)))
		return false;
	size = index_size_in_trailer(trailer);
	if (size < sizeof(struct block_header) || size > end ||
		!index_load(fd, end - size, end, &v, &block))
		return false;
	*place = (struct index_place){ end - size - v.head.bytes, end - size, end };
	return true;
}

/* Returns the number of bytes up to the end of the last whole trailer; 0: there is no trailer. */
static size_t last_trailer(const unsigned char *bytes, size_t size)
{
	const unsigned char *last;

	while (size >= INDEX_TRAILER_SIZE) {
		last = (const unsigned char *)span_last(
			span_of((const char *)bytes, size), INDEX_MAGIC[INDEX_MAGIC_SIZE - 1]);
		if (!last)
			break;
		size = (size_t)(last - bytes) + 1;
		if (size >= INDEX_TRAILER_SIZE &&
			index_size_in_trailer(bytes + size - INDEX_TRAILER_SIZE))
			return size;
		size--;
	}
	return 0;
}

/* Finds the last index that ends before `end`, if it is not too far away. */
static bool find_before(int fd, uint64_t end, struct index_place *place)
{
	uint64_t stop = end > SEARCH_BYTES ? end - SEARCH_BYTES : 0;
	_cleanup_free_ unsigned char *bytes = malloc(WINDOW_BYTES);

	while (bytes && end - stop >= INDEX_TRAILER_SIZE) {
		uint64_t begin = end - stop > WINDOW_BYTES ? end - WINDOW_BYTES : stop;
		size_t size = (size_t)(end - begin);

		if (!read_all_at(fd, bytes, size, begin))
			return false;
		while ((size = last_trailer(bytes, size))) {
			if (find_at(fd, begin + size, place))
				return true;
			size--;
		}
		if (begin == stop)
			return false;
		end = begin + INDEX_TRAILER_SIZE - 1; /* a trailer may cross the edge */
	}
	return false;
}

/* Appends the places in a file of `bytes` bytes, the last one first. Appends none when there are
 * too many, or memory fails. */
static void index_find(int fd, uint64_t bytes, struct buffer *places)
{
	uint64_t end = bytes;
	struct index_place place;
	size_t count = 0;

	while (end && (find_at(fd, end, &place) || find_before(fd, end, &place))) {
		buffer_append(places, &place, sizeof(place));
		end = place.begin;
		if (++count > INDEXES_MAX || buffer_failed(places)) {
			buffer_reset(places);
			return;
		}
	}
}

/* --- capture file --- */

#define GAP_READ_BYTES (256u << 10)
#define BUCKETS_MAX    (1u << 20) /* with more, the whole file is read */

struct bucket {
	uint64_t offset;
	uint64_t bytes;
};

int capture_file_open(struct capture_file *f, const char *path, struct sooth_error *err)
{
	struct stat st;
	int status;

	assert(f);
	*f = (struct capture_file){ .path = path, .fd = STDIN_FILENO };
	if (!strcmp(path, "-"))
		return 0;
	f->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (f->fd < 0) {
		status = error_errno(err, -errno, "open the capture %s", path);
		if (err && err->fault == SOOTH_FAULT_PRIVILEGE)
			err->fault = SOOTH_FAULT_IO; /* no privilege of sooth would help */
		return status;
	}
	if (!fstat(f->fd, &st) && S_ISREG(st.st_mode))
		f->bytes = (uint64_t)st.st_size;
	return 0;
}

/* --- the indexes --- */

static const struct index_place *index_places(const struct capture_file *f, size_t *count)
{
	*count = f->places.size / sizeof(struct index_place);
	return (const void *)f->places.data;
}

bool capture_file_is_indexed(struct capture_file *f)
{
	if (!f->places.size)
		index_find(f->fd, f->bytes, &f->places);
	return f->places.size > 0;
}

/* Callbacks for the ranges of a file, in order: blocks listed by an index, and other bytes, which
 * may hold anything. */
struct visitor {
	bool (*index)(
		struct capture_file *f, void *user, const struct index_view *v, uint64_t offset);
	bool (*gap)(struct capture_file *f, void *user, uint64_t offset, uint64_t bytes);
};

static bool visit_indexes(struct capture_file *f, const struct visitor *visitor, void *user)
{
	bool is_good = capture_file_is_indexed(f);
	size_t count;
	const struct index_place *p = index_places(f, &count);
	uint64_t at = 0;

	while (count-- > 0 && is_good) {
		_cleanup_free_ unsigned char *block = NULL;
		struct index_view v;

		if (p[count].begin > at)
			is_good = visitor->gap(f, user, at, p[count].begin - at);
		is_good = is_good && index_load(f->fd, p[count].offset, p[count].end, &v, &block) &&
			  visitor->index(f, user, &v, p[count].begin);
		at = p[count].end;
	}
	return is_good && (at == f->bytes || visitor->gap(f, user, at, f->bytes - at));
}

static bool survey_index(
	struct capture_file *f, void *user, const struct index_view *v, uint64_t offset)
{
	(void)f;
	(void)offset;
	index_survey(v, user);
	return true;
}

static int survey_one(void *user, const struct block *block, struct sooth_error *err)
{
	(void)err;
	survey_block(user, block);
	return 0;
}

static bool survey_gap(struct capture_file *f, void *user, uint64_t offset, uint64_t bytes)
{
	_cleanup_free_ unsigned char *piece = malloc(GAP_READ_BYTES);
	struct block_reader reader = { 0 };
	struct survey *s = user;
	bool is_good = piece != NULL;

	s->has_gaps = true;
	for (uint64_t size; is_good && bytes; offset += size, bytes -= size) {
		size = bytes < GAP_READ_BYTES ? bytes : GAP_READ_BYTES;
		is_good = read_all_at(f->fd, piece, size, offset) &&
			  !block_reader_feed(&reader, piece, size, survey_one, s, NULL);
	}
	is_good = is_good && !block_reader_finish(&reader, survey_one, s, NULL);
	block_reader_fini(&reader);
	return is_good;
}

bool capture_file_survey(struct capture_file *f, struct survey *s)
{
	static const struct visitor surveyor = { survey_index, survey_gap };

	assert(f);
	assert(s);
	if (!visit_indexes(f, &surveyor, s) || s->failed) {
		survey_fini(s);
		return false;
	}
	s->file_bytes = f->bytes;
	s->is_indexed = true;
	return true;
}

/* --- choosing --- */

struct choice {
	entry_chooser choose;
	void *user;
	/* Waits for a watermark: without one a merge would have to keep the chosen records. */
	bool is_waiting;
};

static bool is_entry_chosen(struct choice *c, const struct index_entry *e)
{
	bool is_selected = c->choose(c->user, e) || (c->is_waiting && e->flags & INDEX_PROMISES);

	if (is_selected)
		c->is_waiting = !(e->flags & INDEX_PROMISES);
	return is_selected;
}

static bool is_block_as_indexed(
	const struct capture_file *f, const struct index_entry *e, uint64_t offset)
{
	unsigned char bytes[sizeof(struct block_header)];
	struct block_header h;

	return read_all_at(f->fd, bytes, sizeof(bytes), offset) &&
	       block_header_read(&h, bytes, sizeof(bytes)) && block_bytes(&h) == e->bytes &&
	       h.type == e->type && h.source == e->source && h.records == e->records &&
	       h.first_ns == e->first_ns && h.last_ns == e->last_ns;
}

static void add_bucket(struct capture_file *f, uint64_t offset, uint64_t bytes)
{
	struct bucket *last = NULL;

	if (f->stretches.size)
		last = (struct bucket *)(void *)(f->stretches.data + f->stretches.size) - 1;
	if (last && last->offset + last->bytes == offset)
		last->bytes += bytes;
	else
		buffer_append(
			&f->stretches, &(struct bucket){ offset, bytes }, sizeof(struct bucket));
}

static bool choose_blocks(
	struct capture_file *f, void *user, const struct index_view *v, uint64_t offset)
{
	struct choice *c = user;

	for (uint32_t i = 0; i < v->head.entries; i++) {
		struct index_entry e = index_entry_at(v, i);

		if (is_entry_chosen(c, &e)) {
			if (!is_block_as_indexed(f, &e, offset))
				return false;
			add_bucket(f, offset, e.bytes);
		}
		offset += e.bytes;
	}
	return !buffer_failed(&f->stretches) &&
	       f->stretches.size <= BUCKETS_MAX * sizeof(struct bucket);
}

static bool choose_gap(struct capture_file *f, void *user, uint64_t offset, uint64_t bytes)
{
	struct choice *c = user;

	add_bucket(f, offset, bytes);
	c->is_waiting = true; /* the last block of the file may have no watermark */
	return true;
}

bool capture_file_choose(struct capture_file *f, entry_chooser choose, void *user)
{
	static const struct visitor chooser = { choose_blocks, choose_gap };
	struct choice c = { choose, user, false };

	assert(f);
	buffer_reset(&f->stretches);
	f->is_chosen = visit_indexes(f, &chooser, &c);
	f->at = 0;
	f->done = 0;
	return f->is_chosen;
}

/* --- reading --- */

static ssize_t read_chosen(struct capture_file *f, void *data, size_t size)
{
	const struct bucket *all = (const void *)f->stretches.data;
	ssize_t got = 0;

	while (f->at < f->stretches.size / sizeof(*all)) {
		uint64_t left = all[f->at].bytes - f->done;

		got = pread(f->fd, data, left < size ? left : size,
			(off_t)(all[f->at].offset + f->done));
		if (got > 0)
			f->done += (uint64_t)got;
		if (got < 0 || (got && f->done < all[f->at].bytes))
			break;
		f->at++; /* the range is done, or the file has become shorter */
		f->done = 0;
		if (got)
			break;
	}
	return got;
}

ssize_t capture_file_read(struct capture_file *f, void *data, size_t size, struct sooth_error *err)
{
	assert(f);

	ssize_t got = f->is_chosen ? read_chosen(f, data, size) : read(f->fd, data, size);

	return got < 0 ? error_errno(err, -errno, "read the capture %s", f->path) : got;
}

bool capture_file_rewind(struct capture_file *f)
{
	assert(f);
	f->is_chosen = false;
	return f->bytes && !lseek(f->fd, 0, SEEK_SET);
}

void capture_file_close(struct capture_file *f)
{
	assert(f);
	if (f->path && strcmp(f->path, "-") && f->fd >= 0)
		close(f->fd);
	buffer_fini(&f->places);
	buffer_fini(&f->stretches);
	*f = (struct capture_file){ .fd = -1 };
}

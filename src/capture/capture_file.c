/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading by index; see capture_file.h. The indexes are found from the end of the file: each ends
 * with its own length, and what it tells of begins where the index before it ends. Nothing they
 * say is used to get memory, or believed of a block that is read without looking at its header.
 */
#include "capture/capture_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define INDEXES_MAX   65536	 /* of one file; a writer's are 64 MiB or 65536 blocks apart */
#define STRETCHES_MAX (1u << 20) /* beyond that all is read */

struct stretch {
	uint64_t offset;
	uint64_t bytes;
};

int capture_file_open(struct capture_file *f, const char *path, struct sooth_error *err)
{
	struct stat st;
	int status;

	*f = (struct capture_file){ .path = path, .fd = STDIN_FILENO };
	if (!strcmp(path, "-"))
		return 0;
	f->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (f->fd < 0) {
		status = error_errno(err, -errno, "open the capture %s", path);
		if (err && err->fault == SOOTH_FAULT_PRIVILEGE)
			err->fault = SOOTH_FAULT_IO; /* nothing sooth could be given helps */
		return status;
	}
	if (!fstat(f->fd, &st) && S_ISREG(st.st_mode))
		f->bytes = (uint64_t)st.st_size;
	return 0;
}

static bool read_at(const struct capture_file *f, void *data, size_t size, uint64_t offset)
{
	unsigned char *to = data;

	while (size) {
		ssize_t got = pread(f->fd, to, size, (off_t)offset);

		if (got <= 0)
			return false;
		to += got;
		size -= (size_t)got;
		offset += (size_t)got;
	}
	return true;
}

/* --- the indexes --- */

/* The index block at that place, taken apart; `block` is to be freed by the caller also when it is
 * none. Its length stands in a header that was found good, so it is bounded. */
static bool load_index(const struct capture_file *f, uint64_t offset, uint64_t end,
	struct index_view *v, unsigned char **block)
{
	unsigned char bytes[sizeof(struct block_header)];
	struct block_header h;

	*block = NULL;
	if (end - offset < sizeof(bytes) || !read_at(f, bytes, sizeof(bytes), offset) ||
		!block_header_read(&h, bytes, sizeof(bytes)))
		return false;
	if (h.type != BLOCK_INDEX || h.codec != CODEC_NONE || h.stored_bytes != h.raw_bytes ||
		block_bytes(&h) > end - offset)
		return false;
	*block = malloc(h.stored_bytes);
	return *block && read_at(f, *block, h.stored_bytes, offset + sizeof(h)) &&
	       block_payload_holds(&h, *block) && index_parse(v, *block, h.stored_bytes) &&
	       v->head.bytes <= offset;
}

/* Where what the index that ends here tells of begins; `end` when there is none. */
static uint64_t index_before(struct capture_file *f, uint64_t end)
{
	unsigned char trailer[INDEX_TRAILER_SIZE];
	_cleanup_free_ unsigned char *block = NULL;
	struct index_view v;
	uint64_t size, offset;

	if (end < sizeof(trailer) || !read_at(f, trailer, sizeof(trailer), end - sizeof(trailer)))
		return end;
	size = index_trailer(trailer);
	if (size < sizeof(struct block_header) || size > end)
		return end;
	offset = end - size;
	if (!load_index(f, offset, end, &v, &block))
		return end;
	buffer_append(&f->indexes, &offset, sizeof(offset));
	return offset - v.head.bytes;
}

bool capture_file_is_indexed(struct capture_file *f)
{
	uint64_t end = f->bytes;

	if (f->indexes.size)
		return true;
	for (size_t i = 0; i < INDEXES_MAX && end; i++) {
		uint64_t before = index_before(f, end);

		if (before == end)
			break;
		end = before;
	}
	/* A part that no index tells of may hold anything. */
	if (end || buffer_failed(&f->indexes))
		buffer_reset(&f->indexes);
	return f->indexes.size > 0;
}

typedef bool (*index_visitor)(
	struct capture_file *f, void *user, const struct index_view *v, uint64_t offset);

static bool visit_indexes(struct capture_file *f, index_visitor visit, void *user)
{
	bool is_good = capture_file_is_indexed(f);

	for (size_t i = f->indexes.size / sizeof(uint64_t); i-- > 0 && is_good;) {
		_cleanup_free_ unsigned char *block = NULL;
		struct index_view v;
		uint64_t offset;

		memcpy(&offset, f->indexes.data + i * sizeof(offset), sizeof(offset));
		is_good = load_index(f, offset, f->bytes, &v, &block) &&
			  visit(f, user, &v, offset - v.head.bytes);
	}
	return is_good;
}

static bool add_survey(
	struct capture_file *f, void *user, const struct index_view *v, uint64_t offset)
{
	(void)f;
	(void)offset;
	index_survey(v, user);
	return true;
}

bool capture_file_survey(struct capture_file *f, struct survey *s)
{
	if (!visit_indexes(f, add_survey, s) || s->failed) {
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
	bool is_waiting; /* for a watermark: without one a merge would have to keep what was chosen
			  */
};

static bool is_chosen(struct choice *c, const struct index_entry *e)
{
	bool is_wanted = c->choose(c->user, e) || (c->is_waiting && e->flags & INDEX_PROMISES);

	if (is_wanted)
		c->is_waiting = !(e->flags & INDEX_PROMISES);
	return is_wanted;
}

static bool is_as_told(const struct capture_file *f, const struct index_entry *e, uint64_t offset)
{
	unsigned char bytes[sizeof(struct block_header)];
	struct block_header h;

	return read_at(f, bytes, sizeof(bytes), offset) &&
	       block_header_read(&h, bytes, sizeof(bytes)) && block_bytes(&h) == e->bytes &&
	       h.type == e->type && h.source == e->source && h.records == e->records &&
	       h.first_ns == e->first_ns && h.last_ns == e->last_ns;
}

static void add_stretch(struct capture_file *f, uint64_t offset, uint64_t bytes)
{
	struct stretch *last = NULL;

	if (f->stretches.size)
		last = (struct stretch *)(void *)(f->stretches.data + f->stretches.size) - 1;
	if (last && last->offset + last->bytes == offset)
		last->bytes += bytes;
	else
		buffer_append(
			&f->stretches, &(struct stretch){ offset, bytes }, sizeof(struct stretch));
}

static bool choose_blocks(
	struct capture_file *f, void *user, const struct index_view *v, uint64_t offset)
{
	struct choice *c = user;

	for (uint32_t i = 0; i < v->head.entries; i++) {
		struct index_entry e = index_entry_at(v, i);

		if (is_chosen(c, &e)) {
			if (!is_as_told(f, &e, offset))
				return false;
			add_stretch(f, offset, e.bytes);
		}
		offset += e.bytes;
	}
	return !buffer_failed(&f->stretches) &&
	       f->stretches.size <= STRETCHES_MAX * sizeof(struct stretch);
}

bool capture_file_choose(struct capture_file *f, entry_chooser choose, void *user)
{
	struct choice c = { choose, user, false };

	buffer_reset(&f->stretches);
	f->is_chosen = visit_indexes(f, choose_blocks, &c);
	f->at = 0;
	f->done = 0;
	return f->is_chosen;
}

/* --- reading --- */

static ssize_t read_chosen(struct capture_file *f, void *data, size_t size)
{
	const struct stretch *all = (const void *)f->stretches.data;
	ssize_t got = 0;

	while (f->at < f->stretches.size / sizeof(*all)) {
		uint64_t left = all[f->at].bytes - f->done;

		got = pread(f->fd, data, left < size ? left : size,
			(off_t)(all[f->at].offset + f->done));
		if (got > 0)
			f->done += (uint64_t)got;
		if (got < 0 || (got && f->done < all[f->at].bytes))
			break;
		f->at++; /* it is done, or the file has become shorter */
		f->done = 0;
		if (got)
			break;
	}
	return got;
}

ssize_t capture_file_read(struct capture_file *f, void *data, size_t size, struct sooth_error *err)
{
	ssize_t got = f->is_chosen ? read_chosen(f, data, size) : read(f->fd, data, size);

	return got < 0 ? error_errno(err, -errno, "read the capture %s", f->path) : got;
}

bool capture_file_rewind(struct capture_file *f)
{
	f->is_chosen = false;
	return f->bytes && !lseek(f->fd, 0, SEEK_SET);
}

void capture_file_close(struct capture_file *f)
{
	if (f->path && strcmp(f->path, "-") && f->fd >= 0)
		close(f->fd);
	buffer_fini(&f->indexes);
	buffer_fini(&f->stretches);
	*f = (struct capture_file){ .fd = -1 };
}

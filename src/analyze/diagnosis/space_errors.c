/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The descriptors are listed at the begin and the end of an observation, so a file system that was
 * full only in between is not recognized.
 */
#include "analyze/diagnosis/space_errors.h"

#include <string.h>

#include "model/errno_names.h"

#define GROUPS_MAX 256

static bool explains(const struct fds_filesystem *f, unsigned error)
{
	if (!file_space_is_measured(f))
		return false;
	if (error == LINUX_EROFS)
		return f->is_read_only;
	return error == LINUX_EDQUOT || file_space_is_full(f) || file_space_has_no_files_left(f);
}

const struct fds_filesystem *space_error_of(const struct check *e, const struct call_place *place)
{
	const struct snapshot *last = check_last(e, &e->input->fds);
	const struct snapshot *first = check_first(e, &e->input->fds);
	const struct fds_filesystem *f;

	if ((place->error != LINUX_ENOSPC && place->error != LINUX_EDQUOT &&
		    place->error != LINUX_EROFS) ||
		!call_is_on_disk(place->text))
		return NULL;
	f = file_space_of_path(last, place->text);
	if (explains(f, place->error))
		return f;
	f = file_space_of_path(first, place->text);
	return explains(f, place->error) ? f : NULL;
}

void space_errors_read(struct map *out, const struct check *e, const struct call_history *h)
{
	size_t position = 0;
	const void *key;
	void *value;

	map_init(out, sizeof(struct space_errors_key), sizeof(struct space_errors), GROUPS_MAX);
	while (map_next(&h->failures, &position, &key, &value)) {
		const struct call_place *place = key;
		const struct call_failures *f = value;
		const struct fds_filesystem *space = space_error_of(e, place);
		struct space_errors_key group = { 0 };
		struct space_errors *s;

		if (!space)
			continue;
		group.mount = space->mount;
		group.error = place->error;
		s = map_put(out, &group, NULL);
		if (!s)
			continue;
		s->space = space;
		s->first_ns = s->count && s->first_ns < f->first_ns ? s->first_ns : f->first_ns;
		s->last_ns = f->last_ns > s->last_ns ? f->last_ns : s->last_ns;
		s->count += f->count;
		s->seen += f->seen;
		s->paths++;
		if (f->count > s->place_count) {
			s->place = place;
			s->place_count = f->count;
		}
	}
}

void space_errors_put(struct buffer *out, const struct space_errors *s, unsigned error)
{
	struct span point = file_space_point(s->space);
	char used[FILE_SPACE_TEXT];

	if (error == LINUX_EROFS)
		buffer_format(out, "%.*s is read-only", (int)point.size, point.data);
	else if (error == LINUX_EDQUOT)
		buffer_format(
			out, "the disk quota on %.*s is used up", (int)point.size, point.data);
	else if (file_space_is_full(s->space))
		buffer_format(out, "no space left on %.*s (%s)", (int)point.size, point.data,
			file_space_text(s->space, used));
	else
		buffer_format(out, "no inodes left on %.*s (all %llu are in use)", (int)point.size,
			point.data, (unsigned long long)s->space->files);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Mounts of a process. */
#include "os/linux/files/mounts.h"

#include <assert.h>
#include <errno.h>

#include "os/linux/files/procfs.h"

/* Without overlay, whose layers may be on any file system, and without types that mount on
 * access. */
static const char *const safe_types[] = { "bdev", "bfs", "binfmt_misc", "bpf", "btrfs", "cgroup",
	"cgroup2", "configfs", "cramfs", "debugfs", "devpts", "devtmpfs", "dmabuf", "efivarfs",
	"erofs", "exfat", "ext2", "ext3", "ext4", "f2fs", "fusectl", "hugetlbfs", "iso9660", "jfs",
	"mqueue", "nsfs", "ntfs3", "pidfs", "pipefs", "proc", "pstore", "ramfs", "reiserfs",
	"rootfs", "securityfs", "selinuxfs", "sockfs", "squashfs", "sysfs", "tmpfs", "tracefs",
	"udf", "vfat", "xfs" };

#define DEPTH_MAX 64 /* mounts above each other */

bool mounts_is_safe(struct span type)
{
	return SPAN_ANY(type, span_equal, safe_types);
}

bool mounts_parse(struct span line, struct mount_line *out)
{
	struct cursor c = cursor_over(line.data, line.size);
	uint64_t id = cursor_decimal(&c), parent = cursor_decimal(&c), major, minor;
	struct span word;

	assert(out);
	major = cursor_decimal(&c);
	if (!cursor_skip(&c, ":"))
		return false;
	minor = cursor_decimal(&c);
	if (c.failed || id > UINT32_MAX || parent > UINT32_MAX || major > UINT32_MAX ||
		minor > UINT32_MAX)
		return false;
	*out = (struct mount_line){ .id = (uint32_t)id,
		.parent = (uint32_t)parent,
		.device_major = (uint32_t)major,
		.device_minor = (uint32_t)minor };
	out->root = cursor_word(&c);
	out->point = cursor_word(&c);
	cursor_word(&c); /* its options */
	do {
		word = cursor_word(&c);
	} while (word.size && !span_equal(word, "-"));
	out->type = cursor_word(&c);
	cursor_word(&c); /* what is mounted */
	out->options = cursor_word(&c);
	return !c.failed && out->point.size && out->type.size;
}

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

void mounts_unescape(struct buffer *out, struct span text)
{
	for (size_t i = 0; i < text.size; i++) {
		const char *at = text.data + i;

		if (*at == '\\' && text.size - i > 3 && is_octal(at[1]) && is_octal(at[2]) &&
			is_octal(at[3])) {
			buffer_char(out,
				(char)((at[1] - '0') << 6 | (at[2] - '0') << 3 | (at[3] - '0')));
			i += 3;
		} else {
			buffer_char(out, *at);
		}
	}
}

void mounts_init(struct mounts *m)
{
	assert(m);
	*m = (struct mounts){ 0 };
	map_init(&m->by_id, sizeof(uint32_t), sizeof(struct mount), MOUNTS_MAX);
}

void mounts_fini(struct mounts *m)
{
	assert(m);
	map_fini(&m->by_id);
	buffer_fini(&m->text);
}

static void add_mount(struct mounts *m, const struct mount_line *line)
{
	struct mount *mount = map_put(&m->by_id, &line->id, NULL);

	if (!mount)
		return;
	*mount = (struct mount){ .id = line->id,
		.parent = line->parent,
		.device_major = line->device_major,
		.device_minor = line->device_minor,
		.may_block = !mounts_is_safe(line->type),
		.is_served = !mounts_is_safe(line->type) && !span_equal(line->type, "overlay"),
		.is_fuse = span_starts(line->type, "fuse"),
		.is_whole = span_equal(line->root, "/"),
		.is_memory = span_equal(line->type, "tmpfs") || span_equal(line->type, "ramfs") ||
			     span_equal(line->type, "devtmpfs"),
		.point_offset = (uint32_t)m->text.size };
	mounts_unescape(&m->text, line->point);
	mount->point_size = (uint32_t)m->text.size - mount->point_offset;
}

/* Returns the mount on which a mount is; NULL: none that is listed. */
static const struct mount *parent_of(const struct mounts *m, const struct mount *mount)
{
	return mount->parent == mount->id ? NULL : mounts_get(m, mount->parent);
}

static bool is_below_served(const struct mounts *m, const struct mount *mount)
{
	for (unsigned depth = 0; mount && depth < DEPTH_MAX; depth++) {
		if (mount->is_served)
			return true;
		mount = parent_of(m, mount);
	}
	return false;
}

int mounts_read(struct mounts *m, int process, struct buffer *scratch)
{
	assert(scratch);

	int status = procfs_read_at(process, "mountinfo", scratch, MOUNTS_BYTES);
	struct cursor c = cursor_over(scratch->data, status < 0 ? 0 : scratch->size);
	struct mount_line line;

	assert(m);
	map_clear(&m->by_id);
	buffer_reset(&m->text);
	while (!cursor_at_end(&c)) {
		if (mounts_parse(cursor_line(&c), &line))
			add_mount(m, &line);
	}
	map_for_each_value (&m->by_id, struct mount *, mount)
		mount->may_block |= is_below_served(m, mount);
	if (buffer_failed(&m->text))
		return -ENOMEM;
	return status < 0 ? status : status || m->by_id.refused;
}

const struct mount *mounts_get(const struct mounts *m, uint32_t id)
{
	assert(m);
	return map_get(&m->by_id, &id);
}

struct span mounts_point(const struct mounts *m, const struct mount *mount)
{
	assert(m);
	assert(mount);
	return span_of((const char *)m->text.data + mount->point_offset, mount->point_size);
}

const struct mount *mounts_find(const struct mounts *m, struct span path)
{
	const struct mount *found = NULL, *next;

	do {
		next = NULL;
		/* The kernel enters the first mount on its way: it hides those further down. */
		map_for_each_value (&m->by_id, const struct mount *, i) {
			if (path_is_within(path, mounts_point(m, i)) && parent_of(m, i) == found &&
				(!next || i->point_size < next->point_size))
				next = i;
		}
		found = next ? next : found;
	} while (next);
	return found;
}

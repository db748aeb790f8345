/* SPDX-License-Identifier: BSD-2-Clause */
/* The list belongs to the program and not to an observer, and so do the processes that hang. No
 * function here makes a request to a file system. */
#include "os/linux/files/hung_mounts.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/units.h"
#include "collect/backend.h"
#include "os/linux/files/mounts.h"
#include "os/linux/files/procfs.h"

#define LIST_MAX  256 /* more are not remembered */
#define MOUNTS_NS NS_PER_S
#define OF_ID	  (UINT64_C(1) << 62)
#define OF_FOLDER (UINT64_C(1) << 63) /* bit in the key of the folder of a process in /proc */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t list[LIST_MAX];
static size_t list_size;
static char last_point[256];

static bool list_has(uint64_t key)
{
	for (size_t i = 0; i < list_size; i++) {
		if (list[i] == key)
			return true;
	}
	return false;
}

static void put_key(struct hung_keys *keys, uint64_t key)
{
	if (keys->count < HUNG_KEYS_MAX)
		keys->keys[keys->count++] = key;
}

static void put_mount(struct hung_keys *keys, const struct mounts *m, const struct mount *mount)
{
	struct span point = mounts_point(m, mount);

	if (!mount->may_block)
		return;
	put_key(keys, OF_ID | mount->id);
	put_key(keys, (uint64_t)mount->device_major << 20 | mount->device_minor);
	snprintf(last_point, sizeof(last_point), "%.*s", SPAN_ARGS(point));
}

/* Returns whether a descriptor is a folder in /proc, by its name: a request to the file could
 * wait. */
static bool is_process_folder(int fd, struct buffer *scratch)
{
	char name[40];
	struct cursor c;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	if (fd < 0 || procfs_link_at(AT_FDCWD, name, scratch))
		return false;
	c = cursor_over(scratch->data, scratch->size);
	return cursor_skip(&c, "/proc/") && cursor_decimal(&c) && cursor_at_end(&c);
}

/* Adds the mounts to which the links lead. The mount at the root (for example a container's
 * overlay) has all processes: it counts only if there is no other mount, because if it hung, they
 * would, too. */
static void put_links(
	struct hung_keys *keys, const struct mounts *m, int about, struct buffer *scratch)
{
	static const char *const links[] = { "cwd", "exe", "root", "fd/0", "fd/1", "fd/2" };
	const struct mount *root = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		const struct mount *mount = NULL;

		if (!procfs_link_at(about, links[i], scratch))
			mount = mounts_find(m, span_of((const char *)scratch->data, scratch->size));
		if (mount && mounts_point(m, mount).size == 1)
			root = mount;
		else if (mount)
			put_mount(keys, m, mount);
	}
	if (root && !keys->count)
		put_mount(keys, m, root);
}

/* Returns the mounts of a process, read once per namespace: a host may have a thousand mounts and a
 * thousand processes. NULL: the namespace or the links may not be read. */
static const struct mounts *mounts_of(int about, struct buffer *scratch)
{
	static struct mounts mounts;
	static ino_t space;
	static uint64_t read_ns;
	uint64_t now_ns = clock_monotonic_ns();
	struct stat st;

	if (fstatat(about, "ns/mnt", &st, 0))
		return NULL;
	if (space && st.st_ino == space && now_ns - read_ns < MOUNTS_NS)
		return &mounts;
	if (!read_ns)
		mounts_init(&mounts);
	read_ns = now_ns;
	space = mounts_read(&mounts, about, scratch) < 0 ? 0 : st.st_ino;
	return space ? &mounts : NULL;
}

/* Finds the keys: one for the process, and one for each of its mounts, if these may be read. Other
 * files have none. */
static void find_keys(int about, struct hung_keys *keys)
{
	struct buffer scratch = { 0 };
	const struct mounts *mounts;
	struct stat st;

	*keys = (struct hung_keys){ 0 };
	if (is_process_folder(about, &scratch) && !fstat(about, &st)) {
		mounts = mounts_of(about, &scratch);
		if (mounts)
			put_links(keys, mounts, about, &scratch);
		put_key(keys, OF_FOLDER | st.st_ino);
	}
	buffer_fini(&scratch);
}

bool hung_mounts_hold(int about)
{
	struct hung_keys keys = { 0 };
	bool result = false;

	pthread_mutex_lock(&lock);
	if (list_size)
		find_keys(about, &keys);
	for (size_t i = 0; i < keys.count; i++)
		result |= list_has(keys.keys[i]);
	pthread_mutex_unlock(&lock);
	return result;
}

void hung_mounts_add(int about, struct hung_keys *keys)
{
	pthread_mutex_lock(&lock);
	find_keys(about, keys);
	for (size_t i = 0; i < keys->count && list_size < LIST_MAX; i++)
		list[list_size++] = keys->keys[i];
	pthread_mutex_unlock(&lock);
}

void hung_mounts_remove(const struct hung_keys *keys)
{
	pthread_mutex_lock(&lock);
	for (size_t k = 0; k < keys->count; k++) {
		size_t i = 0;

		while (i < list_size && list[i] != keys->keys[k])
			i++;
		if (i < list_size)
			list[i] = list[--list_size];
	}
	pthread_mutex_unlock(&lock);
}

bool hung_mounts_hold_id(uint32_t id)
{
	bool result;

	pthread_mutex_lock(&lock);
	result = list_has(OF_ID | id);
	pthread_mutex_unlock(&lock);
	return result;
}

void hung_mounts_add_id(uint32_t id)
{
	pthread_mutex_lock(&lock);
	if (list_size < LIST_MAX && !list_has(OF_ID | id))
		list[list_size++] = OF_ID | id;
	pthread_mutex_unlock(&lock);
}

void hung_mounts_report(struct backend_run *run, bool *is_done)
{
	char what[sizeof(last_point) + 16];

	pthread_mutex_lock(&lock);
	snprintf(what, sizeof(what), "files on %s", last_point);
	if (!*is_done && list_size && last_point[0]) {
		backend_limit(run, what, "the mount does not answer",
			"restart the server or daemon of the mount, or unmount it: umount -l "
			"MOUNTPOINT");
		*is_done = true;
	}
	pthread_mutex_unlock(&lock);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The stored form of a process, and what stands for the living one while it is open. */
#include "process_image.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#include <zstd.h>

#include "base/cursor.h"
#include "os/linux/files/procfs.h"
#include "os/linux/files/root_file.h"
#include "os/linux/files/timeout.h"

#define MAGIC	  "sooth image 1\n"
#define IMAGE_MAX (64u << 20) /* bytes of one, unpacked */

/* --- pages --- */

static size_t place_of(const struct image_space *space, uint64_t number)
{
	size_t from = 0, to = space->count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (space->pages[middle].number < number)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

struct image_page *image_page_find(const struct image_space *space, uint64_t number)
{
	size_t at = place_of(space, number);

	return at < space->count && space->pages[at].number == number ? &space->pages[at] : NULL;
}

struct image_page *image_page_make(struct image_space *space, uint64_t number)
{
	size_t at = place_of(space, number);
	struct image_page *all;

	if (at < space->count && space->pages[at].number == number)
		return &space->pages[at];
	all = realloc(space->pages, (space->count + 1) * sizeof(*all));
	if (!all)
		return NULL;
	space->pages = all;
	memmove(&all[at + 1], &all[at], (space->count - at) * sizeof(*all));
	memset(&all[at], 0, sizeof(all[at]));
	all[at].number = number;
	space->count++;
	return &all[at];
}

/* --- the stored form --- */

static void put_space(struct buffer *out, const struct image_space *space)
{
	uint64_t head[2] = { space->size, space->count };

	buffer_append(out, space->name, sizeof(space->name));
	buffer_append(out, head, sizeof(head));
	buffer_append(out, space->pages, space->count * sizeof(*space->pages));
}

bool image_store(const struct image *image, int level, struct buffer *out)
{
	uint64_t head[3] = { image->thread_count, image->mapping_count, image->file_count };
	struct buffer plain = { 0 };
	size_t size;
	void *to;

	buffer_append(&plain, MAGIC, strlen(MAGIC));
	buffer_append(&plain, head, sizeof(head));
	buffer_append(&plain, image->threads, image->thread_count * sizeof(*image->threads));
	buffer_append(&plain, image->mappings, image->mapping_count * sizeof(*image->mappings));
	put_space(&plain, &image->memory);
	for (size_t i = 0; i < image->file_count; i++)
		put_space(&plain, &image->files[i]);
	to = buffer_failed(&plain) ? NULL : buffer_reserve(out, ZSTD_compressBound(plain.size));
	size = to ? ZSTD_compress(to, ZSTD_compressBound(plain.size), plain.data, plain.size, level)
		  : 0;
	if (to && !ZSTD_isError(size))
		buffer_commit(out, size);
	buffer_fini(&plain);
	return to && !ZSTD_isError(size);
}

/* An array whose length stands before it. */
static void *take_array(struct cursor *c, uint64_t count, size_t size)
{
	struct span bytes =
		cursor_bytes(c, count < IMAGE_MAX / size ? (size_t)count * size : SIZE_MAX);
	void *copy = c->failed ? NULL : malloc(bytes.size + 1);

	if (copy && bytes.size)
		memcpy(copy, bytes.data, bytes.size);
	return copy;
}

static bool take_space(struct cursor *c, struct image_space *space)
{
	struct span name = cursor_bytes(c, sizeof(space->name));

	if (c->failed)
		return false;
	memcpy(space->name, name.data, sizeof(space->name) - 1);
	space->size = cursor_u64(c);
	space->count = (size_t)cursor_u64(c);
	space->pages = take_array(c, space->count, sizeof(*space->pages));
	if (!space->pages)
		space->count = 0;
	for (size_t i = 1; i < space->count; i++) {
		if (space->pages[i - 1].number >= space->pages[i].number)
			return false;
	}
	return space->pages != NULL && !strchr(space->name, '/');
}

static bool take_image(struct image *image, struct cursor *c)
{
	cursor_bytes(c, strlen(MAGIC));
	image->thread_count = (size_t)cursor_u64(c);
	image->mapping_count = (size_t)cursor_u64(c);
	image->file_count = (size_t)cursor_u64(c);
	if (c->failed || image->file_count > IMAGE_FILES_MAX) {
		image->file_count = 0;
		return false;
	}
	image->threads = take_array(c, image->thread_count, sizeof(*image->threads));
	image->mappings = take_array(c, image->mapping_count, sizeof(*image->mappings));
	if (!image->threads || !image->mappings || !take_space(c, &image->memory))
		return false;
	for (size_t i = 0; i < image->file_count; i++) {
		if (!take_space(c, &image->files[i]))
			return false;
	}
	for (size_t i = 0; i < image->mapping_count; i++) {
		uint32_t file = image->mappings[i].file;

		if (file != IMAGE_NO_FILE && file >= image->file_count)
			return false;
	}
	return cursor_at_end(c);
}

bool image_load(struct image *image, const void *data, size_t size)
{
	unsigned long long plain_size = ZSTD_getFrameContentSize(data, size);
	void *plain = plain_size <= IMAGE_MAX ? malloc(plain_size + 1) : NULL;
	bool is_whole = plain && ZSTD_decompress(plain, plain_size, data, size) == plain_size;
	struct cursor c = cursor_over(plain, is_whole ? plain_size : 0);

	memset(image, 0, sizeof(*image));
	is_whole = is_whole && plain_size > strlen(MAGIC) && !memcmp(plain, MAGIC, strlen(MAGIC)) &&
		   take_image(image, &c);
	free(plain);
	return is_whole;
}

bool image_read_bytes(const char *path, struct buffer *out)
{
	FILE *file = fopen(path, "re");
	size_t got = 1;

	out->limit = IMAGE_MAX;
	while (file && got) {
		void *to = buffer_reserve(out, 65536);

		got = to ? fread(to, 1, 65536, file) : 0;
		buffer_commit(out, got);
	}
	if (file)
		fclose(file);
	return file && !buffer_failed(out);
}

bool image_read_file(struct image *image, const char *path)
{
	struct buffer bytes = { 0 };
	bool is_whole = image_read_bytes(path, &bytes);

	is_whole = image_load(image, bytes.data, bytes.size) && is_whole;
	buffer_fini(&bytes);
	return is_whole;
}

void image_fini(struct image *image)
{
	image_close(image);
	free(image->threads);
	free(image->mappings);
	free(image->memory.pages);
	for (size_t i = 0; i < image->file_count; i++)
		free(image->files[i].pages);
	memset(image, 0, sizeof(*image));
}

/* --- in place of /proc/PID --- */

static struct image *opened;
void (*image_before_read)(struct image *image);
void (*image_after_read)(pid_t pid, const struct iovec *here, const struct iovec *there,
	unsigned long count, ssize_t got);

static void path_in(const struct image *image, char path[128], const char *name)
{
	snprintf(path, 128, "%s/%s", image->folder, name);
}

static void file_path(const struct image *image, char path[128], size_t file)
{
	snprintf(path, 128, "%s/file%zu", image->folder, file);
}

static void mapped_path(const struct image *image, char path[128], const struct image_mapping *m)
{
	snprintf(path, 128, "%s/map_files/%llx-%llx", image->folder, (unsigned long long)m->from,
		(unsigned long long)m->to);
}

static bool write_pages(const struct image *image, size_t file, int flags,
	const struct image_page *pages, size_t count)
{
	char path[128];
	int fd;

	file_path(image, path, file);
	fd = open(path, O_WRONLY | O_CLOEXEC | flags, 0600);
	if (fd < 0)
		return false;
	for (size_t i = 0; i < count; i++)
		(void)!pwrite(
			fd, pages[i].bytes, IMAGE_PAGE, (off_t)(pages[i].number * IMAGE_PAGE));
	/* The last page may be a part of one. */
	(void)!ftruncate(fd, (off_t)image->files[file].size);
	close(fd);
	return true;
}

void image_write_page(const struct image *image, size_t file, const struct image_page *page)
{
	write_pages(image, file, 0, page, 1);
}

static void write_mapping(const struct image *image, FILE *maps, const struct image_mapping *m)
{
	const char *name = "";
	struct stat st = { 0 };
	char path[128], link_path[128];

	if (m->file != IMAGE_NO_FILE) {
		file_path(image, path, m->file);
		mapped_path(image, link_path, m);
		if (stat(path, &st) || (link(path, link_path) && errno != EEXIST))
			return;
		name = image->files[m->file].name;
	}
	fprintf(maps, "%08llx-%08llx %c%c%cp %08llx %02x:%02x %llu %s%s\n",
		(unsigned long long)m->from, (unsigned long long)m->to,
		m->access & PROT_READ ? 'r' : '-', m->access & PROT_WRITE ? 'w' : '-',
		m->access & PROT_EXEC ? 'x' : '-', (unsigned long long)m->offset, major(st.st_dev),
		minor(st.st_dev), (unsigned long long)st.st_ino, *name ? "/" : "", name);
}

bool image_write_mappings(const struct image *image)
{
	char path[128];
	FILE *maps;

	path_in(image, path, "maps");
	maps = fopen(path, "we");
	if (!maps)
		return false;
	for (size_t i = 0; i < image->mapping_count; i++)
		write_mapping(image, maps, &image->mappings[i]);
	return !fclose(maps);
}

bool image_open(struct image *image)
{
	const char *base = getenv("TMPDIR");
	char path[128], program[128];

	snprintf(image->folder, sizeof(image->folder), "%.40s/sooth-image-XXXXXX",
		base ? base : "/tmp");
	if (!mkdtemp(image->folder)) {
		image->folder[0] = 0;
		return false;
	}
	opened = image;
	path_in(image, path, "map_files");
	if (mkdir(path, 0700))
		return false;
	for (size_t i = 0; i < image->file_count; i++) {
		if (!write_pages(image, i, O_CREAT | O_EXCL, image->files[i].pages,
			    image->files[i].count))
			return false;
	}
	file_path(image, path, 0);
	path_in(image, program, "exe");
	(void)!link(path, program);
	return image_write_mappings(image);
}

void image_close(struct image *image)
{
	struct dirent *entry;
	char path[128];
	DIR *names;

	if (!image->folder[0])
		return;
	/* Also those of mappings that the image has no more. */
	path_in(image, path, "map_files");
	names = opendir(path);
	while (names && (entry = readdir(names)))
		unlinkat(dirfd(names), entry->d_name, 0);
	if (names)
		closedir(names);
	for (size_t i = 0; i < image->file_count; i++) {
		file_path(image, path, i);
		unlink(path);
	}
	path_in(image, path, "map_files");
	rmdir(path);
	path_in(image, path, "exe");
	unlink(path);
	path_in(image, path, "maps");
	unlink(path);
	rmdir(image->folder);
	image->folder[0] = 0;
	opened = NULL;
}

/* What follows stands before the library's own functions of these names: the ways to a process,
 * and calls with a timeout, which need none here. */

int timeout_call_about(struct timeout *p, void (*work)(void *argument),
	void (*drop)(void *argument), void *argument, size_t size, int kept, int about,
	int timeout_ms)
{
	(void)p, (void)drop, (void)size, (void)kept, (void)about, (void)timeout_ms;
	work(argument);
	return 0;
}

int timeout_call(struct timeout *p, void (*work)(void *argument), void (*drop)(void *argument),
	void *argument, size_t size, int kept, int timeout_ms)
{
	return timeout_call_about(p, work, drop, argument, size, kept, -1, timeout_ms);
}

/* The argument begins with the descriptor. */
int timeout_call_file(struct timeout *p, void (*work)(void *argument), void *argument, size_t size,
	int fd, int timeout_ms)
{
	memcpy(argument, &fd, sizeof(fd));
	return timeout_call(p, work, NULL, argument, size, fd, timeout_ms);
}

int procfs_open(pid_t pid)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	fd = open(opened && pid == IMAGE_PID ? opened->folder : path,
		O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Debug information and maps of generated code stand in files that are not of the image. */
int root_open(int process)
{
	(void)process;
	return -ENOENT;
}

static bool read_image(void *out, uint64_t address, size_t size)
{
	unsigned char *to = out;

	while (size) {
		const struct image_page *page =
			image_page_find(&opened->memory, address / IMAGE_PAGE);
		size_t inside = address % IMAGE_PAGE;
		size_t part = size < IMAGE_PAGE - inside ? size : IMAGE_PAGE - inside;

		if (!page)
			return false;
		memcpy(to, page->bytes + inside, part);
		to += part;
		address += part;
		size -= part;
	}
	return true;
}

/* Each place is read whole or not at all (man page, "partial reads"). */
ssize_t process_vm_readv(pid_t pid, const struct iovec *here, unsigned long here_count,
	const struct iovec *there, unsigned long there_count, unsigned long flags)
{
	ssize_t got = 0;

	if (!opened || pid != IMAGE_PID) {
		got = syscall(
			SYS_process_vm_readv, pid, here, here_count, there, there_count, flags);
		if (image_after_read)
			image_after_read(pid, here, there, there_count, got);
		return got;
	}
	if (image_before_read)
		image_before_read(opened);
	for (unsigned long i = 0; i < there_count && i < here_count; i++) {
		size_t size = there[i].iov_len;

		/* Callers have as many places here as there, of the same sizes. */
		if (here[i].iov_len < size ||
			!read_image(here[i].iov_base, (uint64_t)(uintptr_t)there[i].iov_base, size))
			break;
		got += (ssize_t)size;
	}
	if (!got && there_count) {
		errno = EFAULT;
		return -1;
	}
	return got;
}

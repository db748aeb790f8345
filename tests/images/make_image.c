/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * make_image [--whole] [--keep=PREFIX]... PID FILE [FUNCTION...]: stores the process as an image,
 * and prints the stack of its first thread as it is found in the image. With functions: tries until
 * the stack has them in this order, innermost first. Of large symbol tables what is named by no
 * stack is left out, but for symbols that begin with a prefix. Stops the process meanwhile, for
 * some seconds of the first part.
 *
 * All that is read while the stack is walked and named goes into the image. Then bytes are set to
 * 0, piece by piece, as long as the result stays the same; what remains is what the result needs.
 * With --whole nothing is set to 0: a matter of a second, for a process whose image is not kept.
 */
#include "image_stacks.h"
#include "image_symbols.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "os/linux/files/maps.h"
#include "os/linux/files/procfs.h"

#define NOTES_MAX    (1u << 20)
#define BYTES_MAX    (UINT64_C(1) << 30)
#define TRIES	     200
#define PIECE_LEAST  16
#define SHRINK_S     900
#define PREFIXES_MAX 8

/* --- what is read, also by the children of timeout_call(), which share this memory --- */

struct note {
	uint64_t from, size;
	uint64_t device, inode; /* 0: memory */
	unsigned char *bytes;
};

static struct {
	pid_t pid; /* 0: nothing is noted */
	struct note *notes;
	unsigned char *bytes;
	uint64_t count, used;
} noted;

static void note(uint64_t from, const void *bytes, size_t size, const struct stat *st)
{
	struct note *n = &noted.notes[noted.count];

	if (noted.count == NOTES_MAX || size > BYTES_MAX - noted.used) {
		fprintf(stderr, "make_image: more is read than an image can keep\n");
		exit(1);
	}
	*n = (struct note){ from, size, st ? st->st_dev : 0, st ? st->st_ino : 0,
		noted.bytes + noted.used };
	memcpy(n->bytes, bytes, size);
	noted.used += size;
	noted.count++;
}

static void note_memory(pid_t pid, const struct iovec *here, const struct iovec *there,
	unsigned long count, ssize_t got)
{
	for (unsigned long i = 0; pid == noted.pid && noted.pid && i < count && got > 0; i++) {
		size_t part = there[i].iov_len < (size_t)got ? there[i].iov_len : (size_t)got;

		note((uint64_t)(uintptr_t)there[i].iov_base, here[i].iov_base, part, NULL);
		got -= (ssize_t)part;
	}
}

static ssize_t noted_pread(int fd, void *out, size_t size, off_t offset)
{
	ssize_t got = syscall(SYS_pread64, fd, out, size, offset);
	struct stat st;

	if (noted.pid && got > 0 && !fstat(fd, &st) && S_ISREG(st.st_mode))
		note((uint64_t)offset, out, (size_t)got, &st);
	return got;
}

/* All names of pread(2), as the library and libelf call it; headers rename the first. */
ssize_t short_pread(int fd, void *out, size_t size, off_t offset) __asm__("pread");
ssize_t long_pread(int fd, void *out, size_t size, off_t offset) __asm__("pread64");
ssize_t checked_pread(int fd, void *out, size_t size, off_t offset, size_t room) __asm__(
	"__pread64_chk");

ssize_t short_pread(int fd, void *out, size_t size, off_t offset)
{
	return noted_pread(fd, out, size, offset);
}

ssize_t long_pread(int fd, void *out, size_t size, off_t offset)
{
	return noted_pread(fd, out, size, offset);
}

ssize_t checked_pread(int fd, void *out, size_t size, off_t offset, size_t room)
{
	return noted_pread(fd, out, size <= room ? size : 0, offset);
}

/* --- the process --- */

static void die(const char *what)
{
	fprintf(stderr, "make_image: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void stop(pid_t pid)
{
	int status;

	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) || ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) ||
		waitpid(pid, &status, __WALL) != pid)
		die("the process cannot be stopped");
}

static struct image_thread registers_of(pid_t pid)
{
	struct user_regs_struct r;
	struct iovec to = { &r, sizeof(r) };

	if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &to))
		die("its registers cannot be read");
#ifdef __x86_64__
	return (struct image_thread){ .pc = r.rip,
		.sp = r.rsp,
		.fp = r.rbp,
		.thread_pointer = r.fs_base,
		.tid = (uint64_t)pid };
#else
	return (struct image_thread){
		.pc = r.pc, .sp = r.sp, .fp = r.regs[29], .link = r.regs[30], .tid = (uint64_t)pid
	};
#endif
}

static bool has_functions(struct buffer *text, char **functions)
{
	const char *at = buffer_cstr(text);

	for (; *functions && at; functions++) {
		at = strstr(at, *functions);
		at = at ? at + strlen(*functions) : NULL;
	}
	return at != NULL;
}

/* --- into the image --- */

struct known_file {
	uint64_t device, inode;
};

static struct known_file known[IMAGE_FILES_MAX];

static uint32_t find_file(const struct image *image, uint64_t device, uint64_t inode)
{
	for (uint32_t i = 0; i < image->file_count; i++) {
		if (known[i].device == device && known[i].inode == inode)
			return i;
	}
	return IMAGE_NO_FILE;
}

/* The first file is the program: nothing else is looked for without a mapping. */
static void add_program(struct image *image, int process)
{
	struct stat st;

	if (fstatat(process, "exe", &st, 0))
		die("its program");
	known[0] = (struct known_file){ st.st_dev, st.st_ino };
	image->files[0].size = (uint64_t)st.st_size;
	image->file_count = 1;
}

static uint32_t add_file(struct image *image, const struct maps_line *line, int process)
{
	uint64_t device = makedev(line->device_major, line->device_minor);
	uint32_t at = find_file(image, device, line->inode);
	struct span name = path_base(line->path);
	char path[80];
	struct stat st;

	if (name.size && name.size < IMAGE_NAME && at == 0)
		memcpy(image->files[0].name, name.data, name.size);
	if (at != IMAGE_NO_FILE || image->file_count == IMAGE_FILES_MAX || !name.size ||
		name.size >= IMAGE_NAME)
		return at;
	snprintf(path, sizeof(path), "map_files/%llx-%llx", (unsigned long long)line->from,
		(unsigned long long)line->to);
	if (fstatat(process, path, &st, 0) || !S_ISREG(st.st_mode))
		return IMAGE_NO_FILE;
	at = (uint32_t)image->file_count++;
	known[at] = (struct known_file){ st.st_dev, st.st_ino };
	image->files[at].size = (uint64_t)st.st_size;
	memcpy(image->files[at].name, name.data, name.size);
	return at;
}

static void add_mappings(struct image *image, pid_t pid)
{
	int process = procfs_open(pid);
	struct buffer text = { 0 };
	struct cursor c;
	struct maps_line line;

	if (process < 0 || procfs_read_at(process, "maps", &text, PROCFS_MAPS) < 0)
		die("its mappings cannot be read");
	add_program(image, process);
	c = cursor_over(text.data, text.size);
	image->mappings = calloc(65536, sizeof(*image->mappings));
	while (image->mappings && !cursor_at_end(&c) && image->mapping_count < 65536) {
		if (!maps_parse(cursor_line(&c), &line))
			continue;
		image->mappings[image->mapping_count++] =
			(struct image_mapping){ line.from, line.to, line.offset,
				line.inode ? add_file(image, &line, process) : IMAGE_NO_FILE,
				(line.is_executable ? PROT_EXEC : 0) | PROT_READ };
	}
	buffer_fini(&text);
	close(process);
}

static void copy_note(struct image_space *space, const struct note *n)
{
	for (uint64_t done = 0; done < n->size;) {
		uint64_t at = n->from + done, inside = at % IMAGE_PAGE;
		uint64_t part =
			n->size - done < IMAGE_PAGE - inside ? n->size - done : IMAGE_PAGE - inside;
		struct image_page *page = image_page_make(space, at / IMAGE_PAGE);

		if (!page)
			die("memory");
		memcpy(page->bytes + inside, n->bytes + done, part);
		done += part;
	}
}

static void fill(struct image *image)
{
	for (uint64_t i = 0; i < noted.count; i++) {
		const struct note *n = &noted.notes[i];
		uint32_t file = n->inode ? find_file(image, n->device, n->inode) : IMAGE_NO_FILE;

		if (!n->inode)
			copy_note(&image->memory, n);
		else if (file != IMAGE_NO_FILE)
			copy_note(&image->files[file], n);
	}
}

/* --- what is needed of it --- */

struct shrinking {
	struct image *image;
	struct buffer wanted, text;
	uint64_t end_ns;
	uint64_t trials;
	const char *prefixes[PREFIXES_MAX + 1];
	bool is_whole;
};

static bool is_same(struct shrinking *s)
{
	s->trials++;
	return image_stacks(IMAGE_PID, s->image->threads, s->image->thread_count, &s->text) &&
	       s->text.size == s->wanted.size &&
	       !memcmp(s->text.data, s->wanted.data, s->text.size);
}

static bool is_late(const struct shrinking *s)
{
	return clock_monotonic_ns() > s->end_ns;
}

/* --- mappings --- */

static void drop_mappings(struct shrinking *s, size_t from, size_t count)
{
	struct image *image = s->image;
	struct image_mapping *all = image->mappings;
	size_t bytes = count * sizeof(*all);
	struct image_mapping *kept = malloc(bytes + 1);

	if (!kept || is_late(s))
		return;
	memcpy(kept, all + from, bytes);
	memmove(all + from, all + from + count,
		(image->mapping_count - from - count) * sizeof(*all));
	image->mapping_count -= count;
	image_write_mappings(image);
	if (!is_same(s)) {
		memmove(all + from + count, all + from,
			(image->mapping_count - from) * sizeof(*all));
		memcpy(all + from, kept, bytes);
		image->mapping_count += count;
		image_write_mappings(image);
		if (count > 1) {
			/* The later half first: it does not move the other one. */
			drop_mappings(s, from + count / 2, count - count / 2);
			drop_mappings(s, from, count / 2);
		}
	}
	free(kept);
}

/* --- bytes --- */

static bool is_zero(const unsigned char *bytes, size_t size)
{
	return !size || (!bytes[0] && !memcmp(bytes, bytes + 1, size - 1));
}

/* Pages of a space from one index to another. */
struct range {
	struct image_space *space;
	int file; /* negative: the memory */
	size_t from, to;
};

static void write_pages(struct shrinking *s, const struct range *r)
{
	for (size_t i = r->from; r->file >= 0 && i < r->to; i++)
		image_write_page(s->image, (size_t)r->file, &r->space->pages[i]);
}

static void clear_bytes(struct shrinking *s, const struct range *r, size_t at, size_t size)
{
	unsigned char kept[IMAGE_PAGE], *bytes = r->space->pages[r->from].bytes + at;

	if (is_zero(bytes, size) || is_late(s))
		return;
	memcpy(kept, bytes, size);
	memset(bytes, 0, size);
	write_pages(s, r);
	if (is_same(s))
		return;
	memcpy(bytes, kept, size);
	write_pages(s, r);
	if (size > PIECE_LEAST) {
		clear_bytes(s, r, at, size / 2);
		clear_bytes(s, r, at + size / 2, size - size / 2);
	}
}

static bool are_zero(const struct range *r)
{
	for (size_t i = r->from; i < r->to; i++) {
		if (!is_zero(r->space->pages[i].bytes, IMAGE_PAGE))
			return false;
	}
	return true;
}

static void clear_pages(struct shrinking *s, const struct range *r)
{
	size_t count = r->to - r->from, middle = r->from + count / 2;
	struct image_page *pages = &r->space->pages[r->from];
	struct image_page *kept;

	if (!count || are_zero(r) || is_late(s))
		return;
	kept = malloc(count * sizeof(*kept));
	if (!kept)
		return;
	memcpy(kept, pages, count * sizeof(*kept));
	for (size_t i = 0; i < count; i++)
		memset(pages[i].bytes, 0, IMAGE_PAGE);
	write_pages(s, r);
	if (!is_same(s)) {
		memcpy(pages, kept, count * sizeof(*kept));
		write_pages(s, r);
		if (count > 1) {
			clear_pages(s, &(struct range){ r->space, r->file, r->from, middle });
			clear_pages(s, &(struct range){ r->space, r->file, middle, r->to });
		} else {
			clear_bytes(s, r, 0, IMAGE_PAGE / 2);
			clear_bytes(s, r, IMAGE_PAGE / 2, IMAGE_PAGE / 2);
		}
	}
	free(kept);
}

/* A file without a page reads as zeros; memory without one cannot be read, which may matter. */
static void drop_zeros(struct image_space *space)
{
	size_t kept = 0;

	for (size_t i = 0; i < space->count; i++) {
		if (!is_zero(space->pages[i].bytes, IMAGE_PAGE))
			space->pages[kept++] = space->pages[i];
	}
	space->count = kept;
}

/* Empties files that no mapping has any more. */
static void drop_files(struct image *image)
{
	for (size_t f = 0; f < image->file_count; f++) {
		bool is_mapped = false;

		for (size_t i = 0; i < image->mapping_count; i++)
			is_mapped |= image->mappings[i].file == f;
		drop_zeros(&image->files[f]);
		if (!is_mapped)
			image->files[f].size = image->files[f].count = 0;
	}
}

static void shrink(struct shrinking *s)
{
	struct image *image = s->image;

	s->end_ns = clock_monotonic_ns() + SHRINK_S * UINT64_C(1000000000);
	drop_mappings(s, 0, image->mapping_count);
	for (size_t f = 0; f < image->file_count; f++)
		image_keep_symbols(image, f, buffer_cstr(&s->wanted), s->prefixes);
	if (!is_same(s)) {
		fprintf(stderr,
			"make_image: symbols are missing that the result needs (--keep):\n%s",
			buffer_cstr(&s->text));
		exit(1);
	}
	for (size_t f = 0; f < image->file_count; f++)
		clear_pages(
			s, &(struct range){ &image->files[f], (int)f, 0, image->files[f].count });
	clear_pages(s, &(struct range){ &image->memory, -1, 0, image->memory.count });
	drop_files(image);
}

/* --- all of it --- */

static bool look(struct image *image, pid_t pid, char **functions, struct buffer *text)
{
	struct image_thread thread;
	bool is_found;

	stop(pid);
	thread = registers_of(pid);
	noted.count = noted.used = 0;
	noted.pid = pid;
	is_found = image_stacks(pid, &thread, 1, text) && has_functions(text, functions);
	noted.pid = 0;
	if (is_found) {
		image->threads = malloc(sizeof(thread));
		if (!image->threads)
			die("memory");
		*image->threads = thread;
		image->thread_count = 1;
		add_mappings(image, pid);
		fill(image);
	}
	if (ptrace(PTRACE_DETACH, pid, NULL, NULL))
		die("the process is gone");
	return is_found;
}

static void write_image(const struct image *image, int level, const char *path)
{
	struct buffer out = { 0 };
	FILE *file = fopen(path, "we");

	if (!file || !image_store(image, level, &out) ||
		fwrite(out.data, 1, out.size, file) != out.size || fclose(file))
		die(path);
	fprintf(stderr, "%s: %zu bytes\n", path, out.size);
	buffer_fini(&out);
}

int main(int argc, char **argv)
{
	pid_t pid;
	const struct timespec pause = { .tv_nsec = 50000000 };
	struct image image = { 0 };
	struct shrinking s = { .image = &image };
	struct buffer text = { 0 };
	int tries = 0;

	for (size_t i = 0; argc > 1 && !strncmp(argv[1], "--", 2) && i < PREFIXES_MAX;
		argv++, argc--) {
		if (!strncmp(argv[1], "--keep=", 7))
			s.prefixes[i++] = argv[1] + 7;
		s.is_whole |= !strcmp(argv[1], "--whole");
	}
	pid = argc > 2 ? (pid_t)atoi(argv[1]) : 0;
	if (pid <= 0) {
		fprintf(stderr,
			"usage: make_image [--whole] [--keep=PREFIX]... PID FILE [FUNCTION...]\n");
		return 2;
	}
	noted.notes = mmap(NULL, NOTES_MAX * sizeof(struct note), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	noted.bytes = mmap(NULL, BYTES_MAX, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	image_after_read = note_memory;
	while (tries < TRIES && !look(&image, pid, argv + 3, &text)) {
		nanosleep(&pause, NULL);
		tries++;
	}
	if (tries == TRIES) {
		fprintf(stderr,
			"make_image: the functions were not found in %d looks; the last one:\n%s",
			TRIES, buffer_cstr(&text));
		return 1;
	}
	fprintf(stderr, "read: %llu bytes in %llu pieces\n", (unsigned long long)noted.used,
		(unsigned long long)noted.count);
	if (!image_open(&image))
		die("a folder for the image");
	if (!image_stacks(IMAGE_PID, image.threads, 1, &s.wanted) ||
		strcmp(buffer_cstr(&s.wanted), buffer_cstr(&text))) {
		fprintf(stderr,
			"make_image: the image gives another stack:\n%sthan the process:\n%s",
			buffer_cstr(&s.wanted), buffer_cstr(&text));
		return 1;
	}
	if (!s.is_whole)
		shrink(&s);
	fprintf(stderr, "%llu trials%s\n", (unsigned long long)s.trials,
		!s.is_whole && is_late(&s) ? ", not all that could be" : "");
	write_image(&image, s.is_whole ? 1 : 19, argv[2]);
	printf("%s", buffer_cstr(&s.wanted));
	image_fini(&image);
	buffer_fini(&text);
	buffer_fini(&s.wanted);
	buffer_fini(&s.text);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process as walking up its stacks and naming them needs it, stored in a file: registers,
 * mappings, and the pages of its memory and of its files that were read, with zeros for all bytes
 * that the result does not depend on. It is read by the code that reads a living process, which
 * gets the image in place of /proc/PID and process_vm_readv(2).
 */
#ifndef SOOTH_TESTS_PROCESS_IMAGE_H
#define SOOTH_TESTS_PROCESS_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/buffer.h"

#define IMAGE_PAGE	4096
#define IMAGE_FILES_MAX 64
#define IMAGE_NAME	64
#define IMAGE_PID	0x7ffffffe /* stands for the process; the kernel has none of that number */

struct image_thread {
	uint64_t pc, sp, fp, link, thread_pointer;
	uint64_t tid;
};

#define IMAGE_NO_FILE UINT32_MAX

struct image_mapping {
	uint64_t from, to, offset;
	uint32_t file;	 /* index; IMAGE_NO_FILE */
	uint32_t access; /* PROT_* */
};

struct image_page {
	uint64_t number; /* address or offset, by IMAGE_PAGE */
	unsigned char bytes[IMAGE_PAGE];
};

/* The memory, or a file. */
struct image_space {
	struct image_page *pages; /* by number */
	size_t count;
	uint64_t size;	       /* of the file */
	char name[IMAGE_NAME]; /* of the file, without its folder */
};

struct image {
	struct image_thread *threads;
	struct image_mapping *mappings;
	size_t thread_count, mapping_count;
	struct image_space memory;
	struct image_space files[IMAGE_FILES_MAX]; /* the first is the program */
	size_t file_count;
	char folder[64]; /* what stands for /proc/PID while the image is open; "": it is not */
};

/* Reads a stored image; false: it is damaged. Release it with image_fini() in both cases. */
bool image_load(struct image *image, const void *data, size_t size);
bool image_read_file(struct image *image, const char *path);
/* Appends what a file has; false: it cannot be read. */
bool image_read_bytes(const char *path, struct buffer *out);
/* Appends the stored form, compressed at a level of Zstandard; false: out of memory. */
bool image_store(const struct image *image, int level, struct buffer *out);
void image_fini(struct image *image);

/* Finds a page, or makes an empty one; NULL: there is none, or out of memory. */
struct image_page *image_page_find(const struct image_space *space, uint64_t number);
struct image_page *image_page_make(struct image_space *space, uint64_t number);

/* One image is open at a time; false and errno: the folder for it could not be made. */
bool image_open(struct image *image);
void image_close(struct image *image);
/* Writes a page of a file again that was changed in an open image. */
void image_write_page(const struct image *image, size_t file, const struct image_page *page);
/* Writes the mappings of an open image again. */
bool image_write_mappings(const struct image *image);

/* Is called before each read of memory from the image that is open; NULL: nothing is. */
extern void (*image_before_read)(struct image *image);
/* For the one that makes images: is called after each read of a living process. */
extern void (*image_after_read)(pid_t pid, const struct iovec *here, const struct iovec *there,
	unsigned long count, ssize_t got);

#endif

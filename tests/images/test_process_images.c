/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_process_images FOLDER: each stored process of the folder (ID.image) gives the stack that
 * stands beside it (ID.txt), and none of them crashes or hangs sooth when its bytes are changed.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image_changes.h"
#include "image_stacks.h"

#define IMAGES_MAX  64
#define CHANGES	    6 /* at once */
#define DAMAGED_MAX 12

static const char *folder;
static char ids[IMAGES_MAX][64];
static size_t id_count;

static int by_name(const void *left, const void *right)
{
	return strcmp(left, right);
}

static void find_images(void)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		char *dot = strrchr(entry->d_name, '.');

		if (!dot || strcmp(dot, ".image") || dot - entry->d_name >= 64 ||
			id_count == IMAGES_MAX)
			continue;
		memcpy(ids[id_count++], entry->d_name, (size_t)(dot - entry->d_name));
	}
	closedir(dir);
	qsort(ids, id_count, sizeof(ids[0]), by_name);
}

static void load(struct image *image, const char *id)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s.image", folder, id);
	if (!image_read_file(image, path))
		fail_msg("%s cannot be read", path);
	if (!image_open(image))
		fail_msg("no folder for %s", path);
}

static void read_expected(const char *id, struct buffer *out)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s.txt", folder, id);
	if (!image_read_bytes(path, out))
		fail_msg("%s cannot be read", path);
}

static void test_stacks(void **state)
{
	size_t failed = 0;

	(void)state;
	assert_true(id_count > 0);
	for (size_t i = 0; i < id_count; i++) {
		struct buffer expected = { 0 }, text = { 0 };
		struct image image;

		load(&image, ids[i]);
		read_expected(ids[i], &expected);
		if (!image_stacks(IMAGE_PID, image.threads, image.thread_count, &text) ||
			strcmp(buffer_cstr(&text), buffer_cstr(&expected))) {
			print_error("%s:\n%sexpected:\n%s", ids[i], buffer_cstr(&text),
				buffer_cstr(&expected));
			failed++;
		}
		image_fini(&image);
		buffer_fini(&expected);
		buffer_fini(&text);
	}
	assert_int_equal(failed, 0);
}

/* The changes are random, and the same in each run. */
static void test_damaged(void **state)
{
	uint64_t dice = 1;

	(void)state;
	for (size_t i = 0; i < id_count; i++) {
		for (int round = 0; round < DAMAGED_MAX; round++) {
			struct image_change changes[CHANGES];
			struct buffer text = { 0 };
			struct image image;

			load(&image, ids[i]);
			for (size_t c = 0; c < CHANGES; c++)
				changes[c] = image_change_random(&dice);
			image_change(&image, changes, CHANGES);
			image_stacks(IMAGE_PID, image.threads, image.thread_count, &text);
			/* A walk has at most so many frames. */
			assert_true(text.size < (1u << 20));
			image_fini(&image);
			buffer_fini(&text);
		}
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stacks),
		cmocka_unit_test(test_damaged),
	};

	if (argc < 2)
		return 2;
	folder = argv[1];
	find_images();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Layouts in the folder of a user: what was written is read again, of that build only, and nothing
 * from a file that another user may have made. And votes: what decides, and what does not.
 */
#include "support.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/linux/runtimes/jsc/jsc_cache.h"
#include "os/linux/runtimes/jsc/jsc_votes.h"

#define BUILD "a9a0d18db4f98a86ad4778800c5fa46943f81b2e" /* bun 1.3.14 */

static char folder[64], parent[48], file[160];

static int setup(void **state)
{
	(void)state;
	snprintf(parent, sizeof(parent), "/tmp/sooth-cache-XXXXXX");
	assert_non_null(mkdtemp(parent));
	snprintf(folder, sizeof(folder), "%s/sooth", parent);
	snprintf(file, sizeof(file), "%s/jsc-%s", folder, BUILD);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(file);
	rmdir(folder);
	rmdir(parent);
	return 0;
}

static bool is_read(const char *build_id)
{
	struct jsc_layout layout;

	return jsc_cache_read(folder, build_id, &layout) &&
	       !memcmp(&layout, jsc_layout_of(BUILD), sizeof(layout));
}

static void test_kept(void **state)
{
	struct stat st;

	(void)state;
	assert_false(is_read(BUILD));
	jsc_cache_write(folder, BUILD, jsc_layout_of(BUILD));
	assert_true(is_read(BUILD));
	assert_false(lstat(file, &st));
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_false(lstat(folder, &st));
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_false(is_read("b9a0d18db4f98a86ad4778800c5fa46943f81b2e"));
	assert_false(is_read(""));
	assert_false(is_read("../sooth/jsc-" BUILD));
	jsc_cache_write(folder, BUILD, jsc_layout_of(BUILD)); /* again */
	assert_true(is_read(BUILD));
	jsc_cache_write(NULL, BUILD, jsc_layout_of(BUILD));
}

static void test_refused(void **state)
{
	char other[80];

	(void)state;
	jsc_cache_write(folder, BUILD, jsc_layout_of(BUILD));
	chmod(file, 0620);
	assert_false(is_read(BUILD));
	chmod(file, 0600);
	chmod(folder, 0777);
	assert_false(is_read(BUILD));
	chmod(folder, 0700);
	snprintf(other, sizeof(other), "%s/other", parent);
	assert_false(rename(file, other));
	assert_false(symlink(other, file));
	assert_false(is_read(BUILD));
	unlink(file);
	assert_false(rename(other, file));
	assert_true(is_read(BUILD));
	if (!geteuid()) {
		assert_false(chown(file, 65534, 65534));
		assert_false(is_read(BUILD));
	}
	unlink(file);
	assert_false(mkfifo(file, 0600));
	assert_false(is_read(BUILD));
}

static void test_bytes(void **state)
{
	struct jsc_layout layout;
	struct buffer text = { 0 };

	(void)state;
	jsc_cache_print(&text, BUILD, jsc_layout_of(BUILD));
	assert_true(text.size < JSC_CACHE_BYTES);
	for (size_t size = 0; size < text.size; size++)
		assert_false(
			jsc_cache_parse(span_of((const char *)text.data, size), BUILD, &layout) &&
			size + 1 < text.size);
	buffer_string(&text, "1\n");
	assert_false(jsc_cache_parse(span_of((const char *)text.data, text.size), BUILD, &layout));
	text.data[strlen("sooth layout of JavaScriptCore ")] = '2';
	assert_false(
		jsc_cache_parse(span_of((const char *)text.data, text.size - 2), BUILD, &layout));
	buffer_fini(&text);
}

/* A layout has a block of the disk: of more than fit, those used last stay. */
static void test_bounded(void **state)
{
	struct jsc_layout layout;
	struct dirent *one;
	size_t count = 0;
	DIR *all;

	(void)state;
	for (unsigned i = 0; i < 300; i++) {
		char id[24];

		snprintf(id, sizeof(id), "%08x", i);
		jsc_cache_write(folder, id, jsc_layout_of(BUILD));
		assert_true(jsc_cache_read(folder, id, &layout));
		assert_true(jsc_cache_read(folder, "00000000", &layout));
	}
	all = opendir(folder);
	assert_non_null(all);
	while ((one = readdir(all))) {
		char path[512];

		count += !strncmp(one->d_name, "jsc-", 4);
		snprintf(path, sizeof(path), "%s/%s", folder, one->d_name);
		unlink(path);
	}
	closedir(all);
	assert_in_range(count, 1, JSC_CACHE_BYTES_MAX / 4096);
}

static bool decide(uint32_t best, uint32_t next, struct jsc_result *r)
{
	struct jsc_votes votes = { 0 };
	bool is_decided;

	for (uint32_t i = 0; i < next; i++)
		jsc_votes_put(&votes, 7, i);
	for (uint32_t i = 0; i < best; i++) {
		jsc_votes_put(&votes, 9, i);
		jsc_votes_put(&votes, 9, i); /* the same object */
	}
	is_decided = jsc_votes_decide(&votes, r);
	jsc_votes_fini(&votes);
	return is_decided;
}

static void test_votes(void **state)
{
	struct jsc_result r;

	(void)state;
	assert_true(decide(20, 0, &r));
	assert_int_equal(r.best, 9);
	assert_int_equal(r.votes, 20);
	assert_false(decide(19, 0, &r));
	assert_true(decide(25, 5, &r));
	assert_int_equal(r.next, 5);
	assert_false(decide(25, 6, &r));
	assert_false(decide(0, 0, &r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bounded, setup, teardown),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_votes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

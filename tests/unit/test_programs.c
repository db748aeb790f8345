/* SPDX-License-Identifier: BSD-2-Clause */
/* Parts of programs: the end of section .bun, package.json and where it is found. */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/linux/programs/package_file.h"
#include "symbols/bun.h"

#define END_LINE "\n---- Bun! ----\n"

static void put_u32(unsigned char *to, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		to[i] = (unsigned char)(value >> 8 * i);
}

static void test_bun(void **state)
{
	unsigned char end[BUN_END_SIZE] = { 0 }, head[BUN_HEAD_SIZE] = { 200 };
	struct bun_places places;
	struct bun_place name, contents;

	(void)state;
	assert_int_equal(bun_end(head, sizeof(head), 208), 160);
	assert_int_equal(bun_end(head, sizeof(head), 207), 0);
	assert_int_equal(bun_end(head, 7, 208), 0);
	put_u32(end + 8, 48);
	put_u32(end + 12, 104);
	put_u32(end + 16, 1);
	put_u32(end + 20, 10);
	put_u32(end + 24, 5);
	memcpy(end + 32, END_LINE, 16);
	assert_true(bun_parse_end(&places, end, sizeof(end), 208));
	assert_int_equal(places.modules.offset, 56);
	assert_int_equal(places.options.offset, 18);
	assert_int_equal(places.options.size, 5);
	assert_true(bun_may_be_row(&places, 52));
	assert_false(bun_may_be_row(&places, 36));  /* does not divide the table */
	assert_false(bun_may_be_row(&places, 104)); /* has no second row then */
	assert_false(bun_parse_end(&places, end, sizeof(end), 150));
	end[40] ^= 1;
	assert_false(bun_parse_end(&places, end, sizeof(end), 208));
	assert_true(bun_parse_row(&name, &contents, end + 8, 16, 208));
	assert_false(bun_parse_row(&name, &contents, end + 8, 15, 208));
}

static struct package parsed(const char *text)
{
	struct package package;

	package_parse(&package, text, strlen(text));
	return package;
}

static void test_package(void **state)
{
	struct package p = parsed("{\"x\": {\"name\": \"inner\"}, \"name\": \"@a/b\",\n"
				  "\"keywords\": [\"name\", \"version\"], \"version\" : \"1.2\"}");

	(void)state;
	assert_string_equal(p.name, "@a/b");
	assert_string_equal(p.version, "1.2");
	assert_string_equal(parsed("{\"name\": \"a b\"}").name, "");
	assert_string_equal(parsed("{\"description\": \"\\\"name\\\": \\\"x\\\"\"}").name, "");
	assert_string_equal(parsed("[{\"name\": \"x\"}]").name, "");
	assert_string_equal(parsed("{\"name\": 7, \"version\": null}").name, "");
	assert_string_equal(parsed("").name, "");
	assert_string_equal(parsed("{\"name\": \"cut").name, "cut");
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

/* Links are followed, a folder without a name is passed, and a link is no package.json. */
static void test_find(void **state)
{
	char folder[] = "/tmp/sooth-test-XXXXXX", path[256];
	int process = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct package p;

	(void)state;
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chdir(folder), 0);
	assert_int_equal(mkdir("a", 0700) | mkdir("a/b", 0700) | mkdir("bin", 0700), 0);
	write_file("a/package.json", "{\"name\": \"found\", \"version\": \"3\"}");
	write_file("a/b/package.json", "{\"type\": \"module\"}");
	write_file("a/b/x.js", "");
	write_file("other", "{\"name\": \"secret\"}");
	assert_int_equal(
		symlink("../a/b/x.js", "bin/x") | symlink("bin/x", "y") | symlink("loop", "loop"),
		0);
	snprintf(path, sizeof(path), "%s/y", folder);
	assert_int_equal(package_find(&p, process, path), 0);
	assert_string_equal(p.name, "found");
	assert_string_equal(p.version, "3");
	/* Anybody could have written it. */
	assert_int_equal(chmod("a/package.json", 0666), 0);
	assert_int_equal(package_find(&p, process, path), 0);
	assert_string_equal(p.name, "");
	assert_int_equal(chmod("a/package.json", 0644), 0);
	if (!geteuid()) { /* neither root's nor of the script's owner */
		assert_int_equal(chown("a/package.json", 65534, 65534), 0);
		assert_int_equal(package_find(&p, process, path), 0);
		assert_string_equal(p.name, "");
		assert_int_equal(chown("a/b/x.js", 65534, 65534), 0);
		assert_int_equal(package_find(&p, process, path), 0);
		assert_string_equal(p.name, "found");
	}
	snprintf(path, sizeof(path), "%s/loop", folder);
	assert_true(package_find(&p, process, path) < 0);
	assert_int_equal(unlink("a/package.json") | symlink("../other", "a/package.json"), 0);
	snprintf(path, sizeof(path), "%s/a/b/x.js", folder);
	assert_int_equal(package_find(&p, process, path), 0);
	assert_string_equal(p.name, "");
	assert_int_equal(package_find(&p, process, "x.js"), -EINVAL);
	snprintf(path, sizeof(path), "rm -r %s", folder);
	assert_int_equal(chdir("/") | system(path), 0);
	close(process);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bun),
		cmocka_unit_test(test_package),
		cmocka_unit_test(test_find),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

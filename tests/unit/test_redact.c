/* SPDX-License-Identifier: BSD-2-Clause */
/* Names, homes, paths, addresses and arguments in texts for strangers: what goes, what stays, and
 * that the same one becomes the same words. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "secrets/redact.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct span span(const char *text)
{
	return span_of(text, strlen(text));
}

static void check(struct redactor *r, const char *text, const char *wanted)
{
	struct buffer out = { 0 };

	redactor_write(r, span(text), &out);
	assert_string_equal(buffer_cstr(&out), wanted);
	buffer_fini(&out);
}

static void test_names(void **state)
{
	struct redactor r;

	(void)state;
	redactor_init(&r);
	redactor_learn_name(&r, "user", span("zoe"));
	redactor_learn_name(&r, "user", span("zoe-admin"));
	redactor_learn_name(&r, "host", span("Lab7.example.org"));
	redactor_learn_name(&r, "user", span("al"));   /* too short to be told from a word */
	redactor_learn_name(&r, "user", span("node")); /* everybody's */
	check(&r, "zoe runs it on lab7, ZOE's", "user-1 runs it on host-2, user-1's");
	check(&r, "zoe-admin@x", "name-1");
	check(&r, "of zoe-admin, zoetrope, azoe", "of user-2, zoetrope, azoe");
	check(&r, "on lab7.example.org:80", "on host-1:80");
	check(&r, "al and node", "al and node");
	redactor_fini(&r);
}

static void test_paths(void **state)
{
	static const char *const cases[][2] = {
		{ "/home/zoe/work/x.js", "~user-1/path-1/path-2.js" },
		{ "/home/zoe/work/y.js", "~user-1/path-1/path-3.js" },
		{ "/Users/zoe/.claude/projects/-Users-zoe-work",
			"~user-1/.claude/projects/path-4" },
		{ "/home/zoe/.local/share/claude/versions/2.1.328",
			"~user-1/.local/share/claude/versions/2.1.328" },
		{ "/root/.cache", "~root/.cache" },
		{ "/rooted/x", "/path-5/path-6" },
		{ "/usr/lib/x86_64-linux-gnu/libc.so.6", "/usr/lib/x86_64-linux-gnu/libc.so.6" },
		{ "/usr/local/zoe/x", "/usr/local/user-1/x" },
		{ "/proc/4711/fd", "/proc/4711/fd" },
		{ "/srv/My Plans/a b.txt", "/srv/path-7/path-8.txt" },
		{ "most of them in /srv/My Plans/a b.txt (3)",
			"most of them in /srv/path-7/path-8.txt (3)" },
		{ "see /home/zoe/work/x.js, and /tmp/x.js.",
			"see ~user-1/path-1/path-2.js, and /tmp/path-2.js." },
		{ "16 MiB of it \"/mnt/Our merger.pdf\", which",
			"16 MiB of it \"/mnt/path-9\", which" },
		{ "below /srv/My Plans, served by x (1)", "below /srv/path-7, served by x (1)" },
		{ "on /srv/My Plans/new, now", "on /srv/path-7/path-10, now" },
		{ "/dev/shm/plan x", "/dev/shm/path-11" },
		{ "/usr/bin/perl -e 1 /srv/My Plans /srv/x y",
			"/usr/bin/perl -e 1 /srv/path-7 /srv/path-6 y" },
		{ "/sys/fs/cgroup/plan", "/sys/fs/cgroup/path-12" },
		{ "on / or /\xc3\xbcz", "on / or /path-13" },
		{ "19.6 a second, 1/s, and/or", "19.6 a second, 1/s, and/or" },
		{ "pipe:[7] anon_inode:[eventpoll]", "pipe:[7] anon_inode:[eventpoll]" },
		{ "/", "/" },
		{ "", "" },
	};
	struct redactor r;

	(void)state;
	redactor_init(&r);
	for (size_t i = 0; i < COUNT(cases); i++)
		redactor_learn_paths(&r, span(cases[i][0]));
	for (size_t i = 0; i < COUNT(cases); i++)
		check(&r, cases[i][0], cases[i][1]);
	redactor_fini(&r);
}

/* With a key: the same on each host, and a name that is a public word is one. */
static void test_hashes(void **state)
{
	struct name_key key;
	struct redactor r;

	(void)state;
	hmac_begin(&key.begun, "0123456789abcdef", 16);
	redactor_init(&r);
	r.key = &key;
	redactor_learn_name(&r, "user", span("zoe"));
	check(&r, "zoe runs /home/zoe/x, not /usr/bin/x, for node",
		"user-177f53e3863a967d runs ~user-177f53e3863a967d/path-43d2c5826570e669, not "
		"/usr/bin/x, for node");
	check(&r, "10.1.2.3", "address-265c98988efe549f");
	redactor_fini(&r);
}

/* A file's own name is one, whatever characters it has; numbers and what the kernel names are not.
 */
static void test_files(void **state)
{
	static const char *const names[] = { "our plan.py", "7(plan), x.py", "a@b plan", "plan/x y",
		"4711", "pipe:[7]", "10.1.2.3:443", "[::1]:80", "10.1.2.3 plan" };
	struct redactor r;

	(void)state;
	redactor_init(&r);
	for (size_t i = 0; i < COUNT(names); i++)
		redactor_learn_file(&r, "file", span(names[i]));
	check(&r, "sh our plan.py (4711), sh 7(plan), x.py (8)", "sh file-1 (4711), sh file-2 (8)");
	check(&r, "sh a@b plan (7), b plan", "sh file-3 (7), b plan");
	check(&r, "has \"/tmp/plan/x y\", /tmp/7(plan), x.py, is",
		"has \"/tmp/path-1/path-2\", "
		"/tmp/path-3.py, is");
	check(&r, "pipe:[7] [::1]:80 10.1.2.3 plan", "pipe:[7] [::1]:80 file-5");
	assert_true(redactor_is_complete(&r));
	for (unsigned i = 0; i < 70000; i++) {
		char name[16];

		snprintf(name, sizeof(name), "plan%u", i);
		redactor_learn_file(&r, "file", span(name));
	}
	assert_false(redactor_is_complete(&r));
	redactor_fini(&r);
}

static void test_addresses(void **state)
{
	static const char *const cases[][2] = {
		{ "10.1.2.3:443 to 10.1.2.3:80", "address-1:443 to address-1:80" },
		{ "[2001:db8::7]:443", "[address-2]:443" },
		{ "fe80:0:0:0:1:2:3:4", "address-3" },
		{ "127.0.0.1:80 ::1 [::1]:9 0.0.0.0 ::", "127.0.0.1:80 ::1 [::1]:9 0.0.0.0 ::" },
		{ "Claude Code 2.1.328, 124.0.6367.91, 1.2.3.4.5",
			"Claude Code 2.1.328, 124.0.6367.91, 1.2.3.4.5" },
		{ "12:34:56 std::map fd-leak:4711@1234", "12:34:56 std::map fd-leak:4711@1234" },
		{ "zoe@example.com", "name-1" },
		{ "@private-bus", "name-2" },
		{ "sk-ant-0123456789", "***" },
	};
	struct redactor r;

	(void)state;
	redactor_init(&r);
	for (size_t i = 0; i < COUNT(cases); i++)
		check(&r, cases[i][0], cases[i][1]);
	redactor_fini(&r);
}

static void test_arguments(void **state)
{
	static const char arguments[] = "/home/zoe/bin/x\0--fast\0plans";
	static const char wanted[] = "~user-1/bin/path-1\0***\0***";
	struct buffer out = { 0 };
	struct redactor r;

	(void)state;
	redactor_init(&r);
	redactor_write_arguments(&r, span_of(arguments, sizeof(arguments)), &out);
	assert_int_equal(out.size, sizeof(wanted));
	assert_memory_equal(out.data, wanted, sizeof(wanted));
	buffer_fini(&out);
	redactor_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_hashes),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

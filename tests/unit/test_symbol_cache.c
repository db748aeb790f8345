/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bound of a folder of symbols: what was used last stays, what is open stays readable, nothing
 * else in the folder or outside of it is removed, and a file that is not plainly the caller's is
 * not read but replaced.
 */
#include "support.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/linux/profile/symbol_cache.h"

#define KIND  "debug"
#define BYTES 8192 /* of a file: whole blocks */

static char parent[64], folder[80];

static int setup(void **state)
{
	(void)state;
	snprintf(parent, sizeof(parent), "/tmp/sooth-cache-XXXXXX");
	assert_non_null(mkdtemp(parent));
	snprintf(folder, sizeof(folder), "%s/above/sooth", parent);
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", parent);
	return system(command);
}

static void name_of(char name[SYMBOL_CACHE_NAME], unsigned i)
{
	char id[17];

	snprintf(id, sizeof(id), "%016x", i);
	assert_true(symbol_cache_name(name, KIND, id));
}

/* Its bytes are all the low ones of its number. */
static bool put(int directory, unsigned i)
{
	char name[SYMBOL_CACHE_NAME], part[SYMBOL_CACHE_PART], bytes[BYTES];
	_cleanup_close_ int file = -1;

	name_of(name, i);
	memset(bytes, (int)i, sizeof(bytes));
	file = symbol_cache_begin(directory, name, part);
	return file >= 0 && symbol_cache_end(directory, name, part,
				    write(file, bytes, sizeof(bytes)) == (ssize_t)sizeof(bytes));
}

/* Used so many seconds ago. */
static void age(int directory, unsigned i, time_t seconds)
{
	char name[SYMBOL_CACHE_NAME];
	struct timespec times[2];

	name_of(name, i);
	clock_gettime(CLOCK_REALTIME, &times[0]);
	times[0].tv_sec -= seconds;
	times[1] = times[0];
	assert_false(utimensat(directory, name, times, 0));
}

static bool is_whole(int file, unsigned i)
{
	unsigned char bytes[BYTES + 1];

	if (pread(file, bytes, sizeof(bytes), 0) != BYTES)
		return false;
	for (size_t k = 0; k < BYTES; k++) {
		if (bytes[k] != (unsigned char)i)
			return false;
	}
	return true;
}

static bool is_there(int directory, unsigned i)
{
	char name[SYMBOL_CACHE_NAME];
	struct stat st;

	name_of(name, i);
	return !fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW);
}

static void test_modes(void **state)
{
	char name[SYMBOL_CACHE_NAME], part[SYMBOL_CACHE_PART], above[80];
	_cleanup_close_ int directory = -1;
	_cleanup_close_ int unfinished = -1;
	struct stat st;

	(void)state;
	umask(0);
	assert_true(symbol_cache_open(folder, false) < 0);
	directory = symbol_cache_open(folder, true);
	assert_true(directory >= 0);
	assert_true(put(directory, 1));
	assert_false(fstat(directory, &st));
	assert_int_equal(st.st_mode & 07777, 0700);
	snprintf(above, sizeof(above), "%s/above", parent);
	assert_false(stat(above, &st));
	assert_int_equal(st.st_mode & 07777, 0700);
	name_of(name, 1);
	assert_false(fstatat(directory, name, &st, 0));
	assert_int_equal(st.st_mode & 07777, 0600);
	/* A file that is not whole leaves the older one as it is, and nothing else. */
	unfinished = symbol_cache_begin(directory, name, part);
	assert_true(unfinished >= 0);
	assert_false(symbol_cache_end(directory, name, part, false));
	assert_true(is_there(directory, 1));
	umask(022);
	assert_false(symbol_cache_name(name, KIND, ""));
	assert_false(symbol_cache_name(name, KIND, "../a"));
	assert_false(symbol_cache_name(name, KIND, "ab/cd"));
	assert_false(symbol_cache_name(name, KIND, "AB"));
	assert_true(symbol_cache_open("/tmp", true) < 0); /* all may write there */
}

static void test_bound(void **state)
{
	_cleanup_close_ int directory = symbol_cache_open(folder, true);
	_cleanup_close_ int opened = -1, used = -1;
	char name[SYMBOL_CACHE_NAME];

	(void)state;
	for (unsigned i = 1; i <= 10; i++) {
		assert_true(put(directory, i));
		age(directory, i, 1000 - (time_t)i);
	}
	symbol_cache_trim(directory, KIND, 10 * BYTES);
	for (unsigned i = 1; i <= 10; i++)
		assert_true(is_there(directory, i));
	/* Number 1 is the oldest but was read just now. */
	name_of(name, 1);
	used = symbol_cache_get(directory, name);
	assert_true(used >= 0 && is_whole(used, 1));
	name_of(name, 2);
	opened = openat(directory, name, O_RDONLY | O_CLOEXEC);
	symbol_cache_trim(directory, KIND, 4 * BYTES + BYTES - 1);
	for (unsigned i = 1; i <= 10; i++)
		assert_int_equal(is_there(directory, i), i == 1 || i >= 8);
	assert_true(is_whole(opened, 2));
	/* Another kind is not counted, and not removed. */
	symbol_cache_trim(directory, SYMBOL_CACHE_LAYOUT, 0);
	assert_true(is_there(directory, 1));
	symbol_cache_trim(directory, KIND, 0);
	for (unsigned i = 1; i <= 10; i++)
		assert_false(is_there(directory, i));
}

static void make_at(int directory, const char *name, time_t seconds_ago)
{
	int file = openat(directory, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct timespec times[2] = { { time(NULL) - seconds_ago, 0 },
		{ time(NULL) - seconds_ago, 0 } };

	assert_true(file >= 0 && write(file, "whatever", 8) == 8 && !futimens(file, times));
	close(file);
}

static void test_others(void **state)
{
	static const char *const kept[] = { "debug-xyz", "debug-", "debugger", "Debug-12",
		"notes.txt", "debug-12.bak", ".debug-12-", ".debug-12-3x", ".debug-zz-12",
		".debug-12-7" };
	_cleanup_close_ int directory = symbol_cache_open(folder, true);
	_cleanup_close_ int above = -1;
	char outside[96];
	struct stat st;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		make_at(directory, kept[i], i + 1 < ARRAY_SIZE(kept) ? 100000 : 60);
	make_at(directory, ".debug-12-89abcdef", 100000); /* left by a process that was killed */
	assert_false(mkdirat(directory, "debug-aa", 0700));
	snprintf(outside, sizeof(outside), "%s/outside", parent);
	above = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	make_at(above, "outside", 100000);
	assert_false(symlinkat(outside, directory, "debug-bb"));
	assert_true(put(directory, 1));
	symbol_cache_trim(directory, KIND, 0);
	assert_false(is_there(directory, 1));
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		assert_false(fstatat(directory, kept[i], &st, 0));
	assert_true(fstatat(directory, ".debug-12-89abcdef", &st, 0));
	assert_false(fstatat(directory, "debug-aa", &st, 0));
	assert_false(stat(outside, &st));
	assert_int_equal(st.st_size, 8);
}

/* Each is refused, and the next write puts a good one there; what a link leads to stays. */
static void test_replaced(void **state)
{
	_cleanup_close_ int directory = symbol_cache_open(folder, true);
	char name[SYMBOL_CACHE_NAME], outside[96], content[16] = "";
	_cleanup_close_ int above = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int file;

	(void)state;
	name_of(name, 5);
	snprintf(outside, sizeof(outside), "%s/outside", parent);
	make_at(above, "outside", 0);
	for (int form = 0; form < 5; form++) {
		unlinkat(directory, name, 0);
		if (form == 0)
			assert_false(symlinkat(outside, directory, name));
		else if (form == 1)
			assert_false(linkat(above, "outside", directory, name, 0) ||
				     fchmodat(directory, name, 0666, 0));
		else if (form == 2)
			assert_false(mkfifoat(directory, name, 0600));
		else if (form == 3)
			assert_true(put(directory, 5) && !fchmodat(directory, name, 0660, 0));
		else if (!geteuid())
			assert_true(
				put(directory, 5) && !fchownat(directory, name, 65534, 65534, 0));
		if (form < 4 || !geteuid())
			assert_true(symbol_cache_get(directory, name) < 0);
		assert_true(put(directory, 5));
		file = symbol_cache_get(directory, name);
		assert_true(file >= 0 && is_whole(file, 5));
		close(file);
	}
	file = open(outside, O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(file, content, sizeof(content)), 8);
	assert_memory_equal(content, "whatever", 8);
	close(file);
}

/* --- several at once --- */

#define PROCESSES 6
#define ROUNDS	  300
#define NUMBERS	  12
#define BOUND	  (5 * BYTES)

static int work(unsigned seed)
{
	_cleanup_close_ int directory = symbol_cache_open(folder, true);
	char name[SYMBOL_CACHE_NAME];
	int read = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		unsigned number = 1 + (i / 2 * 7 + seed * 5) % NUMBERS;
		int file;

		name_of(name, number);
		file = symbol_cache_get(directory, name);
		if (file >= 0) {
			symbol_cache_trim(directory, KIND, 0);
			if (!is_whole(file, number))
				return 1;
			read++;
			close(file);
		} else if (!put(directory, number)) {
			return 2;
		}
		symbol_cache_trim(directory, KIND, BOUND);
	}
	return read ? 0 : 3;
}

static void test_several(void **state)
{
	_cleanup_close_ int directory = symbol_cache_open(folder, true);
	_cleanup_dir_ DIR *all = NULL;
	pid_t pids[PROCESSES];
	size_t count = 0;
	struct dirent *one;

	(void)state;
	for (unsigned i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		if (!pids[i])
			_exit(work(i));
	}
	for (unsigned i = 0; i < PROCESSES; i++) {
		int status;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
	symbol_cache_trim(directory, KIND, BOUND);
	all = opendir(folder);
	while ((one = readdir(all)))
		count += one->d_name[0] != '.';
	assert_true(count <= BOUND / BYTES);
	rewinddir(all);
	while ((one = readdir(all)))
		assert_int_not_equal(strncmp(one->d_name, ".debug", 6), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_modes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bound, setup, teardown),
		cmocka_unit_test_setup_teardown(test_others, setup, teardown),
		cmocka_unit_test_setup_teardown(test_replaced, setup, teardown),
		cmocka_unit_test_setup_teardown(test_several, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs a fuzz target without libFuzzer, so that it can be an ordinary test:
 *     fuzz_x [--random N SEED] [--seconds N] FILE|FOLDER...
 * runs it over every file, and over N inputs made from them by a fixed
 * generator, so that a failure comes again with the same N and SEED. With
 * --seconds it makes inputs of that seed until the time is over. When a target
 * aborts, its input is left in the file SOOTH_FUZZ_LAST names, if set.
 */
#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

#define INPUT_MAX  4096	 /* bytes of a made input */
#define FILE_MAX   65536 /* bytes read of a file */
#define INPUTS_MAX 4096	 /* files */

struct input {
	uint8_t *data;
	size_t size;
};

static struct input inputs[INPUTS_MAX];
static size_t input_count;
static struct input current;

static void run(const uint8_t *data, size_t size)
{
	/* A copy of exactly this size, so that a sanitizer sees a step beyond it. */
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	memcpy(copy, data, size);
	current = (struct input){ copy, size };
	LLVMFuzzerTestOneInput(copy, size);
	current = (struct input){ NULL, 0 };
	free(copy);
}

static void keep_input(int number)
{
	const char *path = getenv("SOOTH_FUZZ_LAST");
	FILE *file = path ? fopen(path, "w") : NULL;

	(void)number;
	if (file && current.data) {
		fwrite(current.data, 1, current.size, file);
		fclose(file);
	}
	signal(SIGABRT, SIG_DFL);
}

static bool add_file(const char *path)
{
	uint8_t *data;
	FILE *file = fopen(path, "r");
	size_t size;

	if (!file || input_count == INPUTS_MAX) {
		fprintf(stderr, "cannot take %s\n", path);
		if (file)
			fclose(file);
		return false;
	}
	data = malloc(FILE_MAX);
	if (!data)
		abort();
	size = fread(data, 1, FILE_MAX, file);
	fclose(file);
	inputs[input_count++] = (struct input){ data, size };
	return true;
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static bool add_path(const char *path)
{
	struct dirent **names;
	struct stat st;
	bool is_good = true;
	char name[4096];
	int count;

	if (stat(path, &st) || !S_ISDIR(st.st_mode))
		return add_file(path);
	/* sorted, so that the same seed makes the same inputs everywhere */
	count = scandir(path, &names, is_visible, alphasort);
	if (count < 0)
		return false;
	for (int i = 0; i < count; i++) {
		int length = snprintf(name, sizeof(name), "%s/%s", path, names[i]->d_name);

		if (length < 0 || (size_t)length >= sizeof(name) || !add_file(name))
			is_good = false;
		free(names[i]);
	}
	free(names);
	return is_good;
}

/* splitmix64: every seed is a good one. */
static uint64_t random_next(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static size_t below(uint64_t *seed, size_t bound)
{
	return bound ? (size_t)(random_next(seed) % bound) : 0;
}

static size_t insert(uint8_t *data, size_t size, size_t at, const uint8_t *from, size_t count)
{
	uint8_t piece[64];

	if (count > sizeof(piece))
		count = sizeof(piece);
	if (count > INPUT_MAX - size)
		count = INPUT_MAX - size;
	memcpy(piece, from, count); /* it may come from data itself */
	memmove(data + at + count, data + at, size - at);
	memcpy(data + at, piece, count);
	return size + count;
}

static size_t mutate(uint8_t *data, size_t size, uint64_t *seed)
{
	static const uint8_t telling[] = { 0, 1, '\n', ' ', '"', '\'', '\\', '0', '9', ':', '=',
		'-', '.', '/', '@', 0x1b, 0x7f, 0x80, 0xc2, 0xe2, 0xf4, 0xff };
	size_t at = below(seed, size), count = 1 + below(seed, 16);
	uint64_t random = random_next(seed);
	uint8_t bytes[16];
	struct input other;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)random_next(seed);
	switch (size ? random % 7 : 6) {
	case 0:
		data[at] ^= (uint8_t)(1u << (random >> 8) % 8);
		return size;
	case 1:
		data[at] = telling[(random >> 8) % sizeof(telling)];
		return size;
	case 2:
		if (count > size - at)
			count = size - at;
		memmove(data + at, data + at + count, size - at - count);
		return size - count;
	case 3:
		return insert(data, size, at, data + at, count < size - at ? count : size - at);
	case 4:
		return insert(data, size, at, &telling[(random >> 8) % sizeof(telling)], 1);
	case 5:
		other = inputs[below(seed, input_count)];
		if (input_count && other.size) {
			size_t from = below(seed, other.size);

			return insert(data, size, at, other.data + from, other.size - from);
		}
		return size;
	default:
		return insert(data, size, at, bytes, count);
	}
}

static uint64_t run_random(uint64_t rounds, uint64_t seconds, uint64_t seed)
{
	static uint8_t data[INPUT_MAX];
	uint64_t round = 0;
	time_t end = time(NULL) + (time_t)seconds;

	for (; round < rounds || time(NULL) < end; round++) {
		struct input from = input_count ? inputs[below(&seed, input_count)] : current;
		size_t size = from.size < INPUT_MAX ? from.size : INPUT_MAX;

		if (size)
			memcpy(data, from.data, size);
		for (size_t i = 1 + below(&seed, 8); i > 0; i--)
			size = mutate(data, size, &seed);
		run(data, size);
	}
	return round;
}

int main(int argc, char **argv)
{
	uint64_t rounds = 0, seconds = 0, seed = 0;
	bool is_good = true;

	signal(SIGABRT, keep_input);
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--random") == 0 && i + 2 < argc) {
			rounds = strtoull(argv[i + 1], NULL, 10);
			seed = strtoull(argv[i + 2], NULL, 10);
			i += 2;
		} else if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc) {
			seconds = strtoull(argv[++i], NULL, 10);
		} else if (!add_path(argv[i])) {
			is_good = false;
		}
	}
	run((const uint8_t *)"", 0);
	for (size_t i = 0; i < input_count; i++)
		run(inputs[i].data, inputs[i].size);
	rounds = run_random(rounds, seconds, seed);
	printf("%zu files, %llu made inputs\n", input_count, (unsigned long long)rounds);
	for (size_t i = 0; i < input_count; i++)
		free(inputs[i].data);
	return is_good ? 0 : 1;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes programs that sooth has dtrace(1) run, one of each kind, into a folder: dtrace_programs
 * DIR */
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "os/bsd/dtrace_program.h"
#include "probes/syscalls.h"

static const uint32_t pids[] = { 10, 11 }, others[] = { 12 };

static void save(const char *folder, const char *name, struct buffer *program)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.d", folder, name);
	file = fopen(path, "w");
	if (!file || buffer_failed(program) ||
		fwrite(program->data, 1, program->size, file) != program->size || fclose(file)) {
		perror(path);
		exit(1);
	}
	buffer_fini(program);
}

static struct dtrace_targets targets_of(size_t kind)
{
	struct dtrace_targets t = { .has_uid = kind == 1, .uid = 1001 };

	if (!kind) {
		t.pids = pids;
		t.pid_count = ARRAY_SIZE(pids);
		t.others = others;
		t.other_count = ARRAY_SIZE(others);
	}
	return t;
}

/* Of the host it is as of a user. */
static const char *const target_names[] = { "pids", "user" };

static void save_calls(const char *folder, unsigned abi, size_t target, const char *set)
{
	static const char *const modes[] = { "stream", "count", "both" };
	struct syscall_set selected;
	struct sooth_error err;

	if (syscall_set_parse(&selected, set, &err)) {
		fprintf(stderr, "%s: %s\n", err.tried, err.why);
		exit(1);
	}
	for (size_t mode = 0; mode < ARRAY_SIZE(modes); mode++) {
		struct dtrace_calls c = { .targets = targets_of(target),
			.abi = abi,
			.set = &selected,
			.streams = mode != 1,
			.counts = mode != 0 };
		struct buffer program = { 0 };
		char name[64];

		snprintf(name, sizeof(name), "%s-%s-%s-%s",
			abi == SYSCALL_ABI_DARWIN ? "darwin" : "freebsd", modes[mode],
			target_names[target], set ? "some" : "all");
		dtrace_program_calls(&program, &c);
		save(folder, name, &program);
	}
}

int main(int argc, char **argv)
{
	static const unsigned abis[] = { SYSCALL_ABI_FREEBSD, SYSCALL_ABI_DARWIN };

	if (argc != 2)
		return 2;
	for (size_t target = 0; target < ARRAY_SIZE(target_names); target++) {
		struct dtrace_targets t = targets_of(target);
		struct buffer program = { 0 };
		char name[64];

		for (size_t i = 0; i < ARRAY_SIZE(abis); i++) {
			save_calls(argv[1], abis[i], target, NULL);
			save_calls(argv[1], abis[i], target, "file,network");
		}
		snprintf(name, sizeof(name), "profile-%s", target_names[target]);
		dtrace_program_profile(&program, &t, 99);
		save(argv[1], name, &program);
	}
	return 0;
}

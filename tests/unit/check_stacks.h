/* SPDX-License-Identifier: BSD-2-Clause */
/* Stacks of threads, made of names of functions. */
#ifndef SOOTH_TESTS_CHECK_STACKS_H
#define SOOTH_TESTS_CHECK_STACKS_H

#include "check_records.h"

#include "probes/stacks.h"

static uint32_t frames;

/* "name file", of a script in parentheses. */
static uint32_t put_frame(const char *function)
{
	bool is_script = function[0] == '(';
	char name[96] = "", file[96] = "/bin/thing";
	struct profile_frame f = { .record = head_of(LOOKS, 0, STACKS_FRAME),
		.frame = ++frames,
		.frame_kind = is_script ? PROFILE_SCRIPT : PROFILE_USER,
		.begin = 0x1200,
		.build_id_state = SOOTH_STATE_ABSENT };

	sscanf(function + is_script, "%95s %95s", name, file);
	if (is_script)
		file[strcspn(file, ")")] = '\0';
	struct record_tail tail[] = { put_text(&f.function, name), put_text(&f.file, file) };

	RECORD_APPEND(&records, &f, tail, 2);
	return frames;
}

/* Innermost first; up to `most`, or the first that is NULL. */
static void put_stack(uint32_t stack, const char *const *functions, size_t most)
{
	struct profile_stack d = {
		.record = head_of(LOOKS, 0, STACKS_STACK), .stack = stack, .end = PROFILE_WHOLE
	};
	uint32_t all[8];
	size_t count = 0;

	while (count < ARRAY_SIZE(all) && count < most && functions[count]) {
		all[count] = put_frame(functions[count]);
		count++;
	}
	struct record_tail tail[] = { { &d.frames, all, count * sizeof(*all) } };

	RECORD_APPEND(&records, &d, tail, 1);
}

#endif

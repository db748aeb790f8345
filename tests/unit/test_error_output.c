/* SPDX-License-Identifier: BSD-2-Clause */
/* Texts that calls wrote to standard error become messages; nothing else of them stays. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include <sooth/field.h>

#include "base/cleanup.h"
#include "model/batch.h"
#include "model/stream_records.h"
#include "os/linux/syscalls/error_output.h"
#include "probes/syscalls.h"

#define PID 7

static struct buffer records;
static struct error_outputs outputs;

/* A call that wrote `text`; `state` is that of the piece. */
static void write_piece(
	uint32_t pid, const char *text, size_t size, uint8_t state, enum syscalls_piece_part part)
{
	struct syscalls_piece head = {
		.argument = 1, .part = (uint8_t)part, .state = state, .size = (uint32_t)size
	};
	struct syscalls_call call = { .record = { .kind = SYSCALLS_CALL, .pid = pid, .tid = pid } };
	struct buffer pieces = { 0 };

	buffer_append(&pieces, &head, sizeof(head));
	buffer_append(&pieces, text, size);
	while (pieces.size % 8)
		buffer_char(&pieces, '\0');
	struct record_tail tail[] = { { &call.pieces, pieces.data, pieces.size } };
	RECORD_APPEND(&records, &call, tail, 1);
	buffer_fini(&pieces);
}

static void write_text(uint32_t pid, const char *text, size_t size, uint8_t state)
{
	write_piece(pid, text, size, state, SYSCALLS_PART_ERROR_OUTPUT);
}

static void write_line(uint32_t pid, const char *text)
{
	write_text(pid, text, strlen(text), 0);
}

static void write_to_file(uint32_t pid, const char *text)
{
	write_piece(pid, text, strlen(text), 0, SYSCALLS_PART_ERROR_FILE);
}

static void ends(uint32_t pid, uint32_t status, uint8_t status_state)
{
	struct process_leave end = { .record = { .kind = PROCESS_LEAVE, .pid = pid, .tid = pid },
		.status = status,
		.status_state = status_state };

	RECORD_APPEND(&records, &end, NULL, 0);
}

/* "error:text|routine:|": the messages, as they are after it was all taken. */
static const char *messages(void)
{
	static const char *const kinds[] = { "routine", "warning", "error", "last" };
	static char text[4096];
	size_t at = 0;

	error_outputs_move_to(&outputs, &records, 0);
	text[0] = '\0';
	const struct batch all = { records.data, records.size };
	assert_true(batch_check(&all) >= 0);
	batch_for_each (r, &all) {
		const struct syscalls_message *m = (const void *)r;

		if (r->kind == SYSCALLS_CALL) {
			assert_int_equal(
				((const struct syscalls_call *)(const void *)r)->pieces.size, 0);
			continue;
		}
		if (r->kind == PROCESS_LEAVE) {
			at += (size_t)snprintf(text + at, sizeof(text) - at, "end|");
			continue;
		}
		assert_int_equal(r->kind, SYSCALLS_MESSAGE);
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s:%.*s|",
			m->is_part ? "part of " : "", kinds[m->kind], (int)m->text.size,
			(const char *)r + m->text.offset);
	}
	buffer_reset(&records);
	return text;
}

static void test_lines(void **state)
{
	(void)state;
	write_line(PID, "12:00:01 ERROR cannot open the ledger\nlistening on 80\n");
	assert_string_equal(messages(), "error:cannot open the ledger|routine:|");
	write_line(PID, "connection ");
	write_line(8, "Error: of another process\n");
	write_line(PID, "refused\n");
	assert_string_equal(messages(), "error:of another process|error:connection refused|");
	write_line(PID, "\r10 %\r20 %\n\n");
	assert_string_equal(messages(), "routine:|routine:|");
}

static void test_trace(void **state)
{
	(void)state;
	write_line(PID, "ERROR job failed\nTraceback (most recent call last):\n  File \"a.py\", "
			"line 3, in <module>\n"
			"KeyError: 'price'\n");
	assert_string_equal(messages(), "error:job failed|part of error:KeyError: 'price'|");
}

/* A process that ends with an error has its last line written, which may be of any kind and in a
 * file; other lines of a file are not. */
static void test_last(void **state)
{
	(void)state;
	write_to_file(PID, "Error: cannot connect\nA server is already running (pid 7)\n\n");
	ends(PID, 256, 0);
	assert_string_equal(messages(), "last:A server is already running (pid 7)|end|");
	write_line(PID, "listening\nusage: serve");
	ends(PID, 512, 0);
	assert_string_equal(messages(), "routine:|last:usage: serve|end|");
	/* Success, an unknown status, another process, and a process of that number again. */
	write_to_file(PID, "done\n");
	ends(PID, 0, 0);
	write_to_file(8, "done\n");
	ends(8, 256, SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED));
	ends(9, 256, 0);
	ends(PID, 256, 0);
	assert_string_equal(messages(), "end|end|end|end|");
}

/* What comes after bytes that were cut off may be the end of a line, which a mask of secrets would
 * have to see whole; the line after that is whole again. A line of a private key says nothing. */
static void test_last_in_part(void **state)
{
	char longest[1023];

	(void)state;
	memset(longest, 'x', sizeof(longest));
	memcpy(longest + sizeof(longest) - 10, " password=", 10);
	write_text(PID, longest, sizeof(longest), SOOTH_STATE_TRUNCATED);
	ends(PID, 256, 0);
	assert_string_equal(messages(), "routine:|end|");
	write_text(PID, longest, sizeof(longest), SOOTH_STATE_TRUNCATED);
	write_line(PID, "hunter2\n");
	ends(PID, 256, 0);
	assert_string_equal(messages(), "routine:|routine:|end|");
	write_text(PID, longest, sizeof(longest), SOOTH_STATE_TRUNCATED);
	write_line(PID, "hunter2\nit failed\n");
	ends(PID, 256, 0);
	assert_string_equal(messages(), "routine:|routine:|error:it failed|last:it failed|end|");
	write_to_file(PID, "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG\n");
	ends(PID, 256, 0);
	assert_string_equal(messages(), "end|");
	write_to_file(PID, "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\nno\n");
	ends(PID, 256, 0);
	assert_string_equal(messages(), "last:no|end|");
}

static uint64_t form_of_first(void)
{
	uint64_t form;

	error_outputs_move_to(&outputs, &records, 0);
	const struct batch all = { records.data, records.size };
	form = 0;
	batch_for_each (r, &all) {
		if (r->kind == SYSCALLS_MESSAGE && !form)
			form = ((const struct syscalls_message *)(const void *)r)->form;
	}
	buffer_reset(&records);
	return form;
}

/* Equal lines have equal forms in one run, and other ones in another: no dictionary finds a word
 * that was masked. */
static void test_forms(void **state)
{
	uint64_t form;

	(void)state;
	write_line(PID, "the secret is hunter\n");
	form = form_of_first();
	write_line(PID, "the secret is hunter\n");
	assert_true(form && form == form_of_first());
	error_outputs_fini(&outputs);
	error_outputs_init(&outputs);
	write_line(PID, "the secret is hunter\n");
	assert_true(form != form_of_first());
}

/* The end of a cut text is not awaited; a text that could not be read is none. */
static void test_cut(void **state)
{
	char longest[1023];

	(void)state;
	memset(longest, 'x', sizeof(longest));
	memcpy(longest, "Error: permission denied ", 25);
	write_text(PID, longest, sizeof(longest), SOOTH_STATE_TRUNCATED);
	assert_string_equal(messages(), "error:permission denied|");
	write_text(PID, "Error: gone", 11, SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED));
	write_line(PID, "disk full\n");
	assert_string_equal(messages(), "error:disk full|");
}

/* Each process's lines are read, also of more processes than are kept at a time. */
static void test_many(void **state)
{
	size_t count = 0;

	(void)state;
	for (uint32_t pid = 100; pid < 3100; pid++)
		write_line(pid, "Error: disk full\n");
	error_outputs_move_to(&outputs, &records, 0);
	const struct batch all = { records.data, records.size };
	batch_for_each (r, &all)
		count += r->kind == SYSCALLS_MESSAGE;
	assert_int_equal(count, 3000);
	buffer_reset(&records);
}

/* Records without such a piece, and damaged ones, stay as they are. */
static void test_others(void **state)
{
	struct syscalls_piece path = { .part = SYSCALLS_PART_TARGET, .size = 4000 };
	struct syscalls_call call = { .record = { .kind = SYSCALLS_CALL, .pid = PID } };
	struct record_tail tail[] = { { &call.pieces, &path, sizeof(path) } };
	struct buffer before = { 0 };

	(void)state;
	RECORD_APPEND(&records, &call, tail, 1);
	call.pieces = (struct sooth_text){ .offset = 4000, .size = 8 };
	RECORD_APPEND(&records, &call, NULL, 0);
	buffer_append(&before, records.data, records.size);
	error_outputs_move_to(&outputs, &records, 0);
	assert_int_equal(records.size, before.size);
	assert_memory_equal(records.data, before.data, before.size);
	buffer_reset(&records);
	buffer_fini(&before);
}

static int prepare(void **state)
{
	(void)state;
	error_outputs_init(&outputs);
	return 0;
}

static int clear(void **state)
{
	(void)state;
	error_outputs_fini(&outputs);
	buffer_fini(&records);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_lines),
		cmocka_unit_test(test_trace), cmocka_unit_test(test_last),
		cmocka_unit_test(test_last_in_part), cmocka_unit_test(test_forms),
		cmocka_unit_test(test_cut), cmocka_unit_test(test_others),
		cmocka_unit_test(test_many) };

	return cmocka_run_group_tests(tests, prepare, clear);
}

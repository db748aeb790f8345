/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The input is a capture or the records of one, as anybody may hand one over: it becomes JSON lines
 * and a timeline, which must be JSON, and CSV; and a database where there is one, which must be
 * sound.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../unit/json_check.h"
#include "capture/block.h"
#include "export/export.h"
#include "fuzz.h"

static char folder[] = "/tmp/sooth-fuzz-XXXXXX";

static void remove_folder(void)
{
	rmdir(folder);
}

static void path_of(char out[64], const char *name)
{
	static bool is_made;

	if (!is_made) {
		CHECK(mkdtemp(folder));
		atexit(remove_folder);
	}
	is_made = true;
	snprintf(out, 64, "%s/%s", folder, name);
}

static void check_json(const char *text, size_t size, bool is_lines)
{
	while (is_lines && size) {
		const char *end = memchr(text, '\n', size);

		CHECK(end);
		CHECK(json_check(text, (size_t)(end - text), 1));
		size -= (size_t)(end + 1 - text);
		text = end + 1;
	}
	CHECK(is_lines || json_check(text, size, 1));
}

static void check_file(const char *format, const char *path)
{
	struct buffer text = { 0 };
	FILE *file = fopen(path, "r");
	size_t got;

	CHECK(file);
	do {
		void *to = buffer_reserve(&text, 65536);

		CHECK(to);
		got = fread(to, 1, 65536, file);
		buffer_commit(&text, got);
	} while (got);
	fclose(file);
	if (!strcmp(format, "jsonl") || !strcmp(format, "chrome"))
		check_json((const char *)text.data, text.size, *format == 'j');
	buffer_fini(&text);
}

/* CSV takes one table. */
static void export_as(const struct export_type *type, const char *capture)
{
	static const char *const names[] = { "proc_process" };
	struct export_reported told = { 0 };
	struct sooth_error err = { 0 };
	char path[64];
	struct export_options options = { .path = capture,
		.output = path,
		.names = names,
		.name_count = type->is_of_one ? 1 : 0 };
	int status;

	path_of(path, "out");
	status = export_run(type, &options, &told, &err);
	CHECK(!status || err.tried[0]);
	if (!status) {
		check_file(type->name, path);
		unlink(path);
	}
	buffer_fini(&told.losses);
	buffer_fini(&told.limits);
}

static void export_all(const void *data, size_t size)
{
	char capture[64];
	FILE *file;

	path_of(capture, "capture");
	file = fopen(capture, "w");
	CHECK(file && fwrite(data, 1, size, file) == size && !fclose(file));
	for (size_t i = 0; export_types[i]; i++)
		export_as(export_types[i], capture);
	unlink(capture);
}

/* Checksums stop nearly every made input: so records, when that is what it is, get good ones. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer records = { 0 }, capture = { 0 };
	struct block_encoder encoder = { 0 };
	struct block block = { .header = { .type = BLOCK_RECORDS } };

	buffer_append(&records, data, size);
	block.batch = (struct batch){ records.data, records.size };
	if (size && batch_check(&block.batch) > 0) {
		block_describe(&block);
		CHECK(!block_encode(&encoder, &capture, &block, CODEC_NONE, NULL));
		export_all(capture.data, capture.size);
	} else if (size) {
		export_all(data, size);
	}
	buffer_fini(&records);
	buffer_fini(&capture);
	block_encoder_fini(&encoder);
	return 0;
}

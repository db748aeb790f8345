/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memtrack's artifact: what is written is decoded by libmsgpackc, which wrote none of it; what is
 * read comes from there, or from bytes as other writers make them.
 */
#include "heap_records.h"
#include "shown.h"

#include <errno.h>
#include <fcntl.h>
#include <msgpack.h>
#include <unistd.h>
#include <zstd.h>

#include "analyze/heap/heap_lines.h"
#include "import/memtrack_event.h"
#include "probes/syscall_names.h"
#include "probes/syscalls.h"

#define RAW_BYTES (32u << 20)

static unsigned char raw[RAW_BYTES];
static size_t raw_size, frames;

/* --- written --- */

/* Writes the records as an artifact, unpacks it into `raw` and counts its frames. */
static void write_artifact(void)
{
	const struct heap_lines_options options = { .only_memory = true };
	const char *at = show_view("heap", "heap-lines", &options, "msgpack-rows");
	size_t left = shown.size;

	raw_size = frames = 0;
	while (left) {
		size_t frame = ZSTD_findFrameCompressedSize(at, left), size;

		assert_false(ZSTD_isError(frame));
		size = ZSTD_decompress(raw + raw_size, RAW_BYTES - raw_size, at, frame);
		assert_false(ZSTD_isError(size));
		raw_size += size;
		frames++;
		at += frame;
		left -= frame;
	}
}

/* The events in raw as text, as libmsgpackc prints them; how many there are. */
static size_t print_events(char *out, size_t room)
{
	msgpack_unpacked event;
	size_t offset = 0, count = 0;
	FILE *to = fmemopen(out, room, "w");

	assert_non_null(to);
	msgpack_unpacked_init(&event);
	while (offset < raw_size) {
		assert_int_equal(msgpack_unpack_next(&event, (const char *)raw, raw_size, &offset),
			MSGPACK_UNPACK_SUCCESS);
		if (count++ < 16) {
			msgpack_object_print(to, event.data);
			fputc('\n', to);
		}
	}
	msgpack_unpacked_destroy(&event);
	fclose(to);
	return count;
}

static void test_members(void **state)
{
	static char text[8192];

	(void)state;
	add_heap_call(&records, malloc_call(100, 7, 0x1000, 64));
	add_heap_call(&records, realloc_call(103, 7, 0x1000, 0xfffffffffffff000, 70000));
	add_heap_call(&records, free_call(104, 70000, 0x2000));
	write_artifact();
	assert_int_equal(print_events(text, sizeof(text)), 3);
	assert_string_equal(text,
		"{\"pid\"=>7, \"tid\"=>7, \"timestamp\"=>100, \"addr\"=>4096, "
		"\"type\"=>\"Malloc\", "
		"\"size\"=>64}\n"
		"{\"pid\"=>7, \"tid\"=>7, \"timestamp\"=>103, \"addr\"=>18446744073709547520, "
		"\"type\"=>\"Realloc\", \"size\"=>70000, \"old_addr\"=>4096}\n"
		"{\"pid\"=>70000, \"tid\"=>70000, \"timestamp\"=>104, \"addr\"=>8192, "
		"\"type\"=>\"Free\"}\n");
	assert_int_equal(frames, 1);
}

/* A reader takes each event for memory: a call that got none is no event. */
static void test_only_memory(void **state)
{
	static char text[8192];
	struct heap_call given_back = realloc_call(30, 7, 0x5000, 0, 0);

	(void)state;
	add_heap_call(&records, failed_call(10, 7, 1 << 30));
	add_heap_call(&records, realloc_call(20, 7, 0x4000, 0, 64));
	add_heap_call(&records, given_back);
	add_heap_call(&records, free_call(40, 7, 0));
	write_artifact();
	assert_int_equal(print_events(text, sizeof(text)), 1);
	assert_string_equal(text, "{\"pid\"=>7, \"tid\"=>7, \"timestamp\"=>30, \"addr\"=>20480, "
				  "\"type\"=>\"Free\"}\n");
}

static void add_mapping(const char *name, int64_t result, uint64_t first, uint64_t second)
{
	struct syscalls_call call = { .record = heap_head(SYSCALLS_CALL, 50, 7),
		.result = result,
		.arguments = { first, second },
		.abi = SYSCALL_ABI_X86_64 };

	call.number = (uint32_t)syscall_number(call.abi, name, strlen(name));
	RECORD_APPEND(&records, &call, NULL, 0);
}

static void test_mappings(void **state)
{
	static char text[8192];

	(void)state;
	add_mapping("mmap", 0x7000, 0, 8192);
	add_mapping("mmap", -12, 0, 8192);
	add_mapping("munmap", 0, 0x7000, 4096);
	add_mapping("brk", 0x9000, 0x9000, 3);
	add_mapping("brk", 0x9000, 0, 3);
	add_mapping("openat", 0x9000, 1, 3);
	write_artifact();
	assert_int_equal(print_events(text, sizeof(text)), 3);
	assert_string_equal(text,
		"{\"pid\"=>7, \"tid\"=>7, \"timestamp\"=>50, \"addr\"=>28672, \"type\"=>\"Mmap\", "
		"\"size\"=>8192}\n"
		"{\"pid\"=>7, \"tid\"=>7, \"timestamp\"=>50, \"addr\"=>28672, "
		"\"type\"=>\"Munmap\", "
		"\"size\"=>4096}\n"
		"{\"pid\"=>7, \"tid\"=>7, \"timestamp\"=>50, \"addr\"=>36864, \"type\"=>\"Brk\", "
		"\"size\"=>0}\n");
}

/* One frame at least, and a new one after 64 Ki events. */
static void test_frames(void **state)
{
	static char text[8192];
	static const size_t counts[] = { 0, 65536, 65537 };
	static const size_t expected[] = { 1, 1, 2 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		buffer_reset(&records);
		add_heap_source(&records);
		for (size_t call = 0; call < counts[i]; call++)
			add_heap_call(&records, malloc_call(call, 7, 16 * (call + 1), call));
		write_artifact();
		assert_int_equal(print_events(text, sizeof(text)), counts[i]);
		assert_int_equal(frames, expected[i]);
	}
}

/* --- read --- */

static char path[] = "/tmp/sooth-artifact-XXXXXX";

static void put_file(const void *bytes, size_t size)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	close(fd);
}

/* Each piece is a frame, as zstd makes it with its own level. */
static void put_frames(const void *bytes, size_t size, size_t piece)
{
	struct buffer file = { 0 };

	for (size_t at = 0; at < size; at += piece) {
		size_t part = size - at < piece ? size - at : piece;
		size_t bound = ZSTD_compressBound(part);
		void *to = buffer_reserve(&file, bound);

		buffer_commit(&file, ZSTD_compress(to, bound, (const char *)bytes + at, part, 3));
	}
	put_file(file.data, file.size);
	buffer_fini(&file);
}

static int read_as(const char *view, const char *format, struct sooth_error *err)
{
	struct sooth_report *r = report_into(&shown, "heap", view, NULL, format);
	int status = sooth_report_read(r, path, err);

	if (!status)
		status = sooth_report_finish(r, err);
	sooth_report_free(r);
	text_close(&shown);
	return status;
}

/* Frames may end anywhere, within an event too. */
static void test_read_back(void **state)
{
	static const size_t pieces[] = { 1 << 20, 37, 1 };
	struct sooth_error err;

	(void)state;
	add_heap_call(&records, malloc_call(100, 7, 0x1000, 64));
	add_heap_call(&records, realloc_call(103, 7, 0x1000, 0xfffffffffffff000, 70000));
	add_heap_call(&records, free_call(104, 70000, 0x2000));
	add_heap_call(&records, malloc_call(105, 8, 0x3000, UINT32_MAX));
	add_mapping("mmap", 0x7000, 0, 8192);
	write_artifact();
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		put_frames(raw, raw_size, pieces[i]);
		assert_int_equal(read_as("heap-lines", "json-rows", &err), 0);
		assert_string_equal(shown.data,
			"{\"pid\":7,\"tid\":7,\"timestamp\":100,\"addr\":4096,\"type\":\"Malloc\","
			"\"size\":64}\n"
			"{\"pid\":7,\"tid\":7,\"timestamp\":103,\"addr\":18446744073709547520,"
			"\"type\":\"Realloc\",\"size\":70000,\"old_addr\":4096}\n"
			"{\"pid\":70000,\"tid\":70000,\"timestamp\":104,\"addr\":8192,\"type\":"
			"\"Free\"}\n"
			"{\"pid\":8,\"tid\":8,\"timestamp\":105,\"addr\":12288,\"type\":\"Malloc\","
			"\"size\":4294967295}\n");
		assert_int_equal(read_as("heap-table", "json", &err), 0);
		assert_true(json_check(shown.data, shown.size, 1));
		assert_true(has(shown.data, "1 events of mmap, munmap and brk are left out"));
		assert_true(has(shown.data, "\"max_ns\": null"));
	}
}

/* Lines of JSON, as sooth heap -o and older versions of memtrack write them: read back they are the
 * same. */
static void test_lines(void **state)
{
	static const char lines[] =
		"{\"pid\":7,\"tid\":8,\"timestamp\":100,\"addr\":4096,\"type\":\"Malloc\",\"size\":"
		"64}\n"
		"{\"pid\":7,\"tid\":8,\"timestamp\":101,\"addr\":8192,\"type\":\"Realloc\","
		"\"size\":9,"
		"\"old_addr\":4096}\n"
		"{\"pid\":7,\"tid\":8,\"timestamp\":102,\"addr\":8192,\"type\":\"Free\"}\n";
	static const char other[] =
		"{\"pid\": 7, \"tid\": 8, \"later\": null, \"type\": \"Execve\", \"addr\": 0, "
		"\"timestamp\": 5}\r\n";
	static const char *const bad[] = { "{}\n", "[1]\n", "{\"pid\":7,\"tid\":{}}\n",
		"{\"pid\":7,\"timestamp\":5,\"addr\":1,\"type\":\"Free\"} x\n",
		"{\"pid\":0,\"timestamp\":5,\"addr\":1,\"type\":\"Free\"}\n",
		"{\"pid\":99999999999999999999,\"timestamp\":5,\"addr\":1,\"type\":\"Free\"}\n" };
	struct memtrack_event event;
	struct sooth_error err;

	(void)state;
	put_file(lines, strlen(lines));
	assert_int_equal(read_as("heap-lines", "json-rows", &err), 0);
	assert_string_equal(shown.data, lines);
	assert_int_equal(memtrack_line_parse(other, strlen(other), &event), strlen(other));
	assert_int_equal(event.type, MEMTRACK_OTHER);
	assert_int_equal(memtrack_line_parse(lines, 20, &event), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(memtrack_line_parse(bad[i], strlen(bad[i]), &event), -1);
	put_file(lines, strlen(lines) - 4);
	assert_int_equal(read_as("heap-table", "json", &err), 0);
	assert_true(has(shown.data, "the artifact is cut off after 2 events"));
	put_file(bad[4], strlen(bad[4]));
	assert_int_equal(read_as("heap-table", "json", &err), -EINVAL);
}

static size_t pack(msgpack_sbuffer *out, const char *type, size_t extra)
{
	msgpack_packer p;
	static const char *const keys[] = { "type", "size", "addr", "pid", "tid", "timestamp" };
	static const uint64_t values[] = { 0, 42, 4096, 5, 6, 77 };

	msgpack_packer_init(&p, out, msgpack_sbuffer_write);
	msgpack_pack_map(&p, ARRAY_SIZE(keys) + (extra ? 1 : 0));
	if (extra) {
		msgpack_pack_str_with_body(&p, "later", 5);
		msgpack_pack_array(&p, extra);
		for (size_t i = 0; i < extra; i++)
			msgpack_pack_double(&p, (double)i);
	}
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		msgpack_pack_str_with_body(&p, keys[i], strlen(keys[i]));
		if (i)
			msgpack_pack_uint64(&p, values[i]);
		else
			msgpack_pack_str_with_body(&p, type, strlen(type));
	}
	return out->size;
}

/* The order of members, members of later versions, types of processes, a Realloc without its old
 * block. */
static void test_other_writers(void **state)
{
	struct memtrack_event event;
	msgpack_sbuffer out;
	size_t first, second;

	(void)state;
	msgpack_sbuffer_init(&out);
	first = pack(&out, "Realloc", 0);
	second = pack(&out, "Exec", 100);
	assert_int_equal(memtrack_event_parse(out.data, out.size, &event), first);
	assert_int_equal(event.type, MEMTRACK_REALLOC);
	assert_int_equal(event.size, 42);
	assert_int_equal(event.tid, 6);
	assert_false(event.has_old_address);
	for (size_t size = 0; size < first; size++)
		assert_int_equal(memtrack_event_parse(out.data, size, &event), 0);
	assert_int_equal(
		memtrack_event_parse(out.data + first, out.size - first, &event), second - first);
	assert_int_equal(event.type, MEMTRACK_OTHER);
	msgpack_sbuffer_destroy(&out);
}

static void test_foreign_bytes(void **state)
{
	/* A map of many members, a list of 2^32 - 1 values, a text of 2^32 - 1 bytes, lists in
	 * lists, a key that is no text, a head that is never used, no map. */
	static const struct {
		const char *bytes;
		size_t size;
	} bad[] = { { "\xdf\x00\x01\x00\x00", 5 }, { "\x81\xa1k\xdd\xff\xff\xff\xff", 8 },
		{ "\x81\xa1k\xdb\xff\xff\xff\xff", 8 },
		{ "\x81\xa1k\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x01", 14 },
		{ "\x81\x01\x02", 3 }, { "\x81\xa1k\xc1", 4 }, { "\x93\x01\x02\x03", 4 },
		{ "\x80", 1 }, { "\x81\xa3pid\x00", 6 } };
	struct memtrack_event event;
	struct sooth_error err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(memtrack_event_parse(bad[i].bytes, bad[i].size, &event), -1);
		put_frames(bad[i].bytes, bad[i].size, 64);
		assert_int_equal(read_as("heap-table", "json", &err), -EINVAL);
		assert_true(has(err.why, "does not hold memtrack's events"));
	}
}

/* The whole events are reported, and that they are not all. */
static void test_cut(void **state)
{
	struct sooth_error err;
	size_t size;
	static char file[4096];

	(void)state;
	add_heap_call(&records, malloc_call(100, 7, 0x1000, 64));
	add_heap_call(&records, malloc_call(101, 7, 0x2000, 65));
	write_artifact();
	put_frames(raw, raw_size - 3, 64);
	assert_int_equal(read_as("heap-table", "json", &err), 0);
	assert_true(has(shown.data, "the artifact is cut off after 1 events"));
	assert_true(has(shown.data, "\"allocated_bytes\": 64"));
	raw[raw_size - 1] = 0xc1;
	put_frames(raw, raw_size, 64);
	assert_int_equal(read_as("heap-table", "json", &err), 0);
	assert_true(has(shown.data, "the artifact is damaged after 1 events"));
	/* Not even one event. */
	size = ZSTD_compress(file, sizeof(file), raw, 20, 1);
	put_file(file, size);
	assert_int_equal(read_as("heap-table", "json", &err), -EINVAL);
	put_file(file, 5);
	assert_int_equal(read_as("heap-table", "json", &err), -EINVAL);
	/* Nothing tracked, which is no error. */
	put_file(file, ZSTD_compress(file, sizeof(file), "", 0, 1));
	assert_int_equal(read_as("heap-table", "json", &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_members),
		TEST(test_only_memory),
		TEST(test_mappings),
		TEST(test_frames),
		TEST(test_read_back),
		TEST(test_lines),
		TEST(test_other_writers),
		TEST(test_foreign_bytes),
		TEST(test_cut),
	};
	int fd = mkstemp(path), failed;

	if (fd < 0)
		return 1;
	close(fd);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return failed;
}

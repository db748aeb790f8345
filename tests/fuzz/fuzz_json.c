/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The input is a script: each byte a call of the JSON writer, some taking more
 * bytes as their argument. Whatever the order, what was written without a
 * failure and then closed must be JSON by an independent checker.
 */
#include <string.h>

#include "../unit/json_check.h"
#include "base/cursor.h"
#include "base/json.h"
#include "fuzz.h"

static void key(struct json *j, struct cursor *script)
{
	char name[16] = "";
	struct span text = cursor_bytes(script, cursor_u8(script) % sizeof(name));

	if (text.size)
		memcpy(name, text.data, text.size);
	json_key(j, name);
}

static void string(struct json *j, struct cursor *script)
{
	struct span text = cursor_bytes(script, cursor_u8(script));

	json_chars(j, text.data, text.size);
}

static void number(struct json *j, struct cursor *script)
{
	uint64_t bits = cursor_u64(script);
	double value;

	memcpy(&value, &bits, sizeof(value));
	json_f64(j, value, cursor_u8(script));
}

static void step(struct json *j, struct cursor *script)
{
	switch (cursor_u8(script) % 12) {
	case 0:
		json_begin_object(j);
		break;
	case 1:
		json_begin_array(j);
		break;
	case 2:
	case 3:
		json_end(j);
		break;
	case 4:
	case 5:
		key(j, script);
		break;
	case 6:
		string(j, script);
		break;
	case 7:
		json_u64(j, cursor_u64(script));
		break;
	case 8:
		json_i64(j, (int64_t)cursor_u64(script));
		break;
	case 9:
		number(j, script);
		break;
	case 10:
		json_bool(j, cursor_u8(script) & 1);
		break;
	default:
		json_cstring(j, NULL);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor script = cursor_over(data, size);
	struct buffer out = { 0 };
	size_t values = 0, written;
	struct json j;

	json_init(&j, &out, cursor_u8(&script) % 4);
	while (!cursor_at_end(&script) && !j.failed) {
		step(&j, &script);
		if (!j.depth && !j.failed) {
			values++;
			buffer_char(&out, '\n');
		}
		CHECK(j.depth <= JSON_DEPTH_MAX);
	}
	written = out.size;
	if (j.failed) {
		/* nothing more is written, whatever is called */
		json_nothing(&j);
		json_begin_array(&j);
		json_end(&j);
		json_key(&j, "k");
		CHECK(j.failed && out.size == written);
	} else if (j.depth) {
		if (j.has_key)
			json_nothing(&j);
		while (j.depth)
			json_end(&j);
		values++;
		CHECK(!j.failed);
	}
	if (!j.failed)
		CHECK(json_check((char *)out.data, out.size, values));
	json_end(&j);
	CHECK(j.failed);
	buffer_fini(&out);
	return 0;
}

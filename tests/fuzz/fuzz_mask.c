/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Masking of any bytes, and of a secret planted between them: the first byte
 * chooses the limit, the rest is split in two around the secret.
 */
#include <string.h>

#include "secrets/mask.h"
#include "fuzz.h"

#define SECRET "Zq7Xw9Vt3Rk5Lm2P"

static bool holds(const void *data, size_t size, const char *text)
{
	return size && memmem(data, size, text, strlen(text));
}

static size_t count_nul(const uint8_t *data, size_t size)
{
	size_t count = 0;

	for (size_t i = 0; i < size; i++)
		count += !data[i];
	return count;
}

/* before, then a NUL, what wraps the secret, a NUL, and after: the secret must not come out. */
static void plant(const uint8_t *data, size_t size, const char *dress, size_t dress_size)
{
	struct buffer in = { 0 }, out = { 0 };
	size_t half = size / 2;

	buffer_append(&in, data, half);
	buffer_char(&in, '\0');
	buffer_append(&in, dress, dress_size);
	buffer_char(&in, '\0');
	buffer_append(&in, data + half, size - half);
	mask_arguments(&out, (char *)in.data, in.size, 0);
	CHECK(!holds(out.data, out.size, SECRET));
	CHECK(count_nul(out.data, out.size) == count_nul(in.data, in.size));
	buffer_fini(&in);
	buffer_fini(&out);
}

/* What the program tells is told from its beginning on: only what comes after may be any. */
static void plant_behind(const uint8_t *data, size_t size, const char *dress, size_t dress_size)
{
	struct buffer in = { 0 }, out = { 0 };

	buffer_append(&in, dress, dress_size);
	buffer_append(&in, data, size);
	mask_arguments(&out, (char *)in.data, in.size, 0);
	CHECK(!holds(out.data, out.size, SECRET));
	buffer_fini(&in);
	buffer_fini(&out);
}

#define PLANT(dress) plant(data, size, dress, sizeof(dress) - 1)

static void check_limit(const uint8_t *data, size_t size, size_t limit)
{
	struct buffer whole = { 0 }, cut = { 0 };
	bool is_cut;

	CHECK(!mask_arguments(&whole, (const char *)data, size, 0));
	is_cut = mask_arguments(&cut, (const char *)data, size, limit);
	CHECK(is_cut == (whole.size > limit));
	CHECK(cut.size == (is_cut ? limit : whole.size));
	CHECK(!cut.size || memcmp(cut.data, whole.data, cut.size) == 0);
	CHECK(count_nul(whole.data, whole.size) == count_nul(data, size));
	buffer_fini(&whole);
	buffer_fini(&cut);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer out = { 0 };
	size_t limit;

	if (!size)
		return 0;
	limit = 1 + *data++ % 64;
	size--;
	mask_text(&out, (const char *)data, size);
	CHECK(mask_may_change((const char *)data, size) ||
		(out.size == size && !(size && memcmp(out.data, data, size))));
	buffer_fini(&out);
	check_limit(data, size, limit);
	if (holds(data, size, SECRET))
		return 0;
	PLANT("--api-key\0" SECRET);
	PLANT("--api-key=" SECRET);
	PLANT("API_KEY=" SECRET " x");
	PLANT("Authorization: Bearer " SECRET);
	PLANT("https://u:" SECRET "@host/");
	PLANT("https://host/?a=" SECRET);
	PLANT("{\"api_key\": \"" SECRET "\"}");
	PLANT("sk-" SECRET);
	PLANT("sh -c 'x --token " SECRET " y'");
	plant_behind(data, size, "curl\0-u\0a:" SECRET, sizeof("curl\0-u\0a:" SECRET));
	plant_behind(data, size, "mysql\0-p" SECRET, sizeof("mysql\0-p" SECRET));
	plant_behind(data, size, "sh\0-c\0curl -u a:" SECRET " ",
		sizeof("sh\0-c\0curl -u a:" SECRET " ") - 1);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* A process that lies, also while it is read: a stored one (tests/images) with changed words. */
#include "fuzz.h"

#include <string.h>

#include "../images/image_changes.h"
#include "../images/image_stacks.h"

static const char *const ids[] = { IMAGE_IDS };
#define IDS (sizeof(ids) / sizeof(ids[0]))

/* The first byte chooses the image, each 8 bytes behind it are a change. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct image_change changes[IMAGE_CHANGES_MAX];
	size_t count = size > 8 ? (size - 8) / sizeof(changes[0]) : 0;
	struct buffer text = { 0 };
	struct image image;
	char path[512];

	if (!count)
		return 0;
	count = count < IMAGE_CHANGES_MAX ? count : IMAGE_CHANGES_MAX;
	memcpy(changes, data + 8, count * sizeof(changes[0]));
	snprintf(path, sizeof(path), "%s/%s.image", IMAGE_FOLDER, ids[data[0] % IDS]);
	CHECK(image_read_file(&image, path) && image_open(&image));
	image_change(&image, changes, count);
	image_stacks(IMAGE_PID, image.threads, image.thread_count, &text);
	CHECK(text.size < (1u << 20));
	image_fini(&image);
	buffer_fini(&text);
	return 0;
}

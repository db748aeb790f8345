/* SPDX-License-Identifier: BSD-2-Clause */
/* What sooth finds in a process or in an open image, as text. */
#ifndef SOOTH_TESTS_IMAGE_STACKS_H
#define SOOTH_TESTS_IMAGE_STACKS_H

#include <sys/types.h>

#include "process_image.h"

/* Replaces the text by the stacks, a line for each frame, innermost first, with what waits behind
 * them; false: the mappings of the process could not be read. */
bool image_stacks(pid_t pid, const struct image_thread *threads, size_t count, struct buffer *text);
/* Appends a line for goroutines or tasks that wait alike, and for each thread that waits for a lock
 * of its runtime. */
void image_waits(pid_t pid, struct buffer *text);

#endif

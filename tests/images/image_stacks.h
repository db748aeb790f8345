/* SPDX-License-Identifier: BSD-2-Clause */
/* Stacks of a process or of an open image as text: a line for each frame, innermost first. */
#ifndef SOOTH_TESTS_IMAGE_STACKS_H
#define SOOTH_TESTS_IMAGE_STACKS_H

#include <sys/types.h>

#include "process_image.h"

/* Replaces the text; false: the mappings of the process could not be read. */
bool image_stacks(pid_t pid, const struct image_thread *threads, size_t count, struct buffer *text);

#endif

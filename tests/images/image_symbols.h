/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SOOTH_TESTS_IMAGE_SYMBOLS_H
#define SOOTH_TESTS_IMAGE_SYMBOLS_H

#include "process_image.h"

/* Clears all symbols of .symtab of a file of an open image that the text does not name between
 * blanks, and that begin with none of the prefixes (ended by NULL). */
void image_keep_symbols(
	struct image *image, size_t file, const char *text, const char *const *prefixes);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Hostile copies of an image: words of it that are something else, at once or from some read on. */
#ifndef SOOTH_TESTS_IMAGE_CHANGES_H
#define SOOTH_TESTS_IMAGE_CHANGES_H

#include "process_image.h"

#define IMAGE_CHANGES_MAX 32

/* What is written to a word that is not 0. */
enum image_lie {
	LIE_BITS,   /* its value with other bits */
	LIE_HUGE,   /* all bits set */
	LIE_ITSELF, /* its own address */
	LIE_NEAR,   /* a few bytes further */
	LIE_OTHER,  /* another word of the image */
	LIE_TAGGED, /* its own address with the lowest bit set, as engines tag pointers */
	LIES,
};

struct image_change {
	uint8_t space; /* 0: the memory; else a file, modulo their count */
	uint8_t lie;   /* enum image_lie, modulo LIES */
	uint8_t read;  /* of memory: it changes before this read; 0: at once */
	uint8_t bits;
	uint32_t word; /* number of the word that is not 0, modulo their count */
};

struct image_change image_change_random(uint64_t *dice);
/* To an open image. Those that come later are made while it is read, until it is closed. */
void image_change(struct image *image, const struct image_change *changes, size_t count);

#endif

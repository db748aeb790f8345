/* SPDX-License-Identifier: BSD-2-Clause */
/* How each style looks: colors of each theme, for terminals of 8, 256 and more colors. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/top/style.h"

#define THEME_NO_COLOR 0xffffffffu /* the terminal's own */

struct theme_look {
	uint32_t rgb;	    /* 0xrrggbb, or THEME_NO_COLOR */
	uint8_t basic;	    /* one of eight colors, 0 to 7; 8: the terminal's own color */
	uint8_t attributes; /* bits of enum top_attribute, used if there are no colors */
};

struct theme {
	const char *name, *help;
	bool has_colors;
	uint32_t picked_rgb; /* the background of the selected row */
	uint8_t picked_basic;
	struct theme_look looks[TOP_STYLES];
};

extern const struct theme themes[];
extern const size_t theme_count;
/* Returns the theme with a name; NULL: there is none. */
const struct theme *theme_called(const char *name);
const char *theme_name(size_t index); /* NULL behind the last */
/* Returns the nearest of the 256 terminal colors. */
uint8_t theme_nearest(uint32_t rgb);

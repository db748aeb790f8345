/* SPDX-License-Identifier: BSD-2-Clause */
/* Pairs of colors, as ncurses numbers them. */
#ifndef SOOTH_CLI_SCREEN_COLORS_H
#define SOOTH_CLI_SCREEN_COLORS_H

enum screen_color {
	SCREEN_COLOR_LOOK = 1,
	SCREEN_COLOR_WORRY,
	SCREEN_COLOR_ALARM,
	SCREEN_COLOR_NEW,
};

#endif

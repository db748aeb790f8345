/* SPDX-License-Identifier: BSD-2-Clause */
/* The themes. */
#include "cli/top/theme.h"

#include <string.h>

#include "base/cleanup.h"

#define OWN                                                                                        \
	{                                                                                          \
		THEME_NO_COLOR, 8, 0                                                               \
	}

enum basic { BLACK, RED, GREEN, YELLOW, BLUE, MAGENTA, CYAN, WHITE, DEFAULT };

/* Without colors, what matters is bold or underlined, and nothing is lost: all of it is in words.
 */
#define PLAIN_LOOKS                                                                                \
	[TOP_TITLE] = { THEME_NO_COLOR, 8, TOP_BOLD },                                             \
	[TOP_HEADING] = { THEME_NO_COLOR, 8, TOP_REVERSE },                                        \
	[TOP_KEY] = { THEME_NO_COLOR, 8, TOP_BOLD }, [TOP_TEXT] = OWN, [TOP_DIM] = OWN,            \
	[TOP_FRAME] = OWN, [TOP_FOOT] = OWN, [TOP_LOW] = OWN, [TOP_MIDDLE] = OWN,                  \
	[TOP_HIGH] = { THEME_NO_COLOR, 8, TOP_BOLD },                                              \
	[TOP_ALARM] = { THEME_NO_COLOR, 8, TOP_BOLD | TOP_REVERSE }, [TOP_MEMORY] = OWN,           \
	[TOP_RECEIVED] = OWN, [TOP_SENT] = OWN,                                                    \
	[TOP_FOR_USER] = { THEME_NO_COLOR, 8, TOP_BOLD | TOP_REVERSE }, [TOP_FOR_MODEL] = OWN,     \
	[TOP_ASKS_AGAIN] = { THEME_NO_COLOR, 8, TOP_BOLD }, [TOP_TOOL] = OWN, [TOP_SERVER] = OWN,  \
	[TOP_COMPUTES] = OWN, [TOP_STARTS] = OWN, [TOP_STOPPED] = { THEME_NO_COLOR, 8, TOP_BOLD }, \
	[TOP_IDLE] = OWN, [TOP_UNKNOWN] = OWN, [TOP_NEW] = { THEME_NO_COLOR, 8, TOP_BOLD },        \
	[TOP_GONE] = OWN, [TOP_TAGGED] = { THEME_NO_COLOR, 8, TOP_UNDERLINE }

const struct theme themes[] = {
	{ "default", "colors on the terminal's own background", true, 0x30405a, BLUE,
		{
			[TOP_TEXT] = OWN,
			[TOP_DIM] = { 0x8a8f98, DEFAULT, 0 },
			[TOP_TITLE] = { 0x7fb4ff, CYAN, 0 },
			[TOP_FRAME] = { 0x4e5a6a, BLUE, 0 },
			[TOP_HEADING] = { 0x7fb4ff, CYAN, 0 },
			[TOP_KEY] = { 0x7fb4ff, CYAN, 0 },
			[TOP_FOOT] = { 0x8a8f98, DEFAULT, 0 },
			[TOP_LOW] = { 0x5fd787, GREEN, 0 },
			[TOP_MIDDLE] = { 0xd7d75f, YELLOW, 0 },
			[TOP_HIGH] = { 0xffaf5f, YELLOW, 0 },
			[TOP_ALARM] = { 0xff5f5f, RED, 0 },
			[TOP_MEMORY] = { 0x87afff, BLUE, 0 },
			[TOP_RECEIVED] = { 0x5fd7d7, CYAN, 0 },
			[TOP_SENT] = { 0xd787d7, MAGENTA, 0 },
			[TOP_FOR_USER] = { 0xffd75f, YELLOW, 0 },
			[TOP_FOR_MODEL] = { 0x5fafff, CYAN, 0 },
			[TOP_ASKS_AGAIN] = { 0xff8787, RED, 0 },
			[TOP_TOOL] = { 0x87d787, GREEN, 0 },
			[TOP_SERVER] = { 0xaf87ff, MAGENTA, 0 },
			[TOP_COMPUTES] = { 0xd7af87, YELLOW, 0 },
			[TOP_STARTS] = { 0xafd7d7, CYAN, 0 },
			[TOP_STOPPED] = { 0xff5faf, MAGENTA, 0 },
			[TOP_IDLE] = { 0x8a8f98, DEFAULT, 0 },
			[TOP_UNKNOWN] = { 0x8a8f98, DEFAULT, 0 },
			[TOP_NEW] = { 0x5fff87, GREEN, 0 },
			[TOP_GONE] = { 0x6c6c6c, BLUE, 0 },
			[TOP_TAGGED] = { 0xffff5f, YELLOW, 0 },
		} },
	{ "mono", "no colors: bold, reversed and underlined", false, THEME_NO_COLOR, DEFAULT,
		{ PLAIN_LOOKS } },
	{ "contrast", "few and strong colors", true, 0x0000af, BLUE,
		{
			[TOP_TEXT] = OWN,
			[TOP_DIM] = OWN,
			[TOP_TITLE] = { 0xffffff, WHITE, 0 },
			[TOP_FRAME] = { 0xffffff, WHITE, 0 },
			[TOP_HEADING] = { 0xffffff, WHITE, 0 },
			[TOP_KEY] = { 0xffff00, YELLOW, 0 },
			[TOP_FOOT] = OWN,
			[TOP_LOW] = { 0x00ff00, GREEN, 0 },
			[TOP_MIDDLE] = { 0xffff00, YELLOW, 0 },
			[TOP_HIGH] = { 0xffff00, YELLOW, 0 },
			[TOP_ALARM] = { 0xff0000, RED, 0 },
			[TOP_MEMORY] = { 0x00ffff, CYAN, 0 },
			[TOP_RECEIVED] = { 0x00ffff, CYAN, 0 },
			[TOP_SENT] = { 0xff00ff, MAGENTA, 0 },
			[TOP_FOR_USER] = { 0xffff00, YELLOW, 0 },
			[TOP_FOR_MODEL] = { 0x00ffff, CYAN, 0 },
			[TOP_ASKS_AGAIN] = { 0xff0000, RED, 0 },
			[TOP_TOOL] = { 0x00ff00, GREEN, 0 },
			[TOP_SERVER] = { 0xff00ff, MAGENTA, 0 },
			[TOP_COMPUTES] = OWN,
			[TOP_STARTS] = OWN,
			[TOP_STOPPED] = { 0xff00ff, MAGENTA, 0 },
			[TOP_IDLE] = OWN,
			[TOP_UNKNOWN] = OWN,
			[TOP_NEW] = { 0x00ff00, GREEN, 0 },
			[TOP_GONE] = OWN,
			[TOP_TAGGED] = { 0xffff00, YELLOW, 0 },
		} },
	/* Okabe and Ito's colors: distinct for every kind of color vision; severity is also
	   lightness. */
	{ "colorblind", "distinct for every kind of color vision", true, 0x30405a, BLUE,
		{
			[TOP_TEXT] = OWN,
			[TOP_DIM] = { 0x8a8f98, DEFAULT, 0 },
			[TOP_TITLE] = { 0x56b4e9, CYAN, 0 },
			[TOP_FRAME] = { 0x4e5a6a, BLUE, 0 },
			[TOP_HEADING] = { 0x56b4e9, CYAN, 0 },
			[TOP_KEY] = { 0x56b4e9, CYAN, 0 },
			[TOP_FOOT] = { 0x8a8f98, DEFAULT, 0 },
			[TOP_LOW] = { 0x56b4e9, BLUE, 0 },
			[TOP_MIDDLE] = { 0xf0e442, YELLOW, 0 },
			[TOP_HIGH] = { 0xe69f00, YELLOW, 0 },
			[TOP_ALARM] = { 0xd55e00, RED, 0 },
			[TOP_MEMORY] = { 0x0072b2, BLUE, 0 },
			[TOP_RECEIVED] = { 0x56b4e9, CYAN, 0 },
			[TOP_SENT] = { 0xcc79a7, MAGENTA, 0 },
			[TOP_FOR_USER] = { 0xf0e442, YELLOW, 0 },
			[TOP_FOR_MODEL] = { 0x56b4e9, CYAN, 0 },
			[TOP_ASKS_AGAIN] = { 0xd55e00, RED, 0 },
			[TOP_TOOL] = { 0x009e73, GREEN, 0 },
			[TOP_SERVER] = { 0xcc79a7, MAGENTA, 0 },
			[TOP_COMPUTES] = { 0xe69f00, YELLOW, 0 },
			[TOP_STARTS] = OWN,
			[TOP_STOPPED] = { 0xcc79a7, MAGENTA, 0 },
			[TOP_IDLE] = { 0x8a8f98, DEFAULT, 0 },
			[TOP_UNKNOWN] = { 0x8a8f98, DEFAULT, 0 },
			[TOP_NEW] = { 0x009e73, GREEN, 0 },
			[TOP_GONE] = { 0x6c6c6c, BLUE, 0 },
			[TOP_TAGGED] = { 0xf0e442, YELLOW, 0 },
		} },
};
const size_t theme_count = ARRAY_SIZE(themes);

const struct theme *theme_called(const char *name)
{
	for (size_t i = 0; i < theme_count; i++) {
		if (!strcmp(themes[i].name, name))
			return &themes[i];
	}
	return NULL;
}

const char *theme_name(size_t index)
{
	return index < theme_count ? themes[index].name : NULL;
}

/* --- 256 colors: a cube of 6 levels, and 24 shades of gray --- */

static const uint8_t levels[] = { 0, 95, 135, 175, 215, 255 };

static unsigned color_distance(uint32_t rgb, int r, int g, int b)
{
	int x = (int)(rgb >> 16 & 255) - r, y = (int)(rgb >> 8 & 255) - g, z = (int)(rgb & 255) - b;

	return (unsigned)(x * x + y * y + z * z);
}

static uint8_t nearest_level(uint32_t part)
{
	uint8_t best = 0;

	for (uint8_t i = 1; i < ARRAY_SIZE(levels); i++) {
		int now = (int)part - levels[i], before = (int)part - levels[best];

		if (now * now < before * before)
			best = i;
	}
	return best;
}

uint8_t theme_nearest(uint32_t rgb)
{
	uint8_t r = nearest_level(rgb >> 16 & 255), g = nearest_level(rgb >> 8 & 255);
	uint8_t b = nearest_level(rgb & 255), best = (uint8_t)(16 + 36 * r + 6 * g + b);
	unsigned least = color_distance(rgb, levels[r], levels[g], levels[b]);

	for (int i = 0; i < 24; i++) {
		int gray = 8 + 10 * i;

		if (color_distance(rgb, gray, gray, gray) < least) {
			least = color_distance(rgb, gray, gray, gray);
			best = (uint8_t)(232 + i);
		}
	}
	return best;
}

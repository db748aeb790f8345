/* SPDX-License-Identifier: BSD-2-Clause */
/* Styles by meaning; a theme has the look of each. */
#pragma once

enum top_style {
	TOP_TEXT,
	TOP_DIM,
	TOP_TITLE,
	TOP_FRAME,
	TOP_HEADING, /* heading of a column */
	TOP_KEY,
	TOP_FOOT,
	/* Values, from harmless to alarming. */
	TOP_LOW,
	TOP_MIDDLE,
	TOP_HIGH,
	TOP_ALARM,
	TOP_MEMORY,
	TOP_RECEIVED,
	TOP_SENT,
	/* The activities of a session. */
	TOP_FOR_USER,
	TOP_FOR_MODEL,
	TOP_ASKS_AGAIN,
	TOP_TOOL,
	TOP_SERVER,
	TOP_COMPUTES,
	TOP_STARTS,
	TOP_STOPPED,
	TOP_IDLE,
	TOP_UNKNOWN,
	/* Rows. */
	TOP_NEW,
	TOP_GONE,
	TOP_TAGGED,
	TOP_STYLES,
};

/* Attributes of a cell, beside its style. */
enum top_attribute {
	TOP_BOLD = 1,
	TOP_UNDERLINE = 2,
	TOP_REVERSE = 4,
	TOP_PICKED = 8, /* a background, or reversed where there are no colors */
};

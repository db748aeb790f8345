/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tokens that give themselves away by their shape. Short prefixes are asked
 * for more behind them, so that sk-learn and ghp_import stay what they are.
 */
#include "base/mask_rules.h"

#include <string.h>

#define SHAPE_SCAN_MAX 64 /* characters behind a prefix that are looked at */
#define AWS_KEY	       20
#define AWS_KEY_CUT    15

struct shape {
	const char *prefix;
	size_t least;	  /* characters behind the prefix */
	bool is_alnum;	  /* letters and digits only; else also - and _ */
	bool is_strict;	  /* below 16 characters there must be a digit among them */
	bool is_anywhere; /* distinctive enough to count inside a word */
};

static const struct shape shapes[] = {
	{ "sk-ant-", 1, false, false, true },
	{ "sk-proj-", 4, false, false, true },
	{ "sk-or-", 8, false, false, false },
	{ "sk_live_", 4, false, false, true },
	{ "sk_test_", 4, false, false, true },
	{ "rk_live_", 4, false, false, true },
	{ "sk-", 6, false, true, false },
	{ "github_pat_", 4, false, false, true },
	{ "ghp_", 6, true, true, false },
	{ "gho_", 6, true, true, false },
	{ "ghs_", 6, true, true, false },
	{ "ghu_", 6, true, true, false },
	{ "ghr_", 6, true, true, false },
	{ "glpat-", 4, false, false, true },
	{ "xoxa-", 4, false, false, true },
	{ "xoxb-", 4, false, false, true },
	{ "xoxp-", 4, false, false, true },
	{ "xoxr-", 4, false, false, true },
	{ "xoxs-", 4, false, false, true },
	{ "xapp-", 8, false, true, false },
	{ "npm_", 30, true, false, false },
	{ "hf_", 30, true, false, false },
	{ "AIza", 35, false, false, true },
	{ "AIzaSy", 6, false, true, true },
};

static bool shape_matches(const struct shape *shape, struct span word)
{
	size_t prefix = strlen(shape->prefix), i;
	bool has_digit = false;

	if (!span_starts(word, shape->prefix))
		return false;
	for (i = prefix; i < word.size && i < prefix + SHAPE_SCAN_MAX; i++) {
		if (shape->is_alnum && !ascii_is_alnum(word.data[i]))
			break;
		has_digit |= ascii_is_digit(word.data[i]);
		if (i + 1 - prefix < shape->least)
			continue;
		if (!shape->is_strict || has_digit || i + 1 - prefix >= 16)
			return true;
	}
	return false;
}

/*
 * AWS key ids: AKIA or ASIA and 16 capitals or digits. What a thread's name, of 15 characters,
 * leaves of the first is asked for a digit.
 */
static bool is_aws_key(struct span word)
{
	bool is_id = span_starts(word, "AKIA"), has_digit = false;
	size_t i;

	if (!is_id && !span_starts(word, "ASIA"))
		return false;
	for (i = 4; i < word.size && i < AWS_KEY; i++) {
		if (!ascii_is_upper(word.data[i]) && !ascii_is_digit(word.data[i]))
			break;
		has_digit |= ascii_is_digit(word.data[i]);
	}
	return i == AWS_KEY || (is_id && i >= AWS_KEY_CUT && has_digit);
}

bool mask_is_token(struct span word, bool is_start)
{
	if (word.data[0] == 'A' && is_aws_key(word))
		return true;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		if (shapes[i].prefix[0] == word.data[0] && (is_start || shapes[i].is_anywhere) &&
			shape_matches(&shapes[i], word))
			return true;
	return false;
}

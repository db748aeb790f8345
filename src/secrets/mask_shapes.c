/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tokens that give themselves away by their shape: the prefix that a service gives its tokens, the
 * alphabet and the length of the rest. Facts of the services' own documentation (GitHub, GitLab,
 * Slack, Stripe, AWS, Google, npm, PyPI, Docker, HashiCorp, Shopify, Twilio and others) and of the
 * public rules of gitleaks (as of 2026-07-22). A new one is a row. A length is the least that
 * counts: less than documented where a name or an argument may be cut. Prefixes that are ordinary
 * words are asked for more, so that sk-learn and ghp_import stay what they are.
 */
#include "secrets/mask_alphabet.h"
#include "secrets/mask_rules.h"

#include <string.h>

#define SHAPE_SCAN_MAX 128 /* characters behind a prefix that are looked at */
#define AWS_KEY	       20
#define AWS_KEY_CUT    15
#define DISCORD_LEAST  57

enum {
	STRICT = 1,   /* below 16 characters there must be a digit among them */
	ANYWHERE = 2, /* distinctive enough to count inside a word */
	RANDOM = 4,   /* the prefix is not distinctive: the text after it has to look random */
	AFTER_ID = 8, /* a number and a colon stand before it */
};

struct shape {
	const char *prefix;
	uint8_t least; /* characters behind the prefix */
	uint8_t alphabet;
	uint8_t flags;
};

/* The table, by the first character; those that count anywhere stand first. */

#define ROWS(...)                                                                                  \
	(const struct shape[])                                                                     \
	{                                                                                          \
		__VA_ARGS__,                                                                       \
		{                                                                                  \
			0                                                                          \
		}                                                                                  \
	}

static const struct shape *const shapes[128] = {
	['a'] = ROWS({ "atlasv1.", 40, WIDE, ANYWHERE }, { "access-development-", 36, DASHED, 0 },
		{ "access-production-", 36, DASHED, 0 }, { "access-sandbox-", 36, DASHED, 0 },
		{ "age-secret-key-1", 20, LOWER, 0 }, { "aio_", 28, ALNUM, RANDOM },
		{ "amzn.mws.", 36, DASHED, 0 }, { "api_org_", 30, ALNUM, 0 },
		{ "apify_api_", 20, ALNUM, 0 }),
	['b'] = ROWS({ "b3BlbnNzaC1rZXktdjE", 20, WIDE, 0 }, /* openssh-key-v1 */
		{ "bedrock-api-key-", 20, WIDE, 0 }, { "bkua_", 30, HEX, 0 }),
	['c'] = ROWS({ "cio", 32, ALNUM, RANDOM }, { "cmVmd", 50, ALNUM, RANDOM },
		{ "csk-", 40, ALNUM, 0 }),
	['d'] = ROWS({ "dapi", 32, HEX, 0 }, { "dckr_oat_", 20, WORD, 0 },
		{ "dckr_pat_", 20, WORD, 0 }, { "dnkey-", 40, WORD, 0 }, { "doo_v1_", 40, HEX, 0 },
		{ "dop_v1_", 40, HEX, 0 }, { "dor_v1_", 40, HEX, 0 }, { "dp.ct.", 30, DOTTED, 0 },
		{ "dp.pt.", 30, DOTTED, 0 }, { "dp.sa.", 30, DOTTED, 0 },
		{ "dp.st.", 30, DOTTED, 0 }, { "dt0c01.", 40, DOTTED, 0 },
		{ "dt0s01.", 40, DOTTED, 0 }, { "duffel_live_", 30, WIDE, 0 },
		{ "duffel_test_", 30, WIDE, 0 }),
	['e'] = ROWS({ "eyJrIjoi", 40, WIDE, 0 }),
	['f'] = ROWS({ "fc-", 32, HEX, 0 }, { "figd_", 30, WORD, 0 }, { "figo_", 30, WORD, 0 },
		{ "fio-u-", 40, WIDE, 0 }, { "fm1a_", 60, WIDE, 0 }, { "fm1r_", 60, WIDE, 0 },
		{ "fm2_", 60, WIDE, 0 }, { "fo1_", 40, WORD, 0 }, { "fw_", 22, ALNUM, RANDOM }),
	['g'] = ROWS({ "github_pat_", 4, WORD, ANYWHERE }, { "glpat-", 4, DOTTED, ANYWHERE },
		{ "ghp_", 36, ALNUM, ANYWHERE }, { "gho_", 36, ALNUM, ANYWHERE },
		{ "ghs_", 36, ALNUM, ANYWHERE }, { "ghu_", 36, ALNUM, ANYWHERE },
		{ "ghr_", 36, ALNUM, ANYWHERE }, { "ghp_", 6, ALNUM, STRICT },
		{ "gho_", 6, ALNUM, STRICT }, { "ghs_", 6, ALNUM, STRICT },
		{ "ghu_", 6, ALNUM, STRICT }, { "ghr_", 6, ALNUM, STRICT },
		{ "glagent-", 30, WORD, 0 }, { "glc_", 32, WIDE, RANDOM },
		{ "glcbt-", 20, WORD, 0 }, { "gldt-", 20, WORD, 0 }, { "glffct-", 20, WORD, 0 },
		{ "glft-", 20, WORD, 0 }, { "glimt-", 20, WORD, 0 }, { "gloas-", 30, WORD, 0 },
		{ "glptt-", 30, HEX, 0 }, { "glrt-", 20, DOTTED, 0 }, { "glsa_", 32, WORD, 0 },
		{ "glsoat-", 20, WORD, 0 }, { "gsk_", 40, ALNUM, 0 }),
	['h'] = ROWS({ "hf_", 30, ALNUM, 0 }, { "hvb.", 24, DOTTED, RANDOM },
		{ "hvr.", 24, DOTTED, RANDOM }, { "hvs.", 24, DOTTED, RANDOM }),
	['i'] = ROWS({ "ico-", 32, ALNUM, RANDOM }),
	['j'] = ROWS({ "jina_", 40, ALNUM, 0 }),
	['k'] = ROWS({ "key-", 32, HEX, 0 }),
	['l'] = ROWS({ "lin_api_", 30, ALNUM, 0 }, { "lin_oauth_", 30, ALNUM, 0 },
		{ "live_", 35, HEX, 0 }, { "lsv2_pt_", 32, WORD, 0 }, { "lsv2_sk_", 32, WORD, 0 }),
	['m'] = ROWS({ "md-", 22, ALNUM, 0 }),
	['n'] = ROWS({ "napi_", 40, ALNUM, 0 }, { "nfo_", 36, ALNUM, 0 }, { "nfp_", 36, ALNUM, 0 },
		{ "npm_", 30, ALNUM, 0 }, { "nsec1", 58, LOWER, 0 }, { "ntn_", 40, ALNUM, 0 },
		{ "nvapi-", 40, WORD, 0 }),
	['o'] = ROWS({ "ops_eyJ", 60, WIDE, 0 }, { "ory_at_", 30, DOTTED, 0 },
		{ "ory_pat_", 30, DOTTED, 0 }, { "oy2", 43, LOWER, RANDOM }),
	['p'] = ROWS({ "p8e-", 32, ALNUM, RANDOM }, { "pat", 75, DOTTED, RANDOM },
		{ "pat-eu1-", 36, DASHED, 0 }, { "pat-na1-", 36, DASHED, 0 },
		{ "pat.", 60, DOTTED, RANDOM }, { "pcsk_", 40, WORD, 0 },
		{ "phx_", 30, ALNUM, RANDOM }, { "pnu_", 30, ALNUM, RANDOM },
		{ "pplx-", 40, ALNUM, 0 }, { "pscale_oauth_", 30, WIDE, 0 },
		{ "pscale_pw_", 30, WIDE, 0 }, { "pscale_tkn_", 30, WIDE, 0 },
		{ "pul-", 40, HEX, 0 }, { "pypi-AgE", 40, WORD, 0 }),
	['r'] = ROWS({ "rk_live_", 4, WORD, ANYWHERE }, { "r8_", 30, ALNUM, RANDOM },
		{ "rdme_", 60, LOWER, 0 }, { "re_", 30, WORD, RANDOM }, { "rk_test_", 10, WORD, 0 },
		{ "rnd_", 28, ALNUM, RANDOM }, { "rpa_", 40, ALNUM, RANDOM },
		{ "rubygems_", 40, HEX, 0 }, { "rzp_live_", 14, ALNUM, 0 },
		{ "rzp_test_", 14, ALNUM, 0 }),
	['s'] = ROWS({ "sk-ant-", 1, WORD, ANYWHERE }, { "sk-proj-", 4, WORD, ANYWHERE },
		{ "sk_live_", 4, WORD, ANYWHERE }, { "s-s4t2af-", 50, HEX, 0 },
		{ "s-s4t2ud-", 50, HEX, 0 }, { "sat.", 60, DOTTED, RANDOM },
		{ "sb_secret_", 20, WORD, 0 }, { "sc_", 30, DOTTED, RANDOM },
		{ "sdk-", 36, DASHED, 0 }, { "sbp_", 40, HEX, 0 }, { "secret_", 43, ALNUM, RANDOM },
		{ "sgp_", 40, WORD, 0 }, { "sha256~", 40, WORD, 0 }, { "shippo_live_", 30, HEX, 0 },
		{ "shippo_test_", 30, HEX, 0 }, { "shpat_", 32, HEX, 0 }, { "shpca_", 32, HEX, 0 },
		{ "shppa_", 32, HEX, 0 }, { "shpss_", 32, HEX, 0 }, { "sk-", 6, WORD, STRICT },
		{ "sk-or-", 8, WORD, 0 }, { "sk.eyJ", 20, DOTTED, 0 }, { "sk_", 40, HEX, 0 },
		{ "sk_test_", 4, ALNUM, STRICT }, { "sk_prod_", 10, WORD, 0 },
		{ "sl.", 100, DOTTED, RANDOM }, { "sm_aat_", 16, ALNUM, 0 },
		{ "sm_pat_", 16, ALNUM, 0 }, { "sm_sat_", 16, ALNUM, 0 },
		{ "sntrys_", 40, WIDE, 0 }, { "sntryu_", 40, HEX, 0 }, { "sq0atp-", 22, WORD, 0 },
		{ "sq0csp-", 22, WORD, 0 }, { "sqa_", 40, HEX, 0 }, { "sqp_", 40, HEX, 0 },
		{ "squ_", 40, HEX, 0 }),
	['t'] = ROWS({ "t1.9euelZ", 40, DOTTED, 0 }, { "tfp_", 40, DOTTED, 0 },
		{ "tgp_v1_", 30, WORD, 0 }, { "tk-us-", 40, WORD, 0 }, { "tskey-", 12, WORD, 0 },
		{ "tvly-", 20, WORD, 0 }),
	['v'] = ROWS({ "v1.0-", 100, WORD, 0 }, { "vck_", 40, ALNUM, RANDOM },
		{ "vercel_blob_rw_", 30, WORD, 0 }),
	['w'] = ROWS({ "wandb_v1_", 40, WORD, 0 }, { "whsec_", 24, WIDE, 0 }),
	['x'] = ROWS({ "xoxa-", 4, WORD, ANYWHERE }, { "xoxb-", 4, WORD, ANYWHERE },
		{ "xoxc-", 10, WORD, ANYWHERE }, { "xoxd-", 10, WIDE, ANYWHERE },
		{ "xoxe-", 10, WORD, ANYWHERE }, { "xoxe.", 10, DOTTED, ANYWHERE },
		{ "xoxp-", 4, WORD, ANYWHERE }, { "xoxr-", 4, WORD, ANYWHERE },
		{ "xoxs-", 4, WORD, ANYWHERE }, { "xai-", 60, ALNUM, 0 },
		{ "xapp-", 8, WORD, STRICT }, { "xkeysib-", 60, WORD, 0 },
		{ "xsmtpsib-", 60, WORD, 0 }),
	['y'] = ROWS({ "y0_", 40, WORD, RANDOM }, { "ya29.", 20, DOTTED, 0 }),
	['1'] = ROWS({ "1//0", 30, WORD, RANDOM }),
	['4'] = ROWS({ "4b1d", 38, ALNUM, RANDOM }),
	['A'] = ROWS({ "AGE-SECRET-KEY-1", 20, UPPER, ANYWHERE },
		{ "AGE-SECRET-KEY-PQ-1", 20, UPPER, ANYWHERE }, { "AIza", 35, WORD, ANYWHERE },
		{ "AIzaSy", 6, WORD, STRICT | ANYWHERE }, { "A3-", 30, CAPITALS, 0 },
		{ "AGE-PLUGIN-", 20, CAPITALS, 0 }, { "AA", 33, WORD, RANDOM | AFTER_ID },
		{ "ABSK", 60, WIDE, RANDOM }, { "AKCp", 50, ALNUM, RANDOM },
		{ "API-", 26, UPPER, RANDOM }, { "AQVN", 30, WORD, RANDOM },
		{ "ATATT3", 60, WIDE, 0 }, { "ATBB", 24, ALNUM, RANDOM },
		{ "ATCTT3", 60, WIDE, 0 }),
	['B'] = ROWS({ "BSA", 27, WORD, RANDOM }),
	['C'] = ROWS({ "CCIPAT_", 20, WORD, 0 }, { "CFPAT-", 40, WORD, 0 },
		{ "CLOJARS_", 40, ALNUM, 0 }),
	['E'] = ROWS({ "EAACEdEose0cBA", 16, ALNUM, 0 }, { "EAA", 60, ALNUM, RANDOM },
		{ "EAAA", 58, WORD, RANDOM }, { "EZAK", 50, ALNUM, RANDOM },
		{ "EZTK", 50, ALNUM, RANDOM }),
	['F'] = ROWS({ "FLWSECK-", 12, ALNUM, 0 }, { "FLWSECK_TEST-", 12, ALNUM, 0 }),
	['G'] = ROWS({ "GOCSPX-", 20, WORD, 0 }, { "GR1348941", 20, WORD, 0 }),
	['H'] = ROWS({ "HRKU-", 30, WORD, 0 }),
	['L'] = ROWS({ "LS0tLS1CRUdJTi", 40, WIDE, ANYWHERE }, { "LTAI", 16, ALNUM, STRICT }),
	/* private keys in DER: what their first bytes are in base64 */
	['M'] = ROWS({ "MC4CAQAwBQYD", 30, WIDE, 0 }, { "MHcCAQEEI", 40, WIDE, 0 },
		{ "MIGHAgEAMBMG", 40, WIDE, 0 }, { "MIIEowIBAAKC", 40, WIDE, 0 },
		{ "MIIEpAIBAAKC", 40, WIDE, 0 }, { "MIIEpQIBAAKC", 40, WIDE, 0 },
		{ "MIIEvAIBADANBg", 40, WIDE, 0 }, { "MIIEvQIBADANBg", 40, WIDE, 0 },
		{ "MIIEvgIBADANBg", 40, WIDE, 0 }, { "MIIJKAIBAAKC", 40, WIDE, 0 },
		{ "MIIJKQIBAAKC", 40, WIDE, 0 }),
	['N'] = ROWS({ "NRII-", 30, WORD, 0 }, { "NRAK-", 27, UPPER, 0 }),
	['P'] = ROWS({ "PMAK-", 50, WORD, 0 }),
	['Q'] = ROWS({ "Q~", 31, DOTTED, ANYWHERE }),
	['R'] = ROWS({ "RWRTY0Iy", 40, WIDE, 0 } /* minisign */),
	['S'] = ROWS({ "SG.", 50, DOTTED, RANDOM }, { "SWMTKN-1-", 50, WORD, 0 },
		{ "SK", 32, HEX, RANDOM }),
};

/* Returns the size of the token of this shape that the text begins with; 0: none. */
static size_t shape_size(const struct shape *shape, struct span text)
{
	size_t prefix = strlen(shape->prefix), i;
	bool has_digit = false, is_found = false;

	if (!span_starts(text, shape->prefix))
		return 0;
	/* Text that is no token is not walked far: there may be many such prefixes in one word. */
	for (i = prefix; i < text.size && i < prefix + SHAPE_SCAN_MAX; i++) {
		if (!mask_is_of(shape->alphabet, text.data[i]))
			break;
		has_digit |= ascii_is_digit(text.data[i]);
		is_found |= i + 1 - prefix >= shape->least &&
			    (!(shape->flags & STRICT) || has_digit || i + 1 - prefix >= 16);
	}
	if (!is_found || (shape->flags & RANDOM &&
				 !mask_looks_random(
					 span_of(text.data + prefix, i - prefix), shape->alphabet)))
		return 0;
	while (i < text.size && mask_is_of(shape->alphabet, text.data[i]))
		i++;
	return i;
}

/*
 * AWS key ids: AKIA, ASIA, ABIA or ACCA and 16 capitals or digits. A key cut to the 15 characters
 * of a thread's name counts only if it is an AKIA with a digit.
 */
static size_t aws_size(struct span word)
{
	bool is_id = span_starts(word, "AKIA"), has_digit = false;
	size_t i;

	if (!is_id && !span_starts(word, "ASIA") && !span_starts(word, "ABIA") &&
		!span_starts(word, "ACCA"))
		return 0;
	for (i = 4; i < word.size && i < AWS_KEY; i++) {
		if (!mask_is_of(UPPER, word.data[i]))
			break;
		has_digit |= ascii_is_digit(word.data[i]);
	}
	return i == AWS_KEY || (is_id && i >= AWS_KEY_CUT && has_digit) ? i : 0;
}

/* Tokens of Discord: an id in base64 (of 24 to 28 characters), a time of 6, a code of 27 and more.
 */
static size_t discord_size(struct span text)
{
	size_t dots[2] = { 0 }, count = 0, i;

	for (i = 0; i < text.size && i < SHAPE_SCAN_MAX && mask_is_of(DOTTED, text.data[i]); i++) {
		if (text.data[i] == '.' && count == 2)
			break;
		if (text.data[i] == '.')
			dots[count++] = i;
	}
	if (count < 2 || i < DISCORD_LEAST || dots[0] < 24 || dots[0] > 28 ||
		dots[1] != dots[0] + 7 || i - dots[1] < 28)
		return 0;
	return mask_looks_random(span_of(text.data, i), DOTTED) ? i : 0;
}

static bool is_behind_id(const char *text, size_t at)
{
	return at >= 2 && text[at - 1] == ':' && ascii_is_digit(text[at - 2]);
}

size_t mask_token_size(const char *text, size_t at, size_t size)
{
	const struct shape *s =
		(unsigned char)text[at] < 128 ? shapes[(unsigned char)text[at]] : NULL;
	bool is_start = !at || !ascii_is_alnum(text[at - 1]);
	struct span rest = span_of(text + at, size - at);
	size_t found = 0;

	for (; s && s->prefix && (is_start || s->flags & ANYWHERE); s++) {
		if (rest.size < 3 || s->prefix[1] != rest.data[1] ||
			(s->flags & AFTER_ID && !is_behind_id(text, at)))
			continue;
		found = shape_size(s, rest);
		if (found)
			return found;
	}
	if (rest.data[0] == 'A')
		return aws_size(rest);
	if (is_start && rest.data[0] >= 'M' && rest.data[0] <= 'O')
		return discord_size(rest);
	return 0;
}

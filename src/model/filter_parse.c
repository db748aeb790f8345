/* SPDX-License-Identifier: BSD-2-Clause */
/* The grammar of filters; see filter.h. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/filter_nodes.h"

struct parser {
	struct filter *f;
	const char *text, *at;
	unsigned depth;
	struct sooth_error *err;
	bool failed;
};

/* --- words --- */

static int fail(struct parser *p, const char *why)
{
	if (p->failed)
		return -EINVAL;
	p->failed = true;
	error_set(p->err, -EINVAL, SOOTH_FAULT_USAGE, "filter by \"%s\"", p->text);
	error_why(p->err, "at \"%s\": %s", *p->at ? p->at : "the end", why);
	return error_remedy(p->err, "write FIELD OPERATOR VALUE, joined by and, or, not, ( ), e.g. "
				    "errno != 0 and path ~ \"/etc\"");
}

static void skip_blanks(struct parser *p)
{
	while (isspace((unsigned char)*p->at))
		p->at++;
}

static bool is_word_char(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("_-.%/:+@*^$|[]?", c)) ||
	       (unsigned char)c >= 0x80;
}

/* A keyword stands by itself. */
static bool take_keyword(struct parser *p, const char *keyword)
{
	size_t size = strlen(keyword);

	skip_blanks(p);
	if (strncmp(p->at, keyword, size) != 0 || is_word_char(p->at[size]))
		return false;
	p->at += size;
	return true;
}

static bool take_char(struct parser *p, char c)
{
	skip_blanks(p);
	if (*p->at != c)
		return false;
	p->at++;
	return true;
}

static bool take_quoted(struct parser *p, char *out, size_t room)
{
	char quote = *p->at++;
	size_t n = 0;

	for (; *p->at && *p->at != quote; p->at++) {
		if (*p->at == '\\' && (p->at[1] == quote || p->at[1] == '\\'))
			p->at++;
		if (n + 1 < room)
			out[n++] = *p->at;
	}
	out[n] = '\0';
	if (*p->at != quote)
		return false;
	p->at++;
	return true;
}

static bool take_word(struct parser *p, char *out, size_t room)
{
	size_t n = 0;

	skip_blanks(p);
	if (*p->at == '"' || *p->at == '\'')
		return take_quoted(p, out, room);
	while (is_word_char(p->at[n]))
		n++;
	if (!n || n >= room)
		return false;
	memcpy(out, p->at, n);
	out[n] = '\0';
	p->at += n;
	return true;
}

/* --- the grammar --- */

static size_t new_node(struct parser *p, enum node_kind kind, size_t a, size_t b)
{
	struct filter *f = p->f;

	if (f->count == NODES_MAX) {
		fail(p, "the expression is too long");
		return 0;
	}
	f->nodes[f->count] = (struct node){ .kind = kind, .a = a, .b = b };
	return f->count++;
}

static size_t parse_or(struct parser *p);

static bool take_comparison(struct parser *p, enum comparison *how)
{
	static const struct {
		const char *text;
		enum comparison how;
	} all[] = { { "==", COMPARE_EQ }, { "!=", COMPARE_NE }, { "!~", COMPARE_NO_MATCH },
		{ "<=", COMPARE_LE }, { ">=", COMPARE_GE }, { "=", COMPARE_EQ },
		{ "<", COMPARE_LT }, { ">", COMPARE_GT }, { "~", COMPARE_MATCH } };

	skip_blanks(p);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		size_t size = strlen(all[i].text);

		if (strncmp(p->at, all[i].text, size) != 0)
			continue;
		*how = all[i].how;
		p->at += size;
		return true;
	}
	return false;
}

static void compile_regex(struct parser *p, struct node *n)
{
	int status = regcomp(&n->regex, n->value, REG_EXTENDED | REG_NOSUB);
	char why[128];

	if (!status) {
		n->has_regex = true;
		return;
	}
	regerror(status, &n->regex, why, sizeof(why));
	fail(p, why);
}

static bool is_keyword(const char *word)
{
	return !strcmp(word, "and") || !strcmp(word, "or") || !strcmp(word, "not");
}

static size_t parse_comparison(struct parser *p)
{
	size_t i = new_node(p, NODE_COMPARE, 0, 0);
	struct node *n = &p->f->nodes[i];

	skip_blanks(p);
	if (p->failed)
		return 0;
	if (!islower((unsigned char)*p->at) || !take_word(p, n->field, sizeof(n->field)) ||
		is_keyword(n->field)) {
		fail(p, "expected a field name");
		return 0;
	}
	if (!take_comparison(p, &n->how))
		return i;
	if (!take_word(p, n->value, sizeof(n->value)))
		fail(p, "expected a value");
	else if (n->how == COMPARE_MATCH || n->how == COMPARE_NO_MATCH)
		compile_regex(p, n);
	return i;
}

static size_t parse_not(struct parser *p)
{
	size_t inner;

	if (p->failed || p->depth >= DEPTH_MAX) {
		fail(p, "the expression is nested too deep");
		return 0;
	}
	p->depth++;
	if (take_keyword(p, "not")) {
		inner = parse_not(p);
		inner = new_node(p, NODE_NOT, inner, inner);
	} else if (take_char(p, '(')) {
		inner = parse_or(p);
		if (!take_char(p, ')'))
			fail(p, "expected )");
	} else {
		inner = parse_comparison(p);
	}
	p->depth--;
	return inner;
}

static size_t parse_and(struct parser *p)
{
	size_t left = parse_not(p);

	while (!p->failed && take_keyword(p, "and")) {
		size_t right = parse_not(p);

		left = new_node(p, NODE_AND, left, right);
	}
	return left;
}

static size_t parse_or(struct parser *p)
{
	size_t left = parse_and(p);

	while (!p->failed && take_keyword(p, "or")) {
		size_t right = parse_and(p);

		left = new_node(p, NODE_OR, left, right);
	}
	return left;
}

int filter_new(struct filter **out, const char *text, struct sooth_error *err)
{
	struct filter *f = calloc(1, sizeof(*f));
	struct parser p = { .f = f, .text = text, .at = text, .err = err };

	*out = NULL;
	if (!f)
		return error_no_memory(err);
	f->root = parse_or(&p);
	skip_blanks(&p);
	if (*p.at)
		fail(&p, "expected the end of the expression");
	if (p.failed) {
		filter_free(f);
		return -EINVAL;
	}
	*out = f;
	return 0;
}

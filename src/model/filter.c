/* SPDX-License-Identifier: BSD-2-Clause */
/* Evaluates an expression for a record; see filter.h. */
#include "model/filter.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/units.h"
#include "model/errno_names.h"
#include "model/field.h"
#include "model/former_names.h"

/* An expression is a tree of nodes: the parser makes it, the evaluation walks it. */
#define NODES_MAX 128
#define DEPTH_MAX 32
#define WORD_MAX  256

enum node_kind { NODE_OR, NODE_AND, NODE_NOT, NODE_COMPARE };
enum comparison {
	COMPARE_TRUE,
	COMPARE_EQ,
	COMPARE_NE,
	COMPARE_LT,
	COMPARE_LE,
	COMPARE_GT,
	COMPARE_GE,
	COMPARE_MATCH,
	COMPARE_NO_MATCH
};

struct node {
	enum node_kind kind;
	size_t a, b;
	enum comparison how;
	char field[64];
	char value[WORD_MAX];
	bool has_regex;
	regex_t regex;
	/* The next members are for the current schema. */
	const struct sooth_schema *schema;
	const struct sooth_field *known;
	bool is_number;
	double number;
};

struct filter {
	struct node nodes[NODES_MAX];
	size_t count;
	size_t root;
	struct buffer text; /* text of a field while the field is compared */
};

/* --- the grammar of filters --- */

struct parser {
	struct filter *f;
	const char *text, *at;
	unsigned depth;
	struct sooth_error *err;
	bool failed;
};

/* --- words --- */

static int fail_parse(struct parser *p, const char *why)
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

/* Parses a keyword, which must be a whole word. */
static bool parse_keyword(struct parser *p, const char *keyword)
{
	size_t size = strlen(keyword);

	skip_blanks(p);
	if (strncmp(p->at, keyword, size) != 0 || is_word_char(p->at[size]))
		return false;
	p->at += size;
	return true;
}

static bool parse_char(struct parser *p, char c)
{
	skip_blanks(p);
	if (*p->at != c)
		return false;
	p->at++;
	return true;
}

static bool parse_quoted(struct parser *p, char *out, size_t room)
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

static bool parse_word(struct parser *p, char *out, size_t room)
{
	size_t n = 0;

	skip_blanks(p);
	if (*p->at == '"' || *p->at == '\'')
		return parse_quoted(p, out, room);
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
		fail_parse(p, "the expression is too long");
		return 0;
	}
	f->nodes[f->count] = (struct node){ .kind = kind, .a = a, .b = b };
	return f->count++;
}

static size_t parse_or(struct parser *p);

static bool parse_operator(struct parser *p, enum comparison *how)
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
	fail_parse(p, why);
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
	if (!islower((unsigned char)*p->at) || !parse_word(p, n->field, sizeof(n->field)) ||
		is_keyword(n->field)) {
		fail_parse(p, "expected a field name");
		return 0;
	}
	if (!parse_operator(p, &n->how))
		return i;
	if (!parse_word(p, n->value, sizeof(n->value)))
		fail_parse(p, "expected a value");
	else if (n->how == COMPARE_MATCH || n->how == COMPARE_NO_MATCH)
		compile_regex(p, n);
	return i;
}

static size_t parse_not(struct parser *p)
{
	size_t inner;

	if (p->failed || p->depth >= DEPTH_MAX) {
		fail_parse(p, "the expression is nested too deep");
		return 0;
	}
	p->depth++;
	if (parse_keyword(p, "not")) {
		inner = parse_not(p);
		inner = new_node(p, NODE_NOT, inner, inner);
	} else if (parse_char(p, '(')) {
		inner = parse_or(p);
		if (!parse_char(p, ')'))
			fail_parse(p, "expected )");
	} else {
		inner = parse_comparison(p);
	}
	p->depth--;
	return inner;
}

static size_t parse_and(struct parser *p)
{
	size_t left = parse_not(p);

	while (!p->failed && parse_keyword(p, "and")) {
		size_t right = parse_not(p);

		left = new_node(p, NODE_AND, left, right);
	}
	return left;
}

static size_t parse_or(struct parser *p)
{
	size_t left = parse_and(p);

	while (!p->failed && parse_keyword(p, "or")) {
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
		fail_parse(&p, "expected the end of the expression");
	if (p.failed) {
		filter_free(f);
		return -EINVAL;
	}
	*out = f;
	return 0;
}

void filter_free(struct filter *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->count; i++) {
		if (f->nodes[i].has_regex)
			regfree(&f->nodes[i].regex);
	}
	buffer_fini(&f->text);
	free(f);
}

/* --- fields --- */

static const struct sooth_field *find_field(const struct sooth_schema *schema, const char *name)
{
	const struct sooth_field *field = field_by_any_name(schema, name);

	for (size_t i = 0; !field && !strcmp(name, "errno") && i < schema->field_count; i++) {
		if (schema->fields[i].type == SOOTH_FIELD_ERRNO)
			field = &schema->fields[i];
	}
	return field;
}

bool filter_fits_schema(const struct filter *f, const struct sooth_schema *schema)
{
	assert(f);
	for (size_t i = 0; i < f->count; i++) {
		if (f->nodes[i].kind == NODE_COMPARE && !find_field(schema, f->nodes[i].field))
			return false;
	}
	return true;
}

const char *filter_field(const struct filter *f)
{
	size_t i = 0;

	assert(f);
	while (i < f->count && f->nodes[i].kind != NODE_COMPARE)
		i++;
	return i < f->count ? f->nodes[i].field : "";
}

const char *filter_unknown(
	const struct filter *f, const struct sooth_schema *const *schemas, size_t count)
{
	assert(f);
	for (size_t i = 0; i < f->count; i++) {
		bool is_known = f->nodes[i].kind != NODE_COMPARE;

		for (size_t k = 0; k < count && !is_known; k++)
			is_known = find_field(schemas[k], f->nodes[i].field) != NULL;
		if (!is_known)
			return f->nodes[i].field;
	}
	return NULL;
}

static bool parse_number(const char *text, double *out)
{
	char *end;

	errno = 0;
	*out = strtod(text, &end);
	return end != text && !*end && !errno && *out == *out;
}

/* Parses the name of a value of an enumeration, or of an error. */
static bool parse_name(const struct sooth_field *field, const char *text, double *out)
{
	for (uint64_t i = 0; field->type == SOOTH_FIELD_ERRNO && i < 1024; i++) {
		if (errno_name(i) && !strcmp(errno_name(i), text)) {
			*out = (double)i;
			return true;
		}
	}
	for (size_t i = 0; field->names && i < field->names->count; i++) {
		if (field->names->names[i] && !strcmp(field->names->names[i], text)) {
			*out = (double)i;
			return true;
		}
	}
	return false;
}

static bool parse_value(const struct sooth_field *field, const char *text, double *out)
{
	uint64_t number;

	if (parse_number(text, out) && field->unit != SOOTH_UNIT_NS)
		return true;
	switch (field->unit) {
	case SOOTH_UNIT_BYTES:
		if (!parse_bytes(text, &number))
			return false;
		break;
	case SOOTH_UNIT_NS:
		/* A bare number is in the field's own unit, as JSON shows it. */
		if (parse_number(text, out))
			return true;
		if (!parse_duration(text, &number))
			return false;
		break;
	case SOOTH_UNIT_S:
		if (!parse_duration(text, &number))
			return false;
		number /= NS_PER_S;
		break;
	default:
		return parse_name(field, text, out);
	}
	*out = (double)number;
	return true;
}

static bool is_numeric(const struct sooth_field *field)
{
	switch (field->type) {
	case SOOTH_FIELD_UNSIGNED:
	case SOOTH_FIELD_SIGNED:
	case SOOTH_FIELD_REAL:
	case SOOTH_FIELD_ENUM:
	case SOOTH_FIELD_ERRNO:
		return true;
	default:
		return false;
	}
}

static int refuse_value(const struct node *n, struct sooth_error *err)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "filter by %s and \"%s\"", n->field, n->value);
	error_why(err, "the value fits no column of this name: expected a number or a known name");
	return error_remedy(err, "`-j` shows the values of the field; use ~ to search in text");
}

static int bind_node(struct node *n, const struct sooth_schema *schema, struct sooth_error *err)
{
	bool wants_number = n->how >= COMPARE_EQ && n->how <= COMPARE_GE;

	if (n->schema == schema)
		return 0;
	n->known = find_field(schema, n->field);
	n->is_number = n->known && is_numeric(n->known) && wants_number;
	if (n->is_number && !parse_value(n->known, n->value, &n->number))
		return refuse_value(n, err);
	n->schema = schema;
	return 0;
}

/* --- comparing --- */

static bool compare_order(enum comparison how, double order)
{
	switch (how) {
	case COMPARE_EQ:
		return order == 0;
	case COMPARE_NE:
		return order != 0;
	case COMPARE_LT:
		return order < 0;
	case COMPARE_LE:
		return order <= 0;
	case COMPARE_GT:
		return order > 0;
	default:
		return order >= 0;
	}
}

static double number_of(const struct sooth_value *v)
{
	switch (v->type) {
	case SOOTH_FIELD_REAL:
		return v->f;
	case SOOTH_FIELD_SIGNED:
		return (double)v->i;
	default:
		return (double)v->u;
	}
}

static bool is_text(const struct sooth_value *v)
{
	return v->type == SOOTH_FIELD_TEXT || v->type == SOOTH_FIELD_CHARS;
}

/* Returns the text of a value as people see it; a text is unchanged. */
static const char *text_of(
	struct filter *f, const struct sooth_field *field, const struct sooth_value *v)
{
	buffer_reset(&f->text);
	if (is_text(v)) {
		for (size_t i = 0; i < v->text.size; i++)
			buffer_char(&f->text, v->text.data[i] ? v->text.data[i] : ' ');
	} else {
		value_format(&f->text, field, v);
	}
	return buffer_cstr(&f->text);
}

static bool is_true(const struct sooth_value *v)
{
	switch (v->type) {
	case SOOTH_FIELD_TEXT:
	case SOOTH_FIELD_CHARS:
	case SOOTH_FIELD_ARGS:
	case SOOTH_FIELD_TEXTS:
	case SOOTH_FIELD_ROWS:
		return v->text.size != 0;
	case SOOTH_FIELD_LIST:
	case SOOTH_FIELD_HISTOGRAM:
	case SOOTH_FIELD_SERIES:
		return v->list.count != 0;
	default:
		return number_of(v) != 0;
	}
}

static bool compare_node(struct filter *f, const struct node *n, const struct sooth_record *record)
{
	struct sooth_value v = sooth_field_get(n->known, record);
	const char *text;

	if (v.state != SOOTH_STATE_VALUE && v.state != SOOTH_STATE_TRUNCATED)
		return false;
	if (n->how == COMPARE_TRUE)
		return is_true(&v);
	if (n->is_number)
		return compare_order(n->how, number_of(&v) - n->number);
	text = text_of(f, n->known, &v);
	if (n->has_regex)
		return (regexec(&n->regex, text, 0, NULL, 0) == 0) == (n->how == COMPARE_MATCH);
	return compare_order(n->how, strcmp(text, n->value));
}

static int evaluate_node(struct filter *f, size_t i, const struct sooth_schema *schema,
	const struct sooth_record *record, struct sooth_error *err)
{
	struct node *n = &f->nodes[i];
	int status;

	if (n->kind == NODE_COMPARE) {
		status = bind_node(n, schema, err);
		return status ? status : compare_node(f, n, record);
	}
	status = evaluate_node(f, n->a, schema, record, err);
	if (status < 0)
		return status;
	if (n->kind == NODE_NOT)
		return !status;
	if (status == (n->kind == NODE_OR))
		return status;
	return evaluate_node(f, n->b, schema, record, err);
}

int filter_matches_record(struct filter *f, const struct sooth_schema *schema,
	const struct sooth_record *record, struct sooth_error *err)
{
	assert(f);
	return evaluate_node(f, f->root, schema, record, err);
}

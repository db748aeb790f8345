/* SPDX-License-Identifier: BSD-2-Clause */
/* The text is read without a grammar: only a few tokens before and behind the place where a
 * function starts. */
#include "os/linux/runtimes/jsc/js_text.h"

#include "base/cleanup.h"

/* A cursor that goes back from the end of `before`. */
struct back {
	const char *begin;
	const char *at; /* the text in front of `at` is still to be read */
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Returns whether a character may be in a name in UTF-8. Bytes of letters outside of ASCII are
 * checked when the name is taken. */
static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '$';
}

static bool is_name(struct span s)
{
	/* Words that may stand where a name would be: the function behind such a word is no value
	 * of that name. */
	static const char *const reserved[] = { "function", "async", "await", "return", "typeof",
		"case", "new", "in", "of", "if", "for", "while", "switch", "catch", "with", "else",
		"do", "void", "delete", "yield", "throw", "export", "default", "class", "extends",
		"static", "get", "set", "let", "var", "const", "instanceof", "super", "import",
		"this", "null", "true", "false" };

	if (!s.size || s.size > JS_TEXT_NAME || (s.data[0] >= '0' && s.data[0] <= '9'))
		return false;
	return !SPAN_ANY(s, span_equal, reserved);
}

/* --- backwards --- */

static char last_character(const struct back *b)
{
	return b->at > b->begin ? b->at[-1] : '\0';
}

static void skip_blanks(struct back *b)
{
	while (is_blank(last_character(b)))
		b->at--;
}

static bool skip_char(struct back *b, char c)
{
	if (last_character(b) != c)
		return false;
	b->at--;
	return true;
}

/* Returns the word that ends here, and moves before it; "": there is none, or its start may be
 * outside the text. */
static struct span word_ending_here(struct back *b)
{
	const char *end = b->at;

	while (is_letter(last_character(b)))
		b->at--;
	if (b->at == b->begin || (unsigned char)last_character(b) >= 0x80)
		return span_of(end, 0);
	return span_of(b->at, (size_t)(end - b->at));
}

static bool skip_word(struct back *b, const char *word)
{
	struct back before = *b;

	skip_blanks(b);
	if (span_equal(word_ending_here(b), word))
		return true;
	*b = before;
	return false;
}

/* Skips a quoted text that ends here. It must not contain a character that makes its start
 * uncertain. */
static bool skip_text(struct back *b)
{
	const char *end = b->at - 1;
	char quote = *end;

	for (const char *at = end; at > b->begin;) {
		char c = *--at;

		if (c == quote) {
			b->at = at;
			return true;
		}
		if (c == '"' || c == '\'' || c == '`' || c == '\\' || c == '\n' || c == '/' ||
			c == '(' || c == ')' || c == '{' || c == '}' || c == '[' || c == ']')
			return false;
	}
	return false;
}

/* Skips back to the enclosing bracket. False: it is not that of a call, or the text is not
 * plain. */
static bool skip_arguments(struct back *b)
{
	int depth = 0;

	while (b->at > b->begin) {
		char c = last_character(b);

		if (c == '"' || c == '\'') {
			if (!skip_text(b))
				return false;
			continue;
		}
		if (c == '`' || c == '/' || c == ';')
			return false;
		b->at--;
		if (c == ')' || c == ']' || c == '}')
			depth++;
		else if ((c == '(' || c == '[' || c == '{') && !depth--)
			return c == '(';
	}
	return false;
}

/* --- the variable or property that a function is assigned to --- */

static bool put_name(struct buffer *out, const char *before, struct span name)
{
	if (!is_name(name))
		return false;
	buffer_string(out, before);
	buffer_append(out, name.data, name.size);
	return true;
}

/* Appends the name in "NAME=", "a.NAME=", "NAME??=". */
static bool put_assigned(struct back b, struct buffer *out)
{
	static const char *const operators[] = { "??", "||", "&&" };
	struct span name;

	for (size_t i = 0; i < ARRAY_SIZE(operators); i++) {
		if (b.at - b.begin > 2 && span_starts(span_of(b.at - 2, 2), operators[i])) {
			b.at -= 2;
			break;
		}
	}
	skip_blanks(&b);
	name = word_ending_here(&b);
	if (last_character(&b) == '#') /* private */
		name = span_of(name.data - 1, name.size + 1);
	return name.size && put_name(out, "", name);
}

/* Puts the name of "{NAME:" or ",NAME:". After "?" it would be the second half of a conditional
 * expression. */
static bool put_property(struct back b, struct buffer *out)
{
	struct span name;
	char quote;

	skip_blanks(&b);
	quote = last_character(&b);
	if (quote == '"' || quote == '\'')
		b.at--;
	else
		quote = '\0';
	name = word_ending_here(&b);
	if (quote && !skip_char(&b, quote))
		return false;
	skip_blanks(&b);
	return name.size && (last_character(&b) == '{' || last_character(&b) == ',') &&
	       put_name(out, "", name);
}

/* Puts the name of "NAME(" if the place is behind it, perhaps after other arguments. */
static bool put_passed(struct back b, struct buffer *out)
{
	struct span name = word_ending_here(&b);

	if (last_character(&b) == '#') /* private */
		name = span_of(name.data - 1, name.size + 1);
	return name.size && put_name(out, "cb:", name);
}

static bool put_value_of(struct back b, struct buffer *out)
{
	struct back before;

	skip_blanks(&b);
	switch (last_character(&b)) {
	case '=':
		b.at--;
		/* "==" is a comparison. */
		return last_character(&b) != '=' && last_character(&b) != '!' &&
		       last_character(&b) != '<' && last_character(&b) != '>' &&
		       put_assigned(b, out);
	case ':':
		b.at--;
		return put_property(b, out);
	case '(':
		b.at--;
		return put_passed(b, out);
	case ',':
		before = b;
		return skip_arguments(&before) && put_passed(before, out);
	}
	return false;
}

/* --- the function --- */

static struct span word_at(struct cursor *c)
{
	const char *begin = (const char *)c->at;

	while (cursor_left(c) && is_letter((char)*c->at))
		c->at++;
	return span_of(begin, (size_t)((const char *)c->at - begin));
}

static void skip_blanks_ahead(struct cursor *c)
{
	while (cursor_left(c) && is_blank((char)*c->at))
		c->at++;
}

static bool has_char(struct cursor *c, char expected)
{
	skip_blanks_ahead(c);
	if (!cursor_left(c) || *c->at != (unsigned char)expected)
		return false;
	c->at++;
	return true;
}

/* Returns whether a body follows the parameters soon: then the word before them is a name. */
static bool has_body(struct span from)
{
	struct cursor c = cursor_over(from.data, from.size);
	int depth = 0;

	while (cursor_left(&c)) {
		char at = (char)cursor_u8(&c);

		if (at == '"' || at == '\'' || at == '`' || at == '/')
			return false;
		if (at == '(' || at == '[' || at == '{')
			depth++;
		else if ((at == ')' || at == ']' || at == '}') && !--depth)
			return has_char(&c, '{');
	}
	return false;
}

/* Puts the name of the class for a constructor that is first in it: "class NAME{", "class NAME
 * extends OTHER{", "NAME=class{". */
static bool put_class(struct back b, struct buffer *out)
{
	struct span name;

	skip_blanks(&b);
	if (!skip_char(&b, '{'))
		return false;
	if (skip_word(&b, "class"))
		return put_value_of(b, out);
	skip_blanks(&b);
	name = word_ending_here(&b);
	if (skip_word(&b, "extends")) {
		if (skip_word(&b, "class"))
			return put_value_of(b, out);
		skip_blanks(&b);
		name = word_ending_here(&b);
	}
	return skip_word(&b, "class") && name.size && put_name(out, "", name);
}

static bool put_method(const struct back *b, struct span name, struct buffer *out)
{
	if (!name.size || name.size > JS_TEXT_NAME || (*name.data >= '0' && *name.data <= '9'))
		return false;
	if (!span_equal(name, "constructor") || !put_class(*b, out))
		buffer_append(out, name.data, name.size);
	return true;
}

/* Puts the name of a function whose text starts with "function". */
static bool put_declared(struct cursor c, struct back b, struct buffer *out)
{
	struct span name;

	has_char(&c, '*');
	skip_blanks_ahead(&c);
	name = word_at(&c);
	if (!has_char(&c, '('))
		return false;
	if (name.size)
		return put_name(out, "", name);
	skip_word(&b, "async");
	return put_value_of(b, out);
}

/* Puts the name if the place is at the parameters of a method, a function, or an arrow. */
static bool put_by_parameters(struct back b, bool is_method, struct buffer *out)
{
	struct back before = b;
	struct span name;

	if (skip_word(&b, "async"))
		return put_value_of(b, out);
	skip_blanks(&b);
	if (skip_char(&b, '*'))
		skip_blanks(&b);
	if (skip_word(&b, "function")) {
		skip_word(&b, "async");
		return put_value_of(b, out);
	}
	b = before;
	skip_blanks(&b);
	name = word_ending_here(&b);
	if (!name.size)
		return put_value_of(before, out);
	if (last_character(&b) == '#')
		name = span_of(name.data - 1, name.size + 1);
	return is_method ? put_method(&b, name, out) : put_name(out, "", name);
}

/* Puts the name of a method if "NAME(a){" follows, perhaps after words such as "static". */
static bool put_method_ahead(struct cursor c, const struct back *b, struct buffer *out)
{
	static const char *const kinds[] = { "static", "async", "get", "set" };
	struct span name;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct cursor before = c;

		if (!span_equal(word_at(&c), kinds[i]) || has_char(&c, '('))
			c = before;
		skip_blanks_ahead(&c);
	}
	has_char(&c, '*');
	skip_blanks_ahead(&c);
	name = span_of((const char *)c.at, 0);
	has_char(&c, '#');
	word_at(&c);
	name.size = (size_t)((const char *)c.at - name.data);
	skip_blanks_ahead(&c);
	return has_body(span_of((const char *)c.at, cursor_left(&c))) && put_method(b, name, out);
}

/* Puts the name if the place is at the body: that of an async function or a generator is a function
 * of its own, behind the parameters. */
static bool put_by_body(struct back b, struct buffer *out)
{
	bool is_arrow = false;

	skip_blanks(&b);
	if (b.at - b.begin > 2 && span_starts(span_of(b.at - 2, 2), "=>")) {
		is_arrow = true;
		b.at -= 2;
		skip_blanks(&b);
	}
	if (skip_char(&b, ')')) {
		if (!skip_arguments(&b))
			return false;
	} else if (!is_arrow || !word_ending_here(&b).size) {
		return false;
	}
	/* Other arrows start at their parameters. */
	if (is_arrow)
		return skip_word(&b, "async") && put_value_of(b, out);
	return put_by_parameters(b, true, out);
}

static bool is_behind_arrow(struct back b)
{
	skip_blanks(&b);
	return b.at - b.begin > 2 && span_starts(span_of(b.at - 2, 2), "=>");
}

bool js_text_name(struct span before, struct span from, struct buffer *out)
{
	struct cursor c = cursor_over(from.data, from.size), ahead;
	struct back b = { before.data, before.data + before.size };
	struct span word;

	if (!from.size)
		return false;
	if (*from.data == '{')
		return put_by_body(b, out);
	word = word_at(&c);
	/* "async a=>await b", "a=>b=>1": in most of these it is uncertain which function starts
	 * here. */
	if (is_behind_arrow(b))
		return span_equal(word, "await") && put_by_body(b, out);
	if (*from.data == '(')
		return put_by_parameters(b, has_body(from), out);
	ahead = c;
	if (span_equal(word, "async") && !has_char(&ahead, '(')) {
		skip_blanks_ahead(&ahead);
		word = word_at(&ahead);
	}
	if (span_equal(word, "function"))
		return put_declared(ahead, b, out);
	if (word.size && has_char(&ahead, '=')) /* "a=>" */
		return put_value_of(b, out);
	if (put_method_ahead(cursor_over(from.data, from.size), &b, out))
		return true;
	return span_equal(word, "async") && put_value_of(b, out); /* "async(a)=>" */
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finding secrets in text without a known grammar. The text is cut into runs of
 * name characters; at each run it is asked whether a URL starts here, whether a
 * part of it has the shape of a known kind of token, and whether it is a name
 * that says "secret" with a value behind it. In doubt about how far a value
 * goes, more is masked rather than less. (mask_walk: writing; mask_value and mask_shapes: the signs
 * of a secret, and what is then masked.)
 *
 * The commands in what is left are then walked for options that hold secrets in some programs
 * only (mask_commands; mask_programs has the table).
 *
 * Masking misses a secret without a known name or shape in an option that the table does not have,
 * and a secret cut off by the end of the text.
 */
#include "secrets/mask.h"

#include <assert.h>
#include <string.h>

#include "secrets/mask_commands.h"
#include "secrets/mask_pipes.h"
#include "secrets/mask_request.h"
#include "secrets/mask_walk.h"

/*
 * Forms in which neither a separator behind a name nor a shape says that a secret follows: private
 * keys in PEM, SQL, .netrc, connection strings, short names of passwords.
 */

#define PEM_NAME_MAX 48 /* characters between BEGIN or END and PRIVATE KEY */
#define DSN_MAX	     128
#define PROMPT_BACK  100 /* characters before an answer that are searched for the prompt */

static struct span run_of(const struct masker *m, size_t start, size_t end)
{
	return span_of(m->text + start, end - start);
}

/* Returns the run as a name, without the rest of an escape before it: \npassword. */
static struct span name_of(const struct masker *m, size_t start, size_t end)
{
	bool is_escaped = start && m->text[start - 1] == '\\' && end - start > 1 &&
			  strchr("nrt", m->text[start]);

	return run_of(m, start + is_escaped, end);
}

static const char *find_text(const struct masker *m, size_t from, size_t most, const char *text)
{
	size_t size = m->size - from < most ? m->size - from : most;

	return memmem(m->text + from, size, text, strlen(text));
}

static bool stands_before(const struct masker *m, size_t at, size_t most, const char *text)
{
	size_t from = at > most ? at - most : 0;

	return memmem(m->text + from, at - from, text, strlen(text)) != NULL;
}

/* Masks all from PRIVATE of `-----BEGIN RSA PRIVATE KEY-----` up to the matching end. */
static size_t mask_pem(struct masker *m, size_t start, size_t end)
{
	const char *body, *stop;
	size_t at;

	if (!span_equal(name_of(m, start, end), "PRIVATE") ||
		find_text(m, end, 4, " KEY") == NULL ||
		stands_before(m, start, PEM_NAME_MAX, "-----END"))
		return 0;
	body = find_text(m, end, PEM_NAME_MAX, "-----");
	if (!body)
		return 0;
	at = (size_t)(body - m->text) + 5;
	masker_put_range(m, start, at);
	stop = find_text(m, at, SIZE_MAX, "-----END");
	if (at < m->size)
		masker_put_mask(m);
	return stop ? (size_t)(stop - m->text) : m->size;
}

static size_t word_behind(const struct masker *m, size_t *at)
{
	size_t end;

	*at = masker_skip_blanks(m, *at);
	end = masker_word_end(m, *at, m->size);
	return end;
}

static bool skip_word(const struct masker *m, size_t *at, const char *word)
{
	size_t from = *at, end = word_behind(m, &from);

	if (!mask_same(run_of(m, from, end), word))
		return false;
	*at = end;
	return true;
}

/* Masks X in IDENTIFIED [WITH plugin] BY [PASSWORD] 'X', also with AS in place of BY. */
static size_t mask_identified(struct masker *m, size_t start, size_t end)
{
	size_t at = end;

	if (!mask_same(name_of(m, start, end), "identified"))
		return 0;
	if (skip_word(m, &at, "with")) {
		size_t plugin_end = word_behind(m, &at);

		at = at < m->size && is_quote(m->text[at]) ? plugin_end + 1 : plugin_end;
		while (at < m->size && !is_space(m->text[at]))
			at++;
	}
	if (!skip_word(m, &at, "by") && !skip_word(m, &at, "as"))
		return 0;
	skip_word(m, &at, "password");
	at = masker_skip_blanks(m, at);
	if (at == m->size)
		return 0;
	masker_put_range(m, start, at);
	return mask_value_at(m, at, NAME_SECRET);
}

/* Masks X in PASSWORD 'X' and PASSWORD('X'): a quote after a name of a password. */
static size_t mask_quoted_password(struct masker *m, size_t start, size_t end)
{
	size_t at = masker_skip_blanks(m, end);

	if (at < m->size && m->text[at] == '(')
		at = masker_skip_blanks(m, at + 1);
	else if (at == end)
		return 0;
	if (at + 1 >= m->size || !is_quote(m->text[at]))
		return 0;
	masker_put_range(m, start, at);
	return mask_value_at(m, at, NAME_SECRET);
}

/* Masks X in `machine H login U password X`, the line of a .netrc. */
static size_t mask_netrc(struct masker *m, size_t start, size_t end)
{
	size_t at = masker_skip_blanks(m, end);

	if (at == end || at == m->size || m->text[at] == '=' || m->text[at] == ':' ||
		!mask_is_behind_login(m, start))
		return 0;
	masker_put_range(m, start, at);
	return mask_value_at(m, at, NAME_SECRET);
}

static size_t mask_password(struct masker *m, size_t start, size_t end)
{
	static const char *const names[] = { "password", "passwd", "passphrase", "secret",
		"convertto-securestring", NULL };
	size_t next;

	if (!mask_is_one_of(name_of(m, start, end), names))
		return 0;
	next = mask_quoted_password(m, start, end);
	return next ? next : mask_netrc(m, start, end);
}

/* Masks X in "pw: X" and "pass: X1" in a text; but "the tests pass: 12 of 15" stays. */
static size_t mask_noted(struct masker *m, size_t start, size_t end)
{
	size_t at = masker_skip_blanks(m, end + 1 < m->size ? end + 1 : m->size), stop = at;
	bool has_letter = false, has_digit = false, is_pw = mask_same(run_of(m, start, end), "pw");

	if (at == m->size || m->text[end] != ':' || at == end + 1 || strchr("/$.~", m->text[at]))
		return 0;
	for (; stop < m->size && !is_space(m->text[stop]) && !strchr(",;", m->text[stop]); stop++) {
		has_digit |= ascii_is_digit(m->text[stop]);
		has_letter |= ascii_lower(m->text[stop]) >= 'a';
	}
	if (stop - at < 4 || !has_letter || !(has_digit || (is_pw && stop == m->size)))
		return 0;
	masker_put_range(m, start, at);
	masker_put_mask(m);
	return stop;
}

/* Masks Pwd=X of a connection string and `--pass X`; but PWD=/home/u and `-pass 1` stay. */
static size_t mask_short_name(struct masker *m, size_t start, size_t end)
{
	static const char *const names[] = { "pwd", "pass", "pw", NULL };
	static const char *const options[] = { "--pass", "--pw", NULL };
	static const char *const codes[] = { "--pin", "--otp", "--mnemonic", NULL };
	struct span run = run_of(m, start, end);
	bool is_value =
		end + 1 < m->size && m->text[end] == '=' && !strchr("/$.~", m->text[end + 1]);
	bool is_code = mask_is_one_of(run, codes) ||
		       (mask_same(run, "pw") && find_text(m, end, 4, " is "));

	if (!is_code && !is_value && mask_is_one_of(run, names))
		return mask_noted(m, start, end);
	if (!is_code && !mask_is_one_of(run, options) && !(is_value && mask_is_one_of(run, names)))
		return 0;
	masker_put_range(m, start, end);
	return mask_named(m, start, end, is_code ? NAME_SECRET : NAME_PLURAL);
}

/* Masks X in `user:X@tcp(host)/x` of Go and `thin:user/X@//host` of Oracle; the run is the name. */
static size_t mask_connection(struct masker *m, size_t start, size_t end)
{
	bool is_thin = end < m->size && m->text[end] == '/' && start &&
		       stands_before(m, start, 5, "thin:");
	size_t at = end + 1;

	if (end >= m->size || (m->text[end] != ':' && !is_thin))
		return 0;
	while (at < m->size && at < end + DSN_MAX && m->text[at] != '@' && !is_space(m->text[at]) &&
		!is_quote(m->text[at]))
		at++;
	if (at == end + 1 || at >= m->size || m->text[at] != '@' ||
		!(is_thin || find_text(m, at, 5, "@tcp(") || find_text(m, at, 6, "@unix(") ||
			mask_is_login(m, start, end, at)))
		return 0;
	masker_put_range(m, start, end + 1);
	masker_put_mask(m);
	return at;
}

/* Masks X in `/p:X` and `/password:X` at the begin of an argument: options as in Windows. */
static size_t mask_windows_option(struct masker *m, size_t start, size_t end)
{
	static const char *const names[] = { "p", "password", "gp", NULL };

	if (!m->is_argument || start != 1 || m->text[0] != '/' || end + 1 >= m->size ||
		m->text[end] != ':' || m->text[end + 1] == '/' ||
		!mask_is_one_of(run_of(m, start, end), names))
		return 0;
	masker_put_range(m, start, end + 1);
	masker_put_mask(m);
	return m->size;
}

/* Returns whether an expect script waited for a password between the last `send` and this one. */
static bool is_prompted(const struct masker *m, size_t start)
{
	size_t from = start;

	while (from && start - from < PROMPT_BACK && !span_starts(run_of(m, --from, start), "send"))
		if (span_starts(run_of(m, from, start), "assword") ||
			span_starts(run_of(m, from, start), "assphrase"))
			return true;
	return false;
}

/* Masks X in send "X\r" of expect: the answer to a password prompt, or a word that is no prose. */
static size_t mask_send(struct masker *m, size_t start, size_t end)
{
	size_t at = masker_skip_blanks(m, end), slashes = 0, stop;
	struct span word;

	if (!span_equal(name_of(m, start, end), "send") || at == end)
		return 0;
	if (find_text(m, at, 3, "-- "))
		at = masker_skip_blanks(m, at + 3);
	for (; at < m->size && m->text[at] == '\\'; slashes++)
		at++;
	if (at >= m->size || !(is_quote(m->text[at]) || m->text[at] == '{'))
		return 0;
	stop = masker_quoted_end(m, at + 1, m->text[at] == '{' ? '}' : m->text[at], slashes);
	if (stop < at + 4 || !strchr("rn", m->text[stop - 1]) || m->text[stop - 2] != '\\')
		return 0;
	word = run_of(m, at + 1, stop - 2);
	if (word.data[0] == '$' ||
		(!is_prompted(m, start) &&
			(word.size < 6 || !mask_is_odd(word) || memchr(word.data, ' ', word.size))))
		return 0;
	masker_put_range(m, start, at + 1);
	masker_put_mask(m);
	return stop - 2;
}

/* Returns whether the text says `kind: Secret`. Each text is searched once. */
static bool is_manifest(struct masker *m)
{
	const char *at = m->text;

	if (m->manifest)
		return m->manifest > 0;
	m->manifest = -1;
	while ((at = memmem(at, m->size - (size_t)(at - m->text), "kind", 4)) && m->manifest < 0) {
		size_t from = (size_t)((at += 4) - m->text);

		while (from < m->size && from < (size_t)(at - m->text) + 8 &&
			strchr("\\\": ", m->text[from]))
			from++;
		if (span_equal(run_of(m, from, masker_word_end(m, from, m->size)), "Secret"))
			m->manifest = 1;
	}
	return m->manifest > 0;
}

/* Masks the lines `name: X` that are deeper than the name at `start`; `at` ends its line. */
static size_t mask_block(struct masker *m, size_t start, size_t at)
{
	size_t indent = 0, first = 0;

	while (indent < start && m->text[start - indent - 1] != '\n')
		indent++;
	while (at < m->size) {
		size_t body = masker_skip_blanks(m, at + 1), value = body, depth = body - at - 1;
		const char *line = memchr(m->text + body, '\n', m->size - body), *colon;
		size_t stop = line ? (size_t)(line - m->text) : m->size;

		if (depth <= indent || body == stop)
			break;
		first = first ? first : depth;
		colon = memchr(m->text + body, ':', stop - body);
		if (colon && depth == first) /* deeper lines belong to the value */
			value = masker_skip_blanks(m, (size_t)(colon + 1 - m->text));
		masker_put_range(m, at, value);
		if (stop > value && m->text[value] != '|')
			masker_put_mask(m);
		at = stop;
	}
	return at;
}

/* Masks all values below `data:` in a Secret of Kubernetes, whatever their names are. */
static size_t mask_manifest(struct masker *m, size_t start, size_t end)
{
	struct span name = name_of(m, start, end);
	size_t at = end;
	const char *stop;

	if (!span_equal(name, "data") && !span_equal(name, "stringData"))
		return 0;
	while (at < m->size && at < end + 8 && strchr("\\\": ", m->text[at]))
		at++;
	if (at == end || at >= m->size || !strchr("\n{", m->text[at]) || !is_manifest(m))
		return 0;
	if (m->text[at] == '\n') {
		masker_put_range(m, start, at);
		return mask_block(m, start, at);
	}
	masker_put_range(m, start, at + 1);
	masker_put_mask(m);
	stop = memchr(m->text + at, '}', m->size - at);
	return stop ? (size_t)(stop - m->text) : m->size;
}

/* Masks the secret in the run [start, end) if it has one of these forms; else returns 0. */
static size_t mask_form(struct masker *m, size_t start, size_t end)
{
	size_t next = 0;

	switch (ascii_lower(name_of(m, start, end).data[0])) {
	case 'i':
		next = mask_identified(m, start, end);
		break;
	case 'p':
		next = mask_pem(m, start, end);
		next = next ? next : mask_windows_option(m, start, end);
		next = next ? next : mask_password(m, start, end);
		next = next ? next : mask_short_name(m, start, end);
		break;
	case 'c':
		next = mask_password(m, start, end);
		break;
	case 'd':
		next = mask_manifest(m, start, end);
		break;
	case 's':
		next = mask_password(m, start, end);
		next = next ? next : mask_send(m, start, end);
		next = next ? next : mask_manifest(m, start, end);
		break;
	case 'g':
		next = mask_windows_option(m, start, end);
		break;
	case '-':
		next = mask_short_name(m, start, end);
		break;
	default:
		break;
	}
	return next ? next : mask_connection(m, start, end);
}

/* Masks at the start of a run of name characters. Returns where to go on. */
static size_t mask_run(struct masker *m, size_t start)
{
	size_t end = start, next;
	enum name_kind kind;

	while (end < m->size && is_run(m->text[end]))
		end++;
	if (m->size - end >= 3 && memcmp(m->text + end, "://", 3) == 0) {
		masker_put_range(m, start, end + 3);
		return mask_url(m, end + 3);
	}
	next = mask_form(m, start, end);
	if (next)
		return next;
	next = masker_put_shapes(m, start, end, m->size);
	if (next > end)
		return next;
	next = mask_scheme(m, start, end);
	if (next)
		return next;
	kind = mask_name_kind(run_of(m, start, end));
	if (end + 1 < m->size && m->text[end + 1] == '!') /* credential.helper=!f() { echo X; } */
		kind = mask_file_name_kind(run_of(m, start, end));
	return kind == NAME_PLAIN ? end : mask_named(m, start, end, kind);
}

/* Masks one piece of text, which may be an argument. */
static void mask_piece(struct masker *m, const char *text, size_t size)
{
	size_t done = 0, at = 0;

	m->text = text;
	m->size = size;
	m->url_end = 0;
	m->manifest = 0;
	for (m->first_space = 0; m->first_space < size; m->first_space++)
		if (is_space(text[m->first_space]))
			break;
	while (at < size) {
		bool is_query = at < m->url_end && (text[at] == '?' || text[at] == '#');

		if (!is_query && !is_run(text[at])) {
			at++;
			continue;
		}
		masker_put_range(m, done, at);
		at = is_query ? mask_query(m, at) : mask_run(m, at);
		done = at;
	}
	masker_put_range(m, done, size);
}

/* Notes an argument that is a whole name: the next argument may be its value. */
static void expect_value(struct masker *m, struct span argument)
{
	size_t last = argument.size ? argument.size - 1 : 0, name = last;

	/* git grep, sudo grep */
	m->is_search |= m->arguments++ < 3 && mask_is_search(argument);
	if (m->is_search || m->pending || argument.size < 3 || argument.data[0] == '-' ||
		memchr(argument.data, ' ', argument.size))
		return;
	m->has_login |= span_equal(argument, "login");
	if (m->has_login && span_equal(argument, "password")) {
		mask_expect(m, PENDING_VALUE, NAME_SECRET);
		return;
	}
	/* api_key= X, but not TOKEN= COMMAND; //registry/:_authToken X */
	if (argument.data[last] == '=' && !ascii_is_upper(argument.data[0]))
		argument.size = last;
	while (name && is_run(argument.data[name - 1]))
		name--;
	if (!mask_is_secret_name(argument.data + name, argument.size - name))
		return;
	if (argument.size == last || (name >= 3 && argument.data[name - 1] == ':'))
		mask_expect(m, PENDING_VALUE, NAME_SECRET);
	else if (!name)
		mask_expect(m, PENDING_EQUALS, NAME_SECRET);
}

/* Masks an argument that is the value of the one before it. */
static void mask_pending(struct masker *m, struct span argument)
{
	enum pending pending = m->pending;

	m->pending = PENDING_NOTHING;
	if (argument.size > 1 && argument.data[0] == '=') {
		masker_put(m, "=", 1);
		masker_put_mask(m);
	} else if (pending != PENDING_EQUALS &&
		   (span_equal(argument, "=") || span_equal(argument, ":"))) {
		masker_put(m, argument.data, argument.size);
		m->pending = pending;
	} else if (pending == PENDING_EQUALS) {
		mask_piece(m, argument.data, argument.size);
		if (span_equal(argument, "=") || span_equal(argument, ":"))
			m->pending = PENDING_VALUE;
	} else if (mask_is_option(argument)) {
		mask_piece(m, argument.data, argument.size);
	} else if (mask_is_scheme(argument)) {
		masker_put(m, argument.data, argument.size);
		m->pending = PENDING_VALUE;
	} else if (mask_is_harmless(argument, m->pending_kind)) {
		masker_put(m, argument.data, argument.size);
	} else if (argument.size) {
		masker_put_mask(m);
	}
}

bool mask_arguments(struct buffer *out, const char *args, size_t size, size_t limit)
{
	assert(out);

	struct buffer scratch = { 0 };
	struct masker m = { .out = &scratch, .room = SIZE_MAX, .is_argument = true };
	struct masker whole = { .out = out, .room = limit ? limit : SIZE_MAX };
	struct command command = { 0 };
	size_t at = 0;

	while (at < size && !whole.is_cut) {
		const char *stop = memchr(args + at, '\0', size - at);
		size_t end = stop ? (size_t)(stop - args) : size;

		buffer_reset(&scratch);
		if (m.pending)
			mask_pending(&m, span_of(args + at, end - at));
		else
			mask_piece(&m, args + at, end - at);
		mask_pipes(&scratch);
		expect_value(&m, span_of(args + at, end - at));
		out->failed |= buffer_failed(&scratch);
		mask_command_argument(&whole, &command, buffer_cstr(&scratch), scratch.size);
		if (stop)
			masker_put(&whole, "", 1);
		at = end + 1;
	}
	buffer_fini(&scratch);
	return whole.is_cut;
}

/* Returns whether masking could change a text: all secrets are tokens by their shape, or follow one
 * of these characters. */
bool mask_may_change(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		switch (text[i]) {
		case '=':
		case ':':
		case ',':
		case ' ':
		case '\t':
		case '\0':
			return true;
		case '<': /* <password>X</password>, but no vector<int> */
			if (i + 1 < size && text[i + 1] == '/')
				return true;
			break;
		default:
			if (mask_may_begin(text, i) && mask_token_size(text, i, size))
				return true;
			if (i + 3 < size && memcmp(text + i, ".eyJ", 4) == 0)
				return true; /* the second part of a web token */
		}
	}
	return false;
}

static void mask_any_text(struct buffer *out, const char *text, size_t size)
{
	struct buffer scratch = { 0 };
	struct masker m = { .out = out, .room = SIZE_MAX }, whole = m;

	if (!mask_has_words(text, size)) {
		mask_piece(&m, text, size);
		return;
	}
	m.out = &scratch;
	mask_piece(&m, text, size);
	mask_pipes(&scratch);
	out->failed |= buffer_failed(&scratch);
	mask_command_text(&whole, buffer_cstr(&scratch), scratch.size);
	buffer_fini(&scratch);
}

void mask_text(struct buffer *out, const char *text, size_t size)
{
	struct buffer request = { 0 };

	assert(out);
	if (mask_request(&request, text, size)) {
		out->failed |= buffer_failed(&request);
		mask_any_text(out, buffer_cstr(&request), request.size);
	} else {
		mask_any_text(out, text, size);
	}
	buffer_fini(&request);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/sockets/peer_labels.h"

#include <assert.h>
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "analyze/sockets/sockets.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "secrets/mask.h"

#define RULES_MAX   16384
#define ADDRESS_MAX 64
#define LABEL_MAX   255 /* the longest host name */
#define MAPPED_BITS 96	/* bits before a mapped IPv4 address */

struct rule {
	unsigned char address[16];
	uint32_t label_at, label_size;
	uint16_t port;	  /* 0: any port */
	uint8_t prefix;	  /* bits that must match */
	uint8_t strength; /* enum peer_label_strength */
	bool is_class;	  /* class instead of an address: loopback or private */
	bool is_private;  /* the class is private */
};

/* --- addresses --- */

bool peer_address(unsigned char out[16], struct span text)
{
	char copy[ADDRESS_MAX];
	size_t size = 0;

	while (size < text.size && text.data[size] != '%')
		size++;
	if (!size || size >= sizeof(copy) || memchr(text.data, '\0', size))
		return false;
	memcpy(copy, text.data, size);
	copy[size] = '\0';
	memset(out, 0, 16);
	if (inet_pton(AF_INET6, copy, out) == 1)
		return true;
	out[10] = out[11] = 0xff;
	return inet_pton(AF_INET, copy, out + 12) == 1;
}

bool peer_split(const char *text, unsigned char address[16], unsigned *port)
{
	const char *colon = strrchr(text, ':');
	size_t size = colon ? (size_t)(colon - text) : 0;
	uint64_t number;

	if (!colon || !parse_u64(colon + 1, &number) || number > 65535)
		return false;
	if (size > 1 && *text == '[') {
		text++;
		size -= 2;
	}
	*port = (unsigned)number;
	return peer_address(address, span_of(text, size));
}

static bool fits_prefix(const unsigned char a[16], const unsigned char b[16], unsigned prefix)
{
	unsigned whole = prefix / 8, rest = prefix % 8;

	if (memcmp(a, b, whole))
		return false;
	return !rest || !((a[whole] ^ b[whole]) >> (8 - rest));
}

static bool is_v4(const unsigned char address[16])
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

	return !memcmp(address, mapped, sizeof(mapped));
}

bool peer_is_loopback(const unsigned char address[16])
{
	static const unsigned char one[16] = { [15] = 1 };

	return is_v4(address) ? address[12] == 127 : !memcmp(address, one, sizeof(one));
}

/* Returns whether the public internet does not route an address: RFC 1918, 3927, 6598; 4193, 4291.
 */
static bool is_private(const unsigned char a[16])
{
	if (peer_is_loopback(a))
		return true;
	if (!is_v4(a))
		return (a[0] & 0xfe) == 0xfc || (a[0] == 0xfe && (a[1] & 0xc0) == 0x80);
	return a[12] == 10 || (a[12] == 172 && (a[13] & 0xf0) == 16) ||
	       (a[12] == 192 && a[13] == 168) || (a[12] == 169 && a[13] == 254) ||
	       (a[12] == 100 && (a[13] & 0xc0) == 64);
}

/* --- rules --- */

static bool set_address(struct rule *rule, struct span text)
{
	struct cursor c = cursor_over(text.data, text.size);
	struct span address = cursor_until(&c, '/');
	struct span prefix = span_of((const char *)c.at, cursor_left(&c));
	bool has_prefix = address.size < text.size;
	uint64_t bits = 128;

	if (!text.size || span_equal(text, "*"))
		return true;
	if (span_equal(text, "loopback") || span_equal(text, "private")) {
		rule->is_class = true;
		rule->is_private = text.data[0] == 'p';
		return true;
	}
	if (memchr(address.data, '%', address.size) || !peer_address(rule->address, address))
		return false;
	if (has_prefix && (!prefix.size || prefix.size > 3 || !span_decimal(prefix, &bits)))
		return false;
	/* The prefix of an IPv4 address counts its 32 bits. */
	if (!memchr(address.data, ':', address.size) && has_prefix)
		bits += MAPPED_BITS;
	rule->prefix = (uint8_t)bits;
	return bits <= 128;
}

static bool set_port(struct rule *rule, struct span text)
{
	uint64_t port;

	if (!text.size || text.size > 5 || !span_decimal(text, &port) || !port || port > 65535)
		return false;
	rule->port = (uint16_t)port;
	return true;
}

static int add_rule(struct peer_labels *l, struct rule *rule, const char *label, size_t size)
{
	if (l->rules.size / sizeof(*rule) >= RULES_MAX)
		return -E2BIG;
	rule->label_at = (uint32_t)l->texts.size;
	rule->label_size = (uint32_t)(size < LABEL_MAX ? size : LABEL_MAX);
	buffer_append(&l->texts, label, rule->label_size);
	buffer_append(&l->rules, rule, sizeof(*rule));
	return buffer_failed(&l->texts) || buffer_failed(&l->rules) ? -ENOMEM : 0;
}

void peer_labels_init(struct peer_labels *l)
{
	static const struct {
		const char *address;
		uint16_t port;
		const char *label;
	} known[] = {
#define PEER(address_, port_, label_) { address_, port_, label_ },
#include "analyze/sockets/peers.def"
#undef PEER
	};

	*l = (struct peer_labels){ 0 };
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		struct rule rule = { .port = known[i].port,
			.strength = known[i].address[0] ? PEER_LABEL_SERVICE : PEER_LABEL_PORT };

		if (set_address(&rule, span_of(known[i].address, strlen(known[i].address))))
			add_rule(l, &rule, known[i].label, strlen(known[i].label));
	}
}

void peer_labels_fini(struct peer_labels *l)
{
	assert(l);
	buffer_fini(&l->rules);
	buffer_fini(&l->texts);
}

/* --- the user's file --- */

/* Parses "[v6/prefix]:port", "v4/prefix:port", "v6/prefix" or "*:port"; returns the error, or
 * NULL. */
static const char *set_end(struct rule *rule, struct span word)
{
	struct span address = word, port = { 0 };
	const char *colon = span_last(word, ':');
	bool is_bracketed = word.size && word.data[0] == '[';

	if (is_bracketed) {
		const char *close = memchr(word.data, ']', word.size);

		if (!close)
			return "a bracket is not closed";
		address = span_of(word.data + 1, (size_t)(close - word.data) - 1);
		port = span_of(close + 1, word.size - address.size - 2);
		if (port.size && port.data[0] != ':')
			return "only a port may follow the bracket";
		if (!address.size)
			return "no address in the brackets";
	} else if (colon && !memchr(word.data, ':', (size_t)(colon - word.data))) {
		address = span_of(word.data, (size_t)(colon - word.data));
		port = span_of(colon, word.size - address.size);
		if (!address.size)
			return "no address; use * for any";
	}
	if (port.size && !set_port(rule, span_of(port.data + 1, port.size - 1)))
		return "expected a port from 1 to 65535";
	if (!set_address(rule, address))
		return "expected ADDRESS or ADDRESS/PREFIX";
	if (!rule->port && !rule->prefix && !rule->is_class)
		return "this rule matches every address: give an address or a port";
	return NULL;
}

static struct span without_comment(struct span line)
{
	const char *comment = memchr(line.data, '#', line.size);

	return comment ? span_of(line.data, (size_t)(comment - line.data)) : line;
}

static struct span trim_blanks(struct span s)
{
	static const char blanks[] = " \t\r";

	while (s.size && memchr(blanks, s.data[s.size - 1], 3))
		s.size--;
	while (s.size && memchr(blanks, s.data[0], 3)) {
		s.data++;
		s.size--;
	}
	return s;
}

static const char *parse_rule(struct peer_labels *l, struct span line)
{
	struct cursor c = cursor_over(line.data, line.size);
	struct rule rule = { .strength = PEER_LABEL_USER };
	struct span word = cursor_word(&c);
	struct span label = trim_blanks(span_of((const char *)c.at, cursor_left(&c)));
	const char *wrong = set_end(&rule, word);
	int status;

	if (wrong)
		return wrong;
	if (!label.size)
		return "no label after the address";
	if (label.size > LABEL_MAX)
		return "the label is longer than 255 bytes";
	status = add_rule(l, &rule, label.data, label.size);
	if (status == -E2BIG)
		return "too many rules";
	return status ? "out of memory" : NULL;
}

int peer_labels_parse(struct peer_labels *l, const char *name, const char *text, size_t size,
	struct sooth_error *err)
{
	struct cursor c = cursor_over(text, size);
	size_t rules = l->rules.size, texts = l->texts.size;

	for (unsigned number = 1; !cursor_at_end(&c); number++) {
		struct span line = trim_blanks(without_comment(cursor_line(&c)));
		const char *wrong = line.size ? parse_rule(l, line) : NULL;

		if (!wrong)
			continue;
		l->rules.size = rules;
		l->texts.size = texts;
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "read %s", name);
		error_why(err, "line %u: %s", number, wrong);
		return error_remedy(err,
			"write each line as ADDRESS LABEL, e.g. 10.1.0.0/16:5432 orders database");
	}
	return 0;
}

/* --- /etc/hosts --- */

int peer_labels_hosts(struct peer_labels *l, const char *text, size_t size, struct sooth_error *err)
{
	struct cursor c = cursor_over(text, size);
	struct buffer masked = { 0 };
	int status = 0;

	while (!status && !cursor_at_end(&c)) {
		struct span line = trim_blanks(without_comment(cursor_line(&c)));
		struct cursor words = cursor_over(line.data, line.size);
		struct span address = cursor_word(&words);
		struct span name = trim_blanks(cursor_word(&words));
		struct rule rule = { .prefix = 128, .strength = PEER_LABEL_HOST };

		/* A name of a loopback address says nothing. */
		if (!name.size || !peer_address(rule.address, address) ||
			peer_is_loopback(rule.address))
			continue;
		buffer_reset(&masked);
		mask_text(&masked, name.data, name.size);
		status = add_rule(l, &rule, (const char *)masked.data, masked.size);
	}
	buffer_fini(&masked);
	if (status == -E2BIG) {
		error_set(err, status, SOOTH_FAULT_USAGE, "read host names");
		return error_why(err, "more than %u names", RULES_MAX);
	}
	return status ? error_no_memory(err) : 0;
}

/* --- lookup --- */

static bool rule_fits(const struct rule *r, const unsigned char address[16], unsigned port)
{
	if (r->port && r->port != port)
		return false;
	if (r->is_class)
		return r->is_private ? is_private(address) : peer_is_loopback(address);
	return fits_prefix(r->address, address, r->prefix);
}

/* Returns the order of a rule: strength, then prefix length, then whether it has a port. */
static unsigned order_of_rule(const struct rule *r)
{
	unsigned prefix = r->is_class ? 1u + !r->is_private : r->prefix;

	return (unsigned)r->strength << 16 | prefix << 1 | (r->port != 0);
}

enum peer_label_strength peer_labels_find(const struct peer_labels *l,
	const unsigned char address[16], unsigned port, struct span *label)
{
	const struct rule *rules = (const void *)l->rules.data, *best = NULL;

	for (size_t i = 0; i < l->rules.size / sizeof(*rules); i++) {
		if (rule_fits(&rules[i], address, port) &&
			(!best || order_of_rule(&rules[i]) > order_of_rule(best)))
			best = &rules[i];
	}
	if (!best)
		return PEER_LABEL_NONE;
	*label = span_of((const char *)l->texts.data + best->label_at, best->label_size);
	return (enum peer_label_strength)best->strength;
}

int peer_labels_load(
	struct peer_labels *l, const struct sockets_options *options, struct sooth_error *err)
{
	int status = 0;

	if (!options)
		return 0;
	if (options->labels)
		status = peer_labels_parse(l,
			options->labels_name ? options->labels_name : "labels of peers",
			options->labels, options->labels_size, err);
	if (!status && options->hosts)
		status = peer_labels_hosts(l, options->hosts, options->hosts_size, err);
	return status;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of these programs, and what is asked of it. A program counts wherever its
 * name stands in a command (sudo, ssh, docker exec and many more stand before it), so an option
 * is listed only where nothing harmless of the same program looks like it.
 */
#include "base/mask_programs.h"

#include <string.h>

#include "base/mask_rules.h"

#define PROGRAM_NAMES	10
#define PROGRAM_OPTIONS 10
#define NAME_LONGEST	14 /* wpa_passphrase */

struct program_option {
	/* "-u": a letter; "-pass", "--user": as a whole, or with '='; "name": a word before it;
	 * "=", "/": the value of each NAME=X, NAME/X */
	const char *name;
	enum secret_part part;
	bool is_attached; /* only within the same word: `-p X` is a prompt and something else */
};

struct program {
	const char *names[PROGRAM_NAMES + 1];
	const char *subcommand; /* that must be seen first, or NULL */
	/* Letters that take a value: others may stand before them in one word. NULL: none may. */
	const char *values;
	bool is_leading; /* its options end where the command begins that it runs */
	struct program_option options[PROGRAM_OPTIONS + 1];
};

static const struct program programs[] = {
	{ { "curl" }, NULL, "AbcCdDeEFHKmoPQrtTuUwxXyYz", false,
		{ { "-u", PART_AFTER_COLON, false }, { "--user", PART_AFTER_COLON, false },
			{ "-U", PART_AFTER_COLON, false },
			{ "--proxy-user", PART_AFTER_COLON, false },
			{ "-b", PART_AFTER_EQUALS, false }, { "-E", PART_AFTER_COLON, false },
			{ "-x", PART_PROXY, false }, { "--proxy", PART_PROXY, false },
			{ "--pass", TIME_RANGE_WHOLE, false },
			{ "--proxy-pass", TIME_RANGE_WHOLE, false } } },
	{ { "mysql", "mysqldump", "mysqladmin", "mysqlimport", "mysqlshow", "mysqlcheck", "mariadb",
		  "mariadb-dump", "mariadb-admin" },
		NULL, "uhPDSeO", false, { { "-p", TIME_RANGE_WHOLE, true } } },
	{ { "sshpass" }, NULL, "pfdP", true, { { "-p", TIME_RANGE_WHOLE, false } } },
	{ { "docker", "podman", "nerdctl", "buildah", "skopeo", "helm", "oras", "oc", "az", "cf" },
		"login", "Hlcun", false, { { "-p", TIME_RANGE_WHOLE, false } } },
	{ { "podman", "buildah", "skopeo" }, NULL, NULL, false,
		{ { "--creds", PART_AFTER_COLON, false },
			{ "--src-creds", PART_AFTER_COLON, false },
			{ "--dest-creds", PART_AFTER_COLON, false } } },
	{ { "redis-cli", "valkey-cli", "keydb-cli" }, NULL, "hpsauridnDXt", false,
		{ { "-a", TIME_RANGE_WHOLE, false }, { "--pass", TIME_RANGE_WHOLE, false } } },
	{ { "openssl" }, NULL, NULL, false,
		{ { "-pass", PART_AFTER_PASS, false }, { "-passin", PART_AFTER_PASS, false },
			{ "-passout", PART_AFTER_PASS, false }, { "-k", TIME_RANGE_WHOLE, false },
			{ "-K", TIME_RANGE_WHOLE, false }, { "-hmac", TIME_RANGE_WHOLE, false } } },
	{ { "aws" }, "configure", NULL, false,
		{ { "aws_secret_access_key", TIME_RANGE_WHOLE, false },
			{ "aws_session_token", TIME_RANGE_WHOLE, false } } },
	{ { "smbclient", "rpcclient", "smbget", "smbcacls", "smbcquotas", "smbspool", "wmic",
		  "winexe", "net" },
		NULL, "UIpcWmOTD", false,
		{ { "-U", PART_AFTER_PERCENT, false }, { "--user", PART_AFTER_PERCENT, false } } },
	{ { "http", "https", "xh", "xhs" }, NULL, "aoApsx", false,
		{ { "-a", PART_AFTER_COLON, false } } },
	{ { "ldapsearch", "ldapmodify", "ldapadd", "ldapdelete", "ldapwhoami", "ldapcompare",
		  "ldapmodrdn", "ldappasswd", "ldapexop" },
		NULL, "DHbshpUYXRZdfFlzaSwyOEeo", false, { { "-w", TIME_RANGE_WHOLE, false } } },
	{ { "mongo", "mongosh", "mongodump", "mongorestore", "mongoexport", "mongoimport", "cqlsh",
		  "ncftpput", "rdesktop" },
		NULL, "uhdcpekf", false, { { "-p", TIME_RANGE_WHOLE, false } } },
	{ { "sqlcmd", "bcp", "zip", "unzip", "ipmitool" }, NULL, "SUdQivoIHP", false,
		{ { "-P", TIME_RANGE_WHOLE, false } } },
	{ { "7z", "7za", "7zr", "7zz", "unrar", "rar" }, NULL, NULL, false,
		{ { "-p", TIME_RANGE_WHOLE, true } } },
	{ { "lftp" }, NULL, "ucfep", false,
		{ { "-u", PART_AFTER_COMMA, false }, { "--user", PART_AFTER_COMMA, false } } },
	{ { "twine" }, "upload", NULL, false, { { "-p", TIME_RANGE_WHOLE, false } } },
	{ { "kubectl", "oc" }, "secret", NULL, false,
		{ { "--from-literal", PART_AFTER_EQUALS, false } } },
	{ { "az", "wrangler" }, "secret", NULL, false,
		{ { "--value", TIME_RANGE_WHOLE, false }, { "--text", TIME_RANGE_WHOLE, false } } },
	{ { "gh" }, "secret", "bReo", false,
		{ { "-b", TIME_RANGE_WHOLE, false }, { "--body", TIME_RANGE_WHOLE, false } } },
	{ { "vault", "bao" }, NULL, NULL, false,
		{ { "login", TIME_RANGE_WHOLE, false }, { "=", TIME_RANGE_WHOLE, false } } },
	{ { "sqlplus", "sqlldr", "impdp", "expdp", "rman" }, NULL, NULL, false,
		{ { "/", TIME_RANGE_WHOLE, false } } },
	{ { "heroku" }, "config:set", "a", false, { { "=", TIME_RANGE_WHOLE, false } } },
	{ { "flyctl", "fly" }, "secrets", "tac", false, { { "=", TIME_RANGE_WHOLE, false } } },
	{ { "flyctl", "fly" }, NULL, "tac", false, { { "-t", TIME_RANGE_WHOLE, false } } },
	{ { "ngrok" }, NULL, NULL, false,
		{ { "authtoken", TIME_RANGE_WHOLE, false },
			{ "add-authtoken", TIME_RANGE_WHOLE, false } } },
	{ { "cargo" }, NULL, NULL, false, { { "login", TIME_RANGE_WHOLE, false } } },
	{ { "nmcli" }, NULL, NULL, false,
		{ { "password", TIME_RANGE_WHOLE, false },
			{ "wifi-sec.psk", TIME_RANGE_WHOLE, false },
			{ "802-11-wireless-security.psk", TIME_RANGE_WHOLE, false } } },
	{ { "mosquitto_pub", "mosquitto_sub" }, NULL, "uPhptmi", false,
		{ { "-P", TIME_RANGE_WHOLE, false } } },
	{ { "snmpget", "snmpwalk", "snmpset", "snmpbulkwalk", "snmptrap" }, NULL, NULL, false,
		{ { "-A", TIME_RANGE_WHOLE, false }, { "-X", TIME_RANGE_WHOLE, false } } },
	{ { "useradd", "usermod" }, NULL, "pdugGscek", false,
		{ { "-p", TIME_RANGE_WHOLE, false } } },
	{ { "keytool", "jarsigner", "apksigner", "plink", "pscp", "psftp" }, NULL, NULL, false,
		{ { "-storepass", TIME_RANGE_WHOLE, false },
			{ "-keypass", TIME_RANGE_WHOLE, false },
			{ "-srcstorepass", TIME_RANGE_WHOLE, false },
			{ "-deststorepass", TIME_RANGE_WHOLE, false },
			{ "-pw", TIME_RANGE_WHOLE, false } } },
	{ { "htpasswd", "rabbitmqctl", "bw", "wpa_passphrase", "etcdctl" }, NULL, NULL, false,
		{ { "-b", PART_THIRD, false }, { "-bc", PART_THIRD, false },
			{ "-nb", PART_SECOND, false }, { "-nbB", PART_SECOND, false },
			{ "add_user", PART_SECOND, false }, { "login", PART_SECOND, false },
			{ "unlock", TIME_RANGE_WHOLE, false },
			{ "change_password", PART_SECOND, false },
			{ "wpa_passphrase", PART_SECOND, false },
			{ "--user", PART_AFTER_COLON, false } } },
	{ { "aws" }, "put-parameter", NULL, false, { { "--value", TIME_RANGE_WHOLE, false } } },
};

#define PROGRAM_COUNT (sizeof(programs) / sizeof(programs[0]))

_Static_assert(PROGRAM_COUNT <= 64, "a bit for each");

static struct span base_name(struct span word)
{
	for (size_t i = word.size; i > 0; i--) {
		char c = word.data[i - 1];

		if (c == '/' || c == '\\' || c == '=')
			return span_of(word.data + i, word.size - i);
	}
	return word;
}

static inline bool is_named(const struct program *p, struct span name)
{
	for (const char *const *at = p->names; *at; at++)
		if ((*at)[0] == name.data[0] && span_equal(name, *at))
			return true;
	return false;
}

static bool is_name_of_setting(const struct program *p, struct span word, enum secret_part *part)
{
	for (const struct program_option *o = p->options; o->name; o++) {
		if (o->name[0] != '-' && span_equal(word, o->name)) {
			*part = o->part;
			return true;
		}
	}
	return false;
}

void command_word(struct command *c, struct span word)
{
	struct span name;

	c->skips = false;
	if (memchr(word.data, '\0', word.size))
		return;
	name = base_name(word);
	if (span_ends(name, ".exe"))
		name.size -= 4;
	/* All names are short and small, and so are subcommands. */
	if (!c->seen && (name.size < 2 || name.size > NAME_LONGEST || ascii_is_upper(name.data[0])))
		return;
	for (size_t i = 0; name.size && i < PROGRAM_COUNT; i++) {
		const struct program *p = &programs[i];
		uint64_t bit = UINT64_C(1) << i;

		if (is_named(p, name)) {
			c->seen |= bit;
			c->active |= p->subcommand ? 0 : bit;
			is_name_of_setting(p, name, &c->pending);
		} else if (c->active & bit && p->is_leading) {
			c->active &= ~bit;
		} else if (c->seen & bit && p->subcommand && span_equal(word, p->subcommand)) {
			c->active |= bit;
		} else if (c->active & bit) {
			is_name_of_setting(p, word, &c->pending);
		}
	}
}

/* `-u` alone or among other letters. Whether the word is done with. */
static bool find_letter(
	const struct program *p, struct span word, size_t at, const struct program_option **found)
{
	for (const struct program_option *o = p->options; o->name; o++) {
		if (o->name[0] == '-' && o->name[1] == word.data[at] && !o->name[2]) {
			*found = o;
			return true;
		}
	}
	return !p->values || !ascii_is_alnum(word.data[at]) || strchr(p->values, word.data[at]);
}

/* The option, and where a value within the word begins: behind it, when there is none. */
static const struct program_option *find_option(
	const struct program *p, struct span word, size_t *value, bool *has_value)
{
	const struct program_option *found = NULL;

	*has_value = false;
	for (const struct program_option *o = p->options; o->name; o++) {
		size_t size = strlen(o->name);

		if (o->name[0] != '-' || !o->name[2] || !span_starts(word, o->name) ||
			(word.size > size && word.data[size] != '='))
			continue;
		*has_value = word.size > size;
		*value = size + *has_value;
		return o;
	}
	if (word.size < 2 || word.data[1] == '-')
		return NULL;
	for (size_t at = 1; at < word.size; at++) {
		if (!find_letter(p, word, at, &found))
			continue;
		*value = at + 1;
		*has_value = at + 1 < word.size;
		/* Where letters are not put together "-key" is a word of its own. */
		return found && *has_value && !p->values && !found->is_attached ? NULL : found;
	}
	return NULL;
}

/* Does the word end with a letter of the program that takes what follows? */
static bool takes_next(const struct program *p, struct span word)
{
	if (!p->values || word.size < 2 || word.data[1] == '-')
		return false;
	for (size_t at = 1; at < word.size; at++)
		if (!ascii_is_alnum(word.data[at]) || strchr(p->values, word.data[at]))
			return at + 1 == word.size && ascii_is_alnum(word.data[at]);
	return false;
}

enum secret_part command_option(struct command *c, struct span word, bool has_more, size_t *value)
{
	c->pending = TIME_RANGE_NONE;
	c->skips = false;
	if (word.size < 2 || memchr(word.data, '\0', word.size))
		return TIME_RANGE_NONE;
	for (size_t i = 0; c->active && i < PROGRAM_COUNT; i++) {
		const struct program_option *o;
		bool has_value;

		if (!(c->active & UINT64_C(1) << i))
			continue;
		o = find_option(&programs[i], word, value, &has_value);
		if (o && (has_value || has_more))
			return o->part;
		if (o && !o->is_attached && c->pending == TIME_RANGE_NONE)
			c->pending = o->part;
		c->skips |= !o && !has_more && takes_next(&programs[i], word);
	}
	return TIME_RANGE_NONE;
}

/* Where X begins in NAME=X or NAME/X, for a program with options of that name; 0: nowhere. */
static size_t assigned_by(const struct program *p, struct span word)
{
	for (const struct program_option *o = p->options; o->name; o++) {
		const char *at =
			strchr("=/", o->name[0]) ? memchr(word.data, o->name[0], word.size) : NULL;

		if (at && at > word.data)
			return (size_t)(at - word.data) + 1;
	}
	return 0;
}

size_t command_assignment(const struct command *c, struct span word)
{
	size_t value = 0;

	for (size_t i = 0; c->active && word.size && word.data[0] != '@' && i < PROGRAM_COUNT;
		i++) {
		if (c->active & UINT64_C(1) << i)
			value = assigned_by(&programs[i], word);
		if (value)
			break;
	}
	return value;
}

/* What stands behind the first `stop`. */
static struct span after(struct span value, char stop)
{
	const char *at = value.size ? memchr(value.data, stop, value.size) : NULL;

	return at ? span_of(at + 1, value.size - (size_t)(at + 1 - value.data))
		  : span_of(value.data, 0);
}

/* name:X@host; a URL has been masked as one. */
static struct span proxy_secret(struct span value)
{
	struct span secret = after(value, ':');

	while (secret.size && secret.data[secret.size - 1] != '@')
		secret.size--;
	if (secret.size)
		secret.size--;
	return span_starts(secret, "//") ? span_of(value.data, 0) : secret;
}

struct span secret_part_of(enum secret_part part, struct span value)
{
	switch (part) {
	case TIME_RANGE_WHOLE:
		return value;
	case PART_AFTER_COLON:
		if (value.size > 1 &&
			memchr(value.data, ':', value.size) == value.data + value.size - 1)
			return span_of(value.data, value.size - 1);
		return after(value, ':');
	case PART_AFTER_COMMA:
		return after(value, ',');
	case PART_AFTER_PERCENT:
		return after(value, '%');
	case PART_AFTER_EQUALS:
		return after(value, '=');
	case PART_AFTER_PASS:
		return span_starts(value, "pass:") ? after(value, ':') : span_of(value.data, 0);
	case PART_PROXY:
		return proxy_secret(value);
	default:
		break;
	}
	return span_of(value.data, 0);
}

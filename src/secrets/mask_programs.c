/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of these programs, and its queries. A program counts wherever its name is in a command
 * (sudo, ssh, docker exec and many more may be before it), so an option is listed only if nothing
 * harmless of the same program looks like it.
 */
#include "secrets/mask_programs.h"

#include <string.h>

#include "secrets/mask_rules.h"

#define PROGRAM_NAMES	10
#define PROGRAM_OPTIONS 10
#define NAME_LONGEST	14 /* length of wpa_passphrase */

struct program_option {
	/* "-u": a letter; "-pass", "--user": as a whole, or with '='; "name": a word before it;
	 * "name." with ".", ":" or "\\" at its end: the beginning of such a word;
	 * "#1": each word from the first behind the subcommand on;
	 * "=", "/": the value of each NAME=X, NAME/X */
	const char *name;
	enum secret_part part;
};

struct program {
	const char *names[PROGRAM_NAMES + 1];
	const char *subcommand; /* subcommand that must come first, or NULL */
	/* Letters that take a value: others may stand before them in one word. NULL: none may.
	 * "^" before them: the options end where the command begins that the program runs. */
	const char *values;
	struct program_option options[PROGRAM_OPTIONS + 1];
};

static const struct program programs[] = {
	{ { "curl" }, NULL, "AbcCdDeEFHKmoPQrtTuUwxXyYz",
		{ { "-u", PART_AFTER_COLON }, { "--user", PART_AFTER_COLON },
			{ "-U", PART_AFTER_COLON }, { "--proxy-user", PART_AFTER_COLON },
			{ "-b", PART_AFTER_EQUALS }, { "-E", PART_AFTER_COLON },
			{ "-x", PART_PROXY }, { "--proxy", PART_PROXY }, { "--pass", PART_WHOLE },
			{ "--proxy-pass", PART_WHOLE } } },
	{ { "mysql", "mysqldump", "mysqladmin", "mysqlimport", "mysqlshow", "mysqlcheck", "mariadb",
		  "mariadb-dump", "mariadb-admin" },
		NULL, "uhPDSeO", { { "-p", PART_GLUED } } },
	{ { "sshpass" }, NULL, "^pfdP", { { "-p", PART_WHOLE } } },
	{ { "docker", "podman", "nerdctl", "buildah", "skopeo", "helm", "oras", "oc", "az", "cf" },
		"login", "Hlcun", { { "-p", PART_WHOLE } } },
	{ { "podman", "buildah", "skopeo" }, NULL, NULL,
		{ { "--creds", PART_AFTER_COLON }, { "--src-creds", PART_AFTER_COLON },
			{ "--dest-creds", PART_AFTER_COLON } } },
	{ { "redis-cli", "valkey-cli", "keydb-cli" }, NULL, "hpsauridnDXt",
		{ { "-a", PART_WHOLE }, { "--pass", PART_WHOLE } } },
	{ { "openssl" }, NULL, NULL,
		{ { "-pass", PART_AFTER_PASS }, { "-passin", PART_AFTER_PASS },
			{ "-passout", PART_AFTER_PASS }, { "-k", PART_WHOLE }, { "-K", PART_WHOLE },
			{ "-hmac", PART_WHOLE } } },
	{ { "aws" }, "configure", NULL,
		{ { "aws_secret_access_key", PART_WHOLE }, { "aws_session_token", PART_WHOLE } } },
	{ { "smbclient", "rpcclient", "smbget", "smbcacls", "smbcquotas", "smbspool", "wmic",
		  "winexe", "net" },
		NULL, "UIpcWmOTD",
		{ { "-U", PART_AFTER_PERCENT }, { "--user", PART_AFTER_PERCENT } } },
	{ { "http", "https", "xh", "xhs" }, NULL, "aoApsx", { { "-a", PART_AFTER_COLON } } },
	{ { "ldapsearch", "ldapmodify", "ldapadd", "ldapdelete", "ldapwhoami", "ldapcompare",
		  "ldapmodrdn", "ldappasswd", "ldapexop" },
		NULL, "DHbshpUYXRZdfFlzaSwyOEeo", { { "-w", PART_WHOLE } } },
	{ { "mongo", "mongosh", "mongodump", "mongorestore", "mongoexport", "mongoimport", "cqlsh",
		  "ncftpput", "rdesktop" },
		NULL, "uhdcpekf", { { "-p", PART_WHOLE } } },
	{ { "sqlcmd", "bcp", "zip", "unzip", "ipmitool" }, NULL, "SUdQivoIHP",
		{ { "-P", PART_WHOLE } } },
	{ { "7z", "7za", "7zr", "7zz", "unrar", "rar" }, NULL, NULL, { { "-p", PART_GLUED } } },
	{ { "lftp" }, NULL, "ucfep",
		{ { "-u", PART_AFTER_COMMA }, { "--user", PART_AFTER_COMMA } } },
	{ { "twine" }, "upload", NULL, { { "-p", PART_WHOLE } } },
	{ { "kubectl", "oc" }, "secret", NULL, { { "--from-literal", PART_AFTER_EQUALS } } },
	{ { "az", "wrangler" }, "secret", NULL,
		{ { "--value", PART_WHOLE }, { "--text", PART_WHOLE } } },
	{ { "gh" }, "secret", "bReo", { { "-b", PART_WHOLE }, { "--body", PART_WHOLE } } },
	{ { "vault", "bao" }, NULL, NULL, { { "login", PART_WHOLE }, { "=", PART_WHOLE } } },
	{ { "sqlplus", "sqlldr", "impdp", "expdp", "rman" }, NULL, NULL, { { "/", PART_WHOLE } } },
	{ { "heroku" }, "config:set", "a", { { "=", PART_WHOLE } } },
	{ { "flyctl", "fly" }, "secrets", "tac", { { "=", PART_WHOLE } } },
	{ { "flyctl", "fly" }, NULL, "tac", { { "-t", PART_WHOLE } } },
	{ { "ngrok" }, NULL, NULL,
		{ { "authtoken", PART_WHOLE }, { "add-authtoken", PART_WHOLE } } },
	{ { "cargo" }, NULL, NULL, { { "login", PART_WHOLE } } },
	{ { "nmcli" }, NULL, NULL,
		{ { "password", PART_WHOLE }, { "wifi-sec.psk", PART_WHOLE },
			{ "802-11-wireless-security.psk", PART_WHOLE } } },
	{ { "mosquitto_pub", "mosquitto_sub" }, NULL, "uPhptmi", { { "-P", PART_WHOLE } } },
	{ { "snmpget", "snmpwalk", "snmpset", "snmpbulkwalk", "snmptrap" }, NULL, NULL,
		{ { "-A", PART_WHOLE }, { "-X", PART_WHOLE } } },
	{ { "useradd", "usermod" }, NULL, "pdugGscek", { { "-p", PART_WHOLE } } },
	{ { "keytool", "jarsigner", "apksigner", "plink", "pscp", "psftp" }, NULL, NULL,
		{ { "-storepass", PART_WHOLE }, { "-keypass", PART_WHOLE },
			{ "-srcstorepass", PART_WHOLE }, { "-deststorepass", PART_WHOLE },
			{ "-pw", PART_WHOLE } } },
	{ { "htpasswd", "rabbitmqctl", "bw", "wpa_passphrase", "etcdctl" }, NULL, NULL,
		{ { "-b", PART_THIRD }, { "-bc", PART_THIRD }, { "-nb", PART_SECOND },
			{ "-nbB", PART_SECOND }, { "add_user", PART_SECOND },
			{ "login", PART_SECOND }, { "unlock", PART_WHOLE },
			{ "change_password", PART_SECOND }, { "wpa_passphrase", PART_SECOND },
			{ "--user", PART_AFTER_COLON } } },
	{ { "aws" }, "put-parameter", NULL, { { "--value", PART_WHOLE } } },
	{ { "p4" }, NULL, "cCdHLpPQruxz", { { "-P", PART_WHOLE } } },
	{ { "ssh-keygen" }, NULL, "abCDEFfIJjKMmNnOPRrsTtVWwYZz",
		{ { "-N", PART_WHOLE }, { "-P", PART_WHOLE } } },
	{ { "ldappasswd" }, NULL, "DHbhpUYXRZdfFlzaswyOeo",
		{ { "-s", PART_WHOLE }, { "-a", PART_WHOLE } } },
	{ { "hydra", "medusa", "evil-winrm", "nxc", "netexec", "crackmapexec", "beeline",
		  "rabbitmqadmin" },
		NULL, "p", { { "-p", PART_WHOLE } } },
	{ { "twilio" }, NULL, "u", { { "-u", PART_AFTER_COLON } } },
	{ { "openssl" }, "passwd", NULL,
		{ { "#1", PART_WHOLE }, { "-salt", PART_NONE }, { "-in", PART_NONE } } },
	{ { "mkpasswd" }, NULL, "mSRP", { { "#1", PART_WHOLE }, { "--method", PART_NONE } } },
	{ { "mc" }, "alias", NULL, { { "#5", PART_WHOLE } } },
	{ { "mc" }, "host", NULL, { { "#5", PART_WHOLE } } },
	{ { "pdftk" }, NULL, NULL,
		{ { "input_pw", PART_WHOLE }, { "user_pw", PART_WHOLE },
			{ "owner_pw", PART_WHOLE } } },
	{ { "net" }, "use", NULL, { { "\\\\", PART_NO_SLASH }, { "/user:", PART_NO_SLASH } } },
	{ { "bundle", "bundler" }, "config", NULL, { { "#1", PART_LOGIN } } },
	{ { "poetry", "composer" }, "config", NULL,
		{ { "http-basic.", PART_SECOND }, { "bitbucket-oauth.", PART_SECOND } } },
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

/* Expects a value if the word is the name of a setting of this program. */
static void expect_named(struct command *c, const struct program *p, struct span word)
{
	for (const struct program_option *o = p->options; o->name; o++) {
		bool is_beginning = strchr(".:\\", o->name[strlen(o->name) - 1]) != NULL;

		if (o->name[0] != '-' &&
			(is_beginning ? span_starts(word, o->name) : span_equal(word, o->name)))
			c->pending = o->part;
	}
}

enum secret_part command_position(struct command *c)
{
	unsigned at = c->position;

	c->position += at && at < UINT8_MAX;
	return at && at >= c->first ? c->part : PART_NONE;
}

static void activate_program(struct command *c, size_t i)
{
	c->active |= UINT64_C(1) << i;
	for (const struct program_option *o = programs[i].options; o->name; o++) {
		if (o->name[0] != '#')
			continue;
		c->position = 1;
		c->first = (uint8_t)(o->name[1] - '0');
		c->part = o->part;
		c->is_first = c->words <= 1 + (programs[i].subcommand != NULL);
	}
}

/* Expects a name and its value: `git config a.token X`, `rclone config create r s3 key X`. */
static void expect_setting(struct command *c, struct span word)
{
	static const char *const forms[] = { "config", "configure", NULL };
	static const char *const verbs[] = { "set", "create", "add", "put", "update", NULL };
	static const char *const short_names[] = { "pass", "psk", "pwd", "requirepass", NULL };
	bool is_behind = c->is_config;

	c->is_config = c->words > 1 && mask_is_one_of(word, forms);
	if (is_behind && mask_is_one_of(word, verbs))
		c->is_set = true;
	else if ((c->is_set && mask_is_one_of(word, short_names)) ||
		 ((c->is_set || (is_behind && mask_is_odd(word) && !span_starts(word, "set-"))) &&
			 mask_name_kind(word) >= NAME_MODE))
		c->pending = PART_WHOLE;
}

void command_word(struct command *c, struct span word)
{
	static const char *const runners[] = { "sudo", "exec", "time", "then", "do", NULL };
	struct span name;

	c->skips = false;
	if (memchr(word.data, '\0', word.size))
		return;
	c->words += c->words < UINT8_MAX && !mask_is_one_of(word, runners) &&
		    !memchr(word.data, '=', word.size);
	expect_setting(c, word);
	name = base_name(word);
	if (span_ends(name, ".exe"))
		name.size -= 4;
	/* All names of programs and subcommands are short and in lower case. */
	if (!c->seen && (name.size < 2 || name.size > NAME_LONGEST || ascii_is_upper(name.data[0])))
		return;
	for (size_t i = 0; name.size && i < PROGRAM_COUNT; i++) {
		const struct program *p = &programs[i];
		uint64_t bit = UINT64_C(1) << i;

		if (is_named(p, name)) {
			c->seen |= bit;
			if (!p->subcommand)
				activate_program(c, i);
			expect_named(c, p, name);
		} else if (c->active & bit && p->values && *p->values == '^') {
			c->active &= ~bit;
		} else if (c->seen & bit && p->subcommand && span_equal(word, p->subcommand)) {
			activate_program(c, i);
		} else if (c->active & bit) {
			expect_named(c, p, word);
		}
	}
}

/* Finds `-u`, alone or among other letters. Returns whether the word is done. */
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

/* Finds the option of a word, and where its value begins; at the end, if there is none. */
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
		/* If letters cannot be combined, "-key" is a word of its own. */
		return found && *has_value && !p->values && found->part != PART_GLUED ? NULL
										      : found;
	}
	return NULL;
}

/* Returns whether the word ends with a letter of the program whose value is the next word. */
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
	c->pending = PART_NONE;
	c->skips = false;
	if (word.size < 2 || memchr(word.data, '\0', word.size))
		return PART_NONE;
	for (size_t i = 0; c->active && i < PROGRAM_COUNT; i++) {
		const struct program_option *o;
		bool has_value;

		if (!(c->active & UINT64_C(1) << i))
			continue;
		o = find_option(&programs[i], word, value, &has_value);
		if (o && (has_value || has_more))
			return o->part;
		if (o && o->part != PART_GLUED && c->pending == PART_NONE)
			c->pending = o->part;
		c->skips |=
			!has_more && (o ? o->part == PART_NONE : takes_next(&programs[i], word));
	}
	return PART_NONE;
}

/* Returns the begin of X in NAME=X or NAME/X, for a program with such options; 0: there is none. */
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

/* Returns the part after the first `stop`; empty: there is none. */
static struct span text_after(struct span value, char stop)
{
	const char *at = value.size ? memchr(value.data, stop, value.size) : NULL;

	return at ? span_of(at + 1, value.size - (size_t)(at + 1 - value.data))
		  : span_of(value.data, 0);
}

/* Returns the secret of name:X; a URL was masked already. */
static struct span login_secret(struct span value)
{
	struct span secret = text_after(value, ':');

	return span_starts(secret, "//") ? span_of(value.data, 0) : secret;
}

static struct span proxy_secret(struct span value)
{
	struct span secret = login_secret(value);

	while (secret.size && secret.data[secret.size - 1] != '@')
		secret.size--;
	return span_of(secret.data, secret.size - (secret.size > 0));
}

struct span secret_part_of(enum secret_part part, struct span value)
{
	switch (part) {
	case PART_WHOLE:
	case PART_GLUED:
		return value;
	case PART_AFTER_COLON:
		if (value.size > 1 &&
			memchr(value.data, ':', value.size) == value.data + value.size - 1)
			return span_of(value.data, value.size - 1);
		return text_after(value, ':');
	case PART_AFTER_COMMA:
		return text_after(value, ',');
	case PART_AFTER_PERCENT:
		return text_after(value, '%');
	case PART_AFTER_EQUALS:
		return text_after(value, '=');
	case PART_AFTER_PASS:
		return span_starts(value, "pass:") ? text_after(value, ':')
						   : span_of(value.data, 0);
	case PART_PROXY:
		return proxy_secret(value);
	case PART_LOGIN:
		return login_secret(value);
	case PART_NO_SLASH:
		return span_of(value.data, span_starts(value, "/") ? 0 : value.size);
	default:
		break;
	}
	return span_of(value.data, 0);
}

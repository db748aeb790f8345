/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Masking: planted secrets must be gone wherever they stand, what is ordinary
 * must stay to the byte, and what is written must be what the header promises.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "secrets/mask.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Arguments are written with '\n' between them here, for reading; NUL in what is tested. */
static void mask_lines(struct buffer *out, const char *lines)
{
	size_t size = strlen(lines) + 1;
	char *args = malloc(size);

	for (size_t i = 0; i < size; i++)
		args[i] = lines[i] == '\n' ? '\0' : lines[i];
	assert_false(mask_arguments(out, args, size, 0));
	assert_false(buffer_failed(out));
	for (size_t i = 0; i + 1 < out->size; i++)
		if (!out->data[i])
			out->data[i] = '\n';
	assert_int_equal(out->data[out->size - 1], 0);
	free(args);
}

static void check_args(const char *lines, const char *wanted)
{
	struct buffer out = { 0 };

	mask_lines(&out, lines);
	assert_string_equal(buffer_cstr(&out), wanted);
	buffer_fini(&out);
}

static void check_text(const char *text, const char *wanted)
{
	struct buffer out = { 0 };

	mask_text(&out, text, strlen(text));
	assert_string_equal(buffer_cstr(&out), wanted);
	assert_true(mask_may_change(text, strlen(text)) || !strcmp(text, wanted));
	buffer_fini(&out);
}

static void test_requests(void **state)
{
	static const char *const cases[][2] = {
		{ "POST /v1/messages", "POST /v1/messages" },
		{ "GET /bot123456:AAEhBOweik6ad9r_QXMENQjcrbGa/send", "GET /***/send" },
		{ "CONNECT user:pass@host:443", "CONNECT ***@host:443" },
		{ "CONNECT host:443", "CONNECT host:443" },
		{ "PUT /a/4f1c2b3a9d8e7f60/b HTTP/1.1", "PUT /a/***/b HTTP/1.1" },
		{ "POST /v1/files/file-abc123XYZ987def?purpose=x", "POST /v1/files/***?purpose=x" },
		{ "POST /v1beta/models/gemini-2.5-flash:streamGenerateContent",
			"POST /v1beta/models/gemini-2.5-flash:streamGenerateContent" },
		{ "GET /models/claude-sonnet-4-20250514/",
			"GET /models/claude-sonnet-4-20250514/" },
		{ "get /a/4f1c2b3a9d8e7f60", "get /a/4f1c2b3a9d8e7f60" },
		{ "GET /", "GET /" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		check_text(cases[i][0], cases[i][1]);
}

static void test_options(void **state)
{
	static const char *const cases[][2] = {
		{ "tool\n--api-key\nhunter2\nfile", "tool\n--api-key\n***\nfile" },
		{ "tool\n--api-key=hunter2\nfile", "tool\n--api-key=***\nfile" },
		{ "tool\n--API_KEY=hunter 2 more", "tool\n--API_KEY=***" },
		{ "env\nAPI_KEY=hunter2\ncmd", "env\nAPI_KEY=***\ncmd" },
		{ "env\nMY_DB_PASSWORD=a=b=c\ncmd", "env\nMY_DB_PASSWORD=***\ncmd" },
		{ "x\n-password\nhunter2", "x\n-password\n***" },
		{ "x\n--token\n-hunter2", "x\n--token\n***" },
		{ "x\n--token\n--verbose\n-v", "x\n--token\n--verbose\n-v" },
		{ "x\n--token\n\nfile", "x\n--token\n\nfile" },
		{ "x\n--token=\nfile", "x\n--token=\nfile" },
		{ "x\n--token", "x\n--token" },
		{ "x\n--clientSecret=a\n--accessToken\nb\n--PassWord=c",
			"x\n--clientSecret=***\n--accessToken\n***\n--PassWord=***" },
		{ "x\n--passphrase\na b\n--cookie\nc\n--credentials=d\n--bearer\ne\n--auth\nf",
			"x\n--passphrase\n***\n--cookie\n***\n--credentials=***\n--bearer\n***\n--"
			"auth\n***" },
		{ "x\nPGPASSWORD=a\nAWS_SECRET_ACCESS_KEY=b/c+d\nAPIKEY=c\nMYSQL_PWD=d\nOAUTH2=e",
			"x\nPGPASSWORD=***\nAWS_SECRET_ACCESS_KEY=***\nAPIKEY=***\nMYSQL_PWD=***"
			"\nOAUTH2=***" },
		{ "docker\nrun\n-e\nAPI_KEY=x\n--env=TOKEN=a b\n-eKEY=c",
			"docker\nrun\n-e\nAPI_KEY=***\n--env=TOKEN=***\n-eKEY=***" },
		{ "java\n-Ddb.password=x\nMain", "java\n-Ddb.password=***\nMain" },
		{ "x\n--api-keys=a,b\n--api-keys\n12", "x\n--api-keys=***\n--api-keys\n12" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		check_args(cases[i][0], cases[i][1]);
}

static void test_headers(void **state)
{
	static const char *const cases[][2] = {
		{ "curl\n-H\nAuthorization: Bearer abc def\nhost",
			"curl\n-H\nAuthorization: ***\nhost" },
		{ "curl\n-H\nX-Api-Key:abc def", "curl\n-H\nX-Api-Key:***" },
		{ "curl\n-HCookie: a=b; c=d", "curl\n-HCookie: ***" },
		{ "curl\n--header=Authorization: Basic dXNlcjpwYXNz",
			"curl\n--header=Authorization: ***" },
		{ "curl\n-H\nAccept: text/html\nhost", "curl\n-H\nAccept: text/html\nhost" },
		{ "x\nAuthorization:\nBearer\nabc\nfile", "x\nAuthorization:\nBearer\n***\nfile" },
		{ "x\nAuthorization:\nabc\nfile", "x\nAuthorization:\n***\nfile" },
		{ "x\nBearer\nabc\nfile", "x\nBearer\n***\nfile" },
		{ "x\n--auth\nBearer\nabc\nfile", "x\n--auth\nBearer\n***\nfile" },
		{ "x\nBearer abc\nfile", "x\nBearer ***\nfile" },
		{ "x\nBasic dXNlcjpwYXNz", "x\nBasic ***" },
		{ "x\nfoo Basic understanding of it", "x\nfoo Basic understanding of it" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		check_args(cases[i][0], cases[i][1]);
	check_text("Authorization:Bearer abc", "Authorization:***");
	check_text("GET / HTTP/1.1\nAuthorization: token abc\nHost: x",
		"GET / HTTP/1.1\nAuthorization: ***\nHost: x");
}

static void test_scripts(void **state)
{
	static const char *const cases[][2] = {
		{ "curl -H 'Authorization: token abc' http://h/x",
			"curl -H 'Authorization: ***' http://h/x" },
		{ "curl -H \"X-Api-Key: abc\" h", "curl -H \"X-Api-Key: ***\" h" },
		{ "export API_KEY=abc; run --fast", "export API_KEY=***; run --fast" },
		{ "API_KEY='abc def' run", "API_KEY='***' run" },
		{ "API_KEY=\"abc\"def run", "API_KEY=\"***\"*** run" },
		{ "API_KEY=ab\"c d\"ef run", "API_KEY=*** run" },
		{ "tool --password hunter2 --fast", "tool --password *** --fast" },
		{ "tool --password \"hunter 2\" x", "tool --password \"***\" x" },
		{ "tool --password=hunter2 --fast", "tool --password=*** --fast" },
		{ "tool --token --fast", "tool --token --fast" },
		{ "{\"api_key\": \"abc\", \"b\": \"c\"}", "{\"api_key\": \"***\", \"b\": \"c\"}" },
		{ "{\\\"api_key\\\": \\\"abc\\\", \\\"b\\\": 1}",
			"{\\\"api_key\\\": \\\"***\\\", \\\"b\\\": 1}" },
		{ "{\"password\":\"a\\\"bc\",\"b\":1}", "{\"password\":\"***\",\"b\":1}" },
		{ "{\"pin_token\":1234,\"b\":1}", "{\"pin_token\":***,\"b\":1}" },
		{ "[\"--api-key\", \"abc\", \"x\"]", "[\"--api-key\", \"***\", \"x\"]" },
		{ "[\"--api-key\",\"--x\"]", "[\"--api-key\",\"--x\"]" },
		{ "[\"--token=abc\",\"x\"]", "[\"--token=***\",\"x\"]" },
		{ "os.environ['API_KEY'] = 'abc'; go()", "os.environ['API_KEY'] = '***'; go()" },
		{ "login(user=\"u\", password=b\"abc\", x=1)",
			"login(user=\"u\", password=b\"***\", x=1)" },
		{ "password: my secret phrase\nuser: x", "password: ***\nuser: x" },
		{ "auth=Bearer abc next", "auth=Bearer *** next" },
		{ "curl -d password=a&user=b", "curl -d password=***&user=b" },
		{ "if (token == \"abc\") x", "if (token == \"***\") x" },
		{ "password=\"never closed and so on", "password=\"***" },
		{ "<password>abc</password><b>c</b>", "<password>***</password><b>c</b>" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		check_text(cases[i][0], cases[i][1]);
}

static void test_shapes(void **state)
{
	static const char *const cases[][2] = {
		{ "use sk-abcdEFGH12345678 now", "use *** now" },
		{ "sk-ant-api03-a_b-c", "***" },
		{ "xsk-ant-api03-a_b-c!", "x***!" },
		{ "ghp_0123456789abcdefABCDEF0123456789abcd", "***" },
		{ "(gho_0123456789abcdefABCDEF0123456789abcd)", "(***)" },
		{ "zzghp_0123456789abcdefABCDEF0123456789abcd", "zz***" },
		{ "zzghp_import highs_0123456789", "zzghp_import highs_0123456789" },
		{ "ghs_0123456789abcdefABCDEF0123456789abcd", "***" },
		{ "github_pat_11ABCDEFG_abcdef", "***" },
		{ "xoxb-123-456-abc", "***" },
		{ "xoxp-123-456-abc", "***" },
		{ "id=AKIAIOSFODNN7EXAMPLE;", "id=***;" },
		{ "AIzaSyA0123456789abcdefghijklmnopqrstuv", "***" },
		{ "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_DEF", "***" },
		{ "x=eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.", "x=***" },
		{ "/home/u/sk-abcdEFGH12345678/x", "/home/u/***/x" },
		/* not quite */
		{ "sk-learn sk-SK ghp_import AKIASHORT AIzaShort eyJ eyJhbGci.x",
			"sk-learn sk-SK ghp_import AKIASHORT AIzaShort eyJ eyJhbGci.x" },
		{ "task-12345678 disk-0123456789 npm_config_registry hf_transfer",
			"task-12345678 disk-0123456789 npm_config_registry hf_transfer" },
		{ "AKIAiosfodnn7example0", "AKIAiosfodnn7example0" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		check_text(cases[i][0], cases[i][1]);
		check_args(cases[i][0], cases[i][1]);
	}
}

static void test_urls(void **state)
{
	static const char *const cases[][2] = {
		{ "https://user:pass@host:80/p", "https://***@host:80/p" },
		{ "https://abc@github.com/o/r.git", "https://***@github.com/o/r.git" },
		{ "https://host/p?a=b&c=d;e=f#frag", "https://host/p?a=***&c=***;e=***#frag" },
		{ "https://host/p?a=b=c?d&&e=", "https://host/p?a=***?***&&e=" },
		{ "https://host?bare", "https://host?***" },
		{ "https://host/#access_token=abc&b=c", "https://host/#access_token=***&b=***" },
		{ "postgres://u:p@ss@host/db", "postgres://***@host/db" },
		{ "postgres://u:p/ss@host/db", "postgres://***@host/db" },
		{ "postgres://u:p?ss@host/db?x=y", "postgres://***@host/db?x=***" },
		{ "mongodb+srv://u:p@host/db", "mongodb+srv://***@host/db" },
		{ "jdbc:postgresql://h/db?user=u&password=p",
			"jdbc:postgresql://h/db?user=***&password=***" },
		{ "see http://a/?x=1 and http://b/?y=2.",
			"see http://a/?x=*** and http://b/?y=***" },
		{ "'http://a/?x=1' <http://u:p@b>", "'http://a/?x=***' <http://***@b>" },
		{ "http://a/http://u:p@b/?q=1", "http://a/http://***@b/?q=***" },
		{ "http://token.example.com:443/auth/key",
			"http://token.example.com:443/auth/key" },
		{ "http://[::1]:8080/x", "http://[::1]:8080/x" },
		{ "https://packages.example.org/@scope/pkg",
			"https://packages.example.org/@scope/pkg" },
		{ "file:///etc/passwd", "file:///etc/passwd" },
		{ "http://", "http://" },
		{ "what? is: this#", "what? is: this#" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		check_text(cases[i][0], cases[i][1]);
		check_args(cases[i][0], cases[i][1]);
	}
	check_args(
		"git\nclone\nhttps://u:p@h/r\n--depth=1", "git\nclone\nhttps://***@h/r\n--depth=1");
	check_args("x\n--url=https://h/?a=b", "x\n--url=https://h/?a=***");
}

/* Secrets that only the program makes known; the user stays. */
static void test_programs(void **state)
{
	static const char *const cases[][2] = {
		{ "curl\n-u\nme:X y\nhost", "curl\n-u\nme:***\nhost" },
		{ "curl\n-sSume:X\nhost", "curl\n-sSume:***\nhost" },
		{ "/usr/bin/curl\n-sSu\nme:X:Y\nh", "/usr/bin/curl\n-sSu\nme:***\nh" },
		{ "curl\n--user\nme:X\n-U\np:X", "curl\n--user\nme:***\n-U\np:***" },
		{ "curl\n--user=me:X\n--proxy-user\np:X",
			"curl\n--user=me:***\n--proxy-user\np:***" },
		{ "curl\n-u\nX:\nh", "curl\n-u\n***:\nh" },
		{ "curl\n-b\nsession=X; a=b\nh", "curl\n-b\nsession=***\nh" },
		{ "curl\n-bsession=X\nh", "curl\n-bsession=***\nh" },
		{ "curl\n--cookie\nsession=X\nh", "curl\n--cookie\n***\nh" },
		{ "curl\n-o\nhttp\n-u\nme:X", "curl\n-o\nhttp\n-u\nme:***" },
		{ "curl\n-x\nme:X@proxy:80\nh", "curl\n-x\nme:***@proxy:80\nh" },
		{ "curl\nftp://me:X@host/f", "curl\nftp://***@host/f" },
		{ "sudo\nmysql\n-uroot\n-pX\ndb", "sudo\nmysql\n-uroot\n-p***\ndb" },
		{ "docker\nexec\ndb\nmysqldump\n-pX", "docker\nexec\ndb\nmysqldump\n-p***" },
		{ "sshpass\n-p\nX\nssh\n-p\n22\nh", "sshpass\n-p\n***\nssh\n-p\n22\nh" },
		{ "sshpass\n-pX\nssh\n-p22\nh", "sshpass\n-p***\nssh\n-p22\nh" },
		{ "docker\nlogin\n-u\nme\n-p\nX\nr", "docker\nlogin\n-u\nme\n-p\n***\nr" },
		{ "podman\nlogin\n-p=X", "podman\nlogin\n-p***" },
		{ "skopeo\ncopy\n--src-creds=me:X", "skopeo\ncopy\n--src-creds=me:***" },
		{ "redis-cli\n-h\nh\n-a\nX\nget\na", "redis-cli\n-h\nh\n-a\n***\nget\na" },
		{ "redis-cli\n--pass\nX", "redis-cli\n--pass\n***" },
		{ "redis-cli\n-u\nredis://u:X@h", "redis-cli\n-u\nredis://***@h" },
		{ "openssl\nenc\n-pass\npass:X\n-in\nf", "openssl\nenc\n-pass\npass:***\n-in\nf" },
		{ "openssl\nrsa\n-passin\npass:X", "openssl\nrsa\n-passin\npass:***" },
		{ "openssl\nenc\n-k\nX", "openssl\nenc\n-k\n***" },
		{ "aws\nconfigure\nset\naws_secret_access_key\nX",
			"aws\nconfigure\nset\naws_secret_access_key\n***" },
		{ "smbclient\n//h/s\n-U\nme%X", "smbclient\n//h/s\n-U\nme%***" },
		{ "smbclient\n-Ume%X\n//h/s", "smbclient\n-Ume%***\n//h/s" },
		{ "wget\n--user=me\n--http-password=X", "wget\n--user=me\n--http-password=***" },
		{ "wget\n--http-password\nX\nh", "wget\n--http-password\n***\nh" },
		{ "psql\npostgres://u:X@h/db", "psql\npostgres://***@h/db" },
		{ "git\nclone\nhttps://u:X@h/r", "git\nclone\nhttps://***@h/r" },
		{ "http\nGET\nhost\n-a\nme:X", "http\nGET\nhost\n-a\nme:***" },
		{ "ldapsearch\n-x\n-D\ncn=me\n-w\nX", "ldapsearch\n-x\n-D\ncn=me\n-w\n***" },
		{ "mongosh\n-u\nme\n-p\nX", "mongosh\n-u\nme\n-p\n***" },
		{ "zip\n-rP\nX\na.zip\nd", "zip\n-rP\n***\na.zip\nd" },
		{ "7z\na\n-pX\na.7z", "7z\na\n-p***\na.7z" },
		{ "lftp\n-u\nme,X\nh", "lftp\n-u\nme,***\nh" },
		{ "keytool\n-storepass\nX", "keytool\n-storepass\n***" },
		/* in a script that is one argument */
		{ "bash\n-c\ncurl -u me:X host", "bash\n-c\ncurl -u me:*** host" },
		{ "sh\n-lc\ncd /a && mysql -uroot -pX db | less",
			"sh\n-lc\ncd /a && mysql -uroot -p*** db | less" },
		{ "sh\n-c\nsh -c \"curl -u 'me:X Y' h\"", "sh\n-c\nsh -c \"curl -u 'me:***' h\"" },
		{ "ssh\nh\nmysql -p'X Y' db", "ssh\nh\nmysql -p'***' db" },
		{ "sh\n-c\nsshpass -p X ssh -p 22 h", "sh\n-c\nsshpass -p *** ssh -p 22 h" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		check_args(cases[i][0], cases[i][1]);
}

/* The same in scripts and lines. */
static void test_command_lines(void **state)
{
	static const char *const cases[][2] = {
		{ "curl -u me:X h", "curl -u me:*** h" },
		{ "curl -sume:X h", "curl -sume:*** h" },
		{ "bash -c \"curl -u me:X h\" and", "bash -c \"curl -u me:*** h\" and" },
		{ "bash -c \"curl -u me:X\" and", "bash -c \"curl -u me:***\" and" },
		{ "sh -lc 'mysql -uroot -pX' x", "sh -lc 'mysql -uroot -p***' x" },
		{ "curl -u \"me:X Y\" h", "curl -u \"me:***\" h" },
		{ "curl '-ume:X Y' h", "curl '-ume:***' h" },
		{ "curl --user='me:X Y' h", "curl --user='me:***' h" },
		{ "curl -u me:'X Y'Z h", "curl -u me:*** h" },
		{ "curl -u 'me:X'\"Y Z\" h", "curl -u 'me:*** h" },
		{ "curl -u me:X\\ Y h", "curl -u me:*** h" },
		{ "curl \\\n  -u \\\n me:X \\\n h", "curl \\\n  -u \\\n me:*** \\\n h" },
		{ "curl -H \"A: b; charset=c\" -u me:X", "curl -H \"A: b; charset=c\" -u me:***" },
		{ "curl --header \"A: b; c\" -u me:X", "curl --header \"A: b; c\" -u me:***" },
		{ "{\"cmd\": \"curl -u me:X h\", \"b\": 1}",
			"{\"cmd\": \"curl -u me:*** h\", \"b\": 1}" },
		{ "{\"cmd\":\"curl -u \\\"me:X Y\\\" h\"}",
			"{\"cmd\":\"curl -u \\\"me:***\\\" h\"}" },
		{ "[\"curl\",\"-u\",\"me:X Y\",\"h\"]", "[\"curl\",\"-u\",\"me:***\",\"h\"]" },
		{ "run(['curl', '-u', 'me:X'])", "run(['curl', '-u', 'me:***'])" },
		{ "run([\n'curl',\n'-u',\n'me:X'])", "run([\n'curl',\n'-u',\n'me:***'])" },
		{ "x=$(mysql -pX -e 1)", "x=$(mysql -p*** -e 1)" },
		{ "x=`redis-cli -a X` y", "x=`redis-cli -a ***` y" },
		{ "redis-cli -a $'X Y' z", "redis-cli -a $'***' z" },
		{ "curl h && ls -u a:b; cp -a x y", "curl h && ls -u a:b; cp -a x y" },
		{ "curl --user=", "curl --user=" },
		{ "redis-cli ping; cp -a x y", "redis-cli ping; cp -a x y" },
		{ "redis-cli ping\ncp -a x y", "redis-cli ping\ncp -a x y" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		check_text(cases[i][0], cases[i][1]);
	check_text("a curl -u handling fix: don't ask -u me",
		"a curl -u handling fix: don't ask -u me");
}

/* One secret, in every dress we know: it must not come out of any. */
static void test_planted(void **state)
{
	static const char secret[] = "Zq7Xw9Vt3Rk5";
	static const char *const dresses[] = {
		"--api-key\n%",
		"--api-key=%",
		"--apikey=%",
		"--key\n%",
		"-key=%",
		"--token\n%",
		"--auth-token\n%",
		"--secret\n%",
		"--client-secret=%",
		"--password\n%",
		"--db-password=%",
		"--passwd=%",
		"--passphrase\n%",
		"--credential=%",
		"--credentials\n%",
		"--auth\n%",
		"--http-auth=%",
		"--cookie\n%",
		"--cookie=%",
		"--session-cookie=%",
		"--bearer\n%",
		"--bearer-token=%",
		"API_KEY=%",
		"api_key=%",
		"OPENAI_API_KEY=%",
		"ANTHROPIC_AUTH_TOKEN=%",
		"DB_PASS=%",
		"TOKEN=abc%",
		"TOKEN=% abc",
		"TOKEN=abc %",
		"TOKEN=\"abc %\"",
		"TOKEN='%'",
		"-H\nAuthorization: %",
		"-H\nAuthorization: Bearer %",
		"-H\nAuthorization: Basic %",
		"-H\nauthorization:%",
		"-H\nX-Api-Key: %",
		"-H\nCookie: a=b; sid=%",
		"-H\nSet-Cookie: %",
		"--header=Proxy-Authorization: Basic %",
		"Bearer %",
		"bearer\n%",
		"Basic %",
		"x Bearer   % y",
		"http://u:%@host/",
		"http://%@host/",
		"http://%:x@host",
		"http://u:a/%@host/",
		"http://host/?q=%",
		"http://host/p?a=b&c=%&d",
		"http://host/?%",
		"http://host/p#t=%",
		"http://a/?u=http://b/%",
		"'http://host/?k=%'",
		"sk-%",
		"sk-ant-%",
		"ghp_%%%",
		"gho_%",
		"ghs_%",
		"github_pat_%",
		"xoxb-%",
		"xoxp-1-%",
		"eyJ%.eyJ%.%",
		"eyJa.eyJ%",
		"eyJa.eyJb.%",
		"sh\n-c\nexport TOKEN=%; x",
		"sh\n-c\ntool --token % x",
		"sh\n-c\ntool --token '%' x",
		"sh\n-c\ncurl -H 'Authorization: Bearer %' x",
		"sh\n-c\ncurl -H \"X-Auth: %\" x",
		"sh\n-c\ncurl -H Authorization:\\ Bearer\\ % x",
		"sh\n-c\nTOKEN=$'%' x",
		"{\"token\":\"%\"}",
		"{\"token\": \"%\"}",
		"{'password': '%'}",
		"{\"a\":{\"apiKey\":\"x%y\"}}",
		"{\\\"token\\\":\\\"%\\\"}",
		"{\\\\\\\"token\\\\\\\":\\\\\\\"%\\\\\\\"}",
		"{token:%}",
		"token='it'\\''%'",
		"[\"--token\",\"%\"]",
		"password = %",
		"password: %",
		"password: a %",
		"password := \"%\"",
		"'password' => '%'",
		"--data=user=u&password=%",
		"user=u&password=%&x=y",
		"a;token=%",
		"x?token=%",
		"-Dpassword=%",
		"--password=\"a b\"%",
		"token=\"%",
		"token='a'\"%\"",
		"--auth\nBearer\n%",
		"Authorization:\nBasic\n%",
		"curl\n-u\na:%",
		"curl\n-sSua:%",
		"curl\n-b\nsession=%",
		"mysql\n-uroot\n-p%",
		"sshpass\n-p\n%",
		"docker\nlogin\n-p\n%",
		"redis-cli\n-a\n%",
		"openssl\nenc\n-pass\npass:%",
		"aws\nconfigure\nset\naws_secret_access_key\n%",
		"http\n-a\nu:%",
		"ldapsearch\n-w\n%",
		"bash\n-c\ncurl -u a:% x",
		"sh\n-lc\nmysql -p'%' x",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(dresses); i++) {
		struct buffer lines = { 0 }, out = { 0 };

		buffer_string(&lines, "tool\n");
		for (const char *at = dresses[i]; *at; at++) {
			if (*at == '%')
				buffer_string(&lines, secret);
			else
				buffer_char(&lines, *at);
		}
		buffer_string(&lines, "\nlast");
		mask_lines(&out, buffer_cstr(&lines));
		if (strstr(buffer_cstr(&out), secret) || strstr(buffer_cstr(&out), "Xw9"))
			fail_msg("%s left %s", dresses[i], buffer_cstr(&out));
		assert_non_null(strstr(buffer_cstr(&out), "***"));
		assert_non_null(strstr(buffer_cstr(&out), "\nlast"));

		/* The same on one line, as after setproctitle(); a bare blank ends a value there.
		 */
		if (strcmp(dresses[i], "TOKEN=abc %") == 0)
			goto next;
		buffer_reset(&out);
		for (size_t at = 0; at < lines.size; at++)
			if (lines.data[at] == '\n')
				lines.data[at] = ' ';
		mask_text(&out, buffer_cstr(&lines), lines.size);
		if (strstr(buffer_cstr(&out), secret))
			fail_msg("%s on a line left %s", dresses[i], buffer_cstr(&out));
	next:
		buffer_fini(&lines);
		buffer_fini(&out);
	}
}

static void test_ordinary(void **state)
{
	static const char *const lines[] = {
		"",
		"ls\n-la\n/tmp",
		"/usr/bin/python3\n-m\nhttp.server\n8080\n--bind\n127.0.0.1",
		"git\nlog\n--author=me\n--since=2.weeks\n--format=%h %s",
		"git\ncommit\n-m\nfix: handle the empty case",
		"git\nclone\ngit@github.com:o/r.git",
		"gcc\n-O2\n-DNDEBUG\n-DKEYBOARD=1\n-c\nmonkey.c\n-o\nmonkey.o",
		"node\n--max-old-space-size=4096\n/opt/app/index.js\n--port=3000",
		"setxkbmap\n-layout\nus\n--keymap=us\n--keyboard\nde",
		"python\ntrain.py\n--tokenizer=gpt2\n--max-tokens=100\n--max-new-tokens\n200",
		"ffmpeg\n-i\na.mp4\n-pass\n1\n-c:v\nlibx264\nout.mp4",
		"ssh\n-i\n/home/u/.ssh/id_ed25519\n-o\nStrictHostKeyChecking=no\n-p\n22\nu@host",
		"docker\nrun\n-u\n1000:1000\n-v\n/etc/auth:/auth\nname:tag@sha256:abcdef",
		"docker\nlogin\n-u\nme\n--password-stdin\nregistry.example.com",
		"server\n--no-auth\n/srv\n--skip-auth\nx",
		"kubectl\nget\nsecret\nname\n-o\nyaml",
		"gh\nauth\nlogin\n--web",
		"tar\n-C\n/\n--exclude=*.o\n-czf\na.tar.gz\nsrc",
		"sh\n-c\nfor key in a b; do echo $key; done",
		"awk\n-F:\n{ print $1 }\n/etc/passwd",
		"sed\n-e\ns/a=b/c:d/g",
		"rustc\n--cfg\nfeature=\"std\"\nstd::auth::token",
		"env\nPWD=/home/u\nOLDPWD=/tmp\nXAUTHORITY=/home/u/.Xauthority\nTERM=xterm",
		"curl\n-sS\nhttps://example.com:8443/a/b.c~d/%20",
		"vim\n+12\nkey.c\ntoken.h\npassword.txt\nsecret/",
		"java\n-Xmx1g\n-cp\na.jar:b.jar\ncom.example.auth.TokenMain",
		"\xff\xfe\x80 caf\xc3\xa9 \x1b[31m",
		"a  b\t c\n\n\nd",
		"cargo\ntest\n--\n--nocapture\n--test-threads=1",
		"redis-cli\nKEYS\n*",
		"ls\n-u\na:b",
		"ps\n-p\n12",
		"ssh\n-p\n22\nhost",
		"docker\nrun\n-p\n80:80\nmysql",
		"docker\nrun\n-u\n1000:1000\ncurlimages/curl:8",
		"cp\n-a\nx\ny",
		"mkdir\n-p\na/b",
		"git\n-C\nx\nlog",
		"curl\n--user=",
		"curl\n-u\nme\n-b\ncookies.txt\n-o\nredis-cli\nh",
		"curl\n-x\nproxy:3128\n-d\na:b\nh",
		"mysql\n-u\nroot\n-p\ndb\n-P3306",
		"sshpass\n-e\nssh\n-p\n22\nh",
		"sshpass\n-f\nfile\nssh\n-p\n22\nh",
		"redis-cli\n-h\nh\n-p\n6379",
		"openssl\nenc\n-pass\nenv:NAME\n-in\na:b",
		"openssl\nrsa\n-passin\nfile:/a/b",
		"openssl\nreq\n-keyout\nk.pem\n-nodes",
		"openssl\ns_client\n-keyform\nPEM\n-connect\nhost:443",
		"aws\nconfigure\nset\nregion\neu-west-1",
		"smbclient\n-U\nme\n//h/100%x",
		"http\n-a\nme\n:8080/x",
		"ldapsearch\n-W\n-x\n-b\ndc=a",
		"psql\n-p\n5432\n-U\nme",
		"7z\nx\n-oout\n-y\na.7z",
		"bash\n-c\nls -u a:b && ssh -p 22 h && mkdir -p a && cp -a x y",
		"tar\n-cpf\nx.tar\nmysql",
		"apt-get\ninstall\n-y\ncurl\nmysql-client",
		"x\n--enable-auth\n--auth=true\n--use-cookies=false",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++)
		check_args(lines[i], lines[i]);
}

static void test_separators(void **state)
{
	struct buffer out = { 0 };

	(void)state;
	/* with and without the last NUL, and with empty arguments */
	assert_false(mask_arguments(&out, "a\0--key\0b", 9, 0));
	assert_int_equal(out.size, 11);
	assert_memory_equal(out.data, "a\0--key\0***", 11);
	buffer_reset(&out);
	assert_false(mask_arguments(&out, "a\0--key\0b\0", 10, 0));
	assert_int_equal(out.size, 12);
	assert_memory_equal(out.data, "a\0--key\0***\0", 12);
	buffer_reset(&out);
	assert_false(mask_arguments(&out, "\0\0\0", 3, 0));
	assert_int_equal(out.size, 3);
	assert_memory_equal(out.data, "\0\0\0", 3);
	buffer_reset(&out);
	assert_false(mask_arguments(&out, NULL, 0, 0));
	mask_text(&out, NULL, 0);
	assert_int_equal(out.size, 0);
	/* text may hold a NUL; it is not a name with the one before it */
	mask_text(&out, "a\0b --key=c\0d", 13);
	assert_int_equal(out.size, 15);
	assert_memory_equal(out.data, "a\0b --key=***\0d", 15);
	buffer_fini(&out);
}

/* Cut at every length: never more than asked for, always the beginning of the whole. */
static void test_limit(void **state)
{
	static const char args[] = "tool\0--api-key\0Zq7Xw9Vt3Rk5\0http://u:p@host/?a=b\0last";
	static const char wanted[] = "tool\0--api-key\0***\0http://***@host/?a=***\0last";

	(void)state;
	for (size_t limit = 1; limit < sizeof(wanted) + 3; limit++) {
		struct buffer out = { 0 };
		bool is_cut;

		buffer_string(&out, "before");
		is_cut = mask_arguments(&out, args, sizeof(args), limit);
		assert_int_equal(is_cut, limit < sizeof(wanted));
		assert_int_equal(out.size, 6 + (is_cut ? limit : sizeof(wanted)));
		assert_memory_equal(out.data + 6, wanted, out.size - 6);
		buffer_fini(&out);
	}
}

/* Repetitions made to be slow: each must be done in time that grows with its length only. */
static void test_hostile(void **state)
{
	static const char *const parts[] = {
		"eyJ",
		"eyJ-",
		"eyJ.",
		"eyJ.eyJ",
		"http://",
		"http://a:b",
		"http://a:x/",
		"key ",
		"key=",
		"key=\"",
		"key='\"",
		"key:",
		"key \\",
		"\"",
		"\\",
		"--key ",
		"--key,",
		"--key\"",
		"\"--key\",",
		"basic \"",
		"basic \\\"",
		"bearer ",
		"?",
		"?a=",
		"a",
		"-",
		"sk-",
		"ghp_",
		"@",
		"http://@?",
		"key=a\"\\",
		"a b",
		"aB",
		"   ",
		":",
		"=",
		"basic a",
		"basic \"\\\"",
		"key\\\\",
		"'key':",
		"curl -u ",
		"curl -u a:",
		"curl -u 'a:",
		"curl '-ua:",
		"mysql -p\"",
		"redis-cli -a ",
		"\\\"",
		"curl -u a:\\",
		"sshpass; ",
		"-----BEGIN PRIVATE KEY-----",
		"PRIVATE KEY",
		"identified with ",
		"identified by ' ",
		"login password ",
		"password ('",
		"a:a@tcp(",
		"thin:a/",
		"pwd=",
		"http://a/hooks/",
		"http://hooks.slack.com/services/",
		"pat1A.",
		"AKIA1",
		"vault a=b ",
	};
	const size_t size = 1 << 17;
	char *text = malloc(size);

	(void)state;
	for (size_t i = 0; i < COUNT(parts); i++) {
		struct buffer out = { .limit = 1 << 24 };
		clock_t start = clock();

		for (size_t at = 0; at < size; at++)
			text[at] = parts[i][at % strlen(parts[i])];
		mask_text(&out, text, size);
		mask_arguments(&out, text, size, 1 << 20);
		assert_false(buffer_failed(&out));
		/* quadratic is minutes here; a sanitizer on a busy machine gets some leave */
		if (clock() - start > 3 * CLOCKS_PER_SEC)
			fail_msg("'%s' took too long", parts[i]);
		buffer_fini(&out);
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_scripts),
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_programs),
		cmocka_unit_test(test_command_lines),
		cmocka_unit_test(test_planted),
		cmocka_unit_test(test_ordinary),
		cmocka_unit_test(test_separators),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

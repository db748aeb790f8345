/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Secrets of known services and of known forms, planted in command lines. They are made here, by
 * prefix, alphabet and length as their services document them (see secrets/mask_shapes.c), so that no
 * file of the project holds one. And command lines that must stay to the byte.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "secrets/mask.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define HEX   "0123456789abcdef"
#define LOWER "abcdefghijklmnopqrstuvwxyz0123456789"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define ALNUM "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define WORD  ALNUM "_-"
#define BASE  ALNUM "+/"

static uint64_t random_state;

static unsigned next_random(unsigned below)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)((random_state >> 33) % below);
}

/* "{h40}": 40 characters of HEX; u, l, a, w, b likewise, d: digits. */
static void make(char *out, size_t size, const char *pattern)
{
	size_t n = 0;

	while (*pattern && n + 1 < size) {
		const char *alphabet;
		char *end;
		long count;

		if (*pattern != '{') {
			out[n++] = *pattern++;
			continue;
		}
		alphabet = pattern[1] == 'h'   ? HEX
			   : pattern[1] == 'l' ? LOWER
			   : pattern[1] == 'u' ? UPPER
			   : pattern[1] == 'w' ? WORD
			   : pattern[1] == 'b' ? BASE
			   : pattern[1] == 'd' ? "0123456789"
					       : ALNUM;
		count = strtol(pattern + 2, &end, 10);
		while (count-- > 0 && n + 1 < size)
			out[n++] = alphabet[next_random((unsigned)strlen(alphabet))];
		pattern = end + 1;
	}
	out[n] = '\0';
}

/* Arguments stand in lines; NUL in what is masked. */
static void mask_lines(struct buffer *out, const char *lines, bool is_text)
{
	size_t size = strlen(lines) + 1;
	char *args = malloc(size);

	for (size_t i = 0; i < size; i++)
		args[i] = lines[i] == '\n' && !is_text ? '\0' : lines[i];
	if (is_text)
		mask_text(out, args, size - 1);
	else
		assert_false(mask_arguments(out, args, size, 0));
	for (size_t i = 0; i + 1 < out->size; i++)
		if (!out->data[i])
			out->data[i] = '\n';
	free(args);
}

/* No eight characters of the made part come out. */
static bool is_gone(const char *out, const char *secret)
{
	size_t size = strlen(secret);
	char part[9] = "";

	for (size_t i = 0; i + 8 <= size; i++) {
		memcpy(part, secret + i, 8);
		if (strstr(out, part) && i >= 4)
			return false;
	}
	return size >= 8 || !strstr(out, secret);
}

static unsigned check(const char *frame, const char *pattern, bool is_text)
{
	char secret[1024], lines[4096];
	struct buffer out = { 0 };
	unsigned failed = 0;

	for (unsigned round = 0; round < 20; round++) {
		make(secret, sizeof(secret), pattern);
		snprintf(lines, sizeof(lines), frame, secret);
		buffer_reset(&out);
		mask_lines(&out, lines, is_text);
		if (!is_gone(buffer_cstr(&out), secret)) {
			fprintf(stderr, "leaked: %s\n    as: %s\n", pattern, buffer_cstr(&out));
			failed = 1;
			break;
		}
		if (is_text && !mask_may_change(lines, strlen(lines))) {
			fprintf(stderr, "mask_may_change: %s\n", lines);
			failed = 1;
			break;
		}
	}
	buffer_fini(&out);
	return failed;
}

/* ---- tokens: as an argument by themselves, and within a word of a script ---- */

static const char *const tokens[] = {
	"sk-ant-api03-{w93}AA",
	"sk-proj-{w74}",
	"sk-{a48}",
	"sk-or-v1-{h64}",
	"sk_live_{a24}",
	"rk_live_{a24}",
	"sk_test_{a24}",
	"whsec_{b32}",
	"ghp_{a36}",
	"gho_{a36}",
	"ghu_{a36}",
	"ghs_{a36}",
	"ghr_{a36}",
	"github_pat_{a22}_{a59}",
	"glpat-{w20}",
	"glpat-{w27}.01.{l9}",
	"gldt-{w20}",
	"glrt-{w20}",
	"glptt-{h40}",
	"glcbt-64_{w20}",
	"glsoat-{w20}",
	"glft-{w20}",
	"gloas-{h64}",
	"GR1348941{w20}",
	"xoxb-{d12}-{d13}-{a24}",
	"xoxp-{d12}-{d12}-{d12}-{h32}",
	"xapp-1-{u11}-{d13}-{h64}",
	"xoxe-1-{u146}",
	"AKIA{u16}",
	"ASIA{u16}",
	"AIza{w35}",
	"GOCSPX-{w28}",
	"ya29.{w100}",
	"1//0{w60}",
	"npm_{a36}",
	"pypi-AgEIcHlwaS5vcmc{w80}",
	"rubygems_{h48}",
	"CLOJARS_{l60}",
	"cio{a32}",
	"dckr_pat_{w27}",
	"dckr_oat_{w32}",
	"hf_{a34}",
	"r8_{a37}",
	"gsk_{a52}",
	"pplx-{a48}",
	"xai-{a80}",
	"csk-{l48}",
	"nvapi-{w64}",
	"tvly-dev-{a32}",
	"jina_{a60}",
	"fc-{h32}",
	"fw_{a24}",
	"tgp_v1_{w43}",
	"pcsk_{a6}_{a60}",
	"lsv2_pt_{h32}_{h10}",
	"hvs.{w90}",
	"hvb.{w140}",
	"dop_v1_{h64}",
	"doo_v1_{h64}",
	"dapi{h32}",
	"shpat_{h32}",
	"shpss_{h32}",
	"SG.{w22}.{w43}",
	"SK{h32}",
	"key-{h32}",
	"xkeysib-{h64}-{a16}",
	"sq0atp-{w22}",
	"sq0csp-{w43}",
	"EAAA{w60}",
	"EAAC{a150}",
	"shippo_live_{h40}",
	"EZAK{a54}",
	"duffel_test_{w43}",
	"rzp_live_{a14}",
	"FLWSECK_TEST-{h32}-X",
	"LTAI{a20}",
	"PMAK-{h24}-{h34}",
	"dp.pt.{a43}",
	"dt0c01.{u24}.{u64}",
	"NRAK-{u27}",
	"glc_{b100}",
	"glsa_{a32}_{h8}",
	"sntryu_{h64}",
	"sntrys_eyJpYXQiO{b80}_{b43}",
	"sqp_{h40}",
	"squ_{h40}",
	"CCIPAT_{a22}_{h40}",
	"ATATT3xFfGF0{w175}",
	"ATBB{a32}",
	"ATCTT3xFfGN0{w175}",
	"AKCp{a69}",
	"cmVmd{a59}",
	"pul-{h40}",
	"abcdefgh.atlasv1.{w65}",
	"lin_api_{a40}",
	"secret_{a43}",
	"ntn_{d11}{a35}",
	"pat{a14}.{h64}",
	"figd_{w40}",
	"tfp_{w44}_{w14}",
	"CFPAT-{w43}",
	"nfp_{a36}",
	"HRKU-AA{w58}",
	"vck_{a56}",
	"sbp_{h40}",
	"sb_secret_{w31}",
	"pscale_tkn_{w43}",
	"pscale_pw_{w43}",
	"napi_{l64}",
	"tskey-auth-{a12}-{a32}",
	"rnd_{a32}",
	"fo1_{w43}",
	"fm2_{b120}",
	"v1.0-{h24}-{h146}",
	"rdme_{l70}",
	"pnu_{a36}",
	"sgp_{h16}_{h40}",
	"tk-us-{w48}",
	"ico-{a32}",
	"AGE-SECRET-KEY-1{u58}",
	"A3-{u6}-{u6}-{u5}-{u5}-{u5}-{u5}",
	"ops_eyJ{b260}",
	"API-{u26}",
	"phx_{a43}",
	"sl.{w130}",
	"bkua_{h40}",
	"ory_at_{w43}.{w43}",
	"{d10}:AA{w33}",
	"MT{a24}.{a6}.{w38}",
	"abc8Q~{w34}",
	"eyJhbGciOiJIUzI1NiJ9.eyJ{w40}.{w43}",
	"LS0tLS1CRUdJTiBSU0E{b200}",
	"ABSK{b120}",
	"oy2{l43}",
	"md-{a20}x9",
	"re_{a8}_{a24}",
};

static void test_tokens(void **state)
{
	unsigned failed = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(tokens); i++) {
		failed += check("tool\n%s\nfile", tokens[i], false);
		failed += check("%s", tokens[i], true);
		failed += check("sh\n-c\ntool x%%/%s; echo", tokens[i], false);
	}
	assert_int_equal(failed, 0);
}

/* ---- forms: what stands around it says that it is one ---- */

static const char *const forms[] = {
	"psql\n-c\nALTER ROLE app WITH PASSWORD '%s';",
	"psql\n-c\nCREATE ROLE app LOGIN ENCRYPTED PASSWORD '%s' VALID UNTIL 'infinity'",
	"psql\n-c\ncreate user app password '%s'",
	"mysql\n-e\nCREATE USER 'a'@'%%' IDENTIFIED BY '%s'",
	"mysql\n-e\nCREATE USER a IDENTIFIED WITH mysql_native_password BY '%s'",
	"mysql\n-e\nALTER USER a IDENTIFIED BY \"%s\" REPLACE 'x'",
	"mysql\n-e\nSET PASSWORD FOR 'a'@'h' = PASSWORD('%s')",
	"mysql\n-e\nGRANT ALL ON *.* TO a IDENTIFIED BY PASSWORD '%s'",
	"sqlplus\n-S\nscott/%s@db",
	"sh\n-c\nrman target scott/%s@db",
	"sqlplus\n-c\nalter user scott identified by %s;",
	"sqlcmd\n-Q\nCREATE LOGIN a WITH PASSWORD = N'%s'",
	"app\n--dsn\nServer=db;Database=x;Uid=sa;Pwd=%s;",
	"app\nServer=db;User Id=sa;Password=%s;Encrypt=yes",
	"app\nDriver={ODBC};UID=sa;PWD=%s",
	"app\nDSN=x;pwd={%s}",
	"app\nhost=db user=app password=%s dbname=x",
	"app\nhost=db user=app password = '%s' dbname=x",
	"app\napp:%s@tcp(db:3306)/x?parseTime=true",
	"app\napp:%s@unix(/run/mysqld.sock)/x",
	"app\npostgres://app:%s@db/x",
	"app\nredis://:%s@cache:6379/0",
	"app\namqp://u:%s@mq:5672/v",
	"app\nmongodb+srv://u:%s@c0.mongodb.net/x",
	"app\njdbc:mysql://db/x?user=a&password=%s",
	"app\njdbc:sqlserver://db;user=a;password=%s;encrypt=true",
	"app\njdbc:oracle:thin:scott/%s@//db:1521/x",
	"app\nDefaultEndpointsProtocol=https;AccountName=x;AccountKey=%s;EndpointSuffix=core."
	"windows.net",
	"app\nEndpoint=sb://x/;SharedAccessKeyName=a;SharedAccessKey=%s",
	"app\nmachine h login u password %s",
	"app\nmachine\nh\nlogin\nu\npassword\n%s",
	"sh\n-c\nprintf 'machine h\\nlogin u\\npassword %s\\n' > ~/.netrc",
	"sh\n-c\necho \"default login anonymous password %s\"",
	"app\nAPI_KEY\n=\n%s",
	"app\napi_key = %s",
	"app\napi_key=\n%s",
	"sh\n-c\nexport TOKEN = %s",
	"app\npassword:\n%s",
	"curl\n-H\nAuthorization:\nBearer\n%s",
	"curl\n-H\nAuthorization: token %s",
	"curl\n-H\nAuthorization:\n%s",
	"curl\n-H\nX-Api-Key: %s",
	"curl\n-H\nPRIVATE-TOKEN: %s",
	"curl\n--header\nX-Vault-Token:%s",
	"curl\n-H\nCookie: session=%s; theme=dark",
	"curl\n-d\n{\"password\": \"%s\"}",
	"curl\n-d\n{\\\"client_secret\\\":\\\"%s\\\"}",
	"curl\n-d\ngrant_type=x&client_secret=%s&scope=a",
	"curl\n--user\nu:%s",
	"curl\nhttps://hooks.slack.com/services/T0AAAAAAA/B0AAAAAAA/%s",
	"curl\nhttps://hooks.slack.com/workflows/T0AAAAAAA/A0AAAA/123/%s",
	"curl\nhttps://discord.com/api/webhooks/123456789012345678/%s",
	"curl\nhttps://discordapp.com/api/v10/webhooks/123456789012345678/%s?wait=true",
	"curl\nhttps://api.telegram.org/bot123456789:%s/sendMessage",
	"curl\nhttps://x.webhook.office.com/webhookb2/"
	"11111111-2222-3333-4444-555555555555@11111111-2222-3333-4444-555555555555/IncomingWebhook/"
	"%s/11111111-2222-3333-4444-555555555555",
	"curl\nhttps://hooks.zapier.com/hooks/catch/123456/%s/",
	"curl\nhttps://maker.ifttt.com/trigger/x/with/key/%s",
	"curl\nhttps://chat.googleapis.com/v1/spaces/A/messages?key=a&token=%s",
	"curl\nhttps://mattermost.example.com/hooks/%s",
	"curl\nhttps://x.execute-api.com/prod?sig=%s",
	"curl\nhttps://open.feishu.cn/open-apis/bot/v2/hook/%s",
	"sh\n-c\ncurl -s https://hooks.slack.com/services/T0AAAAAAA/B0AAAAAAA/%s -d x",
	"kubectl\ncreate\nsecret\ngeneric\nx\n--from-literal=db=%s",
	"kubectl\ncreate\nsecret\ngeneric\nx\n--from-literal\ndb=%s",
	"vault\nkv\nput\nsecret/x\nvalue=%s",
	"vault\nlogin\n%s",
	"heroku\nconfig:set\nX=%s",
	"gh\nsecret\nset\nNAME\n--body\n%s",
	"gh\nsecret\nset\nNAME\n-b\n%s",
	"aws\nsecretsmanager\ncreate-secret\n--secret-string\n%s",
	"az\nkeyvault\nsecret\nset\n--name\nx\n--value\n%s",
	"helm\ninstall\nx\n--set\nauth.rootPassword=%s",
	"terraform\napply\n-var\ndb_password=%s",
	"docker\nlogin\n-u\nx\n-p\n%s",
	"docker\nrun\n-e\nMYSQL_ROOT_PASSWORD=%s\nx",
	"ngrok\nauthtoken\n%s",
	"ngrok\nconfig\nadd-authtoken\n%s",
	"tailscale\nup\n--authkey\n%s",
	"cargo\nlogin\n%s",
	"npm\nconfig\nset\n//registry.npmjs.org/:_authToken\n%s",
	"npm\nconfig\nset\n//registry.npmjs.org/:_authToken=%s",
	"nmcli\ndev\nwifi\nconnect\nSSID\npassword\n%s",
	"mosquitto_pub\n-u\nx\n-P\n%s",
	"xfreerdp\n/u:x\n/p:%s",
	"xfreerdp\n/v:h\n/password:%s",
	"snmpget\n-v3\n-A\n%s\nhost",
	"useradd\n-p\n%s\nname",
	"gpg\n--batch\n--passphrase\n%s",
	"tool\n--pass\n%s",
	"tool\n--pass=%s",
	"tool\n--pw\n%s",
	"tool\n--pin=%s",
	"sh\n-c\nmysql -u root -p%s db",
	"sh\n-c\nsshpass -p %s ssh h",
	"sh\n-c\nTOKEN=%s ./x",
	"flyctl\n-t\n%s",
	"echo\n-----BEGIN RSA PRIVATE KEY-----\\nMIIE%s\\nabc\\n-----END RSA PRIVATE KEY-----",
};

static void test_forms(void **state)
{
	unsigned failed = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(forms); i++)
		failed += check(forms[i], "zQ7{l14}", false);
	assert_int_equal(failed, 0);
}

/* ---- what must stay ---- */

static const char *const harmless[] = {
	"git\n-C\n/home/u/"
	"r\ndiff\n3f786850e387550fdaab836ed7e6dc881de23001.."
	"89e6c98d92887913cadf06b2adb97f26cde4849b\n--\nsrc",
	"git\nfetch\norigin\n+refs/heads/*:refs/remotes/origin/*",
	"docker\nrun\n--rm\nubuntu@sha256:"
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\nsleep\n5",
	"docker\nrun\n-v\n/srv:/srv\n-p\n8080:80\nregistry.example.com:5000/team/app:1.2.3",
	"dpkg\n--configure\n--pending\nlibssl3:amd64\npython3.11-minimal:amd64",
	"/usr/bin/dpkg-query\n-W\n-f=${Package}\t${Version}\n",
	"/lib/systemd/systemd\n--user\n--deserialize=23",
	"/usr/lib/systemd/systemd-logind",
	"mount\n/dev/disk/by-uuid/0b9e5c1c-8f0a-4a4e-9f35-3d3c1c2a7b11\n/mnt",
	"java\n-Xmx4g\n-XX:+UseG1GC\n-XX:+UseStringDeduplication\n-XX:MaxMetaspaceSize=256m\n-Dsun."
	"java2d.opengl=true\n-cp\n/usr/share/java/plexus-classworlds-2.x.jar:/srv/"
	"a-1.2.3.jar\norg.codehaus.plexus.classworlds.launcher.Launcher",
	"node\n--max-old-space-size=4096\n/srv/app/node_modules/.bin/"
	"vite\nbuild\n--mode\nproduction",
	"node\n/srv/node_modules/typescript/lib/tsserver.js\n--cancellationPipeName\n/tmp/"
	"vscode-typescript1000/9d2f6d0c5a3e/tscancellation-6d1.tmp*",
	"clang\n-cc1\n-triple\nx86_64-pc-linux-gnu\n-emit-obj\n-mrelax-all\n-main-file-name\nsk-"
	"learn.c\n-o\nCMakeFiles/x.dir/src/token_stream.c.o",
	"cc\n-DKEYMAP_SIZE=12\n-D_FORTIFY_SOURCE=3\n-c\nkeyboard.c",
	"ld\n--defsym\n_ZNSt6vectorIN4llvm5TokenESaIS1_EE17_M_realloc_insertIJS1_EEEvN9__gnu_cxx17_"
	"_normal_iteratorIPS1_S3_EEDpOT_",
	"python3\n-m\npytest\ntests/unit/test_api_keys.py::TestTokens::test_sk_test_mode\n-k\nnot "
	"slow",
	"pip\ninstall\nscikit-learn==1.4.0\nkey-value-store\ntokenizers>=0.15",
	"npm\ninstall\nreact@18.2.0\nnpm:lodash@4.17.21\n--omit=dev",
	"cargo\nbuild\n--release\n--features\nserde_json",
	"go\nbuild\n-ldflags\n-X main.commit=89e6c98d92887913cadf06b2adb97f26cde4849b\n./cmd/app",
	"kubectl\nlogs\n-n\nkube-system\ncoredns-5d78c9869d-x7k2p",
	"/nix/store/8kvxvr8pxbs2pzrsczl8ka5kxhjq3bqy-bash-5.2/bin/bash",
	"rsync\n-a\nuser@host:/srv/data/\n/backup",
	"ssh\n-i\n/home/u/.ssh/id_ed25519\n-p\n2222\nuser@host\nuptime",
	"psql\n-h\ndb\n-U\napp\n-c\nSELECT count(*) FROM tokens WHERE created > now() - interval "
	"'1 day'",
	"mysql\n-e\nSHOW VARIABLES LIKE 'validate_password%'",
	"sh\n-c\ncd /srv/app && PWD=/srv/app make -j8 && echo done",
	"ffmpeg\n-i\nin.mp4\n-pass\n1\n-x264-params\nkeyint=48:pass=1\nout.mp4",
	"qemu-system-x86_64\n-uuid\n0b9e5c1c-8f0a-4a4e-9f35-3d3c1c2a7b11\n-device\nvirtio-net-pci,"
	"netdev=n0,mac=52:54:00:12:34:56",
	"sleep\n100",
	"sqlplus\n/nolog\n@/srv/scripts/a.sql",
	"/opt/google/chrome/"
	"chrome\n--type=renderer\n--field-trial-handle=0,i,9563726481920374,123456789,262144\n--"
	"variations-seed-version=20260101-180000.123000",
	"rustc\n--crate-name\nsyn\n-C\nmetadata=9f86d081884c7d65\n-C\nextra-filename=-"
	"9f86d081884c7d65\n--out-dir\n/srv/target/debug/deps",
	"test_suite_with_a_long_name_2024_part_17\nre_encode_video_2024_part_17_of_many_more_parts",
};

static void test_harmless(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(harmless); i++) {
		struct buffer out = { 0 };

		mask_lines(&out, harmless[i], false);
		assert_string_equal(buffer_cstr(&out), harmless[i]);
		buffer_fini(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tokens),
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

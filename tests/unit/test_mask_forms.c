/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Secrets by the form around them, each with a healthy twin: keys with a fixed prefix, free text
 * that names a secret, a "=" as a word of its own, values piped into commands that read a password,
 * settings, and user:X@host. Arguments stand in lines; %s is the secret, made up here.
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

#define LOWER "q7x2m9k4w8z3v6t5r1p0n2j8h4g6f3d9s5a7c1b0y8u2e4i6o3l9"
#define UPPER "Q7X2M9K4W8Z3V6T5R1P0N2J8H4G6F3D9S5A7C1B0Y8U2E4I6O3L9QX4R"
#define MIXED "q7Xm2K9wZ4vT8rP3nJ6hG5fD1sA0cB7yU2eI4oL9kM8tR3xW6zQ5"
#define HEX   "3f7a90c1e5b28d46f0a1937be4c58d20"
#define UUID  "3f7a90c1-e5b2-8d46-f0a1-937be4c58d20"

/* The secret of a row, in most rows SECRET, must not come out. */
#define SECRET "zQ7k3wm9x2"

static const struct form {
	const char *lines;
	const char *secret; /* NULL: SECRET */
} forms[] = {
	/* keys with a fixed prefix */
	{ "age\n-i\nAGE-SECRET-KEY-1" UPPER, UPPER },
	{ "sh\n-c\nexport X; echo AGE-SECRET-KEY-1Q7X2M9K4W8Z3V6T5R1P0N2J8H4G",
		"Q7X2M9K4W8Z3V6T5R1P" },
	{ "app\nage-secret-key-1" LOWER, LOWER },
	{ "app\nAGE-SECRET-KEY-PQ-1" UPPER, UPPER },
	{ "app\nAGE-PLUGIN-YUBIKEY-1" UPPER, UPPER },
	{ "app\nnsec1" LOWER "q7x2m9", LOWER },
	{ "app\ndnkey-q7x2m9k4w8z3v6t5r1p0n2j8h4-" LOWER, LOWER },
	{ "app\nNRII-q7Xm2K9wZ4vT8rP3nJ6hG5fD1sA0cB7y", "q7Xm2K9wZ4vT" },
	{ "app\naccess-production-" UUID, UUID },
	{ "app\nsdk-" UUID, UUID },
	{ "app\npat-na1-" UUID, UUID },
	{ "app\namzn.mws." UUID, UUID },
	{ "app\nsk.eyJ1Ijoi" MIXED ".q7Xm2K9wZ4vT8rP3nJ6h", "q7Xm2K9wZ4vT8rP3nJ6h" },
	{ "app\neyJrIjoi" MIXED, MIXED },
	{ "app\napi_org_q7XmKwZvTrPnJhGfDsAcByUeIoLkMtRxWz", "q7XmKwZvTrPnJhGf" },
	{ "app\nSWMTKN-1-" LOWER "-q7x2m9k4w8z3v6t5r1p0n2j8h", LOWER },
	{ "app\nvercel_blob_rw_q7Xm2K9wZ4vT8rP3_" MIXED, MIXED },
	{ "app\nsc_q7xm2.acct_q7x2.q7Xm2K9wZ4vT8rP3nJ6hG5fD1sA0", "q7Xm2K9wZ4vT8rP3nJ6hG5" },
	{ "app\nb3BlbnNzaC1rZXktdjE" MIXED, MIXED },
	{ "app\nMIIEpAIBAAKCAQEA" MIXED, MIXED },
	{ "app\nMIIEvQIBADANBgkqhkiG9w0BAQEF" MIXED, MIXED },
	{ "app\nMHcCAQEEI" MIXED, MIXED },
	{ "app\nMC4CAQAwBQYDK2VwBCIEI" MIXED, MIXED },
	{ "app\nRWRTY0Iy" MIXED, MIXED },
	{ "app\nt1.9euelZ" MIXED "." MIXED MIXED, MIXED },
	/* free text that names a secret */
	{ "claude\n-p\nthe password is %s", NULL },
	{ "claude\n-p\nThe password is: %s, use it", NULL },
	{ "claude\n-p\nmy API key is %s and the region is eu", NULL },
	{ "claude\n-p\nlog in, password for the admin user is %s.", NULL },
	{ "codex\nexec\nthe token is \"%s\"", NULL },
	{ "codex\nexec\nthe token was '%s' before", NULL },
	{ "gemini\n-p\npassphrase is %s", NULL },
	{ "claude\n-p\nthe secret should be %s", NULL },
	{ "claude\n-p\npassword is swordfish", "swordfish" },
	{ "claude\n-p\nuse user bob with the password %s", NULL },
	{ "claude\n-p\nuse this token -> %s", NULL },
	{ "claude\n-p\nPasswort ist egal; password=%s", NULL },
	/* = and : as words of their own */
	{ "tool\n--password\n=\n%s", NULL },
	{ "tool\n--password\n=%s", NULL },
	{ "tool\n--api-key\n:\n%s", NULL },
	{ "tool\nAPI_KEY\n=%s", NULL },
	{ "sh\n-c\ntool --password = %s", NULL },
	{ "sh\n-c\ntool --password =%s", NULL },
	{ "app\n[\"--password\", \"=\", \"%s\"]", NULL },
	{ "curl\n-u\n=\nbob:%s", NULL },
	/* piped into commands that read a password */
	{ "sh\n-c\necho %s | sudo -S apt update", NULL },
	{ "sh\n-c\necho %s|sudo -S -u bob ls", NULL },
	{ "sh\n-c\necho '%s' | sudo --stdin ls", NULL },
	{ "sh\n-c\nprintf '%%s\\n' %s | sudo -kS ls", NULL },
	{ "sh\n-c\nprintf \"%s\\n\" | sudo -S ls", NULL },
	{ "sh\n-c\necho -n %s | docker login -u bob --password-stdin reg.example.org", NULL },
	{ "sh\n-c\necho %s | gh auth login --with-token", NULL },
	{ "sh\n-c\necho %s | passwd --stdin root", NULL },
	{ "sh\n-c\necho root:%s | chpasswd", NULL },
	{ "sh\n-c\necho root:%s | sudo chpasswd -e", NULL },
	{ "sh\n-c\necho %s | openssl enc -aes-256-cbc -pass stdin -in a", NULL },
	{ "sh\n-c\necho %s | gpg --batch --passphrase-fd 0 -d x", NULL },
	{ "sh\n-c\necho %s | cryptsetup open /dev/sda1 x -", NULL },
	{ "sh\n-c\necho %s | kinit bob", NULL },
	{ "sh\n-c\necho %s | su -c ls bob", NULL },
	{ "sh\n-c\necho %s | helm registry login reg --password-stdin", NULL },
	{ "sh\n-c\necho %s | gh secret set NAME", NULL },
	{ "sh\n-c\necho %s | docker secret create x -", NULL },
	{ "sh\n-c\necho %s | wrangler secret put NAME", NULL },
	{ "sh\n-c\necho %s | vault login -", NULL },
	{ "sh\n-c\nsudo -S ls <<< %s", NULL },
	{ "sh\n-c\nsudo -S ls <<<'%s'", NULL },
	{ "sh\n-c\ndocker login --password-stdin <<< \"%s\"", NULL },
	{ "sh\n-c\nsudo -S ls <<EOF\n%s\nEOF", NULL },
	{ "bash\n-lc\ncd /srv && echo \"%s\" | sudo -S make install && ls", NULL },
	{ "ssh\nhost\nbash -c \"echo %s | sudo -S reboot\"", NULL },
	{ "sh\n-c\nyes %s | passwd bob", NULL },
	{ "sh\n-c\necho %s | tr -d x | sudo -S ls", NULL },
	/* user:X@host */
	{ "ssh\n-o\nProxyCommand nc -X connect -x bob:%s@proxy.example.org:3128 %%h %%p\nhost",
		NULL },
	{ "ssh\n-o\nProxyCommand=corkscrew bob:%s@proxy:3128 %%h\nhost", NULL },
	{ "sh\n-c\ngit clone bob:%s@git.example.org/x", NULL },
	{ "app\nbob:%s@db.example.org", NULL },
	{ "app\nbob:%s@localhost:5432/x", NULL },
	{ "app\nbob:%s@10.0.0.7", NULL },
	{ "app\n--proxy-server=bob:%s@proxy:8080", NULL },
	{ "app\nbob%%40x.org:%s@mail.example.org", NULL },
	{ "sh\n-c\nmount -t cifs bob:%s@nas.example.org /mnt", NULL },
	/* here-documents and other feeds */
	{ "sh\n-c\ncat <<EOF | sudo -S id\n%s\nEOF", NULL },
	{ "sh\n-c\ncat << 'EOF' | docker login -u u --password-stdin\n%s\nEOF", NULL },
	{ "sh\n-c\nsudo -S id < <(echo %s)", NULL },
	{ "sh\n-c\necho '%s' | ssh h 'sudo -S id'", NULL },
	{ "sh\n-c\nread -r P <<< %s; sudo -S id", NULL },
	{ "sh\n-c\necho -n %s > ~/.vault_pass", NULL },
	{ "sh\n-c\nprintf %%s %s | tee /etc/db_password", NULL },
	/* options of known programs */
	{ "htpasswd\n-b\nf\nu\n%s", NULL },
	{ "htpasswd\n-bc\nf\nu\n%s", NULL },
	{ "sh\n-c\nhtpasswd -nbB u %s > f", NULL },
	{ "ncftpput\n-p\n%s", NULL },
	{ "wpa_passphrase\nssid\n%s", NULL },
	{ "sh\n-c\nwpa_passphrase ssid %s >> /etc/wpa.conf", NULL },
	{ "plink\n-pw\n%s", NULL },
	{ "pscp\n-pw\n%s\nf\nh:", NULL },
	{ "rdesktop\n-p\n%s", NULL },
	{ "winexe\n-U\nd/u%%%s", NULL },
	{ "net\nrpc\n-U\nu%%%s", NULL },
	{ "etcdctl\n--user\nroot:%s", NULL },
	{ "rabbitmqctl\nadd_user\nu\n%s", NULL },
	{ "rabbitmqctl\nchange_password\nu\n%s", NULL },
	{ "bw\nunlock\n%s", NULL },
	{ "bw\nlogin\nmail@x.org\n%s", NULL },
	{ "aws\nssm\nput-parameter\n--name\nn\n--value\n%s\n--type\nSecureString", NULL },
	{ "fly\nsecrets\nset\nFOO=%s", NULL },
	{ "wrangler\nsecret\nput\nN\n--text\n%s", NULL },
	{ "tool\n--otp\n482913", "482913" },
	{ "tool\n--mnemonic\nzoo crane lamp", "crane" },
	{ "sh\n-c\ntool --mnemonic \"zoo crane lamp\"", "crane" },
	/* programs in arguments */
	{ "pwsh\n-c\nConvertTo-SecureString '%s' -AsPlainText", NULL },
	/* prompts */
	{ "claude\n-p\nset PGPASSWORD to %s", NULL },
	{ "claude\n-p\nthe pw is %s", NULL },
	{ "claude\n-p\npw is %s", NULL },
	{ "claude\n-p\nuse the token %s to call the API", NULL },
	{ "claude\n-p\nthe passphrase for the key is '%s crane lamp'", NULL },
	{ "claude\n-p\ndas Passwort lautet %s", NULL },
	{ "claude\n-p\nmot de passe : %s", NULL },
	{ "app\nEAACEdEose0cBAq7Xm2K9wZ4vT8rP3nJ6h", "q7Xm2K9wZ4vT8rP3nJ6h" },
	/* options that hold a secret in some programs only */
	{ "p4\n-P\n%s\nsync", NULL },
	{ "ssh-keygen\n-t\ned25519\n-N\n%s\n-f\nk", NULL },
	{ "ssh-keygen\n-p\n-P\n%s\n-f\nk", NULL },
	{ "ldappasswd\n-s\n%s\ncn=x", NULL },
	{ "hydra\n-l\nbob\n-p\n%s\nssh://h", NULL },
	{ "evil-winrm\n-u\nbob\n-p\n%s\n-i\nh", NULL },
	{ "nxc\nsmb\nh\n-u\nbob\n-p\n%s", NULL },
	{ "beeline\n-n\nbob\n-p\n%s", NULL },
	{ "rabbitmqadmin\n-u\nb\n-p\n%s\nlist", NULL },
	{ "twilio\napi\n-u\nAC1:%s", NULL },
	/* by position */
	{ "openssl\npasswd\n-6\n%s", NULL },
	{ "mkpasswd\n-m\nsha-512\n%s", NULL },
	{ "mc\nalias\nset\nm\nhttp://h\nminio\n%s", NULL },
	{ "pdftk\na\ninput_pw\n%s\noutput\nb", NULL },
	{ "net\nuse\nz:\n\\\\h\\s\n%s\n/user:bob", NULL },
	/* settings: the name and the value apart */
	{ "rclone\nconfig\ncreate\nr\ns3\nsecret_access_key\n%s", NULL },
	{ "poetry\nconfig\npypi-token.pypi\n%s", NULL },
	{ "poetry\nconfig\nhttp-basic.foo\nbob\n%s", NULL },
	{ "bundle\nconfig\ngems.x.com\nbob:%s", NULL },
	{ "composer\nconfig\ngithub-oauth.github.com\n%s", NULL },
	{ "env\nSSHPASS=%s\nsshpass\n-e\nssh\nh", NULL },
	/* scripts */
	{ "sh\n-c\necho %s | vncpasswd -f", NULL },
	{ "sh\n-c\n(echo %s; echo %s) | smbpasswd -s -a bob", NULL },
	{ "sh\n-c\nansible-vault view x --vault-password-file <(echo %s)", NULL },
	{ "expect\n-c\nspawn ssh h; send \"%s\\r\"", NULL },
	{ "bash\n-c\necho 'db:5432:x:bob:%s' > ~/.pgpass", NULL },
	{ "bash\n-c\ncat > s.xml <<EOF\n<server><password>%s</password></server>\nEOF", NULL },
	{ "bash\n-c\nkubectl apply -f - <<EOF\nkind: Secret\ndata:\n  tls: %s\nEOF", NULL },
	{ "claude\n-p\nlog in as bob, pw: %s", NULL },
	/* more of each */
	{ "p4\n-u\nbob\n-P%s\nsync", NULL },
	{ "sh\n-c\nssh-keygen -p -N '%s' -f k", NULL },
	{ "netexec\nwinrm\nh\n-u\nbob\n-p\n%s", NULL },
	{ "crackmapexec\nsmb\nh\n-p\n%s", NULL },
	{ "medusa\n-h\nh\n-u\nbob\n-p\n%s", NULL },
	{ "openssl\npasswd\n-6\n-salt\nab\n%s", NULL },
	{ "openssl\npasswd\n%s", NULL },
	{ "sh\n-c\nopenssl passwd -1 %s > f", NULL },
	{ "mkpasswd\n--method\nyescrypt\n%s", NULL },
	{ "mc\nconfig\nhost\nadd\nm\nhttp://h\nminio\n%s", NULL },
	{ "sh\n-c\nmc alias set m http://h minio %s", NULL },
	{ "pdftk\na\noutput\nb\nuser_pw\n%s", NULL },
	{ "net\nuse\n\\\\h\\s\n%s\n/user:bob", NULL },
	{ "net\nuse\n\\\\h\\s\n/user:bob\n%s", NULL },
	{ "yarn\nconfig\nset\nnpmAuthToken\n%s", NULL },
	{ "redis-cli\nconfig\nset\nrequirepass\n%s", NULL },
	{ "sh\n-c\ngit config --global gitlab.token %s", NULL },
	{ "sh\n-c\npoetry config pypi-token.pypi %s && poetry publish", NULL },
	{ "composer\nconfig\nhttp-basic.repo.x\nbob\n%s", NULL },
	{ "pip\nconfig\nset\nglobal.password\n%s", NULL },
	{ "rclone\nconfig\ncreate\nr\nsftp\nhost\nh\npass\n%s", NULL },
	{ "sh\n-c\nbundle config set --global gems.x.com bob:%s", NULL },
	{ "docker\nrun\n-e\nSSHPASS=%s\nimg", NULL },
	{ "env\nFTPPASS=%s\n./x", NULL },
	{ "sh\n-c\n{ echo %s; echo %s; } | passwd bob", NULL },
	{ "sh\n-c\necho %s | htpasswd -i f bob", NULL },
	{ "sh\n-c\necho %s | openconnect --passwd-on-stdin h", NULL },
	{ "sh\n-c\nrestic --password-file=<(echo %s) backup", NULL },
	{ "sh\n-c\ngpg --passphrase-file <(printf %s) -d f", NULL },
	{ "sh\n-c\nwg set wg0 private-key <(echo %s)", NULL },
	{ "expect\n-c\nexpect \"assword:\"; send \"swordfish\\r\"", "swordfish" },
	{ "expect\n-c\nexpect {*assword* {send -- \"%s\\n\"}}", NULL },
	{ "bash\n-c\ncat > ~/.pgpass <<EOF\ndb:5432:x:bob:%s\nEOF", NULL },
	{ "bash\n-c\necho db:5432:x:bob:%s >> $HOME/.pgpass", NULL },
	{ "bash\n-c\ncat > s.xml <<EOF\n<apiKey type=\"plain\">%s</apiKey>\nEOF", NULL },
	{ "bash\n-c\nkubectl apply -f - <<EOF\nstringData:\n  a: x\n  b: %s\nkind: Secret\nEOF",
		NULL },
	{ "app\n{\"kind\": \"Secret\", \"data\": {\"tls\": \"%s\"}}", NULL },
	{ "expect\n-c\nexpect assword: {send -- {%s\\r}}", NULL },
	{ "curl\n-d\n<x:password>%s</x:password>\nhost", NULL },
	{ "claude\n-p\nlog in as bob, pass: %s", NULL },
	{ "git\n-c\ncredential.helper=!f() { echo %s; }; f", NULL },
	{ "sh\n-c\n(echo %s; (echo %s)) | passwd bob", NULL },
	{ "claude\n-p\nuser bob pwd: %s, then upload", NULL },
};

static const char *const healthy[] = {
	"sh\n-c\ncat <<EOF | sort\nhello\nEOF",
	"sh\n-c\nread -r P <<< hello; ls",
	"sh\n-c\nsort < <(echo hello)",
	"sh\n-c\necho hello > /tmp/notes",
	"sh\n-c\necho hello | ssh h 'cat > x'",
	"sh\n-c\nprintf %s hello | tee /etc/motd",
	"htpasswd\n-c\nf\nbob",
	"htpasswd\n-D\nf\nbob",
	"plink\n-P\n2222\nhost",
	"net\nrpc\n-U\nbob",
	"etcdctl\n--user\nroot\nget\nfoo",
	"rabbitmqctl\nlist_users\nname",
	"bw\nlist\nitems",
	"aws\nssm\nget-parameter\n--name\nn",
	"aws\ncloudwatch\nput-metric-data\n--value\n5",
	"fly\ndeploy\n--env\nFOO=bar",
	"sh\n-c\nsudo -S id < <(cat pw.txt)",
	"claude\n-p\nthe token OAuth2 needs to call the API",
	"claude\n-p\nset PASSWORD to the value in the vault",
	"claude\n-p\nuse the token from the vault to call the API",
	"claude\n-p\nuse the same words as the password check",
	"claude\n-p\nthe key is 'crane lamp'",
	"tool\n--password-file\n/etc/pwfile1",
	"sh\n-c\ntool --password-file /etc/pwfile1",
	"tool\n--password-file=/etc/pwfile1",
	"git\ncommit\n-m\nFix auth: retry the login twice",
	"tool\n--key\nleft-arrow",
	"claude\n-p\nprint the values -> token list",
	"age\n-r\nage1q7x2m9k4w8z3v6t5r1p0n2j8h4g6f3d9s5a7c1b0y8u2e4i6o3l9qx4r",
	"man\nAGE-SECRET-KEY-1",
	"app\nnsec1-service",
	"app\ndnkey-usage-notes",
	"app\naccess-production-logs",
	"app\nsdk-tools",
	"app\nsdk-build-3f7a",
	"app\npat-na1-readme",
	"app\namzn.mws.client",
	"app\napi_org_name",
	"app\nMIIE",
	"app\nt1.micro",
	"app\nYCombinator",
	"app\nsc_main.c",
	"claude\n-p\nthe password is wrong",
	"claude\n-p\nfix the bug where the password is required twice",
	"claude\n-p\nthe token is expired, refresh it",
	"claude\n-p\ncheck that the secret is not stored in git",
	"claude\n-p\nthe key is to keep it simple",
	"claude\n-p\nwhat is a password reset?",
	"claude\n-p\nthe password field is empty on load",
	"claude\n-p\nhow many tokens are used by this prompt",
	"claude\n-p\nadd a token bucket to the limiter",
	"claude\n-p\nthe password was changed yesterday",
	"claude\n-p\nuse the password from the vault",
	"claude\n-p\nadd a login form with the password hidden",
	"tool\n--verbose\n=\n5",
	"test\na\n=\nb",
	"tool\nmonkey\n=\nbanana",
	"sh\n-c\necho hello | sudo tee /etc/motd",
	"sh\n-c\necho y | apt install foo",
	"sh\n-c\necho hello | sort -S 1M",
	"sh\n-c\ncat pw.txt | docker login -u bob --password-stdin reg.example.org",
	"sh\n-c\necho $PASSPHRASE_FILE_NAME | wc -c",
	"sh\n-c\necho $PW | sudo -S ls",
	"sh\n-c\necho \"${PW}\" | sudo -S ls",
	"sh\n-c\nsudo -S ls < /root/pw",
	"sh\n-c\ngh auth login --with-token < t.txt",
	"sh\n-c\necho hello && sudo -S true",
	"sh\n-c\necho hello; sudo -S true",
	"sh\n-c\necho hello || sudo -S true",
	"sh\n-c\ncat <<EOF > x\nhello world\nEOF",
	"sh\n-c\ngrep foo <<< hello",
	"sh\n-c\necho a | grep passwd",
	"sh\n-c\necho a | less /etc/passwd",
	"sh\n-c\necho superb | cat",
	"git\nclone\ngit@github.com:org/repo",
	"git\nclone\ngit@github.com:org/repo@v1.2.3",
	"app\nbob@example.org",
	"app\nmailto:bob.smith7@example.org",
	"sh\n-c\ngit log --author=bob7x@example.org",
	"docker\nrun\nteam/app:1.2.3@sha256:e3b0c44298fc1c149afbf4c8996fb924",
	("docker\npull\nnginx:1.25@sha256:"
	 "0a399eb16751829e1af26fea27b20c3ec28d7ab1fb72182879dcae1cca21206a"),
	"npm\ni\nalias:lodash@4.17.21",
	"npm\ni\nnpm:@types/node@20.11.5",
	"npm\ni\nmy-react:react@18.2.0",
	"pip\ninstall\npkg:pypi/django@4.2.1",
	"rsync\n-a\nbob@host:/srv/data@2024\n/backup",
	"app\n12:30@daily",
	"app\nTo:bob@example.org",
	"app\nSigned-off-by:alice@example.org",
	"ssh\nbob@host\n-L\n8080:localhost:80",
	"go\nget\ngithub.com/x/y@v1.2.3",
	"app\nreg.example.org:5000/team/app@sha256:e3b0c44298fc1c149afbf4c8996fb924",
	"systemctl\nstart\nuser@1000.service",
	"sort\n--key\n2,2n\nf",
	"aws\nec2\nrun-instances\n--key-name\nmykey12",
	"app\n--api-key-name\nprodkey1",
	"app\n--sort-key\nname1234",
	"app\nprimary_key=user_id1",
	"app\n--public-key\npub12345.pem",
	"app\n--page-token-size=50",
	"app\ntoken_type=bearer1",
	"pg\n--auth\ntrust\n--auth-host=md5",
	"app\n--auth-url\nhttps://idp.x/auth",
	"app\n--cookie-policy\nlax12345",
	"git\n-c\ncredential.helper=store12",
	"docker\nrun\n--secret\nid=x,src=f.txt\nimg",
	"grep\n-rn\npassword:\nsrc/auth",
	"sed\n-i\ns/token: x/token: y/\nf.yml",
	"claude\n-p\nparse the Bearer prefix of tokens",
	"claude\n-p\nadd a password: field to the form component",
	"psql\npostgresql://bob@dbhost/x",
	/* more */
	"app\n--key-type\nrsa4096",
	"app\n--key-size=4096",
	"app\n--token-url\nhttps://idp.x/token",
	"app\n--auth-type\noidc2",
	"app\n--secret-name=prod-db1",
	"app\n--cookie-domain\nx1.example.org",
	"app\n--token-ttl\n3600s",
	"app\nforeign_key=order_id2",
	"app\ncacheKey=page12",
	"ssh-keygen\n-lf\nk1.pub",
	"sort\n--key=3\n-t,\nf",
	"sort\n--key\n1,1\n--key\n2.3,2nr\nf",
	"sh\n-c\nsort --key 2,2n f",
	"hydra\n-L\nusers1.txt\n-P\nlist1.txt\nssh://h",
	"mkpasswd\n-m\nhelp",
	"git\nconfig\ncredential.username\nbob1",
	"git\nconfig\nuser.signingkey\n3AA5C34371567BD2",
	"git\nconfig\nhttp.cookieFile\n/home/b/c1",
	"poetry\nconfig\nvirtualenvs.in-project\ntrue",
	"bundle\nconfig\nset\npath\nvendor/b1",
	"bundle\nconfig\nmirror.https://rubygems.org\nhttp://localhost:8080",
	"docker\nbuild\n--secret\nid=aws,env=AWS_KEY\n.",
	"git\ngrep\n-n\npassword=\nsrc/a1",
	"sh\n-c\ngrep -rn token: src/lib",
	"sh\n-c\nsed -i 's/password: old/password: new/' f",
	"claude\n-p\ndocument the Bearer scheme and its errors",
	"claude\n-p\ndescribe the token: parameter of the login call",
	"app\nmysql://root@db1/x",
	"expect\n-c\nspawn ssh h; send \"ls -la\\r\"; send \"exit\\r\"",
	"sh\n-c\n(echo a1; echo b1) | sort",
	"sh\n-c\ndiff <(echo a1) <(echo b1)",
	"app\n<dict><key>CFBundleName</key></dict>",
	"bash\n-c\nkubectl apply -f - <<EOF\nkind: ConfigMap\ndata:\n  tls: on12\nEOF",
	"env\nBYPASS=check1\n./x",
	"mc\nls\nm/bucket1",
	"net\nuse\nz:\n\\\\h\\s\n/persistent:yes",
	"pdftk\na1.pdf\ncat\n1-3\noutput\nb1.pdf",
	"claude\n-p\nthe tests pass: 12 of 15",
	"claude\n-p\ncheck the config for a password field",
	"llm\n--token-budget\n8000",
	"curl\n--http-auth=digest\nhost",
	"claude\n-p\nexplain how mkpasswd and openssl passwd work here",
	"claude\n-p\nthe tests pass: line-by-line output is next",
};

static void mask_lines(struct buffer *out, const char *lines)
{
	size_t size = strlen(lines) + 1;
	char *args = malloc(size);
	unsigned separators = 0;

	/* The script of sh -c has newlines of its own: only the first two end an argument. */
	for (size_t i = 0; i < size; i++) {
		bool is_script = strstr(lines, "-c\n") && separators >= 2;

		args[i] = lines[i] == '\n' && !is_script ? '\0' : lines[i];
		separators += !args[i];
	}
	assert_false(mask_arguments(out, args, size, 0));
	for (size_t i = 0; i + 1 < out->size; i++)
		if (!out->data[i])
			out->data[i] = '\n';
	free(args);
}

static void test_forms(void **state)
{
	unsigned leaked = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(forms); i++) {
		const char *secret = forms[i].secret ? forms[i].secret : SECRET;
		struct buffer out = { 0 };
		char lines[1024];

		snprintf(lines, sizeof(lines), forms[i].lines, secret, secret);
		mask_lines(&out, lines);
		if (strstr(buffer_cstr(&out), secret)) {
			fprintf(stderr, "leaked: %s\n     as: %s\n", lines, buffer_cstr(&out));
			leaked++;
		}
		buffer_fini(&out);
	}
	fprintf(stderr, "%u of %zu leaked\n", leaked, COUNT(forms));
	assert_int_equal(leaked, 0);
}

static void test_healthy(void **state)
{
	unsigned changed = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(healthy); i++) {
		struct buffer out = { 0 };

		mask_lines(&out, healthy[i]);
		if (strcmp(buffer_cstr(&out), healthy[i]) != 0) {
			fprintf(stderr, "changed: %s\n     to: %s\n", healthy[i],
				buffer_cstr(&out));
			changed++;
		}
		buffer_fini(&out);
	}
	fprintf(stderr, "%u of %zu changed\n", changed, COUNT(healthy));
	assert_int_equal(changed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_healthy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Keyed hashes of names: the examples of the standards, the hash that other tools compute of the
 * same name, and which files are keys. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "secrets/name_hash.h"

#define KEY "0123456789abcdef0123456789abcdef"

static char folder[] = "/tmp/sooth-test-name-hash-XXXXXX";

static void check_hex(const unsigned char hash[SHA256_SIZE], const char *wanted)
{
	char text[2 * SHA256_SIZE + 1];

	for (int i = 0; i < SHA256_SIZE; i++)
		snprintf(text + 2 * i, 3, "%02x", hash[i]);
	assert_string_equal(text, wanted);
}

static void check_sha256(const char *text, size_t times, const char *wanted)
{
	unsigned char hash[SHA256_SIZE];
	struct sha256 s;

	sha256_begin(&s);
	for (size_t i = 0; i < times; i++)
		sha256_add(&s, text, strlen(text));
	sha256_end(&s, hash);
	check_hex(hash, wanted);
}

/* The examples of FIPS 180, and lengths around the end of a block, as sha256sum has them. */
static void test_sha256(void **state)
{
	(void)state;
	check_sha256("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	check_sha256("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	check_sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
		"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	check_sha256(
		"a", 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	check_sha256("a", 55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318");
	check_sha256("a", 56, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a");
	check_sha256("a", 64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb");
}

static void check_hmac(const void *key, size_t size, const char *text, const char *wanted)
{
	unsigned char hash[SHA256_SIZE];
	struct hmac h;

	hmac_begin(&h, key, size);
	sha256_add(&h.inner, text, strlen(text));
	hmac_end(&h, hash);
	check_hex(hash, wanted);
}

/* Examples of RFC 4231: a short key, and one that is longer than a block. */
static void test_hmac(void **state)
{
	unsigned char key[131];

	(void)state;
	memset(key, 0xaa, sizeof(key));
	check_hmac("Jefe", 4, "what do ya want for nothing?",
		"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	check_hmac(key, sizeof(key), "Test Using Larger Than Block-Size Key - Hash Key First",
		"60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static const char *key_file(const char *content, mode_t mode)
{
	static char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/key", folder);
	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, strlen(content)), strlen(content));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
	return path;
}

static void check_name(const char *content, const char *kind, const char *name, const char *wanted)
{
	struct sooth_error err = { 0 };
	struct buffer out = { 0 };
	struct name_key key;

	assert_int_equal(name_key_read(&key, key_file(content, 0600), &err), 0);
	name_hash(&key, kind, span_of(name, strlen(name)), &out);
	assert_string_equal(buffer_cstr(&out), wanted);
	buffer_fini(&out);
}

/* printf %s host:web-17 | openssl dgst -sha256 -hmac "$(cat key)" */
static void test_names(void **state)
{
	(void)state;
	check_name(KEY, "host", "web-17", "host-ca754707fa479d59");
	check_name(KEY "\n", "host", "web-17", "host-ca754707fa479d59");
	check_name(KEY, "project", "web-17", "project-34bb40e71f1791cb");
	check_name("another key of 32 bytes, or more", "host", "web-17", "host-92497e9b43ea1e24");
	check_name(KEY, "host", "", "");
}

static void check_refused(const char *path, int code, const char *why)
{
	struct sooth_error err = { 0 };
	struct name_key key;

	assert_int_equal(name_key_read(&key, path, &err), code);
	assert_non_null(strstr(err.why, why));
}

static void test_refused(void **state)
{
	char link[128];

	(void)state;
	check_refused(key_file(KEY, 0640), -EINVAL, "other users may read it");
	check_refused(key_file(KEY, 0604), -EINVAL, "other users may read it");
	check_refused(key_file("too short\n", 0600), -EINVAL, "16 to 4096");
	check_refused(folder, -EINVAL, "no regular file");
	check_refused("/dev/zero", -EINVAL, "no regular file");
	check_refused("/proc/self/missing", -ENOENT, "No such file");
	/* A link to a key is one: Secrets of Kubernetes are links. */
	snprintf(link, sizeof(link), "%s/link", folder);
	assert_int_equal(symlink(key_file(KEY, 0400), link), 0);
	assert_int_equal(
		name_key_read(&(struct name_key){ 0 }, link, &(struct sooth_error){ 0 }), 0);
}

static void test_too_long(void **state)
{
	char content[4100];

	(void)state;
	memset(content, 'k', sizeof(content));
	content[4098] = '\0';
	check_refused(key_file(content, 0600), -EINVAL, "16 to 4096");
	content[4097] = '\0';
	check_refused(key_file(content, 0600), -EINVAL, "16 to 4096");
	content[4096] = '\n';
	assert_int_equal(name_key_read(&(struct name_key){ 0 }, key_file(content, 0600),
				 &(struct sooth_error){ 0 }),
		0);
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/key", folder);
	unlink(path);
	snprintf(path, sizeof(path), "%s/link", folder);
	unlink(path);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sha256),
		cmocka_unit_test(test_hmac),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_too_long),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

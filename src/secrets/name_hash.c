/* SPDX-License-Identifier: BSD-2-Clause */
#include "secrets/name_hash.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/read_at.h"
#include "secrets/forget.h"

#define KEY_LEAST  16
#define KEY_MOST   4096
#define HASH_BYTES 8

static int refuse_key(const char *path, const char *why, struct sooth_error *err)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "read the key %s", path);
	error_why(err, "%s", why);
	return error_remedy(err, "make one: (umask 077; openssl rand -hex 32 >FILE)");
}

/* Reads the bytes of a key, without a newline at the end. Returns their number, or an error. */
static ssize_t read_bytes(
	int fd, char bytes[KEY_MOST + 2], const char *path, struct sooth_error *err)
{
	struct stat st;
	ssize_t size;

	if (fd < 0 || fstat(fd, &st))
		return error_errno(err, -errno, "read the key %s", path);
	if (!S_ISREG(st.st_mode) || (st.st_uid != geteuid() && st.st_uid != 0))
		return refuse_key(path, "it is no regular file of this user or of root", err);
	if (st.st_mode & (S_IRWXG | S_IRWXO))
		return refuse_key(path, "other users may read it: its mode is not 0600", err);
	size = read_at(fd, bytes, KEY_MOST + 2, 0);
	if (size < 0)
		return error_errno(err, (int)size, "read the key %s", path);
	if (size && bytes[size - 1] == '\n')
		size--;
	if (size < KEY_LEAST || size > KEY_MOST)
		return refuse_key(path, "a key has 16 to 4096 bytes", err);
	return size;
}

int name_key_read(struct name_key *key, const char *path, struct sooth_error *err)
{
	/* A link is followed, as Kubernetes mounts its Secrets: what counts is the owner of the
	 * file, and that no other user can read it. */
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char bytes[KEY_MOST + 2];
	ssize_t size = read_bytes(fd, bytes, path, err);

	if (size > 0)
		hmac_begin(&key->begun, bytes, (size_t)size);
	forget_bytes(bytes, sizeof(bytes));
	return size > 0 ? 0 : (int)size;
}

void name_hash(const struct name_key *key, const char *kind, struct span text, struct buffer *out)
{
	struct hmac h = key->begun;
	unsigned char hash[SHA256_SIZE];

	if (!text.size)
		return;
	sha256_add(&h.inner, kind, strlen(kind));
	sha256_add(&h.inner, ":", 1);
	sha256_add(&h.inner, text.data, text.size);
	hmac_end(&h, hash);
	buffer_format(out, "%s-", kind);
	for (int i = 0; i < HASH_BYTES; i++)
		buffer_format(out, "%02x", hash[i]);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/rights/library_environment.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

#define GNUTLS "GNUTLS_" /* settings, keys, priorities, a second key log: new ones come */

extern char **environ;

static void forget_gnutls(void)
{
	char name[64];

	for (char **at = environ; at && *at;) {
		size_t size = strcspn(*at, "=");

		if (strncmp(*at, GNUTLS, strlen(GNUTLS)) != 0 || size >= sizeof(name)) {
			at++;
			continue;
		}
		memcpy(name, *at, size);
		name[size] = '\0';
		if (unsetenv(name)) /* moves the next one here */
			return;
	}
}

void library_environment_forget(void)
{
	static const char *const names[] = { "SSLKEYLOGFILE", "OPENSSL_CONF", "OPENSSL_MODULES",
		"OPENSSL_ENGINES", "SSL_CERT_FILE", "SSL_CERT_DIR", "HOSTALIASES" };

	if (getuid())
		return;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		unsetenv(names[i]);
	forget_gnutls();
}

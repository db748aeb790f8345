/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/rights/forbid_writing.h"

#include <assert.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

/* The rights of the first version of Landlock, without those to read and to execute. */
#define WRITES                                                                                     \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                           \
		LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |                    \
		LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |                        \
		LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |                      \
		LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)

/* Those that output files need. */
#define OUTPUTS                                                                                    \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE |                          \
		LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR)

/* linux/landlock.h of later kernels */
#define ACCESS_TRUNCATE	 (UINT64_C(1) << 14) /* version 3, Linux 6.2 */
#define SCOPES		 UINT64_C(3)	     /* version 6, Linux 6.12: abstract sockets, signals */
#define VERSION_TRUNCATE 3
#define VERSION_SCOPE	 6

struct rules {
	uint64_t files, network, scope;
};

static void allow_place(int rules, const char *path, uint64_t rights)
{
	_cleanup_close_ int fd = open(path, O_PATH | O_CLOEXEC);
	struct landlock_path_beneath_attr rule = { .allowed_access = rights, .parent_fd = fd };
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return;
	if (!S_ISDIR(st.st_mode))
		rule.allowed_access &= LANDLOCK_ACCESS_FS_WRITE_FILE | ACCESS_TRUNCATE;
	syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

void forbid_writing(const char *const *places, size_t count)
{
	assert(places || !count);

	long version =
		syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	uint64_t truncate = version >= VERSION_TRUNCATE ? ACCESS_TRUNCATE : 0;
	const struct rules rules = { .files = WRITES | truncate |
					      (count ? 0 : LANDLOCK_ACCESS_FS_EXECUTE),
		.scope = version >= VERSION_SCOPE && !count ? SCOPES : 0 };
	size_t size = version >= VERSION_SCOPE ? sizeof(rules) : sizeof(rules.files);
	_cleanup_close_ int fd = (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0);

	if (fd < 0)
		return;
	for (size_t i = 0; i < count; i++)
		allow_place(fd, places[i], OUTPUTS | truncate);
	syscall(SYS_landlock_restrict_self, fd, 0);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/state/preload_file.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/hash.h"
#include "cli/state/user_folder.h"

/* Only linked into the program that is one file. */
extern const unsigned char preload_image[] __attribute__((weak));
extern const size_t preload_image_size __attribute__((weak));

static const struct user_folder_kind cache_kind = {
	.below = ".cache/sooth", .variable = "XDG_CACHE_HOME", .below_variable = "sooth"
};

/* Returns whether the file has exactly these bytes: an older one may be cut, or another's. */
static bool is_current(const char *path)
{
	_cleanup_free_ unsigned char *bytes = malloc(preload_image_size + 1);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	return bytes && fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode) &&
	       read(fd, bytes, preload_image_size + 1) == (ssize_t)preload_image_size &&
	       !memcmp(bytes, preload_image, preload_image_size);
}

static int write_image(const char *path, struct sooth_error *err)
{
	struct out_file file = { 0 };
	int status = out_file_open(&file, path, false, err);

	if (!status) {
		fwrite(preload_image, 1, preload_image_size, file.stream);
		status = out_file_commit(&file, err);
	}
	out_file_close(&file);
	return status;
}

bool preload_file_is_inside(void)
{
	return &preload_image_size;
}

/* Opens the folder and sets the path: another sooth has another library. */
static int open_folder(struct user_folder *folder, char path[PATH_MAX], struct sooth_error *err)
{
	int status = user_folder_make(folder, &cache_kind, NULL, err);

	snprintf(path, PATH_MAX, "%.*s/preload-%016llx.so", PATH_MAX - 40, folder->path,
		(unsigned long long)hash_bytes(HASH_BEGIN, preload_image, preload_image_size));
	return status ? status : user_folder_enter(folder, err);
}

int preload_file_write(char path[PATH_MAX], struct sooth_error *err)
{
	struct user_folder folder;
	int status;

	path[0] = '\0';
	if (!preload_file_is_inside())
		return 0;
	status = open_folder(&folder, path, err);
	if (status)
		return status;
	if (!is_current(path))
		status = write_image(path, err);
	user_folder_leave(&folder);
	user_folder_close(&folder);
	return status;
}

void preload_file_remove(char path[PATH_MAX])
{
	struct sooth_error ignored;
	struct user_folder folder;

	path[0] = '\0';
	if (!preload_file_is_inside())
		return;
	if (open_folder(&folder, path, &ignored) || unlink(path))
		path[0] = '\0';
	else
		rmdir(folder.path);
	user_folder_leave(&folder);
	user_folder_close(&folder);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/diagnosis/batch_programs.h"

#include <string.h>

#include "base/cleanup.h"

#define VERSION_DIGITS "0123456789."

static const char *const names[] = { "7z", "7za", "7zr", "7zz", "apt", "apt-get", "as", "asm",
	"brotli", "bzip2", "cc1", "cc1obj", "cc1objplus", "cc1plus", "cgo", "clang", "clang++",
	"clang-cpp", "collect2", "compile", "cppcheck", "ctags", "d21", "doxygen", "dpkg",
	"dpkg-deb", "dwz", "f951", "ghc", "git", "gnat1", "gzip", "ld", "ld.bfd", "ld.gold",
	"ld.lld", "ld64.lld", "link", "llc", "lld", "lrzip", "lto-wrapper", "lto1", "lto1-ltrans",
	"lto1-wpa", "lz4", "lzma", "mksquashfs", "mold", "objcopy", "ocamlopt.opt", "opt", "pbzip2",
	"pigz", "pixz", "pxz", "pzstd", "rar", "rg", "rsync", "rustc", "sort", "strip",
	"swift-frontend", "unrar", "unxz", "unzip", "unzstd", "xz", "zig", "zip", "zstd" };

/* "clang-14" is clang. */
static size_t without_version(struct span name)
{
	size_t end = name.size;

	while (end && memchr(VERSION_DIGITS, name.data[end - 1], strlen(VERSION_DIGITS)))
		end--;
	return end && end < name.size && name.data[end - 1] == '-' ? end - 1 : name.size;
}

bool is_batch_program(struct span name)
{
	struct span plain = { name.data, without_version(name) };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (span_equal(name, names[i]) || span_equal(plain, names[i]))
			return true;
	}
	return false;
}

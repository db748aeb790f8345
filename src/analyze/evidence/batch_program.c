/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/batch_program.h"

#include <string.h>

#define VERSION_DIGITS "0123456789."

/* Use a CPU for as long as their task takes, and their memory grows with it. */
static const char *const tasks[] = { "7z", "7za", "7zz", "as", "brotli", "bzip2", "cc1", "cc1obj",
	"cc1plus", "clang", "clang++", "collect2", "compile", "cppcheck", "f951", "ghc", "git",
	"gzip", "ld", "ld.bfd", "ld.gold", "ld.lld", "lld", "lto-wrapper", "lto1", "lz4", "lzma",
	"mold", "ocamlopt.opt", "pbzip2", "pigz", "rustc", "sort", "xz", "zstd" };
/* Only use a CPU for as long as their task takes. */
static const char *const computing[] = { "R", "b2sum", "bc", "cadical", "cksum", "clang-tidy",
	"convert", "cvc5", "factor", "ffmpeg", "flac", "gnuplot", "gpg", "hashcat", "javac", "john",
	"kissat", "lame", "lualatex", "magick", "md5sum", "minisat", "octave-cli", "openssl",
	"optipng", "opusenc", "pdflatex", "pngcrush", "primes", "sha1sum", "sha224sum", "sha256sum",
	"sha384sum", "sha512sum", "ssh-keygen", "stress", "stress-ng", "sysbench", "x264", "x265",
	"xelatex", "z3", "zopfli" };
/* Only their memory grows with their task. */
static const char *const growing[] = { "7zr", "apt", "apt-get", "asm", "cc1objplus", "cgo",
	"clang-cpp", "ctags", "d21", "doxygen", "dpkg", "dpkg-deb", "dwz", "gnat1", "ld64.lld",
	"link", "llc", "lrzip", "lto1-ltrans", "lto1-wpa", "mksquashfs", "objcopy", "opt", "pixz",
	"pxz", "pzstd", "rar", "rg", "rsync", "strip", "swift-frontend", "unrar", "unxz", "unzip",
	"unzstd", "zig", "zip" };
/* Send requests to a server on purpose. */
static const char *const measuring[] = { "ab", "bombardier", "fio", "h2load", "hey", "iperf3", "k6",
	"memtier_benchma", "mysqlslap", "netperf", "oha", "pgbench", "redis-benchmark", "siege",
	"sockperf", "sysbench", "vegeta", "wrk", "wrk2" };

/* Returns the name without a version: clang for "clang-14". */
static struct span without_version(struct span name)
{
	size_t end = name.size;

	while (end && memchr(VERSION_DIGITS, name.data[end - 1], strlen(VERSION_DIGITS)))
		end--;
	return end && end < name.size && name.data[end - 1] == '-' ? span_of(name.data, end - 1)
								   : name;
}

bool batch_program_computes(struct span name)
{
	return SPAN_ANY(name, span_equal, tasks) || SPAN_ANY(name, span_equal, computing);
}

bool batch_program_measures(struct span name)
{
	return SPAN_ANY(name, span_equal, measuring);
}

static bool is_growing_program(struct span name)
{
	return SPAN_ANY(name, span_equal, tasks) || SPAN_ANY(name, span_equal, growing);
}

bool batch_program_grows(struct span name)
{
	return is_growing_program(name) || is_growing_program(without_version(name));
}

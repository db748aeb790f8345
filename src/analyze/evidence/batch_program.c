/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/batch_program.h"

#include <string.h>

#include "base/cleanup.h"

#define COMPUTES 1 /* uses a CPU for as long as its task takes */
#define GROWS	 2 /* its memory grows with its task */
#define MEASURES 4 /* sends requests to a server on purpose */

#define VERSION_DIGITS "0123456789."

static const struct {
	const char *name;
	unsigned does;
} programs[] = {
	{ "7z", COMPUTES | GROWS },
	{ "7za", COMPUTES | GROWS },
	{ "7zr", GROWS },
	{ "7zz", COMPUTES | GROWS },
	{ "R", COMPUTES },
	{ "ab", MEASURES },
	{ "apt", GROWS },
	{ "apt-get", GROWS },
	{ "as", COMPUTES | GROWS },
	{ "asm", GROWS },
	{ "b2sum", COMPUTES },
	{ "bc", COMPUTES },
	{ "bombardier", MEASURES },
	{ "brotli", COMPUTES | GROWS },
	{ "bzip2", COMPUTES | GROWS },
	{ "cadical", COMPUTES },
	{ "cc1", COMPUTES | GROWS },
	{ "cc1obj", COMPUTES | GROWS },
	{ "cc1objplus", GROWS },
	{ "cc1plus", COMPUTES | GROWS },
	{ "cgo", GROWS },
	{ "cksum", COMPUTES },
	{ "clang", COMPUTES | GROWS },
	{ "clang++", COMPUTES | GROWS },
	{ "clang-cpp", GROWS },
	{ "clang-tidy", COMPUTES },
	{ "collect2", COMPUTES | GROWS },
	{ "compile", COMPUTES | GROWS },
	{ "convert", COMPUTES },
	{ "cppcheck", COMPUTES | GROWS },
	{ "ctags", GROWS },
	{ "cvc5", COMPUTES },
	{ "d21", GROWS },
	{ "doxygen", GROWS },
	{ "dpkg", GROWS },
	{ "dpkg-deb", GROWS },
	{ "dwz", GROWS },
	{ "f951", COMPUTES | GROWS },
	{ "factor", COMPUTES },
	{ "ffmpeg", COMPUTES },
	{ "fio", MEASURES },
	{ "flac", COMPUTES },
	{ "ghc", COMPUTES | GROWS },
	{ "git", COMPUTES | GROWS },
	{ "gnat1", GROWS },
	{ "gnuplot", COMPUTES },
	{ "gpg", COMPUTES },
	{ "gzip", COMPUTES | GROWS },
	{ "h2load", MEASURES },
	{ "hashcat", COMPUTES },
	{ "hey", MEASURES },
	{ "iperf3", MEASURES },
	{ "javac", COMPUTES },
	{ "john", COMPUTES },
	{ "k6", MEASURES },
	{ "kissat", COMPUTES },
	{ "lame", COMPUTES },
	{ "ld", COMPUTES | GROWS },
	{ "ld.bfd", COMPUTES | GROWS },
	{ "ld.gold", COMPUTES | GROWS },
	{ "ld.lld", COMPUTES | GROWS },
	{ "ld64.lld", GROWS },
	{ "link", GROWS },
	{ "llc", GROWS },
	{ "lld", COMPUTES | GROWS },
	{ "lrzip", GROWS },
	{ "lto-wrapper", COMPUTES | GROWS },
	{ "lto1", COMPUTES | GROWS },
	{ "lto1-ltrans", GROWS },
	{ "lto1-wpa", GROWS },
	{ "lualatex", COMPUTES },
	{ "lz4", COMPUTES | GROWS },
	{ "lzma", COMPUTES | GROWS },
	{ "magick", COMPUTES },
	{ "md5sum", COMPUTES },
	{ "memtier_benchma", MEASURES },
	{ "minisat", COMPUTES },
	{ "mksquashfs", GROWS },
	{ "mold", COMPUTES | GROWS },
	{ "mysqlslap", MEASURES },
	{ "netperf", MEASURES },
	{ "objcopy", GROWS },
	{ "ocamlopt.opt", COMPUTES | GROWS },
	{ "octave-cli", COMPUTES },
	{ "oha", MEASURES },
	{ "openssl", COMPUTES },
	{ "opt", GROWS },
	{ "optipng", COMPUTES },
	{ "opusenc", COMPUTES },
	{ "pbzip2", COMPUTES | GROWS },
	{ "pdflatex", COMPUTES },
	{ "pgbench", MEASURES },
	{ "pigz", COMPUTES | GROWS },
	{ "pixz", GROWS },
	{ "pngcrush", COMPUTES },
	{ "primes", COMPUTES },
	{ "pxz", GROWS },
	{ "pzstd", GROWS },
	{ "rar", GROWS },
	{ "redis-benchmark", MEASURES },
	{ "rg", GROWS },
	{ "rsync", GROWS },
	{ "rustc", COMPUTES | GROWS },
	{ "sha1sum", COMPUTES },
	{ "sha224sum", COMPUTES },
	{ "sha256sum", COMPUTES },
	{ "sha384sum", COMPUTES },
	{ "sha512sum", COMPUTES },
	{ "siege", MEASURES },
	{ "sockperf", MEASURES },
	{ "sort", COMPUTES | GROWS },
	{ "ssh-keygen", COMPUTES },
	{ "stress", COMPUTES },
	{ "stress-ng", COMPUTES },
	{ "strip", GROWS },
	{ "swift-frontend", GROWS },
	{ "sysbench", COMPUTES | MEASURES },
	{ "unrar", GROWS },
	{ "unxz", GROWS },
	{ "unzip", GROWS },
	{ "unzstd", GROWS },
	{ "vegeta", MEASURES },
	{ "wrk", MEASURES },
	{ "wrk2", MEASURES },
	{ "x264", COMPUTES },
	{ "x265", COMPUTES },
	{ "xelatex", COMPUTES },
	{ "xz", COMPUTES | GROWS },
	{ "z3", COMPUTES },
	{ "zig", GROWS },
	{ "zip", GROWS },
	{ "zopfli", COMPUTES },
	{ "zstd", COMPUTES | GROWS },
};

/* Returns the name without a version: clang for "clang-14". */
static struct span without_version(struct span name)
{
	size_t end = name.size;

	while (end && memchr(VERSION_DIGITS, name.data[end - 1], strlen(VERSION_DIGITS)))
		end--;
	return end && end < name.size && name.data[end - 1] == '-' ? span_of(name.data, end - 1)
								   : name;
}

static bool is_one(struct span name, unsigned does)
{
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		if (programs[i].does & does && span_equal(name, programs[i].name))
			return true;
	}
	return false;
}

bool batch_program_computes(struct span name)
{
	return is_one(name, COMPUTES);
}

bool batch_program_measures(struct span name)
{
	return is_one(name, MEASURES);
}

bool batch_program_grows(struct span name)
{
	return is_one(name, GROWS) || is_one(without_version(name), GROWS);
}

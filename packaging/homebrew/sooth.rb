# SPDX-License-Identifier: BSD-2-Clause
# A skeleton of a Homebrew formula; never built by the project.
class Sooth < Formula
  desc "Find AI coding agents, watch them, say why one misbehaves"
  license "BSD-2-Clause"
  head "https://example.invalid/sooth.git", branch: "main"

  depends_on "meson" => :build
  depends_on "msgpack" => :build
  depends_on "ninja" => :build
  depends_on "pkgconf" => :build
  depends_on "jansson"
  depends_on "ncurses"
  depends_on "sqlite"
  depends_on "util-linux"
  depends_on "zstd"

  def install
    system "meson", "setup", "build", "-Dos=darwin", "-Ddemangle=disabled", *std_meson_args
    system "meson", "compile", "-C", "build"
    system "meson", "install", "-C", "build"
  end

  test do
    assert_match "macOS", shell_output("#{bin}/sooth doctor")
  end
end

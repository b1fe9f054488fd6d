# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# shellcheck shell=bash
#
# Sourced by demo.sh and check.sh: installs what is missing, configures, builds.
# A second run only asks dpkg and ninja, which takes seconds.
#
#   bootstrap PRESET     after it: $root, $build, $ptxas_dir (may be empty),
#                        and `python_env` below for packages from PyPI

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

mx_packages=(libmlir-22-dev llvm-22-dev mlir-22-tools llvm-22-tools clang-22
  libclang-rt-22-dev lld-22 cmake ninja-build ccache libgtest-dev python3
  python3-venv ca-certificates chromium)

say() { printf '\033[1m== %s\033[0m\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

missing_packages() {
  local package
  for package in "${mx_packages[@]}"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
      printf '%s\n' "$package"
  done
}

install_packages() {
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    # Not Debian: what the build itself needs may be there all the same.
    command -v cmake >/dev/null && command -v ninja >/dev/null && command -v clang++-22 >/dev/null && return
    die "this script installs packages with apt-get, which is not here; install LLVM/MLIR 22.1 (libMLIR.so, mlir-tblgen, mlir-opt, FileCheck, lit), clang++-22, lld, CMake 3.25, Ninja, GoogleTest and Python 3 first"
  fi
  local missing
  mapfile -t missing < <(missing_packages)
  [ ${#missing[@]} -eq 0 ] && return
  local sudo=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "not root and no sudo; as root: apt-get install ${missing[*]}"
    sudo=(sudo)
  fi
  say "installing ${missing[*]}"
  "${sudo[@]}" apt-get update -qq || die "apt-get update failed"
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    "${missing[@]}" >/dev/null ||
    die "apt-get could not install ${missing[*]}; Debian 12 has them in its security suite (bookworm-security)"
}

# python_env [--no-deps] PACKAGE...: a private environment under the build
# folder with the packages (already there: nothing happens). Sets $python.
python_env() {
  local env=$root/build/python package options=()
  if [ "$1" = --no-deps ]; then
    options=(--no-deps)
    shift
  fi
  python=$env/bin/python
  [ -x "$python" ] || python3 -m venv "$env" || die "python3 -m venv failed"
  for package in "$@"; do
    [ -e "$env/.has-$package" ] && continue
    say "installing $package from PyPI into build/python"
    local log
    log=$("$python" -m pip install -q --disable-pip-version-check "${options[@]}" "$package" 2>&1) ||
      { printf '%s\n' "$log" >&2; return 1; }
    : >"$env/.has-$package"
  done
}

# Finds ptxas: PATH, a CUDA Toolkit, else the PyPI wheel. Without it kernels
# are still generated as PTX, but not assembled.
find_ptxas() {
  ptxas_dir=
  local dir
  if command -v ptxas >/dev/null; then
    ptxas_dir=$(dirname "$(command -v ptxas)")
    return
  fi
  for dir in "${CUDA_HOME:-}" "${CUDA_PATH:-}" /usr/local/cuda; do
    if [ -n "$dir" ] && [ -x "$dir/bin/ptxas" ]; then
      ptxas_dir=$dir/bin
      return
    fi
  done
  if python_env nvidia-cuda-nvcc; then
    dir=$(find "$root/build/python" -name ptxas -type f -print -quit)
    [ -n "$dir" ] && ptxas_dir=$(dirname "$dir")
  fi
  [ -n "$ptxas_dir" ] || say "no ptxas: kernels will not be assembled"
}

bootstrap() {
  local preset=$1
  build=$root/build
  [ "$preset" = release ] || build=$root/build-$preset
  install_packages
  find_ptxas
  [ -n "$ptxas_dir" ] && PATH=$ptxas_dir:$PATH
  local log=$build/configure.log
  mkdir -p "$build"
  if [ ! -f "$build/build.ninja" ]; then
    say "configuring ($preset)"
    (cd "$root" && cmake --preset "$preset") >"$log" 2>&1 || { cat "$log" >&2; die "cmake failed"; }
  fi
  say "building ($preset)"
  # Ninja's progress line is for a person; a log gets the result only.
  if [ -t 2 ]; then
    cmake --build "$build" >&2 || die "the build failed"
  else
    cmake --build "$build" >"$build/build.log" 2>&1 || { cat "$build/build.log" >&2; die "the build failed"; }
  fi
}

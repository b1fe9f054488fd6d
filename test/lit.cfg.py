# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import os
import platform
import shutil
import sys

import lit.formats
from lit.llvm import llvm_config

config.name = "MX"
config.test_format = lit.formats.ShTest(not llvm_config.use_lit_shell)
config.suffixes = [".mlir", ".test"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.mx_obj_root, "test")
config.excludes = ["Benchmark", "Inputs", "CMakeLists.txt"]

tools = os.path.join(config.mx_obj_root, "bin")
llvm_config.with_environment("PATH", [tools, config.llvm_tools_dir], append_path=True)
config.substitutions.append(("%mx_plugin", os.path.join(config.mx_obj_root, "lib", "MXPlugin.so")))
config.substitutions.append(("%python", sys.executable))
config.substitutions.append(("%mx_obj_root", config.mx_obj_root))
# For projects that are built in a test: the compiler, and what all that links a sanitized library needs.
config.substitutions.append(("%cxx_flags", "-fsanitize=address,undefined" if config.asan_runtime else ""))
config.substitutions.append(("%cxx", config.cxx))
config.substitutions.append(("%cc", config.cc))
config.substitutions.append(("%mx_src_root", config.mx_src_root))
config.substitutions.append(("%llvm_include", config.llvm_include_dir))
config.substitutions.append(("%mx_test_root", config.test_source_root))
# Shapes and attributes of the IR, not the machine, decide what is tested.
llvm_config.use_default_substitutions()

if config.asan_runtime:
    # LLVM's allocators poison what they hand out, but only in our half: the packaged libraries are not instrumented.
    config.environment["ASAN_OPTIONS"] = "allow_user_poisoning=0"
    # A stock tool that loads an instrumented plugin needs the runtime from the start.
    preload = "env LD_PRELOAD=" + config.asan_runtime
    config.substitutions.append((r"(?<![-/\w])mlir-opt(?![-/\w])", preload + " mlir-opt"))

# Optional tools, each found on this machine or left out with its tests.
for feature, tool in (("ptxas", "ptxas"), ("unit-tests", "MXUnitTests"), ("emulator-tests", "MXEmulatorTests"), ("recipe-fuzzer", "mx-recipe-fuzzer"), ("ptx-fuzzer", "mx-ptx-fuzzer"), ("mlir-runner", "mlir-runner")):
    if shutil.which(tool, path=config.environment["PATH"]):
        config.available_features.add(feature)
config.available_features.add(platform.machine())
# check.sh --all: tests that take longer than everybody wants to wait.
if os.environ.get("MX_TEST_ALL"):
    config.available_features.add("all")
# What the host can run, for tests of --cpu.
if os.path.exists("/proc/cpuinfo"):
    with open("/proc/cpuinfo") as info:
        flags = info.read().split()
    config.available_features.update(flag for flag in ("avx2", "avx512f") if flag in flags)

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Finds the packaged LLVM/MLIR 22 and sets the project-wide compile options.
#
# MLIR's version file compares major.minor, so a plain "22" is refused; and
# CMake 3.25 does not look below /usr/lib/llvm-22 by itself.
find_package(MLIR 22.1 REQUIRED CONFIG HINTS /usr/lib/llvm-22/lib/cmake/mlir)
list(APPEND CMAKE_MODULE_PATH ${LLVM_CMAKE_DIR} ${MLIR_CMAKE_DIR})
include(TableGen)
include(AddLLVM)
include(AddMLIR)

separate_arguments(LLVM_DEFINITIONS)
add_definitions(${LLVM_DEFINITIONS})

# RTTI follows the packaged LLVM (on); it is built without exceptions.
add_compile_options(-fno-exceptions -Wall -Wextra -Wno-unused-parameter -Werror)
add_compile_options($<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>
                    $<$<CXX_COMPILER_ID:GNU>:-Wno-dangling-reference>)

find_program(MX_CCACHE ccache)
if(MX_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER ${MX_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${MX_CCACHE})
endif()
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  find_program(MX_LLD ld.lld HINTS ${LLVM_TOOLS_BINARY_DIR})
  if(MX_LLD)
    add_link_options(-fuse-ld=${MX_LLD})
  endif()
endif()

option(MX_SANITIZE "Build with AddressSanitizer and UBSan" OFF)
if(MX_SANITIZE)
  # UBSan's vptr check needs RTTI symbols that libMLIR.so does not export.
  add_compile_options(-fsanitize=address,undefined -fno-sanitize=vptr
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
  execute_process(
    COMMAND ${CMAKE_CXX_COMPILER} -print-file-name=libclang_rt.asan-${CMAKE_SYSTEM_PROCESSOR}.so
    OUTPUT_VARIABLE MX_ASAN_RUNTIME OUTPUT_STRIP_TRAILING_WHITESPACE)
endif()

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Target wrappers. Everything links the shared libMLIR: a second, static copy
# of MLIR in a plugin would have its own TypeIDs and crash.

# Most of a clean build is MLIR's headers, parsed again for each file.
# Precompiled they cost half; but a compiler cache then serves one build folder
# only, so with ccache they are left alone.
if(MX_CCACHE)
  option(MX_PRECOMPILE "Precompile MLIR's headers" OFF)
else()
  option(MX_PRECOMPILE "Precompile MLIR's headers" ON)
endif()
if(MX_PRECOMPILE)
  file(CONFIGURE OUTPUT precompiled.cpp CONTENT "")
  add_library(MXPrecompiled OBJECT ${PROJECT_BINARY_DIR}/precompiled.cpp)
  set_target_properties(MXPrecompiled PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_include_directories(MXPrecompiled SYSTEM PRIVATE ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
  target_precompile_headers(MXPrecompiled PRIVATE
    <mlir/Dialect/Arith/IR/Arith.h>
    <mlir/Dialect/Func/IR/FuncOps.h>
    <mlir/Dialect/Linalg/IR/Linalg.h>
    <mlir/Dialect/SCF/IR/SCF.h>
    <mlir/Dialect/Tensor/IR/Tensor.h>
    <mlir/Pass/Pass.h>
    <mlir/Transforms/DialectConversion.h>)
endif()

# mx_add_library(NAME source... [PLAIN] [DEPENDS tablegen-target...] [LINK library...])
# A small static library of one layer, usable in tools and in the plugin. PLAIN:
# C++ without MLIR.
function(mx_add_library name)
  cmake_parse_arguments(ARG "PLAIN" "" "DEPENDS;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_link_libraries(${name} PUBLIC ${ARG_LINK})
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
  if(MX_PRECOMPILE AND NOT ARG_PLAIN)
    target_precompile_headers(${name} REUSE_FROM MXPrecompiled)
  endif()
  set_property(GLOBAL APPEND PROPERTY MX_LIBRARIES ${name})
endfunction()

# mx_add_tool(NAME source... [LINK library...])
function(mx_add_tool name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${ARG_LINK})
endfunction()

# mx_tablegen(TARGET file.td output generator-flags...)... : one call per output;
# mx_add_tablegen_target(TARGET) closes the list.
macro(mx_tablegen td output)
  set(LLVM_TARGET_DEFINITIONS ${td})
  mlir_tablegen(${output} ${ARGN} EXTRA_INCLUDES ${PROJECT_SOURCE_DIR}/dialects
                ${PROJECT_SOURCE_DIR}/include)
endmacro()

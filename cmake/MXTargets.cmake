# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Target wrappers. Everything links the shared libMLIR: a second, static copy
# of MLIR in a plugin would have its own TypeIDs and crash.

# mx_add_library(NAME source... [DEPENDS tablegen-target...] [LINK library...])
# A small static library of one layer, usable in tools and in the plugin.
function(mx_add_library name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_link_libraries(${name} PUBLIC ${ARG_LINK})
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
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
